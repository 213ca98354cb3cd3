//! `adit connect --background`: the same command in a process of its own, watched until its tunnel is up.

use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use adit_crypto::secret::Password;

use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Starts it; returns when the tunnel is up or the attempt has failed.
pub(crate) fn run(password: &Password, output: &Output) -> Result<Exit, Failure> {
    let mut child = start(password).map_err(|error| {
        Failure::new(Exit::Problem, format!("cannot start the background process: {error}"))
    })?;
    let lines = child.stdout.take().map(BufReader::new);
    for line in lines.into_iter().flat_map(BufRead::lines) {
        let Ok(line) = line else { break };
        output.line(&line)?;
        if is_up(&line) {
            output.remark("note", &format!("process {} keeps the tunnel up: adit disconnect", child.id()));
            return Ok(Exit::Done);
        }
    }
    let status = child.wait().map_err(|error| {
        Failure::new(Exit::Problem, format!("the background process cannot be waited for: {error}"))
    })?;
    // It has told on stderr what broke; only its exit status is left to pass on.
    Ok(Exit::Passed(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

fn is_up(line: &str) -> bool {
    line.starts_with("connected") || line.contains("\"stage\":\"connected\"")
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
    // A process group of its own: Ctrl-C at the terminal is not meant for it.
    command.args(arguments).arg("--password-stdin").process_group(0);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(password.expose().as_bytes())?;
        stdin.write_all(b"\n")?;
    }
    Ok(child)
}
