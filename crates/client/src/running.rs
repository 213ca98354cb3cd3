//! The clients that run on this host: one file each in the run directory, so that `adit disconnect` and `adit status` find
//! them.
//!
//! Root reads and removes files here, and sends signals by them, that an unprivileged client may have written: a file counts
//! only if it belongs to root, to this user, or to the user of the process that it names. Links are never followed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use adit_diag::Code;
use serde::{Deserialize, Serialize};

use crate::progress::{Milestone, Progress, Stage, State};

/// A running client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Process ID.
    pub pid: u32,
    /// Start time of the process, in clock ticks after boot: the process ID alone may have been reused.
    pub start: u64,
    /// The server, as given to `adit connect`.
    pub server: String,
    /// The account.
    pub user: String,
    /// The state of the connection.
    #[serde(default)]
    pub phase: Phase,
    /// When this state began, in seconds since 1970.
    #[serde(default)]
    pub since: u64,
    /// The inner addresses while the tunnel is up, for display.
    #[serde(default)]
    pub address: String,
    /// The last failure, for display; empty if there was none.
    #[serde(default)]
    pub failure: String,
    /// The code of the last failure.
    #[serde(default)]
    pub code: Option<Code>,
}

/// The state of a client's connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// An attempt is in progress.
    #[default]
    Connecting,
    /// The tunnel is up.
    Up,
    /// The client waits before the next attempt.
    Waiting,
}

impl Running {
    /// Whether both describe the same process.
    pub fn is_same_process(&self, other: &Running) -> bool {
        (self.pid, self.start) == (other.pid, other.start)
    }

    /// Follows a progress line.
    fn note(&mut self, progress: &Progress, now: u64) {
        let before = self.phase;
        match (progress.stage, progress.state) {
            (Stage::Milestone(Milestone::Connected), _) => {
                self.phase = Phase::Up;
                (self.failure, self.code) = (String::new(), None);
            }
            (Stage::Milestone(Milestone::Retry), _) => self.phase = Phase::Waiting,
            (Stage::Milestone(Milestone::Ended), _) => self.failure.clone_from(&progress.text),
            (_, State::Fail) => {
                self.failure.clone_from(&progress.text);
                self.code = progress.code;
            }
            (Stage::Layer(adit_diag::Layer::Address), State::Ok) => self.address.clone_from(&progress.text),
            (Stage::Layer(adit_diag::Layer::Name), State::Ok) => self.phase = Phase::Connecting,
            _ => {}
        }
        if self.phase != before {
            self.since = now;
        }
        if self.phase != Phase::Up && before == Phase::Up {
            self.address.clear();
        }
    }
}

/// The file of this process in the run directory, removed on drop.
#[derive(Debug)]
pub struct Mark {
    path: PathBuf,
    running: Running,
}

/// Maximum number of files read in a directory.
const MOST: usize = 1024;
/// Maximum size of a file, in bytes.
const SIZE_MAX: u64 = 16 << 10;

impl Mark {
    /// Registers this process as a client.
    ///
    /// # Errors
    /// The run directory cannot be written.
    pub fn new(run_dir: &Path, server: &str, user: &str) -> io::Result<Mark> {
        let folder = folder(run_dir);
        fs::DirBuilder::new().recursive(true).mode(0o755).create(&folder)?;
        let pid = std::process::id();
        let running = Running {
            pid,
            start: start_of(pid).unwrap_or(0),
            server: server.to_owned(),
            user: user.to_owned(),
            phase: Phase::Connecting,
            since: now(),
            address: String::new(),
            failure: String::new(),
            code: None,
        };
        let mark = Mark { path: folder.join(format!("{pid}.json")), running };
        mark.write()?;
        Ok(mark)
    }

    /// Records a progress line, for `adit status`.
    pub fn note(&mut self, progress: &Progress) {
        let before = self.running.clone();
        self.running.note(progress, now());
        if self.running != before {
            // The connection does not depend on it.
            let _ = self.write();
        }
    }

    /// Replaces the file as a whole. It never follows a link.
    fn write(&self) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&new)?;
        file.write_all(&serde_json::to_vec(&self.running)?)?;
        fs::rename(&new, &self.path)
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The running clients by process ID: those of this run directory, and those of service units in `units` below it. Files of
/// processes that have ended are removed.
pub fn all(run_dir: &Path) -> Vec<Running> {
    let mut found = Vec::new();
    read_folder(&folder(run_dir), &mut found);
    for unit in fs::read_dir(run_dir.join(UNITS)).into_iter().flatten().flatten().take(MOST) {
        read_folder(&folder(&unit.path()), &mut found);
    }
    found.sort_by_key(|running| running.pid);
    found
}

/// The directory of the service units below the run directory: one directory each, which belongs to the unit's user.
pub const UNITS: &str = "units";

fn read_folder(folder: &Path, found: &mut Vec<Running>) {
    // A link may lead anywhere.
    let Ok(about) = fs::symlink_metadata(folder) else { return };
    if !about.is_dir() {
        return;
    }
    let is_own = about.uid() == own_user();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().take(MOST) {
        let path = entry.path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        match read(&path) {
            Some(running) => found.push(running),
            None if is_own => {
                let _ = fs::remove_file(path);
            }
            None => {}
        }
    }
}

/// Reads a file; `None` unless its process runs and its owner may speak for it.
fn read(path: &Path) -> Option<Running> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    let about = file.metadata().ok()?;
    if !about.is_file() || about.len() > SIZE_MAX {
        return None;
    }
    let running: Running = serde_json::from_reader(file.take(SIZE_MAX)).ok()?;
    let is_alive = start_of(running.pid) == Some(running.start);
    let is_trusted = [Some(0), Some(own_user()), user_of(running.pid)].contains(&Some(about.uid()));
    (is_alive && is_trusted).then_some(running)
}

fn folder(run_dir: &Path) -> PathBuf {
    run_dir.join("clients")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The effective user of this process.
fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The effective user of a process. The owner of its directory in /proc is root if it is not dumpable.
fn user_of(pid: u32) -> Option<u32> {
    let mut text = String::new();
    File::open(format!("/proc/{pid}/status")).ok()?.take(SIZE_MAX).read_to_string(&mut text).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Start time of a process (field 22 of proc_pid_stat(5)); `None` if there is no such process.
fn start_of(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program name is in parentheses and may contain any character, including parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests;
