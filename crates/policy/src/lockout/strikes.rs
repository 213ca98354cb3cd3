//! Counters of failed logins, each of fixed size. Times are milliseconds.

use super::rules::{HOUR, LONGEST, Limit};

/// After a lock or ban has been over for this long, the next one is as short as the first.
const FORGIVEN_AFTER: u64 = LONGEST;
/// One failed login in a bucket.
const UNIT: u64 = 1_000;

/// A lock or ban that lasts twice as long each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Penalty {
    /// How many followed each other.
    pub times: u8,
    /// When the last one ends; 0 for none.
    pub until: u64,
}

impl Penalty {
    /// Whether it is in force.
    pub fn is_active(&self, now: u64) -> bool {
        now < self.until
    }

    /// Begins the next one.
    fn begin(&mut self, now: u64, first: u64) -> u64 {
        if now >= self.until.saturating_add(FORGIVEN_AFTER) {
            self.times = 0;
        }
        let factor = 1u64.checked_shl(self.times.into()).unwrap_or(u64::MAX);
        self.until = now.saturating_add(first.saturating_mul(factor).min(LONGEST.max(first)));
        self.times = self.times.saturating_add(1);
        self.until
    }

    /// When it no longer matters.
    fn expires(&self) -> u64 {
        if self.times == 0 { 0 } else { self.until.saturating_add(FORGIVEN_AFTER) }
    }

    /// The same, if it came from a clock that was ahead.
    fn clamp(&mut self, now: u64, longest: u64) {
        self.until = self.until.min(now.saturating_add(longest));
    }
}

/// Failed logins of an account, from addresses of one kind. A failure is forgotten when none followed for the window,
/// as directories do it: the counter needs no list of times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strikes {
    /// Failures since the last lock or pause.
    pub count: u32,
    /// When the last one was.
    pub last: u64,
    /// The lock.
    pub lock: Penalty,
}

impl Strikes {
    /// The failures that count now.
    pub(super) fn recent(&self, now: u64, limit: Limit) -> u32 {
        if now.saturating_sub(self.last) < limit.window { self.count } else { 0 }
    }

    /// Counts a failure; returns the end of the lock that begins with it.
    pub(super) fn add(&mut self, now: u64, limit: Limit) -> Option<u64> {
        self.count = self.recent(now, limit).saturating_add(1);
        self.last = now;
        if limit.tries == 0 || self.count < limit.tries {
            return None;
        }
        self.count = 0;
        Some(self.lock.begin(now, limit.penalty))
    }

    pub(super) fn expires(&self) -> u64 {
        self.last.saturating_add(HOUR).max(self.lock.expires())
    }

    pub(super) fn clamp(&mut self, now: u64) {
        self.last = self.last.min(now);
        self.lock.clamp(now, LONGEST);
    }
}

/// A bucket of failed logins that drains with time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Its content when it was last changed, in thousandths of a failure.
    pub filled: u64,
    /// When that was.
    pub at: u64,
}

impl Bucket {
    /// The content now, if `size` failures drain within `period`.
    fn content(&self, now: u64, size: u32, period: u64) -> u64 {
        let passed = u128::from(now.saturating_sub(self.at));
        let drained = passed * u128::from(size) * u128::from(UNIT) / u128::from(period.max(1));
        self.filled.saturating_sub(u64::try_from(drained).unwrap_or(u64::MAX))
    }

    /// Whether `more` failures find space.
    pub(super) fn has_space(&self, now: u64, size: u32, period: u64, more: u32) -> bool {
        let needed = u64::from(more) * UNIT;
        self.content(now, size, period).saturating_add(needed) <= u64::from(size) * UNIT
    }

    /// When the next failure finds space.
    pub(super) fn space_at(&self, now: u64, size: u32, period: u64) -> u64 {
        let surplus =
            self.content(now, size, period).saturating_add(UNIT).saturating_sub(u64::from(size) * UNIT);
        let wait =
            (u128::from(surplus) * u128::from(period)).div_ceil(u128::from(size.max(1)) * u128::from(UNIT));
        now.saturating_add(u64::try_from(wait).unwrap_or(u64::MAX))
    }

    /// Counts a failure; returns whether the bucket is full now. It never holds more than that, so that a burst is not
    /// held against the address for longer than the period.
    pub(super) fn add(&mut self, now: u64, size: u32, period: u64) -> bool {
        let full = u64::from(size) * UNIT;
        self.filled = self.content(now, size, period).saturating_add(UNIT).min(full);
        self.at = now;
        self.filled >= full
    }

