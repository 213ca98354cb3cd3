//! Allocation of Call IDs.

use std::collections::{BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_wire::LocalCallId;

/// How long a Call ID is not reused after its call: GRE packets of the old call may still be in flight.
pub const REST: Duration = Duration::from_secs(60);

/// Allocates Call IDs from a range, each to one call at a time.
///
/// The first id is random and the others follow in sequence, so that a restarted server does not reuse the
/// ids of the calls before the restart. A released id is not reused for [`REST`], unless no other is left.
#[derive(Debug)]
pub struct CallIds {
    ids: RangeInclusive<u16>,
    /// Ids that have never been allocated, as offsets from the first one.
    fresh: u32,
    offset: u32,
    used: BTreeSet<LocalCallId>,
    resting: VecDeque<(Instant, LocalCallId)>,
}

impl CallIds {
    /// Creates an allocator in which all of `ids` are free. Call ID 0 is legal, but should be left out.
    pub fn new(ids: RangeInclusive<u16>, rng: &mut Rng) -> CallIds {
        let count = Self::count(&ids);
        let offset = rng.below(count.into()) as u32;
        CallIds { ids, fresh: 0, offset, used: BTreeSet::new(), resting: VecDeque::new() }
    }

    fn count(ids: &RangeInclusive<u16>) -> u32 {
        (u32::from(*ids.end()) + 1).saturating_sub(u32::from(*ids.start()))
    }

    /// Allocates a Call ID; `None` if all are in use.
    pub fn allocate(&mut self, now: Instant) -> Option<LocalCallId> {
        let rested = self.resting.front().is_some_and(|(since, _)| now >= *since + REST);
        let id = if rested {
            self.longest_resting()
        } else {
            self.next_fresh().or_else(|| self.longest_resting())
        }?;
        self.used.insert(id);
        Some(id)
    }

    /// Releases the id of a call that has ended. An id that is not in use is ignored.
    pub fn release(&mut self, now: Instant, id: LocalCallId) {
        if self.used.remove(&id) {
            self.resting.push_back((now, id));
        }
    }

    /// The number of ids in use.
    pub fn used(&self) -> usize {
        self.used.len()
    }

    fn next_fresh(&mut self) -> Option<LocalCallId> {
        let count = Self::count(&self.ids);
        if self.fresh >= count {
            return None;
        }
        let id = u32::from(*self.ids.start()) + (self.offset + self.fresh) % count;
        self.fresh += 1;
        u16::try_from(id).ok().map(LocalCallId::new)
    }

    fn longest_resting(&mut self) -> Option<LocalCallId> {
        self.resting.pop_front().map(|(_, id)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c041_call_ids_are_unique_until_all_are_used() {
        let now = Instant::now();
        let mut ids = CallIds::new(1..=65535, &mut Rng::from_number(1));
        let mut seen = BTreeSet::new();
        for _ in 0..65535 {
            let id = ids.allocate(now).unwrap();
            assert!(id.get() != 0 && seen.insert(id));
        }
        assert_eq!(ids.allocate(now), None);
        ids.release(now, LocalCallId::new(7));
        assert_eq!(
            ids.allocate(now),
            Some(LocalCallId::new(7)),
            "the only one left is given even while it rests"
        );
    }

    #[test]
    fn c061_ten_thousand_sequential_calls_leak_no_call_id() {
        let mut now = Instant::now();
        let mut ids = CallIds::new(1..=100, &mut Rng::from_number(2));
        for _ in 0..10_000 {
            let id = ids.allocate(now).unwrap();
            assert_eq!(ids.used(), 1);
            ids.release(now, id);
            ids.release(now, id);
            assert_eq!(ids.used(), 0);
            now += Duration::from_millis(10);
        }
        assert_eq!(ids.resting.len(), 100);
    }

    #[test]
    fn c062_a_freed_call_id_rests_for_a_minute() {
        let start = Instant::now();
        let mut ids = CallIds::new(1..=65535, &mut Rng::from_number(3));
        let first = ids.allocate(start).unwrap();
        ids.release(start, first);
        for second in 0..60 {
            let id = ids.allocate(start + Duration::from_secs(second)).unwrap();
            assert_ne!(id, first, "after {second} s");
        }
        assert_eq!(ids.allocate(start + REST), Some(first));
    }
}
