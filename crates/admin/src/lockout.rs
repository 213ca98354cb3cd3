//! Access to the state of the lockout, which a running server has in memory.

use adit_api::Result;
use adit_policy::Lockout;
use adit_policy::lockout::Rules;
use adit_store::{Change, Store};
use jiff::Timestamp;

use crate::refused;

/// The state of the lockout.
pub trait LockoutState {
    /// Reads or changes it. The first argument of `work` is the time. What changed is stored when this returns.
    ///
    /// # Errors
    /// The store does not work; nothing is changed then.
    fn with(&self, work: &mut dyn FnMut(u64, &mut Lockout)) -> Result<()>;
}

/// The state on record, when no server runs.
#[derive(Clone, Copy)]
pub struct StoredLockout<'a> {
    /// The store.
    pub store: &'a Store,
    /// The rules of the configuration.
    pub rules: &'a Rules,
    /// The time.
    pub now: Timestamp,
}

impl LockoutState for StoredLockout<'_> {
    fn with(&self, work: &mut dyn FnMut(u64, &mut Lockout)) -> Result<()> {
        let now = to_ms(self.now);
        let mut lockout = Lockout::new(self.rules.clone());
        for stored in self.store.lockout().map_err(refused)? {
            lockout.restore(now, stored);
        }
        // What restoring removed is stored by the next server.
        drop(lockout.take_changes());
        work(now, &mut lockout);
        let changes = lockout.take_changes();
        if changes.is_empty() {
            return Ok(());
        }
        self.store.apply(&[Change::Lockout(changes)], self.now).map(drop).map_err(refused)
    }
}

/// A time as the lockout counts it.
pub fn to_ms(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}

/// The time of a number of the lockout.
pub(crate) fn from_ms(ms: u64) -> Timestamp {
    i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX)
}
