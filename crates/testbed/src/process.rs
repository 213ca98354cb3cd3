//! Programs that run beside a test.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::wait_until;

/// A running program; killed by its process id on drop. What it prints is kept.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    log: Arc<Mutex<String>>,
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
        if let Some(out) = child.stdout.take() {
            keep(out, &log);
        }
        if let Some(out) = child.stderr.take() {
            keep(out, &log);
        }
        Running { name, child, log }
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
            // Asked before the log is read, so that the last words of a program that ends are seen.
            let ended = self.status();
            if lock(&self.log).contains(text) {
                return;
            }
            let log = || self.log();
            assert!(start.elapsed() < limit, "{} did not print {text:?} in {limit:?}:\n{}", self.name, log());
            if let Some(status) = ended {
                // The readers may still be on their way.
                thread::sleep(Duration::from_millis(50));
                assert!(log().contains(text), "{} ended ({status}) without {text:?}:\n{}", self.name, log());
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// How it ended; `None` while it runs.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap_or_else(|e| panic!("cannot wait for {}: {e}", self.name))
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it has not ended within `limit`.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let mut status = None;
        let what = format!("the end of {}", self.name);
        wait_until(&what, limit, || {
            status = self.status();
            status.is_some()
        });
        status.unwrap_or_else(|| ExitStatus::from_raw(0))
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

fn keep(out: impl Read + Send + 'static, log: &Arc<Mutex<String>>) {
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
    });
}

fn lock(log: &Mutex<String>) -> MutexGuard<'_, String> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}
