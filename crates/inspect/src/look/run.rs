//! Execution of other programs, with limits on time and output.

use std::io::{ErrorKind, Read};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use adit_doctor::facts::host::NotTested;

use crate::read::TEXT_MAX;

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most octets of error output that are kept.
const ERRORS_MAX: u64 = 4096;
/// The interval at which its end is polled.
const POLL: Duration = Duration::from_millis(5);

/// Why a program returned no output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Silent {
    /// There is no such program.
    Missing,
    /// It failed, with this message.
    Failed(String),
}

impl Silent {
    /// Why a check cannot be made that needs this program of this package.
    pub(crate) fn not_tested(self, program: &str, package: &str) -> NotTested {
        let program = program.to_owned();
        match self {
            Silent::Missing => NotTested::NotInstalled { program, package: package.to_owned() },
            // The error text of the operating system, which the program may extend.
            Silent::Failed(why) if why.contains("ermission denied") || why.contains("not permitted") => {
                NotTested::NeedsRoot { program }
            }
            Silent::Failed(why) => NotTested::Other(format!("{program}: {why}")),
        }
    }
}

/// When a program is killed that has not ended.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// How long each program may take.
    pub(crate) patience: Duration,
    /// The end of all programs together, if there is one.
    pub(crate) end: Option<Instant>,
    /// Whether the results are no longer needed.
    pub(crate) canceled: Arc<AtomicBool>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { patience: PATIENCE, end: None, canceled: Arc::default() }
    }
}

impl Limits {
    /// The limits of a series of programs that begins now.
    pub(crate) fn all_within(within: Duration, canceled: Arc<AtomicBool>) -> Limits {
        Limits { patience: within, end: Some(Instant::now() + within), canceled }
    }

    /// Whether the time for all programs together has passed.
    fn has_ended(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }

    /// Whether a program that began then has reached its limit.
    fn is_over(&self, begin: Instant) -> bool {
        begin.elapsed() >= self.patience || self.has_ended() || self.canceled.load(Ordering::Relaxed)
    }
}

/// Runs a program with `LC_ALL=C`; returns its output.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<String, Silent> {
    run_within(&Limits::default(), program, arguments)
}

/// Runs a program as [`run`] does, within these limits.
pub(crate) fn run_within(limits: &Limits, program: &str, arguments: &[&str]) -> Result<String, Silent> {
    if limits.has_ended() {
        return Err(Silent::Failed("not started, because the time for all programs had passed".to_owned()));
    }
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null());
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        // A directory of PATH that may not be searched gives EACCES for a missing program.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            return elsewhere(limits, program, arguments);
        }
        Err(error) => return Err(Silent::Failed(plain(&error.to_string()))),
    };
    let out = child.stdout.take().map(|out| gather(out, TEXT_MAX as u64 + 1));
    let errors = child.stderr.take().map(|err| gather(err, ERRORS_MAX));
    let begin = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if !limits.is_over(begin) => thread::sleep(POLL),
            waited => {
                let _ = child.kill();
                let _ = child.wait();
                let why = waited.err().map_or_else(
                    || format!("no answer within {:.1} s", begin.elapsed().as_secs_f64()),
                    |error| plain(&error.to_string()),
                );
                return Err(Silent::Failed(why));
            }
        }
    };
    let text = |gathered: Option<mpsc::Receiver<Vec<u8>>>| {
        let octets =
            gathered.and_then(|gathered| gathered.recv_timeout(limits.patience).ok()).unwrap_or_default();
        String::from_utf8_lossy(&octets).into_owned()
    };
    if status.success() {
        let text = text(out);
        if text.len() > TEXT_MAX {
            return Err(Silent::Failed(format!("more than {TEXT_MAX} octets of rules")));
        }
        return Ok(text);
    }
    let errors = text(errors);
    let first = errors.lines().find(|line| !line.trim().is_empty()).unwrap_or("failed without a message");
    Err(Silent::Failed(plain(first)))
}

/// Searches the administrator's directories, which are often not in the PATH of other users.
fn elsewhere(limits: &Limits, program: &str, arguments: &[&str]) -> Result<String, Silent> {
    if program.contains('/') {
        return Err(Silent::Missing);
    }
    let found = ["/usr/sbin", "/sbin"].into_iter().map(|folder| format!("{folder}/{program}"));
    match found.into_iter().find(|path| std::path::Path::new(path).exists()) {
        Some(path) => run_within(limits, &path, arguments),
        None => Err(Silent::Missing),
    }
}

fn gather(from: impl Read + Send + 'static, most: u64) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut from = from;
        let mut octets = Vec::new();
        let _ = from.by_ref().take(most).read_to_end(&mut octets);
        // Output beyond the limit must not block the program.
        let _ = std::io::copy(&mut from, &mut std::io::sink());
        let _ = send.send(octets);
    });
    receive
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_not_blamed_for_the_time_of_another() {
        let limits = Limits::all_within(Duration::from_millis(100), Arc::default());
        let first = run_within(&limits, "sleep", &["5"]).unwrap_err();
        assert!(
            matches!(&first, Silent::Failed(why) if why.starts_with("no answer within 0.1")),
            "{first:?}"
        );
        let second = run_within(&limits, "true", &[]).unwrap_err();
        assert!(matches!(&second, Silent::Failed(why) if why.starts_with("not started")), "{second:?}");
    }
}
