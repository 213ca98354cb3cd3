//! Pools of client addresses: requests and responses.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::SessionId;

/// A request about pools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// List the pools, by name.
    List,
    /// List the used, kept and fixed addresses of a pool, one page at a time.
    Show {
        /// The name of the pool.
        pool: String,
        /// Only addresses behind this one.
        after: Option<Ipv4Addr>,
    },
    /// Forget for whom an address is kept, or with `dry_run` check whether that is possible.
    Release {
        /// Only check.
        dry_run: bool,
        /// Name of the administrator, for the log.
        by: String,
        /// The address.
        address: Ipv4Addr,
    },
}

impl Request {
    /// Whether the request changes something when it is carried out.
    pub fn is_change(&self) -> bool {
        matches!(self, Request::Release { dry_run: false, .. })
    }
}

/// The response to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// Response to [`Request::List`].
    List(Vec<Pool>),
    /// Response to [`Request::Show`].
    Page(Page),
    /// Response to [`Request::Release`].
    Released(Released),
}

/// A pool, and how many of its addresses are in which state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its network.
    pub net: Ipv4Net,
    /// The server's end of its tunnels.
    pub server: Ipv4Addr,
    /// First and last addresses for users without a fixed address.
    pub ranges: Vec<(Ipv4Addr, Ipv4Addr)>,
    /// How long an address is kept for the user who had it, in seconds.
    pub sticky_s: u64,
    /// The tables of the configuration that name the pool: `access`, `groups.staff`.
    pub users: Vec<String>,
    /// How many addresses the ranges have.
    pub size: u64,
    /// How many of the ranges a user without a fixed address can get now; those that are kept included.
    pub free: u64,
    /// How many addresses of the network sessions have.
    pub used: u64,
    /// How many free addresses are kept for the user who had them last.
    pub kept: u64,
    /// How many addresses of the network are fixed addresses.
    pub fixed: u64,
}

/// A page of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The addresses, in order.
    pub addresses: Vec<Address>,
    /// The `after` for the next page; `None` if there are no more.
    pub next: Option<Ipv4Addr>,
}

/// A used, kept or fixed address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The address.
    pub address: Ipv4Addr,
    /// Why it is not free.
    pub state: State,
    /// The user: who has it, for whom it is kept, or whose fixed address it is.
    pub user: String,
    /// The session that has it.
    pub session: Option<SessionId>,
    /// The user whose fixed address it is.
    pub fixed_of: Option<String>,
    /// When it was assigned, or when the last session with it ended; `None` if there was none.
    pub since: Option<Timestamp>,
    /// Until when it is kept.
    pub until: Option<Timestamp>,
}

/// Who can get an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A session has it.
    Used,
    /// It is kept for the user who had it last; another gets it only if no other address is free.
    Kept,
    /// It is the fixed address of a user who has no session with it.
    Fixed,
}

/// The result of [`Request::Release`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The name of the pool.
    pub pool: String,
    /// The address, as it was before.
    pub before: Address,
    /// A problem that did not prevent the change.
    pub warning: Option<String>,
}
