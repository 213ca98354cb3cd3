//! Status of the server.

use std::net::{SocketAddr, SocketAddrV4};

use adit_diag::Code;
use adit_diag::event::HostPart;
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Utc;

/// The status of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// Process ID.
    pub pid: u32,
    /// When it started, RFC 3339 UTC.
    pub started: Utc,
    /// Uptime in seconds.
    pub up_s: u64,
    /// The configuration file, or `(built-in defaults)`.
    pub config: String,
    /// Addresses on which calls are accepted.
    #[schemars(with = "Vec<String>")]
    pub listen: Vec<SocketAddrV4>,
    /// The tunnel interface.
    pub interface: String,
    /// How GRE packets are received and sent.
    pub io: String,
    /// Why AF_XDP is not used although `link.io` allows it; empty if it is used, or not wanted.
    pub no_xdp: String,
    /// GRE packets since the start that AF_XDP left to the socket.
    pub left_by_xdp: u64,
    /// How RC4 of MPPE is computed, and why in this form.
    pub cipher: String,
    /// Active sessions.
    pub sessions_up: u64,
    /// Calls in set-up.
    pub sessions_starting: u64,
    /// Maximum number of sessions.
    pub sessions_limit: u64,
    /// Connections that are not in set-up yet.
    pub queue: QueueStatus,
    /// Locked accounts and banned addresses.
    pub lockout: LockoutStatus,
    /// The RADIUS servers, in the order in which they are asked; empty if they are no account source.
    pub radius: Vec<RadiusStatus>,
    /// Address pools.
    pub pools: Vec<PoolStatus>,
    /// Number of local accounts.
    pub users: u64,
    /// Whether new calls are refused.
    pub draining: bool,
    /// Successful calls since the start.
    pub calls_ok: u64,
    /// Failed calls since the start, by code.
    pub calls_failed: Vec<CodeCount>,
    /// Packets that the data path dropped because they belong to no session.
    pub drops: Drops,
    /// Faults of the host: those that last, then those that were over a short time ago.
    pub faults: Vec<Fault>,
    /// Warnings, one line each, most serious first.
    pub warnings: Vec<Warning>,
}

/// A RADIUS server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RadiusStatus {
    /// Its address and port.
    #[schemars(with = "String")]
    pub address: SocketAddr,
    /// Whether it is asked; otherwise it did not answer, and is probed.
    pub in_service: bool,
    /// Since when, in seconds before now.
    pub since_s: u64,
    /// Logins that it has decided.
    pub answered: u64,
    /// Logins for which it gave no usable answer.
    pub unanswered: u64,
    /// What was wrong the last time; null if nothing was since its last answer.
    pub problem: Option<String>,
}

/// A fault of the host that the server has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// The part of the host.
    pub part: HostPart,
    /// The diagnosis code.
    #[serde(with = "crate::text")]
    #[schemars(with = "String")]
    pub code: Code,
    /// What was observed, in one line.
    pub text: String,
    /// Whether new calls are refused because of it.
    pub refuses_calls: bool,
    /// When it began, in seconds before now.
    pub since_s: u64,
    /// When it was over, in seconds before now; `None` while it lasts.
    pub repaired_s: Option<u64>,
}

/// A warning with its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// The diagnosis code, as for `adit explain`.
    #[serde(with = "crate::text")]
    #[schemars(with = "String")]
    pub code: Code,
    /// One line of text.
    pub text: String,
}

/// Number of calls that ended with a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeCount {
    /// The code.
    #[serde(with = "crate::text")]
    #[schemars(with = "String")]
    pub code: Code,
    /// Number of calls.
    pub count: u64,
}

/// GRE packets since the start that belong to no session, and packets of sessions for which there was no space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Drops {
    /// Packets with a Call ID of no call.
    pub unknown_call: u64,
    /// Packets with the Call ID of another peer's call.
    pub spoofed: u64,
    /// Packets that are not enhanced GRE, or truncated.
    pub malformed: u64,
    /// Packets dropped because a queue was full, or because a call sent more control frames than are answered.
    pub queue_full: u64,
    /// Packets that the kernel dropped because the receive buffer was full, or because they did not fit a frame of AF_XDP.
    /// Read at most once a second, and only while packets arrive.
    pub overflowed: u64,
    /// Control frames of encrypted sessions that were ignored as forged.
    pub forged: u64,
    /// Packets that the kernel did not accept from the server, to send or to deliver to the host.
    pub refused: u64,
}

/// Connections between accept and set-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QueueStatus {
    /// Connections without a complete first message.
    pub arriving: u64,
    /// Connections that wait for admission.
    pub waiting: u64,
    /// Seconds since the oldest of them began to wait.
    pub oldest_s: u64,
    /// Connections since the start that were refused for want of space.
    pub refused: u64,
    /// Set-ups since the start that were ended because they made no progress while others waited.
    pub evicted: u64,
    /// Connections since the start that ended without a complete first message.
    pub unfinished: u64,
}

/// Locked accounts, banned addresses, and how many guessed passwords were checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockoutStatus {
    /// Accounts that are locked for addresses which are not their own.
    pub locked: u64,
    /// Bans in force.
    pub banned: u64,
    /// Failed logins since the start whose password was checked.
    pub guesses: u64,
    /// Logins since the start that were refused unchecked.
    pub refused: u64,
    /// Connections since the start that were refused because their address is banned.
    pub turned_away: u64,
    /// The most failed logins of one account that are checked in an hour; null without a limit.
    pub guesses_per_hour: Option<u64>,
    /// Entries in the tables of the lockout, which are bounded.
    pub entries: u64,
}

/// An address pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PoolStatus {
    /// Name of the pool.
    pub name: String,
    /// Network of the pool.
    #[schemars(with = "String")]
    pub net: Ipv4Net,
    /// Addresses in use.
    pub used: u64,
    /// Addresses in the pool.
    pub size: u64,
}
