//! The registry of sessions: by name, Call ID, user and address.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use adit_config::{Limits, SameNat};
use adit_diag::Code;
use adit_store::SessionId;
use adit_wire::LocalCallId;

use crate::forgeries::Forgeries;
use crate::message::Message;
use crate::session::Session;

/// All sessions of the server and its totals.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    tables: Mutex<Tables>,
    pub(crate) draining: AtomicBool,
    pub(crate) calls_ok: AtomicU64,
    /// The number of frames dropped because a session's queue was full.
    pub(crate) queue_full: AtomicU64,
    /// Forged packets.
    pub(crate) forgeries: Forgeries,
}

#[derive(Debug, Default)]
struct Tables {
    sessions: BTreeMap<SessionId, Arc<Session>>,
    by_call: BTreeMap<LocalCallId, Arc<Session>>,
    /// Sessions that are up, by the lower-case name of their account, oldest first.
    by_user: BTreeMap<Arc<str>, Vec<Arc<Session>>>,
    /// Sessions that are up, with their key in `by_user`.
    up: BTreeMap<SessionId, Arc<str>>,
    failed: BTreeMap<Code, u64>,
}

impl Registry {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn add(&self, session: Arc<Session>) {
        self.tables().sessions.insert(session.id, session);
    }

    /// Removes a session and its Call ID.
    pub(crate) fn remove(&self, id: SessionId) {
        let mut tables = self.tables();
        let Some(session) = tables.sessions.remove(&id) else { return };
        let call_id = session.known().call_ids.map(|(ours, _)| ours);
        if let Some(call_id) = call_id
            && tables.by_call.get(&call_id).is_some_and(|session| session.id == id)
        {
            tables.by_call.remove(&call_id);
        }
        if let Some(user) = tables.up.remove(&id)
            && let Some(theirs) = tables.by_user.get_mut(&user)
        {
            theirs.retain(|session| session.id != id);
            if theirs.is_empty() {
                tables.by_user.remove(&user);
            }
        }
    }

    /// Registers a session whose call has come up for the first time. Its known state and its user are set
    /// already.
    pub(crate) fn call_up(&self, session: Arc<Session>) {
        let user = session.known().user.as_deref().map(str::to_lowercase).unwrap_or_default();
        let mut tables = self.tables();
        let user = match tables.by_user.get_key_value(user.as_str()) {
            Some((user, _)) => Arc::clone(user),
            None => Arc::from(user),
        };
        tables.up.insert(session.id, Arc::clone(&user));
        tables.by_user.entry(user).or_default().push(session);
    }

    /// The number of sessions whose call is up.
    pub(crate) fn up(&self) -> u64 {
        self.tables().up.len() as u64
    }

    /// Binds a Call ID to a session: its frames are delivered there from now on.
    pub(crate) fn bind_call(&self, call_id: LocalCallId, session: Arc<Session>) {
        self.tables().by_call.insert(call_id, session);
    }

    pub(crate) fn unbind_call(&self, call_id: LocalCallId) {
        self.tables().by_call.remove(&call_id);
    }

    /// Delivers a message to the session of a Call ID; drops and counts it if the session does not keep up.
    pub(crate) fn deliver(&self, call_id: LocalCallId, message: Message) {
        let session = self.tables().by_call.get(&call_id).cloned();
        if let Some(session) = session
            && !session.queue.push(message)
        {
            self.queue_full.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All sessions, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        self.tables().sessions.values().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.tables().sessions.len()
    }

    /// The numbers of sessions whose call is up, and of those being set up.
    pub(crate) fn up_and_starting(&self) -> (u64, u64) {
        let tables = self.tables();
        let up = tables.up.len() as u64;
        (up, tables.sessions.len() as u64 - up)
    }

    /// Sessions of this account that are up, oldest first.
    pub(crate) fn of_user(&self, user: &str) -> Vec<Arc<Session>> {
        self.tables().by_user.get(user.to_lowercase().as_str()).cloned().unwrap_or_default()
    }

    /// Why another call is not accepted now, if so.
    pub(crate) fn refusal(&self, limits: &Limits, caller: &Session) -> Option<String> {
        if self.draining.load(Ordering::Relaxed) {
            return Some("this server takes no new calls: it is being drained".to_owned());
        }
        if limits.same_nat == SameNat::Refuse {
            let same = |other: &Session| {
                other.id != caller.id
                    && other.from.ip() == caller.from.ip()
                    && other.known().call_ids.is_some()
            };
            if let Some(other) = self.all().iter().find(|other| same(other)) {
                let other = other.id;
                return Some(format!("{other} calls from the same address (limits.same_nat = \"refuse\")"));
            }
        }
        if self.up() >= u64::from(limits.sessions) {
            return Some(format!("all {} sessions are in use (limits.sessions)", limits.sessions));
        }
        None
    }

    fn matching(&self, keep: impl Fn(&Session) -> bool) -> Vec<Arc<Session>> {
        self.all().into_iter().filter(|session| keep(session)).collect()
    }

    /// The sessions that match a selector: `s41`, a user, an inner address, `from:ADDRESS`, `group:NAME`,
    /// `all`.
    pub(crate) fn select(&self, selector: &str) -> Vec<Arc<Session>> {
        if selector == "all" {
            return self.all();
        }
        if let Some(from) = selector.strip_prefix("from:") {
            return self.matching(|session| session.from.ip().to_string() == from);
        }
        if let Some(group) = selector.strip_prefix("group:") {
            return self.matching(|session| session.known().group.as_deref() == Some(group));
        }
        if let Ok(id) = selector.parse::<SessionId>() {
            let found = self.matching(|session| session.id == id);
            if !found.is_empty() {
                return found;
            }
        }
        if let Ok(address) = selector.parse::<Ipv4Addr>() {
            return self.matching(|session| session.known().up.as_ref().is_some_and(|up| up.peer == address));
        }
        let key = selector.to_lowercase();
        self.matching(|session| session.known().user.as_ref().is_some_and(|user| user.to_lowercase() == key))
    }

    pub(crate) fn count_failed(&self, code: Code) {
        *self.tables().failed.entry(code).or_default() += 1;
    }

    pub(crate) fn failed(&self) -> Vec<(Code, u64)> {
        self.tables().failed.iter().map(|(code, count)| (*code, *count)).collect()
    }
}

#[cfg(test)]
mod tests;