    pub(super) fn clamp(&mut self, now: u64) {
        self.at = self.at.min(now);
    }
}

/// Failed logins from an address or network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// The failures.
    pub bucket: Bucket,
    /// Its bans.
    pub ban: Penalty,
}

impl Sender {
    /// Counts a failure; returns the end of the ban that begins with it.
    pub(super) fn add(&mut self, now: u64, limit: Limit) -> Option<u64> {
        // Logins that were checked while the ban began change nothing.
        if limit.tries == 0 || self.ban.is_active(now) || !self.bucket.add(now, limit.tries, limit.window) {
            return None;
        }
        self.bucket.filled = 0;
        Some(self.ban.begin(now, limit.penalty))
    }

    pub(super) fn expires(&self) -> u64 {
        self.bucket.at.saturating_add(HOUR).max(self.ban.expires())
    }

    pub(super) fn clamp(&mut self, now: u64, longest: u64) {
        self.bucket.clamp(now);
        self.ban.clamp(now, longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;
    const LIMIT: Limit = Limit { tries: 3, window: 10 * MINUTE, penalty: 15 * MINUTE };

    #[test]
    fn each_lock_lasts_twice_as_long_up_to_a_day_and_a_quiet_day_forgives() {
        let (mut strikes, mut now, mut lengths) = (Strikes::default(), 1_000 * HOUR, Vec::new());
        for _ in 0..9 {
            for _ in 0..2 {
                assert_eq!(strikes.add(now, LIMIT), None);
            }
            let until = strikes.add(now, LIMIT).unwrap();
            lengths.push((until - now) / MINUTE);
            now = until;
        }
        assert_eq!(lengths, [15, 30, 60, 120, 240, 480, 960, 1440, 1440]);
        now += FORGIVEN_AFTER;
        assert_eq!([(); 2].map(|()| strikes.add(now, LIMIT)), [None; 2]);
        assert_eq!(strikes.add(now, LIMIT), Some(now + 15 * MINUTE));
    }

    #[test]
    fn failures_are_forgotten_after_a_pause() {
        let mut strikes = Strikes::default();
        for n in 0..100 {
            assert_eq!(strikes.add(HOUR + n * 10 * MINUTE, LIMIT), None, "{n}");
        }
        let just_within = 10 * MINUTE - 1;
        let at = |n| 100 * HOUR + n * just_within;
        assert_eq!([0, 1].map(|n| strikes.add(at(n), LIMIT)), [None, None]);
        assert!(strikes.add(at(2), LIMIT).is_some());
    }

    #[test]
    fn a_bucket_passes_its_size_at_once_and_again_in_its_period() {
        let mut bucket = Bucket::default();
        let passed = |bucket: &mut Bucket, now| {
            (0..100)
                .take_while(|_| {
                    bucket.has_space(now, 10, HOUR, 1) && {
                        bucket.add(now, 10, HOUR);
                        true
                    }
                })
                .count()
        };
        assert_eq!(passed(&mut bucket, HOUR), 10);
        let next = bucket.space_at(HOUR, 10, HOUR);
        assert_eq!(next, HOUR + HOUR / 10);
        assert!(!bucket.has_space(next - 1, 10, HOUR, 1) && bucket.has_space(next, 10, HOUR, 1));
        assert_eq!(passed(&mut bucket, 2 * HOUR), 10);
        assert_eq!(passed(&mut bucket, 2 * HOUR + HOUR / 2), 5);
    }

    #[test]
    fn an_address_that_fails_slowly_is_not_banned() {
        let limit = Limit { tries: 20, window: 10 * MINUTE, penalty: HOUR };
        let mut slow = Sender::default();
        for n in 0..1_000 {
            assert_eq!(slow.add(HOUR + n * MINUTE / 2, limit), None, "{n}");
        }
        let mut quick = Sender::default();
        let banned = (0..20).filter_map(|n| quick.add(HOUR + n, limit)).collect::<Vec<_>>();
        assert_eq!(banned, [HOUR + 19 + HOUR]);
    }

    #[test]
    fn a_clock_that_was_ahead_makes_no_lock_for_ever() {
        let mut strikes = Strikes { count: 1, last: u64::MAX, lock: Penalty { times: 200, until: u64::MAX } };
        strikes.clamp(HOUR);
        assert_eq!((strikes.last, strikes.lock.until), (HOUR, HOUR + LONGEST));
        assert_eq!(strikes.lock.begin(HOUR, MINUTE), HOUR + LONGEST, "a large exponent");
    }
}
