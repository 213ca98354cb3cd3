//! What a server writes down while it runs, so that much of it can be one transaction.

use std::net::Ipv4Addr;

use crate::{Counters, NewEvent, SessionEnd, SessionId, SessionUpdate, Step};

/// One thing to write down; each is what the method of [`crate::Store`] of about the same name does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// [`crate::Store::add_events`].
    Events(Vec<NewEvent>),
    /// [`crate::Store::record_login`].
    Login(String, Ipv4Addr),
    /// [`crate::Store::update_session`].
    Update(SessionId, Box<SessionUpdate>),
    /// [`crate::Store::count`].
    Count(Vec<(SessionId, Counters)>),
    /// [`crate::Store::save_record`] and then [`crate::Store::end_session`]: the record with the steps that are missing.
    End(SessionId, Box<SessionEnd>, Option<Counters>, Vec<Step>, u64),
    /// [`crate::Store::release_lease`], without quarantine.
    Release(SessionId, String, Ipv4Addr),
}
