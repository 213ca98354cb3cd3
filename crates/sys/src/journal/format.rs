//! The journal's file: JSON lines, each on the disk before the change that it announces is made.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use adit_diag::Code;
use serde::{Deserialize, Serialize};

use super::change::{Change, Lasts};
use crate::error::{Error, Kind, Result};
use crate::namespace::Identity;

/// The ending of a journal's file.
pub(super) const ENDING: &str = "journal";
/// The ending of one that could not be read in full and was kept for inspection.
pub(super) const DAMAGED: &str = "damaged";
/// The largest file that is read: some hundred times the largest that is ever written.
const SIZE_MAX: u64 = 8 << 20;

/// The owner of the changes, and where they are in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// The format's version.
    journal: u32,
    /// The name of the owner, for messages.
    pub(super) by: String,
    /// The owner's process id, in its own namespace.
    pub(super) pid: u32,
    /// When it started, in clock ticks since the host did: with the process id it names one process.
    started: u64,
    /// The run of the host's kernel.
    pub(super) boot: String,
    /// The network namespace.
    pub(super) namespace: Identity,
    /// How long the changes are meant to stay.
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

/// A journal's file, locked.
#[derive(Debug)]
pub(super) struct JournalFile {
    file: File,
    path: PathBuf,
}

/// The content of a journal's file.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) header: Option<Header>,
    /// What is still to be undone, by number.
    pub(super) changes: BTreeMap<u32, Change>,
    /// Lines that cannot be read, counted from 1.
    pub(super) damaged: Vec<usize>,
}

impl JournalFile {
    /// Makes the owner's file. It gets its name only once it is locked and has its first line, so that it is never
    /// mistaken for one whose owner has died.
    pub(super) fn create(folder: &Path, by: &str, lasts: Lasts, namespace: Identity) -> Result<JournalFile> {
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
        let path = folder.join(format!("{name}.{ENDING}"));
        let early = folder.join(format!("{name}.new"));
        let failed = |e: &io::Error| write_error(&path, e);
        let file =
            OpenOptions::new().append(true).create(true).mode(0o600).open(&early).map_err(|e| failed(&e))?;
        file.try_lock().map_err(|e| failed(&e.into()))?;
        file.set_len(0).map_err(|e| failed(&e))?;
        let mut journal = JournalFile { file, path: early.clone() };
        journal.write(&Line::Owner(header))?;
        fs::rename(&early, &path).map_err(|e| failed(&e))?;
        File::open(folder).and_then(|f| f.sync_all()).map_err(|e| failed(&e))?;
        journal.path = path;
        Ok(journal)
    }

    /// Takes over a file whose owner has died; `None` when the owner lives, or the file has just been removed.
    pub(super) fn take_over(path: &Path) -> Result<Option<JournalFile>> {
        let failed = |e: &io::Error| Error::io(format!("cannot open journal {}", path.display()), e);
        let file = match OpenOptions::new().read(true).append(true).open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed(&e).with_fix("run as root")),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(e)) => return Err(failed(&e)),
        }
        let gone = file.metadata().map_err(|e| failed(&e))?.nlink() == 0;
        Ok((!gone).then(|| JournalFile { file, path: path.to_owned() }))
    }

    /// Announces a change. When this returns it is on the disk.
    pub(super) fn intend(&mut self, number: u32, change: &Change) -> Result<()> {
        self.write(&Line::Intend { number, change: change.clone() })
    }

    /// Notes that a change is not in force any more.
    pub(super) fn undone(&mut self, number: u32) -> Result<()> {
        self.write(&Line::Undone { number })
    }

    fn write(&mut self, line: &Line) -> Result<()> {
        let failed = |e: &io::Error| write_error(&self.path, e);
        let mut text = serde_json::to_string(line).map_err(|e| failed(&e.into()))?;
        text.push('\n');
        let before = self.file.metadata().map_err(|e| failed(&e))?.len();
        self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data()).map_err(|e| {
            // Half a line would make the next one unreadable.
            let _ = self.file.set_len(before);
            failed(&e)
        })
    }

    /// Reads the whole file.
    pub(super) fn read(&mut self) -> Result<Content> {
        let failed = |e: &io::Error| Error::io(format!("cannot read journal {}", self.path.display()), e);
        let len = self.file.metadata().map_err(|e| failed(&e))?.len();
        if len > SIZE_MAX {
            let tried = format!("cannot read journal {}", self.path.display());
            return Err(Error::new(Kind::Damaged, tried, format!("it has {len} octets"))
                .with_fix("inspect it, undo its changes by hand, and remove it"));
        }
        let mut octets = Vec::new();
        (&self.file).take(SIZE_MAX).read_to_end(&mut octets).map_err(|e| failed(&e))?;
        Ok(parse(&octets))
    }

    /// Removes it: nothing is left to be undone.
    pub(super) fn remove(self) {
        // Left behind it would be found empty of changes by the next recovery, and removed then.
        let _ = fs::remove_file(&self.path);
    }

    /// Renames it, to be inspected by an administrator.
    pub(super) fn set_aside(self) -> PathBuf {
        let aside = self.path.with_extension(DAMAGED);
        let _ = fs::rename(&self.path, &aside);
        aside
    }
}

/// Reads the lines. A last line without an end was being written when its owner died: its change was never made.
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

/// Names this run of the kernel; empty when /proc does not show it.
pub(super) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// When this process started, in clock ticks since boot: field 22 of /proc/self/stat, counted behind the name, which may
/// hold anything.
fn started() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests;
