//! Limits on calls: how often from one address, and how many in set-up at once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// The most addresses whose calls are counted; the one that was quiet longest is forgotten for a new one.
pub const MAX_ADDRESSES: usize = 4096;

/// How often one address may call, as a bucket of tokens that fills once a minute.
#[derive(Debug)]
pub struct CallLimiter {
    per_minute: u32,
    buckets: BTreeMap<Ipv4Addr, Bucket>,
    by_time: BTreeSet<(Instant, Ipv4Addr)>,
}

#[derive(Debug)]
struct Bucket {
    seen: Instant,
    /// Sixty-thousandths of a call: what one call a minute earns in a millisecond.
    tokens: u64,
}

/// One call, in the unit of a bucket.
const CALL: u64 = 60_000;

impl CallLimiter {
    /// Lets `per_minute` calls in from each address, that many at once; 0 is no limit.
    pub fn new(per_minute: u32) -> CallLimiter {
        CallLimiter { per_minute, buckets: BTreeMap::new(), by_time: BTreeSet::new() }
    }

    /// Counts a call. The error says how long until the next one gets in.
    pub fn call(&mut self, now: Instant, from: Ipv4Addr) -> Result<(), Duration> {
        let full = u64::from(self.per_minute) * CALL;
        if full == 0 {
            return Ok(());
        }
        let mut tokens = match self.buckets.remove(&from) {
            Some(bucket) => {
                self.by_time.remove(&(bucket.seen, from));
                let passed = now.saturating_duration_since(bucket.seen).as_millis();
                let earned = passed.saturating_mul(u128::from(self.per_minute)).min(u128::from(full));
                (bucket.tokens + earned as u64).min(full)
            }
            None => full,
        };
        let answer = match tokens.checked_sub(CALL) {
            Some(left) => {
                tokens = left;
                Ok(())
            }
            None => {
                let missing = CALL - tokens;
                Err(Duration::from_millis(missing.div_ceil(u64::from(self.per_minute))))
            }
        };
        if self.buckets.len() >= MAX_ADDRESSES
            && let Some((_, quiet)) = self.by_time.pop_first()
        {
            self.buckets.remove(&quiet);
        }
        self.buckets.insert(from, Bucket { seen: now, tokens });
        self.by_time.insert((now, from));
        answer
    }

    /// A call came up: it does not count. What is limited is calls that lead to nothing.
    pub fn give_back(&mut self, from: Ipv4Addr) {
        let full = u64::from(self.per_minute) * CALL;
        if let Some(bucket) = self.buckets.get_mut(&from) {
            bucket.tokens = (bucket.tokens + CALL).min(full);
        }
    }
}

/// One control connection on its way to a call that is up.
#[derive(Clone, Copy, Debug)]
struct Setup {
    from: Ipv4Addr,
    since: Instant,
    /// It has asked for a call.
    called: bool,
}

/// The connections that are being set up. A crowd of unfinished ones cannot keep a new caller out: while another
/// waits, the address with most of them gives up its oldest, once that had time enough.
#[derive(Debug)]
pub struct SetupSlots {
    limit: usize,
    setups: BTreeMap<u64, Setup>,
    crowds: BTreeMap<Ipv4Addr, usize>,
}

impl SetupSlots {
    /// A connection of this age that has not asked for a call may be ended for one that waits.
    pub const SILENT: Duration = Duration::from_secs(2);
    /// One that has may be ended at this age, for one from an address with fewer.
    pub const SLOW: Duration = Duration::from_secs(5);

    /// Room for `limit` set-ups, at least one.
    pub fn new(limit: u32) -> SetupSlots {
        let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
        SetupSlots { limit, setups: BTreeMap::new(), crowds: BTreeMap::new() }
    }

    /// Another number of places; those that are taken stay.
    pub fn resize(&mut self, limit: u32) {
        self.limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
    }

    /// Set-ups now.
    pub fn len(&self) -> usize {
        self.setups.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.setups.is_empty()
    }

    /// Whether there is no room for another.
    pub fn is_full(&self) -> bool {
        self.setups.len() >= self.limit
    }

    /// A set-up with an id of its own begins.
    pub fn begin(&mut self, now: Instant, id: u64, from: Ipv4Addr) {
        self.end(id);
        self.setups.insert(id, Setup { from, since: now, called: false });
        *self.crowds.entry(from).or_default() += 1;
    }

    /// It has asked for a call.
    pub fn called(&mut self, id: u64) {
        if let Some(setup) = self.setups.get_mut(&id) {
            setup.called = true;
        }
    }

    /// It is up, or has ended; `false` when it had no slot.
    pub fn end(&mut self, id: u64) -> bool {
        let Some(setup) = self.setups.remove(&id) else { return false };
        if let Some(crowd) = self.crowds.get_mut(&setup.from) {
            *crowd -= 1;
            if *crowd == 0 {
                self.crowds.remove(&setup.from);
            }
        }
        true
    }

