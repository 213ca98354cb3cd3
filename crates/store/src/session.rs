//! Calls: those that run, those that ended, and those that never came up.

use std::net::{Ipv4Addr, SocketAddr};

use adit_api::history::SessionEnd;
use adit_diag::Traffic;
use jiff::Timestamp;

use crate::{ServerId, SessionId};

/// How far a session got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Being set up.
    Starting,
    /// Carries traffic.
    Up,
    /// Over.
    Ended,
}

impl SessionState {
    /// The word in the database and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            SessionState::Starting => "starting",
            SessionState::Up => "up",
            SessionState::Ended => "ended",
        }
    }
}

/// How a session begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// When its control connection was accepted.
    pub started: Timestamp,
    /// The client's public address and port.
    pub from: SocketAddr,
}

/// What became known about a session; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionUpdate {
    /// It carries traffic since then.
    pub up: Option<Timestamp>,
    /// Host name the peer gave, escaped.
    pub host: Option<String>,
    /// Vendor the peer gave, escaped.
    pub vendor: Option<String>,
    /// Who it is.
    pub user: Option<String>,
    /// The group that decided.
    pub group: Option<String>,
    /// The pool of the address.
    pub pool: Option<String>,
    /// The client's inner address.
    pub address: Option<Ipv4Addr>,
    /// Our inner address.
    pub server_address: Option<Ipv4Addr>,
    /// Authentication method: `mschap-v2`.
    pub method: Option<String>,
    /// Encryption in words: `128 stateless`, `none`.
    pub mppe: Option<String>,
    /// Traffic so far.
    pub traffic: Option<Traffic>,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name.
    pub id: SessionId,
    /// The server that has it.
    pub server: ServerId,
    /// When its control connection was accepted.
    pub started: Timestamp,
    /// The client's public address and port.
    pub from: SocketAddr,
    /// Since when it carries, or when it began to carry, traffic.
    pub up: Option<Timestamp>,
    /// Host name the peer gave, escaped.
    pub host: Option<String>,
    /// Vendor the peer gave, escaped.
    pub vendor: Option<String>,
    /// Who it is; the claimed name when authentication failed.
    pub user: Option<String>,
    /// The group that decided.
    pub group: Option<String>,
    /// The pool of the address.
    pub pool: Option<String>,
    /// The client's inner address.
    pub address: Option<Ipv4Addr>,
    /// Our inner address.
    pub server_address: Option<Ipv4Addr>,
    /// Authentication method.
    pub method: Option<String>,
    /// Encryption in words.
    pub mppe: Option<String>,
    /// Traffic.
    pub traffic: Traffic,
    /// The last time anything of this row was written while it ran.
    pub seen: Timestamp,
    /// How it ended; `None` while it runs.
    pub end: Option<SessionEnd>,
    /// Steps left out of its record because there were too many.
    pub omitted: u64,
}

impl Session {
    /// How far it got.
    pub fn state(&self) -> SessionState {
        match (&self.end, self.up) {
            (Some(_), _) => SessionState::Ended,
            (None, Some(_)) => SessionState::Up,
            (None, None) => SessionState::Starting,
        }
    }
}

/// Which sessions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Those that run (true), those that are over (false), or both.
    pub running: Option<bool>,
    /// Only of this user, without regard to case.
    pub user: Option<String>,
    /// Only those that were still running at or after this time.
    pub since: Option<Timestamp>,
    /// Only those that began before this time.
    pub until: Option<Timestamp>,
    /// Only the newest of each user, of those that fit the rest.
    pub newest_per_user: bool,
    /// Only those with a name below this one: how to read in pages, from the newest on.
    pub before: Option<SessionId>,
    /// Only those that ended with a code.
    pub failed: bool,
    /// The newest so many; `None` for all.
    pub last: Option<u32>,
}
