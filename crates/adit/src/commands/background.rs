//! `adit connect --background`: the command in a process of its own, which is monitored until its tunnel is up.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use adit_client::{ConnectOptions, Milestone, Progress};
use adit_crypto::secret::Password;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::signal::wait_for_signal;

/// Starts the process; returns when the tunnel is up or the attempt has failed.
pub(crate) fn run(options: &ConnectOptions, output: &Output) -> Result<Exit, Failure> {
    let mut child = start(&options.password).map_err(|error| {
        Failure::new(Exit::Problem, format!("cannot start the background process: {error}"))
    })?;
    let ended = Relays::new(&mut child);
    let lines = child.stdout.take().map(BufReader::new);
    for line in lines.into_iter().flat_map(BufRead::lines) {
        let Ok(line) = line else { break };
        // Any other line is an error, already in the requested format.
        let progress: Option<Progress> = serde_json::from_str(&line).ok();
        let shown = progress.as_ref().filter(|_| output.is_text()).map(Progress::to_string);
        // If our output is closed, the tunnel is still wanted.
        let _ = output.line(shown.as_deref().unwrap_or(&line));
        if progress.is_some_and(|progress| progress.stage == Milestone::Connected.into()) {
            let log = BackgroundLog::path(options);
            let text = format!("process {} keeps the tunnel up: adit status, adit disconnect", child.id());
            output.remark("note", &text);
            output.remark("log", &log.display().to_string());
            return Ok(Exit::Done);
        }
    }
    let status = child.wait().map_err(|error| {
        Failure::new(Exit::Problem, format!("the background process cannot be waited for: {error}"))
    })?;
    ended.wait();
    // The process has reported the error on stderr; pass on its exit status.
    Ok(Exit::Passed(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// Threads that forward signals to the process, and its errors to stderr. They end with this process, so that a program
/// that waits for the end of our output does not wait for the end of the tunnel.
struct Relays {
    errors: Option<JoinHandle<()>>,
}

impl Relays {
    fn new(child: &mut Child) -> Relays {
        let pid = child.id();
        // Ctrl-C before the tunnel is up stops the attempt.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(wait_for_signal());
                let _ = adit_sys::host::terminate(pid);
            }
        });
        let errors = child.stderr.take().map(|mut errors| {
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut errors, &mut std::io::stderr());
            })
        });
        Relays { errors }
    }

    /// Waits until all errors are forwarded.
    fn wait(self) {
        let _ = self.errors.map(JoinHandle::join);
    }
}

fn start(password: &Password) -> std::io::Result<Child> {
    let mut given = std::env::args_os().skip(1);
    let mut arguments = Vec::new();
    while let Some(argument) = given.next() {
        match argument.to_str() {
            Some("--background" | "--password-stdin") => {}
            Some("--password-file") => {
                let _ = given.next();
            }
            Some(text) if text.starts_with("--password-file=") => {}
            _ => arguments.push(argument),
        }
    }
    let mut command = Command::new(std::env::current_exe()?);
    // Use a separate process group, so that Ctrl-C on the terminal does not reach the process.
    command.args(arguments).args(["--password-stdin", "--watched"]).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(password.expose().as_bytes())?;
        stdin.write_all(b"\n")?;
    }
    Ok(child)
}

/// The log of a client in the background: one file for each server in the run directory, begun anew by each start. Its size
/// is bounded.
pub(crate) struct BackgroundLog {
    file: File,
    octets: u64,
}

/// The largest log, in octets; it then begins anew.
const LOG_MAX: u64 = 1 << 20;

impl BackgroundLog {
    /// The path of the log for this server.
    pub(crate) fn path(options: &ConnectOptions) -> PathBuf {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let name: String = options.server.chars().map(|c| if plain(c) { c } else { '_' }).take(200).collect();
        options.run_dir.join("log").join(format!("{}.log", name.trim_start_matches('.')))
    }

    /// Opens the log; `None` if that is not possible, because the tunnel does not depend on it.
    pub(crate) fn open(options: &ConnectOptions) -> Option<BackgroundLog> {
        let path = BackgroundLog::path(options);
        DirBuilder::new().recursive(true).mode(0o755).create(path.parent()?).ok()?;
        // A new file: an existing one may be a link, or belong to another user.
        let _ = std::fs::remove_file(&path);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o640).open(&path).ok()?;
        Some(BackgroundLog { file, octets: 0 })
    }

    /// Adds a progress line with the time.
    pub(crate) fn write(&mut self, progress: &Progress) {
        let line = format!("{:.0}  {progress}\n", jiff::Timestamp::now());
        let len = line.len() as u64;
        if self.octets.saturating_add(len) > LOG_MAX {
            use std::io::Seek as _;
            if self.file.set_len(0).and_then(|()| self.file.rewind()).is_err() {
                return;
            }
            self.octets = 0;
        }
        if self.file.write_all(line.as_bytes()).is_ok() {
            self.octets += len;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn options(server: &str, run: &std::path::Path) -> ConnectOptions {
        let mut options = ConnectOptions::new(server, "alice", Password::new("x"));
        options.run_dir = run.to_owned();
        options
    }

    #[test]
    fn the_log_is_in_the_run_directory_whatever_the_server_is_named() {
        for (server, name) in [
            ("vpn.example.org", "vpn.example.org.log"),
            ("../../etc/passwd", "_.._etc_passwd.log"),
            ("a/b", "a_b.log"),
        ] {
            let path = BackgroundLog::path(&options(server, std::path::Path::new("/run/x")));
            assert_eq!(path, std::path::Path::new("/run/x/log").join(name));
        }
    }

    #[test]
    fn the_log_is_bounded_and_never_follows_a_link() {
        let run = tempfile::tempdir().unwrap();
        let options = options("vpn.example.org", run.path());
        let (path, victim) = (BackgroundLog::path(&options), run.path().join("victim"));
        std::fs::create_dir(run.path().join("log")).unwrap();
        std::fs::write(&victim, "keep me").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        let mut log = BackgroundLog::open(&options).unwrap();
        let progress = Progress::note(Milestone::Warning, "x".repeat(1000), Duration::ZERO);
        for _ in 0..2000 {
            log.write(&progress);
        }
        let size = std::fs::metadata(&path).unwrap().len();
        assert!(size > 1000 && size <= LOG_MAX, "{size}");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "keep me");
    }
}
