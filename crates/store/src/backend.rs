//! The roles of a back end. Every call is one transaction unless it says otherwise; all block; all are safe from several
//! threads and, for a database, from several processes.

use core::fmt;

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    Account, AccountChange, Changes, ClockCheck, Event, EventFilter, Leases, LockoutChange, NewAccount,
    NewSession, Place, Pruned, Result, Retention, SealedFactor, SealedSecret, ServerId, Servers, Session,
    SessionFilter, SessionId, Step,
};

/// One account to write as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountWrite {
    /// The account as it is to be. Its revision is that of the account that was read: a later one is a conflict.
    pub account: Account,
    /// Its new sealed secret; `None` leaves the secret of an existing account, and a new one without.
    pub secret: Option<SealedSecret>,
    /// Whether the account is added; otherwise it exists.
    pub is_new: bool,
}

/// Users who may log in. Secrets arrive sealed; see [`crate::Store`] for clear ones.
pub trait Accounts: Send + Sync {
    /// All accounts, by name.
    fn accounts(&self) -> Result<Vec<Account>>;
    /// One account, without regard to case; `None` when there is none.
    fn account(&self, name: &str) -> Result<Option<Account>>;
    /// One account and its sealed secret, if it has one, as of one moment.
    fn sealed_credentials(&self, name: &str) -> Result<Option<(Account, Option<SealedSecret>)>>;
    /// Adds an account; without a secret it cannot log in.
    ///
    /// # Errors
    /// [`crate::ErrorKind::BadName`], [`crate::ErrorKind::AccountExists`], [`crate::ErrorKind::AddressTaken`].
    fn insert_account(
        &self,
        new: &NewAccount,
        secret: Option<&SealedSecret>,
        now: Timestamp,
    ) -> Result<Account>;
    /// Changes an account and returns it as it is now.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NoSuchAccount`], [`crate::ErrorKind::Changed`], [`crate::ErrorKind::AddressTaken`].
    fn change_account(&self, name: &str, change: &AccountChange) -> Result<Account>;
    /// Sets the secret of an account, and whether the user must change the password at the next login.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NoSuchAccount`].
    fn set_sealed_secret(
        &self,
        name: &str,
        secret: &SealedSecret,
        must_change: bool,
        now: Timestamp,
    ) -> Result<()>;
    /// Writes whole accounts, all or none.
    ///
    /// # Errors
    /// [`crate::ErrorKind::BadName`], [`crate::ErrorKind::AccountExists`] of a new one,
    /// [`crate::ErrorKind::NoSuchAccount`], [`crate::ErrorKind::Changed`], [`crate::ErrorKind::AddressTaken`].
    fn write_accounts(&self, writes: &[AccountWrite]) -> Result<()>;
    /// The second factor of an account; `None` when none is enrolled, or when there is no such account.
    fn sealed_factor(&self, name: &str) -> Result<Option<SealedFactor>>;
    /// Sets or removes the second factor of an account. It is removed with its account.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NoSuchAccount`].
    fn set_sealed_factor(&self, name: &str, factor: Option<&SealedFactor>) -> Result<()>;
    /// Sets the second factor of an account to `after` if it is `before`; whether it was.
    fn replace_sealed_factor(&self, name: &str, before: &SealedFactor, after: &SealedFactor) -> Result<bool>;
    /// Removes an account and everything that belongs to it alone; its sessions and events stay.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NoSuchAccount`].
    fn remove_account(&self, name: &str) -> Result<()>;
}

/// Calls: those that run, those that ended, and those that never came up.
pub trait Sessions: Send + Sync {
    /// Begins several sessions of a server, all or none; their names in the same order.
    fn start_sessions(&self, server: ServerId, new: &[NewSession]) -> Result<Vec<SessionId>>;
    /// One session.
    fn session(&self, id: SessionId) -> Result<Option<Session>>;
    /// Its record, in order.
    fn record(&self, id: SessionId) -> Result<Vec<Step>>;
    /// Sessions, oldest first.
    fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>>;
}

/// Failed logins, locks and bans. They are recorded by [`crate::Change::Lockout`].
pub trait Lockouts: Send + Sync {
    /// Everything that is on record, each account before its networks: what [`adit_policy::Lockout::restore`] takes.
    fn lockout(&self) -> Result<Vec<LockoutChange>>;
}

/// What happened. It is recorded by [`Changes::apply`].
pub trait Events: Send + Sync {
    /// Reads what happened, oldest first.
    fn events(&self, filter: &EventFilter) -> Result<Vec<Event>>;
}

/// What keeps a store safe, and small over the years.
pub trait Maintenance: Send + Sync {
    /// Where it is, for errors.
    fn place(&self) -> Place;
    /// The sealed value that tells the right key from a wrong one; `None` before the first key.
    fn key_check(&self) -> Result<Option<Vec<u8>>>;
    /// Keeps this value if there is none yet; returns the one that is kept.
    fn set_key_check(&self, fresh: &[u8]) -> Result<Vec<u8>>;
    /// Checks that the data is still where it was opened, and can be written there.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Gone`], [`crate::ErrorKind::Replaced`], [`crate::ErrorKind::ReadOnly`],
    /// [`crate::ErrorKind::Permission`], [`crate::ErrorKind::Full`].
    fn check_place(&self) -> Result<()>;
    /// Writes everything back to where it was deleted; false when it is there.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Gone`] when it was moved and not deleted; [`crate::ErrorKind::Replaced`]; why it cannot be
    /// written.
    fn put_back(&self) -> Result<bool>;
    /// Compares the clock with the newest time that it is known to have had, and remembers the result. `ran` is how long
    /// the server has run since the last check, by a clock that cannot be set.
    fn check_clock(&self, now: Timestamp, ran: Duration) -> Result<ClockCheck>;
    /// Removes what is older than it has to be kept, in many small transactions: others may write in between. A clock
    /// that jumped far ahead makes nothing old: see [`ClockCheck`].
    fn prune(&self, retention: &Retention, now: Timestamp) -> Result<Pruned>;
}

/// Everything that a store is made of.
pub trait Backend:
    Accounts + Servers + Leases + Sessions + Lockouts + Events + Changes + Maintenance + fmt::Debug
{
}

impl<T: Accounts + Servers + Leases + Sessions + Lockouts + Events + Changes + Maintenance + fmt::Debug>
    Backend for T
{
}
