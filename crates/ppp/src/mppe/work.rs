//! The limit on key changes that a peer, or an attacker who forges its packets, can cause.
//!
//! One change costs about half a microsecond. A frame that follows its predecessor needs one and is free. A
//! frame that skips n counts needs n more, which are taken from a budget that refills with time.

use std::time::{Duration, Instant};

/// The most key changes at once.
const CAPACITY: u32 = 20_000;
/// The time in which one key change is added to the budget: 20 000 a second, about 1 % of a core.
const EARNED_IN: Duration = Duration::from_micros(50);
/// A skip beyond this many counts is a jump.
const JUMP: u32 = 256;
/// The additional cost of a jump, so that at most 4 of them are possible at once and 4 per second.
const JUMP_PRICE: u32 = CAPACITY / 4;

/// A budget of key changes, as a token bucket.
#[derive(Clone, Debug)]
pub(super) struct Work {
    left: u32,
    /// When the budget was last refilled; `None` before the first use.
    counted: Option<Instant>,
}

impl Work {
    pub(super) fn new() -> Work {
        Work { left: CAPACITY, counted: None }
    }

    /// Spends `changes`, or nothing if the budget is too small, and then returns false.
    pub(super) fn spend(&mut self, now: Instant, changes: u32) -> bool {
        let counted = self.counted.get_or_insert(now);
        let full = EARNED_IN * CAPACITY;
        let passed = now.saturating_duration_since(*counted).min(full);
        let earned = (passed.as_micros() / EARNED_IN.as_micros()) as u32;
        self.left = (self.left + earned).min(CAPACITY);
        *counted = if passed == full { now } else { *counted + EARNED_IN * earned };
        let price = if changes > JUMP { changes.max(JUMP_PRICE) } else { changes };
        match self.left.checked_sub(price) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c193_jumps_are_bounded_at_once_and_each_second() {
        let mut work = Work::new();
        let start = Instant::now();
        let jumps = |work: &mut Work, at| (0..100).filter(|_| work.spend(at, 4000)).count();
        assert_eq!(jumps(&mut work, start), 4);
        assert_eq!(jumps(&mut work, start + Duration::from_millis(10)), 0);
        let later = start + Duration::from_secs(1);
        assert_eq!(jumps(&mut work, later), 4);
        assert_eq!(
            jumps(&mut work, later + Duration::from_secs(100)),
            4,
            "nothing is saved up beyond the capacity"
        );
    }

    #[test]
    fn c193_small_skips_are_bounded_together() {
        let mut work = Work::new();
        let start = Instant::now();
        let mut spent = 0;
        for millis in 0..1000 {
            for _ in 0..1000 {
                spent += if work.spend(start + Duration::from_millis(millis), 100) { 100 } else { 0 };
            }
        }
        assert!(spent <= 2 * CAPACITY, "{spent}");
        assert!(spent > CAPACITY, "{spent}");
    }

    #[test]
    fn frequent_use_loses_no_allowance() {
        let mut work = Work::new();
        let start = Instant::now();
        assert!((0..CAPACITY / 200).all(|_| work.spend(start, 200)));
        assert!(!work.spend(start, 1));
        // Each interval of 12 us is less than one change: they must still add up.
        let at = |n: u64| start + Duration::from_micros(12 * n);
        let granted = (1..=100_000u64).filter(|n| work.spend(at(*n), 1)).count();
        assert_eq!(granted, 24_000);
    }
}
