//! `adit stop`

use std::path::Path;
use std::time::{Duration, Instant};

use adit_api::{Done, Request, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::control;
use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// How long the end is waited for, unless `--timeout` is given.
const PATIENCE: Duration = Duration::from_secs(90);

/// Stop the running server
///
/// Ends all sessions in order, within `server.shutdown_grace`, and returns when the server has ended. A service that was
/// stopped in this way is not restarted until the next boot; to keep it off: `systemctl disable adit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// What `adit stop --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Stopped {
    /// Whether this was a dry run.
    dry_run: bool,
    /// The process that ended, or would end.
    pid: u32,
    /// The sessions that ended with it, or would end.
    sessions: u64,
}

impl Document for Stopped {
    const NAME: &'static str = "adit.stop/1";
}

pub(crate) fn run(_: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let Response::Status(status) = control::connect(output, places)?.ask(&Request::Status)? else {
        return Err(control::other_version());
    };
    let (pid, sessions) = (status.pid, status.sessions_up);
    if !output.dry_run {
        match control::connect(output, places)?.ask(&Request::Stop)? {
            Response::Done(Done::Stopping) => {}
            _ => return Err(control::other_version()),
        }
        wait(pid, output, places)?;
    }
    if output.is_text() {
        let verb = if output.dry_run { "would stop" } else { "stopped " };
        output.line(&format!("{verb} process {pid}   {sessions} sessions ended"))?;
    } else {
        output.document(&Stopped { dry_run: output.dry_run, pid, sessions })?;
    }
    Ok(Exit::Done)
}

/// Waits until the process has ended and no server answers.
fn wait(pid: u32, output: &Output, places: &Places) -> Result<(), Failure> {
    let patience = output.timeout.unwrap_or(PATIENCE);
    let deadline = Instant::now() + patience;
    // A server in another container has another process with this number here.
    let name = Path::new("/proc").join(pid.to_string()).join("comm");
    let runs = || std::fs::read_to_string(&name).is_ok_and(|name| name.trim_end() == "adit");
    while places.daemon_runs() || runs() {
        if Instant::now() >= deadline {
            let message = format!("process {pid} has not ended in {} s", patience.as_secs());
            return Err(Failure::new(Exit::Problem, message)
                .fix(format!("adit status; or cut its sessions: kill {pid}")));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
