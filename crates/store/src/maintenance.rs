//! How long things are kept, and what upkeep did.

use std::time::Duration;

use crate::SessionId;

/// How long to keep what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Events, and the records of sessions.
    pub events: Duration,
    /// Sessions.
    pub sessions: Duration,
    /// Not more events, nor sessions, than this, however young: a flood must not fill the disk.
    pub most: u64,
}

impl Default for Retention {
    fn default() -> Retention {
        const DAY: Duration = Duration::from_secs(86_400);
        Retention { events: DAY * 90, sessions: DAY * 400, most: 1_000_000 }
    }
}

/// What [`crate::Maintenance::prune`] removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Events.
    pub events: u64,
    /// Sessions.
    pub sessions: u64,
    /// Steps of records.
    pub steps: u64,
}

/// What [`crate::Servers::recover`] cleaned up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Sessions that were running when the server stopped.
    pub sessions: Vec<SessionId>,
    /// Addresses that were in use.
    pub leases: u64,
}
