//! The file of an open database: whether its name still leads to it, and whether it can be written.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, StatVfsMountFlags};

use crate::{Error, ErrorKind, Result};

/// With less free space than this the database cannot be relied on to be written: its log grows by pages.
const LEAST: u64 = 64 << 10;

/// A file, whatever its name. The number of an open file is not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The file under a name.
    pub(super) fn of(path: &Path) -> io::Result<FileId> {
        let file = std::fs::metadata(path)?;
        Ok(FileId { device: file.dev(), inode: file.ino() })
    }

    /// Checks that the name leads to this file: what is written to it would otherwise be lost.
    pub(super) fn check(self, path: &Path) -> Result<()> {
        match FileId::of(path) {
            Ok(there) if there == self => Ok(()),
            Ok(_) => Err(ErrorKind::Replaced.at(path)),
            Err(error) if is_missing(&error) => Err(ErrorKind::Gone { moved: None }.at(path)),
            Err(error) => Err(Error::io(path, "looking for the database", &error)),
        }
    }

    /// The present name of a file that this process has open; `None` if it was deleted.
    pub(super) fn other_name(self) -> Option<PathBuf> {
        for entry in std::fs::read_dir("/proc/self/fd").ok()?.flatten() {
            let Ok(file) = std::fs::metadata(entry.path()) else { continue };
            if file.dev() == self.device && file.ino() == self.inode {
                return if file.nlink() > 0 { std::fs::read_link(entry.path()).ok() } else { None };
            }
        }
        None
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Checks that the file can be written, without writing as far as possible: this is done every few seconds.
pub(super) fn check_writable(path: &Path) -> Result<()> {
    let failed = |doing: &str, error: rustix::io::Errno| Error::io(path, doing, &error.into());
    let system = rustix::fs::statvfs(path).map_err(|error| failed("looking at the file system", error))?;
    if system.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Err(ErrorKind::ReadOnly { detail: "checking the database".into() }.at(path));
    }
    rustix::fs::accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS)
        .map_err(|error| failed("the file may not be written", error))?;
    if system.f_bavail.saturating_mul(system.f_frsize) < LEAST {
        // Some of it may be reserved for this user.
        probe(path).map_err(|error| Error::io(path, "writing beside the database", &error))?;
    }
    Ok(())
}

/// Writes a file beside the database, as its log is written, and removes it.
pub(super) fn probe(path: &Path) -> io::Result<()> {
    let probe = path.with_extension(format!("probe.{}", std::process::id()));
    let tried = std::fs::write(&probe, [0; LEAST as usize]);
    let _ = std::fs::remove_file(&probe);
    tried
}
