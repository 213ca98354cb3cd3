//! How the server is.

use std::net::SocketAddrV4;

use adit_diag::Code;
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Utc;

/// How the server is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// Process id.
    pub pid: u32,
    /// When it started, RFC 3339 UTC.
    pub started: Utc,
    /// Seconds since.
    pub up_s: u64,
    /// The configuration file, or `(built-in defaults)`.
    pub config: String,
    /// Addresses that accept calls.
    #[schemars(with = "Vec<String>")]
    pub listen: Vec<SocketAddrV4>,
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
    #[serde(with = "crate::text")]
    #[schemars(with = "String")]
    pub code: Code,
    /// One line.
    pub text: String,
}

/// How often a code was the end of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeCount {
    /// The code.
    #[serde(with = "crate::text")]
    #[schemars(with = "String")]
    pub code: Code,
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
    #[schemars(with = "String")]
    pub net: Ipv4Net,
    /// Addresses in use.
    pub used: u64,
    /// Addresses that can be given.
    pub size: u64,
}
