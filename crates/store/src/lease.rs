//! Addresses lent to clients.

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;

use crate::{Result, SessionId};

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

/// Addresses lent to clients.
pub trait Leases: Send + Sync {
    /// Lends an address to a session. `false` when another session has it, or it is in quarantine after another user;
    /// `true` also when this session has it already.
    fn take_lease(
        &self,
        pool: &str,
        address: Ipv4Addr,
        user: &str,
        session: SessionId,
        now: Timestamp,
    ) -> Result<bool>;
    /// Takes an address back from a session. `true` exactly once per lease; `false` when the session does not have it.
    fn release_lease(
        &self,
        pool: &str,
        address: Ipv4Addr,
        session: SessionId,
        quarantine: Option<Duration>,
        now: Timestamp,
    ) -> Result<bool>;
    /// The addresses that are lent or were lent, by pool and address; of one pool or all, of one user or all. A user's
    /// newest one is the address to give him again.
    fn leases(&self, pool: Option<&str>, user: Option<&str>) -> Result<Vec<Lease>>;
}
