//! Files that only the service may read.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::{Error, ErrorKind, Result};

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

/// Makes a file, mode 0600; fails when it is there already. What appears under the name is complete, and it is on the
/// disk when this returns.
pub(crate) fn create_complete(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let directory = directory_of(path);
    let suffix = random_hex::<8>().map_err(std::io::Error::other)?;
    let draft = path.with_extension(suffix);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()?;
        give_to_owner_of(directory, &draft)?;
        // A link, not a rename: it fails when the name exists.
        std::fs::hard_link(&draft, path)?;
        File::open(directory)?.sync_all()
    })();
    let _ = std::fs::remove_file(&draft);
    written
}

/// Writes a file again if it was deleted, with its directory; whether it was. What is there is left alone.
pub(crate) fn put_back(path: &Path, content: &[u8], doing: &str) -> Result<bool> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::io(path, doing, &error)),
        Ok(_) => return Ok(false),
    }
    create_directory(directory_of(path))?;
    match create_complete(path, content) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::io(path, doing, &error)),
    }
}

/// Random octets.
pub(crate) fn random(octets: &mut [u8]) -> Result<()> {
    getrandom::fill(octets)
        .map_err(|error| ErrorKind::Io { detail: format!("no random numbers: {error}") }.into())
}

/// The hexadecimal digits of `N` random octets.
pub(crate) fn random_hex<const N: usize>() -> Result<String> {
    let mut octets = [0; N];
    random(&mut octets)?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
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
