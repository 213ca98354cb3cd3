//! The control socket's language: one JSON request a line, one JSON answer a line.
//!
//! The same types are what `adit status`, `adit sessions` and `adit session` print with `--json`.

use adit_diag::Note;
use adit_diag::note::{Destination, Finding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest request or answer line, in octets.
pub const MAX_LINE: usize = 8 << 20;

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// How the server is.
    Status,
    /// Every session, those in set-up too.
    Sessions,
    /// One session with its record.
    Session {
        /// `s41`, a user name, or an inner address.
        selector: String,
    },
    /// End sessions.
    Kick {
        /// `s41`, a user name, an inner address, `from:ADDRESS`, `group:NAME` or `all`.
        selector: String,
        /// For the log.
        reason: String,
        /// Only say which sessions it would be.
        dry_run: bool,
    },
    /// Read the configuration again and apply it to new calls.
    Reload,
    /// Refuse new calls, keep the sessions that are up; `false` takes it back.
    Drain {
        /// Whether to drain.
        on: bool,
    },
    /// End all sessions in order and stop.
    Stop,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// To [`Request::Status`].
    Status(Box<Status>),
    /// To [`Request::Sessions`].
    Sessions(Vec<SessionRow>),
    /// To [`Request::Session`].
    Session(Box<SessionDetail>),
    /// To [`Request::Kick`]: the sessions that were (or would be) ended.
    Kicked(Vec<SessionRow>),
    /// To the others.
    Done(String),
    /// It cannot be done.
    Error {
        /// What the command line exits with.
        exit: u8,
        /// For people.
        message: String,
    },
}

/// How the server is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// Process id.
    pub pid: u32,
    /// When it started, RFC 3339 UTC.
    pub started: String,
    /// Seconds since.
    pub up_s: u64,
    /// The configuration file, or `(built-in defaults)`.
    pub config: String,
    /// Addresses that accept calls.
    pub listen: Vec<String>,
    /// The tunnel interface.
    pub interface: String,
    /// How GRE packets are read and written.
    pub io: String,
    /// Sessions that are up.
    pub sessions_up: u64,
    /// Calls in set-up.
    pub sessions_starting: u64,
    /// The most sessions allowed.
    pub sessions_limit: u64,
    /// Address pools.
    pub pools: Vec<PoolStatus>,
    /// Local accounts.
    pub users: u64,
    /// Whether new calls are refused.
    pub draining: bool,
    /// Calls since the start that came up.
    pub calls_ok: u64,
    /// Calls since the start that did not, by code.
    pub calls_failed: Vec<CodeCount>,
    /// What the packet path dropped before it belonged to a session.
    pub drops: Drops,
    /// What is wrong or worth knowing, one line each, most serious first.
    pub warnings: Vec<Warning>,
}

/// A remark with its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// The code, as for `adit explain`.
    pub code: String,
    /// One line.
    pub text: String,
}

/// How often a code was the end of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeCount {
    /// The code.
    pub code: String,
    /// Calls.
    pub count: u64,
}

/// GRE packets that belonged to no session, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Drops {
    /// Call ID that names no call.
    pub unknown_call: u64,
    /// Call ID of a call with another peer.
    pub spoofed: u64,
    /// Not enhanced GRE, or cut.
    pub malformed: u64,
    /// No room in a queue.
    pub queue_full: u64,
}

/// An address pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PoolStatus {
    /// Its name.
    pub name: String,
    /// Its network.
    pub net: String,
    /// Addresses in use.
    pub used: u64,
    /// Addresses that can be given.
    pub size: u64,
}

/// One session in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionRow {
    /// `s41`.
    pub id: String,
    /// The account; empty before authentication.
    pub user: String,
    /// Its group; empty where it has none.
    pub group: String,
    /// Inner address of the client; empty before there is one.
    pub address: String,
    /// Outer address of the client.
    pub from: String,
    /// `up`, or the layer that is being negotiated: control, gre, lcp, auth, encrypt, address.
    pub state: String,
    /// The code of what is wrong, if that is known already.
    pub code: String,
    /// When the control connection was accepted, RFC 3339 UTC.
    pub started: String,
    /// Seconds since.
    pub age_s: u64,
    /// Seconds since it came up; 0 before.
    pub up_s: u64,
    /// MPPE strength in bits; 0 without encryption.
    pub mppe: u32,
    /// How the user proved who they are.
    pub method: String,
    /// Vendor name of the client, escaped.
    pub vendor: String,
    /// What went through.
    pub counters: Counters,
}

/// What went through a session, seen from the server: received is what the client sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counters {
    /// Inner packets received.
    pub rx_packets: u64,
    /// Their octets.
    pub rx_bytes: u64,
    /// Inner packets sent.
    pub tx_packets: u64,
    /// Their octets.
    pub tx_bytes: u64,
    /// GRE packets of the client that never arrived.
    pub lost: u64,
    /// That arrived out of order and were put right.
    pub reordered: u64,
    /// That arrived twice.
    pub duplicate: u64,
    /// That arrived too late or far outside the window.
    pub out_of_window: u64,
    /// That could not be decrypted.
    pub decrypt_failures: u64,
    /// In clear although encryption is required.
    pub clear_refused: u64,
    /// With an inner source address that is not the client's.
    pub spoofed: u64,
    /// To a destination the account may not reach.
    pub acl_denied: u64,
    /// Of these, those to one host and not to everybody.
    #[serde(default)]
    pub acl_unicast: u64,
    /// The last of these: see [`Counters::denied_last`].
    #[serde(skip)]
    pub acl_last: u64,
    /// PPP control frames received.
    #[serde(default)]
    pub rx_frames: u64,
}

impl Counters {
    /// The last destination of a packet to one host that the account may not reach.
    pub fn denied_last(&self) -> Option<Destination> {
        adit_tunnel::path::denied::unpack(self.acl_last)
    }
}

/// One session in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionDetail {
    /// As in the list.
    pub session: SessionRow,
    /// Host name the client gave, escaped.
    pub host: String,
    /// Our Call ID and the client's.
    pub call_ids: Option<(u16, u16)>,
    /// The largest inner packet; 0 before it is known.
    pub mtu: u16,
    /// DNS servers given.
    pub dns: Vec<String>,
    /// Networks that the account may reach; empty with `reach_any` set for all.
    pub reach: Vec<String>,
    /// Whether it may reach anything.
    pub reach_any: bool,
    /// Why it ended; empty while it lives.
    pub end: String,
    /// What speaks for the code of a session in set-up, which is not more than likely yet.
    #[serde(default)]
    pub suspicion: String,
    /// The address of this host that it called.
    #[serde(default)]
    pub to: String,
    /// What is wrong and does not end it.
    #[serde(default)]
    pub findings: Vec<FindingRow>,
    /// The record, oldest first.
    pub steps: Vec<StepRow>,
    /// Steps left out in the middle of a very long record.
    pub steps_omitted: u64,
}

/// Something that is wrong with a session and does not end it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingRow {
    /// The code, as for `adit explain`.
    pub code: String,
    /// One line of evidence.
    pub text: String,
    /// The same for programs; null from a server that has no typed notes.
    #[serde(default)]
    pub finding: Option<Finding>,
}

/// One line of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepRow {
    /// Milliseconds since the control connection was accepted.
    pub at_ms: u64,
    /// `sent`, `received` or `note`.
    pub who: String,
    /// The protocol.
    pub layer: String,
    /// What.
    pub text: String,
    /// The same for programs; null from a server that has no typed notes.
    #[serde(default)]
    pub note: Option<Note>,
}
