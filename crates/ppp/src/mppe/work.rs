//! The bound on the key changes that a peer, or somebody who forges its packets, can make us do.
//!
//! One change costs about half a microsecond. A frame that follows its predecessor needs one and is free. A frame that
//! skips n counts needs n more, and those are paid from an allowance that refills with time.

use std::time::Instant;

/// Key changes that may be spent at once.
const CAPACITY: u32 = 16_384;
/// Key changes earned in a second: less than 1 % of a core.
const PER_SECOND: u32 = 16_384;
/// A skip beyond this many counts is a jump.
const JUMP: u32 = 256;
/// What a jump costs on top, so that at most 4 of them happen at once and 4 a second.
const JUMP_PRICE: u32 = CAPACITY / 4;

/// An allowance of key changes.
#[derive(Clone, Debug)]
pub(super) struct Work {
    left: u32,
    /// Until when the allowance has been counted; `None` before the first use.
    counted: Option<Instant>,
}

impl Work {
    pub(super) fn new() -> Work {
        Work { left: CAPACITY, counted: None }
    }

    /// Spends `changes`, or nothing at all and returns false when they are too many now.
    pub(super) fn spend(&mut self, now: Instant, changes: u32) -> bool {
        if let Some(counted) = self.counted {
            let micros = now.saturating_duration_since(counted).as_micros().min(1_000_000) as u64;
            let earned = (micros * u64::from(PER_SECOND) / 1_000_000) as u32;
            if earned > 0 {
                self.left = (self.left + earned).min(CAPACITY);
                self.counted = Some(now);
            }
        } else {
            self.counted = Some(now);
        }
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
    use std::time::Duration;

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
        assert_eq!(jumps(&mut work, later + Duration::from_secs(100)), 4, "nothing is saved up beyond the capacity");
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
        assert!(spent <= CAPACITY + PER_SECOND, "{spent}");
        assert!(spent > PER_SECOND, "{spent}");
    }

    #[test]
    fn frequent_use_loses_no_allowance() {
        let mut work = Work::new();
        let start = Instant::now();
        assert!(work.spend(start, 256) && (0..63).all(|_| work.spend(start, 256)));
        assert!(!work.spend(start, 1));
        // 10 us each are less than one change: they must add up all the same.
        let granted = (1..=100_000u64).filter(|n| work.spend(start + Duration::from_micros(10 * n), 1)).count();
        assert!((16_000..=16_384).contains(&granted), "{granted}");
    }
}
