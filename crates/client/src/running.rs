//! The clients that run on this host: one file each in the run directory, so that `adit disconnect` finds them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

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
}

/// The file of this process in the run directory, removed on drop.
#[derive(Debug)]
pub struct Mark(PathBuf);

/// Maximum number of files read in the directory.
const MOST: usize = 1024;

impl Mark {
    /// Registers this process as a client.
    ///
    /// # Errors
    /// The run directory cannot be written.
    pub fn new(run_dir: &Path, server: &str, user: &str) -> io::Result<Mark> {
        let folder = folder(run_dir);
        fs::create_dir_all(&folder)?;
        let pid = std::process::id();
        let start = start_of(pid).unwrap_or(0);
        let running = Running { pid, start, server: server.to_owned(), user: user.to_owned() };
        let path = folder.join(format!("{pid}.json"));
        fs::write(&path, serde_json::to_vec(&running)?)?;
        Ok(Mark(path))
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The running clients by process ID; files of dead processes are removed.
pub fn all(run_dir: &Path) -> Vec<Running> {
    let Ok(entries) = fs::read_dir(folder(run_dir)) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten().take(MOST) {
        let read = fs::read(entry.path()).ok().and_then(|text| serde_json::from_slice::<Running>(&text).ok());
        match read {
            Some(running) if start_of(running.pid) == Some(running.start) => found.push(running),
            _ => {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
    found.sort_by_key(|running| running.pid);
    found
}

fn folder(run_dir: &Path) -> PathBuf {
    run_dir.join("clients")
}

/// Start time of a process (field 22 of proc_pid_stat(5)); `None` if there is no such process.
fn start_of(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program name is in parentheses and may contain any character, including parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_client_is_found_and_a_dead_one_is_not() {
        let run = tempfile::tempdir().unwrap();
        assert!(all(run.path()).is_empty());
        let mark = Mark::new(run.path(), "vpn.example.org", "alice").unwrap();
        let found = all(run.path());
        assert_eq!((found[0].pid, found[0].server.as_str()), (std::process::id(), "vpn.example.org"));
        let stale = Running { pid: std::process::id(), start: 1, server: "old".into(), user: "bob".into() };
        fs::write(folder(run.path()).join("1.json"), serde_json::to_vec(&stale).unwrap()).unwrap();
        fs::write(folder(run.path()).join("2.json"), "garbage").unwrap();
        assert_eq!(all(run.path()).len(), 1);
        drop(mark);
        assert!(all(run.path()).is_empty());
        assert_eq!(fs::read_dir(folder(run.path())).unwrap().count(), 0);
    }
}
