//! Programs that run beside a test.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::wait_until;

/// A running program; killed by its process id on drop. What it prints is kept.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    log: Arc<Mutex<String>>,
    /// What reads its output, until all of it is read.
    readers: Vec<JoinHandle<()>>,
}

/// What is kept of a program's output, at most.
const LOG_MAX: usize = 4 << 20;

impl Running {
    /// Starts it in the calling thread's namespace.
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Running {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|e| panic!("cannot start {name}: {e}; install it"));
        let log = Arc::new(Mutex::new(String::new()));
        let stdout = child.stdout.take().map(|out| keep(out, &log));
        let stderr = child.stderr.take().map(|out| keep(out, &log));
        let readers = stdout.into_iter().chain(stderr).collect();
        Running { name, child, log, readers }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far, both streams.
    pub fn log(&self) -> String {
        lock(&self.log).clone()
    }

    /// Waits until it has printed `text`.
    ///
    /// # Panics
    /// When it has not within `limit`; the message holds what it printed.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str, limit: Duration) {
        let start = Instant::now();
        loop {
            let ended = self.status();
            if ended.is_some() {
                self.read_to_the_end(limit);
            }
            if lock(&self.log).contains(text) {
                return;
            }
            let log = || self.log();
            assert!(start.elapsed() < limit, "{} did not print {text:?} in {limit:?}:\n{}", self.name, log());
            if let Some(status) = ended {
                panic!("{} ended ({status}) without {text:?}:\n{}", self.name, log());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// How it ended; `None` while it runs.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap_or_else(|e| panic!("cannot wait for {}: {e}", self.name))
    }

    /// Waits for its end. Afterwards [`Running::log`] holds all that it printed.
    ///
    /// # Panics
    /// When it has not ended within `limit`, or a program that it started still holds its output then.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let mut status = None;
        let what = format!("the end of {}", self.name);
        wait_until(&what, limit, || {
            status = self.status();
            status.is_some()
        });
        self.read_to_the_end(limit);
        status.unwrap_or_else(|| ExitStatus::from_raw(0))
    }

    /// Waits until what it printed is in the log, when it has ended.
    #[track_caller]
    fn read_to_the_end(&mut self, limit: Duration) {
        let what = format!("the end of the output of {}; a program that it started may hold it", self.name);
        wait_until(&what, limit, || self.readers.iter().all(JoinHandle::is_finished));
        for reader in self.readers.drain(..) {
            assert!(reader.join().is_ok(), "what reads the output of {} panicked", self.name);
        }
    }

    /// Sends it a signal by name (`TERM`, `HUP`, `INT`, `STOP`, `KILL`).
    ///
    /// # Panics
    /// When it has ended already.
    #[track_caller]
    pub fn signal(&mut self, signal: &str) {
        // Not reaped yet, so the id is still its own.
        assert!(self.status().is_none(), "{} has ended:\n{}", self.name, self.log());
        let sent = Command::new("kill").args(["-s", signal, &self.pid().to_string()]).status();
        assert!(sent.is_ok_and(|s| s.success()), "cannot send {signal} to {}", self.name);
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("--- {} (process {}) printed:\n{}", self.name, self.pid(), self.log());
        }
    }
}

fn keep(out: impl Read + Send + 'static, log: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let log = Arc::clone(log);
    thread::spawn(move || {
        let mut out = BufReader::new(out);
        let mut line = Vec::new();
        while out.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let mut log = lock(&log);
            if log.len() < LOG_MAX {
                log.push_str(&String::from_utf8_lossy(&line));
            }
            line.clear();
        }
    })
}

fn lock(log: &Mutex<String>) -> MutexGuard<'_, String> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}
