//! The directory of journals and the files in it, opened without following links and only if they can be trusted: what
//! another user may write there must not be undone with the rights of this one.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};

use crate::error::{Error, Kind, Result};

/// Permission bits with which a user other than the owner may write.
const OTHERS_WRITE: u32 = 0o022;

/// An open directory of journals.
#[derive(Debug)]
pub(super) struct Folder {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens the directory; `None` if it does not exist.
    ///
    /// # Errors
    /// `Kind::NotPermitted` if it is a link, or belongs to or may be written by another user.
    pub(super) fn open(path: &Path) -> Result<Option<Folder>> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        let descriptor = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(descriptor) => descriptor,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) => {
                return Err(refused(path, "it is a link, or no directory", "remove it"));
            }
            Err(e) => {
                return Err(Error::io(
                    format!("cannot read the journal's folder {}", path.display()),
                    &e.into(),
                )
                .with_fix("run as root"));
            }
        };
        let file = File::from(descriptor);
        check(&file, path)?;
        Ok(Some(Folder { descriptor: file.into(), path: path.to_owned() }))
    }

    /// The path of a file in it, for messages.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The names of its entries, sorted. Names that are not UTF-8 are not ours.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let failed = |e: rustix::io::Errno| {
            Error::io(format!("cannot read the journal's folder {}", self.path.display()), &e.into())
        };
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.descriptor).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if let Ok(name) = entry.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Creates a file that only this user may read; it must not exist.
    pub(super) fn create(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::APPEND | OFlags::WRONLY;
        let mode = Mode::from_raw_mode(0o600);
        Ok(rustix::fs::openat(&self.descriptor, name, flags | OFlags::CLOEXEC, mode)?.into())
    }

    /// Opens a journal to read and append; `None` if it does not exist.
    ///
    /// # Errors
    /// `Kind::NotPermitted` if it is no regular file, or belongs to or may be written by another user.
    pub(super) fn open_file(&self, name: &str) -> Result<Option<File>> {
        let path = self.path_of(name);
        // Without O_NONBLOCK a FIFO would wait for its other end.
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.descriptor, name, flags, Mode::empty()) {
            Ok(descriptor) => File::from(descriptor),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(rustix::io::Errno::LOOP) => return Err(refused(&path, "it is a link", "remove it")),
            Err(e) => {
                return Err(Error::io(format!("cannot open journal {}", path.display()), &e.into())
                    .with_fix("run as root"));
            }
        };
        check(&file, &path)?;
        Ok(Some(file))
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.descriptor, from, &self.descriptor, to)?)
    }

    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty())?)
    }

    /// Whether there is an entry of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// Writes changes of names to disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(self.descriptor.as_fd())?)
    }

    pub(super) fn try_clone(&self) -> io::Result<Folder> {
        Ok(Folder { descriptor: self.descriptor.try_clone()?, path: self.path.clone() })
    }
}

/// Checks owner, type and permissions of an open file or directory.
fn check(file: &File, path: &Path) -> Result<()> {
    let about = file
        .metadata()
        .map_err(|e| Error::io(format!("cannot read owner and mode of {}", path.display()), &e))?;
    let own = rustix::process::geteuid().as_raw();
    let owner = about.uid();
    if owner != 0 && owner != own {
        let fix = format!("run adit undo as user {owner}, or remove it if you do not know that user's adit");
        return Err(refused(
            path,
            &format!("it belongs to user {owner}, neither to root nor to this user"),
            &fix,
        ));
    }
    if about.mode() & OTHERS_WRITE != 0 {
        let why = format!("other users may write it (mode {:o})", about.mode() & 0o7777);
        return Err(refused(path, &why, &format!("inspect it, then chmod go-w {}", path.display())));
    }
    if !about.is_dir() && !about.is_file() {
        return Err(refused(path, "it is no regular file", "remove it"));
    }
    // A second name elsewhere: that file was not written as a journal.
    if about.is_file() && about.nlink() > 1 {
        return Err(refused(path, "it has a second name (hard link)", "remove it"));
    }
    Ok(())
}

fn refused(path: &Path, why: &str, fix: &str) -> Error {
    Error::new(Kind::NotPermitted, format!("cannot trust journal {}", path.display()), why).with_fix(fix)
}
