//! Addresses lent to clients.

use std::net::Ipv4Addr;

use jiff::Timestamp;

use crate::SessionId;

/// What an address of a pool is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// Nobody has it; its last user gets it again if he comes back in time.
    Free,
    /// A session has it.
    Used,
    /// Nobody but its last user may have it until a given time.
    Quarantine,
}

impl LeaseState {
    /// The word in the database and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            LeaseState::Free => "free",
            LeaseState::Used => "used",
            LeaseState::Quarantine => "quarantine",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<LeaseState> {
        [LeaseState::Free, LeaseState::Used, LeaseState::Quarantine].into_iter().find(|s| s.word() == word)
    }
}

/// One address that was lent at least once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The pool of the configuration.
    pub pool: String,
    /// The address.
    pub address: Ipv4Addr,
    /// Who has it, or had it last.
    pub user: String,
    /// What it is now.
    pub state: LeaseState,
    /// The session that has it; `None` unless used.
    pub session: Option<SessionId>,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// The end of the quarantine.
    pub until: Option<Timestamp>,
}
