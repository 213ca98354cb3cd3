//! `adit connect --background`: the command in a process of its own, which is monitored until its tunnel is up.

use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use adit_client::{Milestone, Progress};
use adit_crypto::secret::Password;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::signal::wait_for_signal;

/// Starts the process; returns when the tunnel is up or the attempt has failed.
pub(crate) fn run(password: &Password, output: &Output) -> Result<Exit, Failure> {
    let mut child = start(password).map_err(|error| {
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
            output.remark("note", &format!("process {} keeps the tunnel up: adit disconnect", child.id()));
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
