//! Deadlines by owner, the earliest first.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// One deadline per owner.
#[derive(Debug)]
pub(super) struct Timers<K> {
    by_time: BTreeSet<(Instant, K)>,
    by_owner: BTreeMap<K, Instant>,
}

impl<K: Ord + Copy> Timers<K> {
    pub(super) fn new() -> Timers<K> {
        Timers { by_time: BTreeSet::new(), by_owner: BTreeMap::new() }
    }

    /// Sets the owner's deadline in place of its former one.
    pub(super) fn set(&mut self, owner: K, at: Option<Instant>) {
        let former = match at {
            Some(at) => self.by_owner.insert(owner, at),
            None => self.by_owner.remove(&owner),
        };
        if let Some(former) = former {
            self.by_time.remove(&(former, owner));
        }
        if let Some(at) = at {
            self.by_time.insert((at, owner));
        }
    }

    /// The earliest deadline.
    pub(super) fn first(&self) -> Option<(Instant, K)> {
        self.by_time.first().copied()
    }

    /// Removes and returns an owner whose deadline has passed.
    pub(super) fn pop(&mut self, now: Instant) -> Option<K> {
        let (at, owner) = self.first()?;
        if at > now {
            return None;
        }
        self.set(owner, None);
        Some(owner)
    }
}
