//! Allocation of Call IDs.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_wire::LocalCallId;

/// The Call IDs of one process. They are chosen at random, because a sender of forged packets has to guess
/// them; 0 is never used, because some peers take it for "none".
#[derive(Debug)]
pub(crate) struct CallIds {
    taken: Vec<bool>,
    /// Released ids in quarantine, oldest first.
    resting: VecDeque<(Instant, LocalCallId)>,
    quarantine: Duration,
    rng: Rng,
    free: usize,
}

impl CallIds {
    pub(crate) fn new(quarantine: Duration, rng: Rng) -> CallIds {
        let mut taken = vec![false; 1 << 16];
        if let Some(zero) = taken.first_mut() {
            *zero = true;
        }
        CallIds { taken, resting: VecDeque::new(), quarantine, rng, free: usize::from(u16::MAX) }
    }

    /// Reserves a free Call ID. One that was released less than the quarantine ago is used only if there is
    /// no other.
    pub(crate) fn reserve(&mut self, now: Instant) -> Option<LocalCallId> {
        while self.resting.front().is_some_and(|(since, _)| {
            self.free == 0 || now.saturating_duration_since(*since) >= self.quarantine
        }) {
            let (_, id) = self.resting.pop_front()?;
            self.set(id, false);
        }
        if self.free == 0 {
            return None;
        }
        let start = self.rng.u32() as u16;
        let id =
            (0..=u16::MAX).map(|n| LocalCallId::new(start.wrapping_add(n))).find(|id| !self.is_taken(*id))?;
        self.set(id, true);
        Some(id)
    }

    /// Releases a Call ID.
    pub(crate) fn release(&mut self, now: Instant, id: LocalCallId) {
        let resting = self.resting.iter().any(|(_, other)| *other == id);
        if id.get() != 0 && self.is_taken(id) && !resting {
            self.resting.push_back((now, id));
        }
    }

    /// Whether the id is in use or in quarantine.
    pub(crate) fn is_taken(&self, id: LocalCallId) -> bool {
        self.taken.get(id.index()).copied().unwrap_or(true)
    }

    fn set(&mut self, id: LocalCallId, taken: bool) {
        if let Some(slot) = self.taken.get_mut(id.index()) {
            *slot = taken;
        }
        self.free = if taken { self.free.saturating_sub(1) } else { self.free + 1 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARANTINE: Duration = Duration::from_secs(60);

    fn ids() -> CallIds {
        CallIds::new(QUARANTINE, Rng::from_number(1))
    }

    #[test]
    fn c041_ids_are_unique_and_never_zero() {
        let (mut ids, now) = (ids(), Instant::now());
        let mut seen = vec![false; 1 << 16];
        for _ in 0..65_535 {
            let id = ids.reserve(now).unwrap();
            assert!(id.get() != 0 && !std::mem::replace(&mut seen[id.index()], true));
        }
        assert_eq!(ids.reserve(now), None);
    }

    #[test]
    fn c062_a_released_id_rests() {
        let (mut ids, start) = (ids(), Instant::now());
        let all: Vec<LocalCallId> = (0..65_535).map(|_| ids.reserve(start).unwrap()).collect();
        ids.release(start, all[0]);
        ids.release(start + QUARANTINE / 2, all[1]);
        ids.release(start + QUARANTINE / 2, all[1]); // a second release has no effect
        assert_eq!(ids.reserve(start + QUARANTINE), Some(all[0]));
        // No other id is free: the oldest one is used.
        assert_eq!(ids.reserve(start + QUARANTINE), Some(all[1]));
        assert_eq!(ids.reserve(start + QUARANTINE), None);
    }

    #[test]
    fn c061_c062_ten_thousand_calls_one_after_the_other_leak_nothing() {
        let (mut ids, start) = (ids(), Instant::now());
        let mut last = std::collections::BTreeMap::new();
        for n in 0..10_000 {
            let now = start + Duration::from_millis(10 * n);
            let id = ids.reserve(now).unwrap();
            if let Some(before) = last.insert(id, now) {
                assert!(now - before >= QUARANTINE);
            }
            ids.release(now, id);
        }
        let later = start + QUARANTINE * 1000;
        for _ in 0..65_535 {
            assert!(ids.reserve(later).is_some());
        }
    }
}
