//! How many logins may fail in a minute from one address.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Instant;

/// The most addresses whose failed logins are counted; the one that failed least recently is forgotten for a new one.
pub const MAX_ADDRESSES: usize = 4096;

/// Counts refused logins for each address, as a bucket of tokens that fills once a minute. Only a refused login takes
/// a token, so any number of users behind one address may log in.
#[derive(Debug)]
pub struct LoginLimiter {
    per_minute: u32,
    buckets: BTreeMap<Ipv4Addr, Bucket>,
    by_time: BTreeSet<(Instant, Ipv4Addr)>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    failed: Instant,
    /// In units of one login divided by [`LOGIN`]. Negative if more logins failed than there were tokens: set-ups run at the same time.
    tokens: i64,
}

/// One login, in the unit of a bucket: what one login a minute earns in a minute, in milliseconds.
const LOGIN: i64 = 60_000;
/// The most minutes' worth of tokens that an address can owe.
const DEBT_MINUTES: i64 = 10;

impl LoginLimiter {
    /// Allows `per_minute` refused logins from each address, that many at once; 0 is no limit.
    pub fn new(per_minute: u32) -> LoginLimiter {
        LoginLimiter { per_minute, buckets: BTreeMap::new(), by_time: BTreeSet::new() }
    }

    fn full(&self) -> i64 {
        i64::from(self.per_minute) * LOGIN
    }

    fn tokens(&self, now: Instant, from: Ipv4Addr) -> i64 {
        let Some(bucket) = self.buckets.get(&from) else { return self.full() };
        let passed = now.saturating_duration_since(bucket.failed).as_millis();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        let earned = passed.saturating_mul(i64::from(self.per_minute));
        bucket.tokens.saturating_add(earned).min(self.full())
    }

    /// Whether another login from this address may be tried now.
    pub fn is_allowed(&self, now: Instant, from: Ipv4Addr) -> bool {
        self.per_minute == 0 || self.tokens(now, from) >= LOGIN
    }

    /// Counts a refused login.
    pub fn failed(&mut self, now: Instant, from: Ipv4Addr) {
        if self.per_minute == 0 {
            return;
        }
        let tokens = (self.tokens(now, from) - LOGIN).max(-DEBT_MINUTES * self.full());
        match self.buckets.insert(from, Bucket { failed: now, tokens }) {
            Some(before) => {
                self.by_time.remove(&(before.failed, from));
            }
            None if self.buckets.len() > MAX_ADDRESSES => {
                if let Some((_, oldest)) = self.by_time.pop_first() {
                    self.buckets.remove(&oldest);
                }
            }
            None => {}
        }
        self.by_time.insert((now, from));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn address(n: u32) -> Ipv4Addr {
        Ipv4Addr::from(0x0a00_0000 + n)
    }

    /// Refused logins one after the other until one has to wait.
    fn guesses(limiter: &mut LoginLimiter, now: Instant, from: Ipv4Addr) -> usize {
        let mut guesses = 0;
        while guesses < 1_000 && limiter.is_allowed(now, from) {
            limiter.failed(now, from);
            guesses += 1;
        }
        guesses
    }

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let start = Instant::now();
        let mut limiter = LoginLimiter::new(20);
        assert_eq!(guesses(&mut limiter, start, address(1)), 20);
        assert!(limiter.is_allowed(start, address(2)), "another address has its own bucket");
        assert!(!limiter.is_allowed(start + Duration::from_millis(2_999), address(1)));
        assert!(limiter.is_allowed(start + Duration::from_secs(3), address(1)));
        let later = start + Duration::from_secs(86_400);
        assert_eq!(guesses(&mut limiter, later, address(1)), 20, "a bucket never holds more than a minute");
    }

    #[test]
    fn logins_that_fail_together_are_paid_for_afterwards() {
        let start = Instant::now();
        let mut limiter = LoginLimiter::new(20);
        for _ in 0..60 {
            limiter.failed(start, address(1));
        }
        assert!(!limiter.is_allowed(start + Duration::from_secs(122), address(1)), "40 logins are owed");
        assert!(limiter.is_allowed(start + Duration::from_secs(123), address(1)));
        for _ in 0..100_000 {
            limiter.failed(start, address(1));
        }
        assert!(limiter.is_allowed(start + Duration::from_secs(60 * 11), address(1)), "the debt is bounded");
    }

    #[test]
    fn memory_is_bounded_and_the_busy_address_stays_limited() {
        let start = Instant::now();
        let busy = address(u32::MAX >> 8);
        let mut limiter = LoginLimiter::new(1);
        for n in 0..3 * MAX_ADDRESSES as u32 {
            let now = start + Duration::from_micros(u64::from(n));
            limiter.failed(now, address(n));
            limiter.failed(now, busy);
            assert!(!limiter.is_allowed(now, busy), "login {n}");
        }
        assert_eq!((limiter.buckets.len(), limiter.by_time.len()), (MAX_ADDRESSES, MAX_ADDRESSES));
    }

    #[test]
    fn no_limit_is_no_memory() {
        let mut limiter = LoginLimiter::new(0);
        limiter.failed(Instant::now(), address(1));
        assert!(limiter.is_allowed(Instant::now(), address(1)));
        assert!(limiter.buckets.is_empty());
    }
}
