//! Everything that the fake knows.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use adit_store::{
    Account, Event, LockoutChange, Pruned, Retention, SealedFactor, SealedSecret, ServerId, Session,
    SessionId, Step,
};
use jiff::{SignedDuration, Timestamp};

#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) user: String,
    pub(crate) session: Option<SessionId>,
    pub(crate) server: ServerId,
    pub(crate) since: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) key_check: Option<Vec<u8>>,
    /// By name in lower case.
    pub(crate) accounts: BTreeMap<String, (Account, Option<SealedSecret>)>,
    /// By name in lower case.
    pub(crate) factors: BTreeMap<String, SealedFactor>,
    /// Keys; a server's number is its place.
    pub(crate) servers: Vec<String>,
    pub(crate) leases: BTreeMap<(String, Ipv4Addr), Lease>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) records: BTreeMap<SessionId, Vec<Step>>,
    pub(crate) last_session: u64,
    pub(crate) events: Vec<Event>,
    pub(crate) last_event: i64,
    /// Accounts before their networks.
    pub(crate) lockout: BTreeMap<(u8, String, String), LockoutChange>,
}

impl State {
    pub(crate) fn prune(&mut self, retention: &Retention, now: Timestamp) -> Pruned {
        let before = |age| now - SignedDuration::try_from(age).unwrap();
        let most = usize::try_from(retention.most).unwrap();
        let mut pruned = Pruned::default();

        let surplus = self.events.len().saturating_sub(most);
        let all = std::mem::take(&mut self.events);
        let count = all.len();
        let young = |(n, event): &(usize, Event)| *n >= surplus && event.at >= before(retention.events);
        self.events = all.into_iter().enumerate().filter(young).map(|(_, event)| event).collect();
        pruned.events = (count - self.events.len()) as u64;

        let surplus = self.sessions.len().saturating_sub(most);
        let over: Vec<(usize, SessionId, Timestamp)> = self
            .sessions
            .values()
            .enumerate()
            .filter_map(|(n, session)| Some((n, session.id, session.end.as_ref()?.at)))
            .collect();
        for (n, id, ended) in over {
            let goes = n < surplus || ended < before(retention.sessions);
            if goes || ended < before(retention.events) {
                pruned.steps += self.records.remove(&id).map_or(0, |steps| steps.len() as u64);
            }
            if goes {
                self.sessions.remove(&id);
                pruned.sessions += 1;
            }
        }
        pruned
    }
}
