//! The suite over a second back end, made of maps in memory and of nothing that is private to the store.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../suite/mod.rs"]
mod suite;

mod accounts;
mod events;
mod leases;
mod lockout;
mod sessions;
mod state;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use adit_store::{ClockCheck, Maintenance, Place, Pruned, Result, Retention, SealKey, Store};
use jiff::Timestamp;

use state::State;

/// A back end in memory.
#[derive(Debug, Default)]
struct Fake {
    state: Mutex<State>,
}

impl Fake {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Changes everything or nothing.
    fn write<T>(&self, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut state = self.lock();
        let mut changed = state.clone();
        let done = work(&mut changed)?;
        *state = changed;
        Ok(done)
    }
}

impl Maintenance for Fake {
    fn place(&self) -> Place {
        Place::File("memory".into())
    }

    fn key_check(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.lock().key_check.clone())
    }

    fn set_key_check(&self, fresh: &[u8]) -> Result<Vec<u8>> {
        self.write(|state| Ok(state.key_check.get_or_insert_with(|| fresh.to_vec()).clone()))
    }

    fn check_place(&self) -> Result<()> {
        Ok(())
    }

    fn put_back(&self) -> Result<bool> {
        Ok(false)
    }

    fn check_clock(&self, _now: Timestamp, _ran: Duration) -> Result<ClockCheck> {
        Ok(ClockCheck::Plausible)
    }

    fn prune(&self, retention: &Retention, now: Timestamp) -> Result<Pruned> {
        self.write(|state| Ok(state.prune(retention, now)))
    }
}

fn open() -> (Store, ()) {
    (Store::new(Arc::new(Fake::default()), Some(SealKey::from_bytes([7; 32]))), ())
}

suite::suite!(open);