    /// Which set-up should give way to a connection from this address that waits. Ids grow with age, so the first that
    /// fits is the oldest.
    pub fn victim(&self, now: Instant, waiting: Ipv4Addr) -> Option<u64> {
        let mine = self.crowds.get(&waiting).copied().unwrap_or_default();
        let most = self.crowds.values().copied().max()?;
        let crowded = most > mine + 1;
        let gives_way = |setup: &Setup| {
            let age = now.saturating_duration_since(setup.since);
            let silent = !setup.called && age >= SetupSlots::SILENT;
            let slow = crowded && age >= SetupSlots::SLOW;
            (silent || slow) && self.crowds.get(&setup.from) == Some(&most)
        };
        self.setups.iter().find(|(_, setup)| gives_way(setup)).map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> Ipv4Addr {
        Ipv4Addr::from(0x0a00_0000 + n)
    }

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let start = Instant::now();
        let mut limiter = CallLimiter::new(20);
        for _ in 0..20 {
            assert_eq!(limiter.call(start, address(1)), Ok(()));
        }
        assert_eq!(limiter.call(start, address(1)), Err(Duration::from_secs(3)));
        assert_eq!(limiter.call(start, address(2)), Ok(()), "another address has its own bucket");
        assert!(limiter.call(start + Duration::from_millis(2_999), address(1)).is_err());
        assert_eq!(limiter.call(start + Duration::from_secs(3), address(1)), Ok(()));
        let later = start + Duration::from_secs(86_400);
        let admitted = (0..100).filter(|_| limiter.call(later, address(1)).is_ok()).count();
        assert_eq!(admitted, 20, "a bucket never holds more than a minute");
    }

    #[test]
    fn memory_is_bounded_and_the_busy_address_stays_limited() {
        let start = Instant::now();
        let mut limiter = CallLimiter::new(1);
        for n in 0..3 * MAX_ADDRESSES as u32 {
            let now = start + Duration::from_micros(u64::from(n));
            let _ = limiter.call(now, address(n));
            let busy = limiter.call(now, address(u32::MAX >> 8));
            assert!(n == 0 || busy.is_err(), "call {n}");
        }
        assert!(limiter.buckets.len() <= MAX_ADDRESSES);
        assert_eq!(limiter.buckets.len(), limiter.by_time.len());
    }

    #[test]
    fn no_limit_is_no_memory() {
        let mut limiter = CallLimiter::new(0);
        assert_eq!(limiter.call(Instant::now(), address(1)), Ok(()));
        assert!(limiter.buckets.is_empty());
    }

    #[test]
    fn a_call_that_came_up_does_not_count() {
        let start = Instant::now();
        let mut limiter = CallLimiter::new(2);
        for _ in 0..100 {
            assert_eq!(limiter.call(start, address(1)), Ok(()));
            limiter.give_back(address(1));
        }
        assert_eq!(limiter.call(start, address(1)), Ok(()));
        assert_eq!(limiter.call(start, address(1)), Ok(()));
        assert!(limiter.call(start, address(1)).is_err());
        limiter.give_back(address(9));
        assert_eq!(limiter.buckets.len(), 1, "nothing is remembered of an address that never called");
    }

    #[test]
    fn c232_a_crowd_from_one_address_cannot_keep_others_out() {
        let now = Instant::now();
        let mut slots = SetupSlots::new(32);
        for id in 0..32 {
            assert!(!slots.is_full());
            slots.begin(now, id, address(1));
        }
        slots.called(0);
        assert!(slots.is_full());
        assert_eq!(slots.victim(now, address(2)), None, "all are young");
        let silent = now + SetupSlots::SILENT;
        assert_eq!(slots.victim(silent, address(2)), Some(1), "0 has asked for a call");
        assert_eq!(
            slots.victim(silent, address(1)),
            Some(1),
            "one that says nothing is in the way of its own crowd too"
        );
        let slow = now + SetupSlots::SLOW;
        assert_eq!(slots.victim(slow, address(2)), Some(0));
        assert!(slots.end(0) && !slots.end(0));
        slots.begin(slow, 100, address(2));
        assert_eq!(slots.len(), 32);
    }

    #[test]
    fn c232_calls_on_their_way_do_not_give_way_to_an_equal() {
        let now = Instant::now();
        let mut slots = SetupSlots::new(4);
        for id in 0..4 {
            slots.begin(now, id, address(id as u32));
            slots.called(id);
        }
        assert_eq!(slots.victim(now + SetupSlots::SLOW * 10, address(9)), None);
        slots.end(3);
        slots.begin(now, 4, address(0));
        slots.called(4);
        assert_eq!(slots.victim(now + SetupSlots::SLOW, address(9)), Some(0), "two of one address");
        assert_eq!(slots.victim(now + SetupSlots::SLOW, address(2)), None, "who has one himself waits");
    }
}
