//! The journal file: JSON lines, each written to disk before the change that it describes is made.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use adit_diag::Code;
use serde::{Deserialize, Serialize};

use super::change::{Change, Lasts};
use super::folder::Folder;
use crate::error::{Error, Kind, Result};
use crate::namespace::Identity;

/// The extension of a journal file.
pub(super) const ENDING: &str = "journal";
/// The extension of a journal file that could not be parsed completely and was kept for inspection.
pub(super) const DAMAGED: &str = "damaged";
/// The largest file that is read: a hundred times larger than any that is written.
const SIZE_MAX: u64 = 8 << 20;

/// The owner of the changes, and where they are in effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// The version of the format.
    journal: u32,
    /// The name of the owner, for messages.
    pub(super) by: String,
    /// The owner's process id, in its own PID namespace.
    pub(super) pid: u32,
    /// The start time of the owner in clock ticks since boot: with the process id it identifies one process.
    started: u64,
    /// The boot id of the host.
    pub(super) boot: String,
    /// The network namespace.
    pub(super) namespace: Identity,
    /// How long the changes remain in effect.
    pub(super) lasts: Lasts,
}

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Owner(Header),
    Intend { number: u32, change: Change },
    Undone { number: u32 },
}

/// A locked journal file.
#[derive(Debug)]
pub(super) struct JournalFile {
    file: File,
    folder: Folder,
    name: String,
}

/// The content of a journal file.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) header: Option<Header>,
    /// The changes still to be undone, by number.
    pub(super) changes: BTreeMap<u32, Change>,
    /// Lines that cannot be parsed, counted from 1.
    pub(super) damaged: Vec<usize>,
}

impl JournalFile {
    /// Creates the owner's file. It gets its name only once it is locked and has its first line, so that it
    /// is not mistaken for a file whose owner has exited.
    pub(super) fn create(
        folder: &Folder,
        by: &str,
        lasts: Lasts,
        namespace: Identity,
    ) -> Result<JournalFile> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let header = Header {
            journal: VERSION,
            by: by.to_owned(),
            pid: process::id(),
            started: started().unwrap_or(0),
            boot: boot_id(),
            namespace,
            lasts,
        };
        let name = format!("{}-{}-{}", header.pid, header.started, COUNT.fetch_add(1, Ordering::Relaxed));
        let (early, last) = (format!("{name}.new"), format!("{name}.{ENDING}"));
        let path = folder.path_of(&last);
        let failed = |e: &io::Error| write_error(&path, e);
        let file = folder.create(&early).map_err(|e| failed(&e))?;
        file.try_lock().map_err(|e| failed(&e.into()))?;
        let folder = folder.try_clone().map_err(|e| failed(&e))?;
        let mut journal = JournalFile { file, folder, name: early.clone() };
        journal.write(&Line::Owner(header))?;
        journal.folder.rename(&early, &last).map_err(|e| failed(&e))?;
        journal.folder.sync().map_err(|e| failed(&e))?;
        journal.name = last;
        Ok(journal)
    }

    /// Takes over a file whose owner has exited; `None` if the owner is running, or the file was just
    /// removed.
    ///
    /// # Errors
    /// If it cannot be opened, or another user may have written it.
    pub(super) fn take_over(folder: &Folder, name: &str) -> Result<Option<JournalFile>> {
        let failed =
            |e: &io::Error| Error::io(format!("cannot open journal {}", folder.path_of(name).display()), e);
        let Some(file) = folder.open_file(name)? else { return Ok(None) };
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(e)) => return Err(failed(&e)),
        }
        if file.metadata().map_err(|e| failed(&e))?.nlink() == 0 {
            return Ok(None);
        }
        let folder = folder.try_clone().map_err(|e| failed(&e))?;
        Ok(Some(JournalFile { file, folder, name: name.to_owned() }))
    }

    fn path(&self) -> PathBuf {
        self.folder.path_of(&self.name)
    }

    /// Records a change that is about to be made. On return the record is on disk.
    pub(super) fn intend(&mut self, number: u32, change: &Change) -> Result<()> {
        self.write(&Line::Intend { number, change: change.clone() })
    }

    /// Records that a change is no longer in effect.
    pub(super) fn undone(&mut self, number: u32) -> Result<()> {
        self.write(&Line::Undone { number })
    }

    fn write(&mut self, line: &Line) -> Result<()> {
        let path = self.path();
        let failed = |e: &io::Error| write_error(&path, e);
        let mut text = serde_json::to_string(line).map_err(|e| failed(&e.into()))?;
        text.push('\n');
        let before = self.file.metadata().map_err(|e| failed(&e))?.len();
        self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data()).map_err(|e| {
            // A partial line would make the next one unreadable.
            let _ = self.file.set_len(before);
            failed(&e)
        })
    }

    /// Reads the whole file.
    pub(super) fn read(&mut self) -> Result<Content> {
        let path = self.path();
        let failed = |e: &io::Error| Error::io(format!("cannot read journal {}", path.display()), e);
        let len = self.file.metadata().map_err(|e| failed(&e))?.len();
        if len > SIZE_MAX {
            let tried = format!("cannot read journal {}", path.display());
            return Err(Error::new(Kind::Damaged, tried, format!("it has {len} octets"))
                .with_fix("inspect it, undo its changes by hand, and remove it"));
        }
        let mut octets = Vec::new();
        (&self.file).take(SIZE_MAX).read_to_end(&mut octets).map_err(|e| failed(&e))?;
        Ok(parse(&octets))
    }

    /// Removes the file: nothing is left to be undone.
    pub(super) fn remove(self) {
        // If it remains, the next recovery finds it without changes and removes it.
        let _ = self.folder.remove(&self.name);
    }

    /// Renames the file, so that an administrator can inspect it.
    pub(super) fn set_aside(self) -> PathBuf {
        let aside = Path::new(&self.name).with_extension(DAMAGED).display().to_string();
        let _ = self.folder.rename(&self.name, &aside);
        self.folder.path_of(&aside)
    }
}

/// Parses the lines. A last line without a newline was being written when its owner exited: its change was
/// not made.
pub(super) fn parse(octets: &[u8]) -> Content {
    let mut content = Content::default();
    let whole = octets.iter().rposition(|o| *o == b'\n').map_or(0, |at| at + 1);
    let lines = octets.get(..whole).unwrap_or_default().split(|o| *o == b'\n');
    for (number, line) in (1..).zip(lines).filter(|(_, line)| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(Line::Owner(header)) if header.journal == VERSION && content.header.is_none() => {
                content.header = Some(header);
            }
            Ok(Line::Intend { number, change }) => {
                content.changes.insert(number, change);
            }
            Ok(Line::Undone { number }) => {
                content.changes.remove(&number);
            }
            Ok(Line::Owner(_)) | Err(_) => content.damaged.push(number),
        }
    }
    content
}

fn write_error(path: &Path, e: &io::Error) -> Error {
    let error = Error::io(format!("cannot write journal {}", path.display()), e);
    match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            error.with_code(Code::S06).with_fix("free disk space; nothing was changed on this host")
        }
        _ => error
            .with_fix("give a state directory that this user may write to; nothing was changed on this host"),
    }
}

/// The boot id of the kernel; empty if /proc does not contain it.
pub(super) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The start time of this process, in clock ticks since boot: field 22 of /proc/self/stat, counted after the
/// name, which may contain any character.
fn started() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests;
