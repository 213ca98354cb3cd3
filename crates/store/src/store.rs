//! The one door to what is kept.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use adit_crypto::proof::Secret;
use jiff::Timestamp;

use crate::{
    Account, AccountChange, Change, Counters, Event, EventFilter, Lease, NewAccount, NewEvent, NewSession,
    Result, Session, SessionEnd, SessionFilter, SessionId, SessionUpdate, Step,
};

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

/// What [`Store::prune`] removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Events.
    pub events: u64,
    /// Sessions.
    pub sessions: u64,
    /// Steps of records.
    pub steps: u64,
}

/// What [`Store::recover`] cleaned up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Sessions that were running when the server stopped.
    pub sessions: Vec<SessionId>,
    /// Addresses that were in use.
    pub leases: u64,
}

/// Accounts, leases, sessions, events. Every call but [`Store::prune`] is one transaction; all block; all are safe from several threads
/// and, for a database, from several processes.
pub trait Store: Send + Sync {
    /// All accounts, by name.
    fn accounts(&self) -> Result<Vec<Account>>;
    /// One account, without regard to case; `None` when there is none.
    fn account(&self, name: &str) -> Result<Option<Account>>;
    /// Its secret: the clear password when it is kept, else the NT hash; `None` when there is no such account or it has
    /// no password.
    fn secret(&self, name: &str) -> Result<Option<Secret>>;
    /// Adds an account; without a secret it cannot log in. See [`Store::set_secret`] for `reversible`.
    fn add_account(
        &self,
        new: &NewAccount,
        secret: Option<&Secret>,
        reversible: bool,
        now: Timestamp,
    ) -> Result<Account>;
    /// Changes an account and returns it as it is now.
    fn change_account(&self, name: &str, change: &AccountChange) -> Result<Account>;
    /// Sets its secret. With `reversible`, and a secret that is a clear password, the password itself is kept too.
    fn set_secret(&self, name: &str, secret: &Secret, reversible: bool, now: Timestamp) -> Result<()>;
    /// Removes an account and everything that belongs to it alone; its sessions and events stay.
    fn remove_account(&self, name: &str) -> Result<()>;
    /// Remembers a successful login; an unknown name (from a directory) is ignored.
    fn record_login(&self, name: &str, from: IpAddr, at: Timestamp) -> Result<()>;

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

    /// Begins a session.
    fn start_session(&self, new: &NewSession) -> Result<SessionId>;
    /// Begins several, all or none; their names in the same order.
    fn start_sessions(&self, new: &[NewSession]) -> Result<Vec<SessionId>>;
    /// Writes down what became known; `false` when the session is over or unknown.
    fn update_session(&self, id: SessionId, update: &SessionUpdate, now: Timestamp) -> Result<bool>;
    /// Writes down the counters of many running sessions at once.
    fn count(&self, counters: &[(SessionId, Counters)], now: Timestamp) -> Result<()>;
    /// Ends a session. `true` exactly once.
    fn end_session(&self, id: SessionId, end: &SessionEnd, counters: Option<Counters>) -> Result<bool>;
    /// Replaces a session's record; at most [`Step`]s as given by the caller, cut at 512. `omitted` says how many are
    /// missing in the middle.
    fn save_record(&self, id: SessionId, steps: &[Step], omitted: u64) -> Result<()>;
    /// One session.
    fn session(&self, id: SessionId) -> Result<Option<Session>>;
    /// Its record, in order.
    fn record(&self, id: SessionId) -> Result<Vec<Step>>;
    /// Sessions, oldest first.
    fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>>;

    /// Writes down what happened, all or nothing.
    fn add_events(&self, events: &[NewEvent]) -> Result<()>;
    /// Reads what happened, oldest first.
    fn events(&self, filter: &EventFilter) -> Result<Vec<Event>>;

    /// Writes down several things in their order, all or nothing.
    fn write_all(&self, changes: &[Change], now: Timestamp) -> Result<()>;

    /// A small thing by name.
    fn meta(&self, key: &str) -> Result<Option<String>>;
    /// Sets a small thing.
    fn set_meta(&self, key: &str, value: &str) -> Result<()>;

    /// At the start of the one server: closes the sessions that a crash left running ("server stopped unexpectedly", at
    /// the time they were last seen) and frees their addresses.
    fn recover(&self, now: Timestamp) -> Result<Recovered>;
    /// Removes what is older than it has to be kept, in many small transactions: others may write in between.
    fn prune(&self, retention: &Retention, now: Timestamp) -> Result<Pruned>;
}
