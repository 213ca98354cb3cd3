//! `adit disconnect`

use std::time::{Duration, Instant};

use adit_client::running::{self, Running};

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// Timeout of an orderly disconnect.
const PATIENCE: Duration = Duration::from_secs(15);

/// Terminate a connection of `adit connect`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Select the server, as given to `adit connect`; optional if there is only one connection
    #[arg(value_name = "HOST")]
    host: Option<String>,
}

/// What `adit disconnect --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Disconnected {
    /// Whether this was a dry run.
    dry_run: bool,
    /// The connections that were, or would be, terminated.
    connections: Vec<Connection>,
}

#[derive(Serialize, JsonSchema)]
struct Connection {
    /// The server, as it was given to `adit connect`.
    server: String,
    /// The account.
    user: String,
    /// The process that held the connection.
    pid: u32,
}

impl Document for Disconnected {
    const NAME: &'static str = "adit.disconnect/1";
}

pub(crate) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let all = running::all(&places.client_run());
    let chosen: Vec<Running> = match &args.host {
        Some(host) => all.iter().filter(|running| running.server == *host).cloned().collect(),
        None => all.clone(),
    };
    if chosen.is_empty() {
        let what = args.host.as_ref().map_or(String::new(), |host| format!(" to {host}"));
        return Err(Failure::new(Exit::NotFound, format!("no connection{what} is up")));
    }
    if args.host.is_none() && chosen.len() > 1 {
        let servers: Vec<&str> = chosen.iter().map(|running| running.server.as_str()).collect();
        return Err(Failure::usage(format!("there are {}: {}", servers.len(), servers.join(", ")))
            .fix("adit disconnect HOST"));
    }
    for running in &chosen {
        let Running { pid, server, user, .. } = running;
        if output.dry_run {
            if output.is_text() {
                output.line(&format!("would disconnect from {server} as {user} (process {pid})"))?;
            }
            continue;
        }
        adit_sys::host::terminate(*pid).map_err(|error| {
            Failure::new(Exit::Denied, format!("cannot disconnect from {server}: {error}"))
                .fix("run it with sudo")
        })?;
        wait(running, places)?;
        if output.is_text() {
            output.line(&format!("{server}  disconnected, all changes to this host are undone"))?;
        }
    }
    if !output.is_text() {
        let connection = |running: &Running| Connection {
            server: running.server.clone(),
            user: running.user.clone(),
            pid: running.pid,
        };
        let connections = chosen.iter().map(connection).collect();
        output.document(&Disconnected { dry_run: output.dry_run, connections })?;
    }
    Ok(Exit::Done)
}

/// Waits until the client has undone its changes.
fn wait(running: &Running, places: &Places) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    while running::all(&places.client_run()).iter().any(|other| other.is_same_process(running)) {
        if Instant::now() >= deadline {
            let message = format!("process {} has not ended in {} s", running.pid, PATIENCE.as_secs());
            return Err(Failure::new(Exit::Problem, message)
                .fix(format!("kill {}; adit undo puts this host back", running.pid)));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
