//! Files that only the service may read.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

use crate::{Error, Result};

pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes a directory for what only we may read, and those above it.
pub(crate) fn create_directory(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| Error::io(path, "making the directory", &error))
}

/// What root makes in a directory of the service's user must be the service's, or it could not read it. Does nothing
/// when the owner is the same already.
pub(crate) fn give_to_owner_of(directory: &Path, file: &Path) -> std::io::Result<()> {
    let (theirs, ours) = (std::fs::metadata(directory)?, std::fs::metadata(file)?);
    if theirs.uid() == ours.uid() {
        return Ok(());
    }
    std::os::unix::fs::chown(file, Some(theirs.uid()), Some(theirs.gid()))
}
