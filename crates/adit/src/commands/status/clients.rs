//! `adit status` of the clients on this host.

use adit_client::running::{self, Phase, Running};
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::style::Tone;
use crate::table::printable;
use crate::when;

/// What `adit status --client --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Clients {
    /// The running clients, by process ID.
    clients: Vec<Client>,
}

#[derive(Serialize, JsonSchema)]
struct Client {
    /// The server, as it was given to `adit connect`.
    server: String,
    /// The account.
    user: String,
    /// The process.
    pid: u32,
    /// The state: connecting, up, waiting.
    state: &'static str,
    /// How long it is in this state, in seconds.
    state_s: u64,
    /// The inner addresses while the tunnel is up; else empty.
    address: String,
    /// The code of the last failure; empty if the tunnel is up or the failure has none.
    code: String,
    /// The last failure; empty if the tunnel is up.
    failure: String,
}

impl Document for Clients {
    const NAME: &'static str = "adit.clients/1";
}

impl Client {
    fn new(running: &Running, now: u64) -> Client {
        Client {
            server: running.server.clone(),
            user: running.user.clone(),
            pid: running.pid,
            state: match running.phase {
                Phase::Connecting => "connecting",
                Phase::Up => "up",
                Phase::Waiting => "waiting",
            },
            state_s: now.saturating_sub(running.since),
            address: running.address.clone(),
            code: running.code.map(|code| code.to_string()).unwrap_or_default(),
            failure: running.failure.clone(),
        }
    }

    fn text(&self, output: &Output) -> String {
        let Client { server, user, pid, state, state_s, address, code, failure } = self;
        let length = when::length(*state_s);
        let mut line = format!("client   {server} as {user}   {state} {length}");
        if !address.is_empty() {
            line.push_str(&format!("   {address}"));
        }
        line.push_str(&format!("   pid {pid}"));
        let mut text = format!("{}\n", printable(&line));
        if !failure.is_empty() {
            let code =
                if code.is_empty() { String::new() } else { format!("{} ", output.paint(Tone::Bad, code)) };
            text.push_str(&format!("         {code}{}\n", printable(failure)));
        }
        text
    }
}

fn all(places: &Places, output: &Output) -> Vec<Client> {
    let now = u64::try_from(output.clock.now().as_second()).unwrap_or(0);
    running::all(&places.client_run()).iter().map(|running| Client::new(running, now)).collect()
}

/// Whether a client runs on this host.
pub(super) fn exist(places: &Places) -> bool {
    !running::all(&places.client_run()).is_empty()
}

/// One line for each client, and one for its last failure.
pub(super) fn text(places: &Places, output: &Output) -> String {
    all(places, output).iter().map(|client| client.text(output)).collect()
}

pub(super) fn run(output: &Output, places: &Places) -> Result<Exit, Failure> {
    let clients = all(places, output);
    if clients.is_empty() {
        return Err(Failure::new(Exit::NotFound, "no client of adit connect runs on this host")
            .fix("adit connect HOST -u USER; or systemctl start adit-client@NAME"));
    }
    let is_up = clients.iter().all(|client| client.state == "up");
    if output.is_text() {
        output.text(&clients.iter().map(|client| client.text(output)).collect::<String>())?;
    } else {
        output.document(&Clients { clients })?;
    }
    Ok(if is_up { Exit::Done } else { Exit::Problem })
}
