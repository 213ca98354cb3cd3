//! What a server records while it runs, so that much of it can be one transaction.

use std::net::IpAddr;

use crate::{LockoutChange, NewEvent, Release, Result, SessionEnd, SessionId, SessionUpdate, Step};
use adit_diag::Traffic;
use jiff::Timestamp;

/// One thing to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// What happened.
    Events(Vec<NewEvent>),
    /// A successful login of an account from a public address; an unknown name (from a directory) is ignored.
    Login(String, IpAddr),
    /// What became known about a session; ignored when it is over or unknown.
    Update(SessionId, Box<SessionUpdate>),
    /// The counters of running sessions; those that are over or unknown are ignored.
    Count(Vec<(SessionId, Traffic)>),
    /// The end of a session, its last counters, its record and how many steps are missing in the middle of that. At most
    /// [`Step::MAX`] steps are kept. A session ends once: of a later end only the record is taken.
    End(SessionId, Box<SessionEnd>, Option<Traffic>, Vec<Step>, u64),
    /// The address of a session goes back to its pool; ignored when the session does not have it any more.
    Release(Release),
    /// Failed logins, locks and bans.
    Lockout(Vec<LockoutChange>),
}

/// The one way of recording.
pub trait Changes: Send + Sync {
    /// Records several things in their order, all or nothing. Returns the ids of the events among them, in order.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NoSuchSession`] when an unknown session ends.
    fn apply(&self, changes: &[Change], now: Timestamp) -> Result<Vec<i64>>;
}
