//! Atomic replacement of a file, and its restoration.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use super::change::Before;
use super::undone::Undone;
use crate::error::{Error, Kind, Result};

/// The largest file that is kept in the journal.
const KEPT_MAX: u64 = 64 << 10;

/// Reads what exists at a path.
pub(super) fn before(path: &Path) -> Result<Before> {
    let tried = || format!("cannot keep the old {}", path.display());
    let failed = |e: io::Error| Error::io(tried(), &e);
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Before::Nothing),
        Err(e) => return Err(failed(e)),
    };
    if about.is_symlink() {
        return Ok(Before::Link { target: fs::read_link(path).map_err(failed)? });
    }
    if !about.is_file() || about.len() > KEPT_MAX {
        return Err(Error::new(Kind::Damaged, tried(), "not a regular file, or larger than 64 KiB"));
    }
    let content = fs::read_to_string(path).map_err(failed)?;
    Ok(Before::File { content, mode: about.mode() & 0o7777, uid: about.uid(), gid: about.gid() })
}

/// Puts `content` at `path`, with the permissions of the file that it replaces.
pub(super) fn write(path: &Path, content: &str) -> Result<()> {
    let mode = match fs::symlink_metadata(path) {
        Ok(about) if about.is_file() => about.mode() & 0o7777,
        _ => 0o644,
    };
    put(path, content, mode, None).map_err(|e| {
        let error = Error::io(format!("cannot replace {}", path.display()), &e);
        match e.raw_os_error() {
            Some(libc::EROFS) => error.with_fix("mount the file system writable"),
            Some(libc::EPERM) => {
                error.with_fix(format!("see `lsattr {}`: it may be immutable", path.display()))
            }
            Some(libc::EACCES) => error.with_fix("run as root"),
            _ => error,
        }
    })
}

/// Restores what existed before, unless another program has changed it since `wrote` was written.
pub(super) fn restore(path: &Path, before: &Before, wrote: &str) -> Undone {
    let now = match self::before(path) {
        Ok(now) => now,
        Err(error) => return Undone::Failed(error),
    };
    if now == *before {
        return Undone::Gone;
    }
    let ours = match &now {
        Before::File { content, .. } => content == wrote || half_written(content, before, wrote),
        _ => false,
    };
    if !ours {
        return Undone::Left("changed by another program since".to_owned());
    }
    let restored = match before {
        Before::Nothing => fs::remove_file(path),
        Before::Link { target } => put_link(path, target),
        Before::File { content, mode, uid, gid } => put(path, content, *mode, Some((*uid, *gid))),
    };
    match restored {
        Ok(()) => Undone::Undone,
        Err(e) => Undone::Failed(Error::io(format!("cannot restore {}", path.display()), &e)),
    }
}

/// Whether a file that had to be written in place was interrupted, during the change or its undo.
fn half_written(content: &str, before: &Before, wrote: &str) -> bool {
    let old = match before {
        Before::File { content, .. } => content.as_str(),
        _ => "",
    };
    wrote.starts_with(content) || old.starts_with(content)
}

/// Writes a file, atomically if possible: a new file is renamed over the old one. If it cannot be renamed (a
/// bind mount, as in containers, or a directory without write permission) the file is written in place.
fn put(path: &Path, content: &str, mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    let beside = beside(path);
    let new = || -> io::Result<()> {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(content.as_bytes())?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        if let Some((uid, gid)) = owner {
            chown(&beside, Some(uid), Some(gid))?;
        }
        file.sync_all()?;
        fs::rename(&beside, path)?;
        sync_folder(path)
    };
    let Err(e) = new() else { return Ok(()) };
    let _ = fs::remove_file(&beside);
    let in_place_helps = matches!(
        e.raw_os_error(),
        Some(libc::EBUSY | libc::EXDEV | libc::EACCES | libc::EPERM | libc::EROFS | libc::ETXTBSY)
    );
    let is_file = fs::symlink_metadata(path).is_ok_and(|about| about.is_file());
    if !in_place_helps || !is_file {
        return Err(e);
    }
    let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

fn put_link(path: &Path, target: &Path) -> io::Result<()> {
    let beside = beside(path);
    let _ = fs::remove_file(&beside);
    symlink(target, &beside)?;
    fs::rename(&beside, path)?;
    sync_folder(path)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".adit-new");
    path.with_file_name(name)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("resolv.conf");
        (folder, path)
    }

    fn replace(path: &Path, wrote: &str) -> Before {
        let old = before(path).unwrap();
        write(path, wrote).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), wrote);
        old
    }

    #[test]
    fn a_file_is_restored_with_its_permissions() {
        let (folder, path) = setup();
        fs::write(&path, "old\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let old = replace(&path, "new\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(restore(&path, &old, "new\n"), Undone::Undone);
        assert_eq!(before(&path).unwrap(), old);
        assert_eq!(restore(&path, &old, "new\n"), Undone::Gone, "twice does no harm");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_link_is_restored_and_its_target_is_never_touched() {
        let (folder, path) = setup();
        let stub = folder.path().join("stub");
        fs::write(&stub, "stub\n").unwrap();
        symlink("stub", &path).unwrap();
        let old = replace(&path, "new\n");
        assert_eq!(fs::read_to_string(&stub).unwrap(), "stub\n");
        assert_eq!(restore(&path, &old, "new\n"), Undone::Undone);
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("stub"));
    }

    #[test]
    fn a_file_that_did_not_exist_is_removed() {
        let (_folder, path) = setup();
        let old = replace(&path, "new\n");
        assert_eq!(restore(&path, &old, "new\n"), Undone::Undone);
        assert_eq!(before(&path).unwrap(), Before::Nothing);
    }

    #[test]
    fn what_another_program_wrote_is_left() {
        let (_folder, path) = setup();
        fs::write(&path, "old\n").unwrap();
        let old = replace(&path, "new\n");
        fs::write(&path, "theirs\n").unwrap();
        assert!(matches!(restore(&path, &old, "new\n"), Undone::Left(_)));
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs\n");
    }

    #[test]
    fn an_incomplete_write_is_recognised_as_ours() {
        let (_folder, path) = setup();
        fs::write(&path, "old content\n").unwrap();
        let old = replace(&path, "new content\n");
        for half in ["", "new con", "old c"] {
            fs::write(&path, half).unwrap();
            assert_eq!(restore(&path, &old, "new content\n"), Undone::Undone, "{half:?}");
            assert_eq!(before(&path).unwrap(), old);
        }
    }

    #[test]
    fn a_file_that_cannot_be_kept_is_not_replaced() {
        let (folder, path) = setup();
        fs::write(&path, vec![b'x'; (KEPT_MAX + 1) as usize]).unwrap();
        assert_eq!(before(&path).unwrap_err().kind(), Kind::Damaged);
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert_eq!(before(&path).unwrap_err().kind(), Kind::Damaged);
        assert_eq!(before(folder.path()).unwrap_err().kind(), Kind::Damaged);
    }
}
