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
}

/// What to do with a call that wants to be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotAnswer {
    /// It has a slot.
    Admit,
    /// It has a slot; end the unfinished call with this id to make room.
    AdmitAndEnd(u64),
    /// No slot: every unfinished call is young and comes from an address of its own.
    Refuse,
}

/// The calls that are being set up. A crowd of unfinished calls cannot keep a new caller out: the address
/// with most of them gives one up, else the oldest does once it is [`SetupSlots::YOUNG`].
#[derive(Debug)]
pub struct SetupSlots {
    limit: usize,
    calls: BTreeMap<u64, (Ipv4Addr, Instant)>,
}

impl SetupSlots {
    /// An unfinished call of this age may be ended for a newer one.
    pub const YOUNG: Duration = Duration::from_secs(5);

    /// Room for `limit` calls in set-up, at least one.
    pub fn new(limit: u32) -> SetupSlots {
        SetupSlots { limit: usize::try_from(limit.max(1)).unwrap_or(usize::MAX), calls: BTreeMap::new() }
    }

    /// Calls in set-up now.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether no call is in set-up.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// A call with an id of its own begins.
    pub fn begin(&mut self, now: Instant, id: u64, from: Ipv4Addr) -> SlotAnswer {
        if self.calls.len() < self.limit || self.calls.contains_key(&id) {
            self.calls.insert(id, (from, now));
            return SlotAnswer::Admit;
        }
        match self.victim(now, from) {
            Some(victim) => {
                self.calls.remove(&victim);
                self.calls.insert(id, (from, now));
                SlotAnswer::AdmitAndEnd(victim)
            }
            None => SlotAnswer::Refuse,
        }
    }

    /// A call is up, or has ended; `false` when it had no slot.
    pub fn end(&mut self, id: u64) -> bool {
        self.calls.remove(&id).is_some()
    }

    fn victim(&self, now: Instant, from: Ipv4Addr) -> Option<u64> {
        let mut crowd: BTreeMap<Ipv4Addr, usize> = BTreeMap::new();
        for (address, _) in self.calls.values() {
            *crowd.entry(*address).or_default() += 1;
        }
        let mine = crowd.get(&from).copied().unwrap_or_default();
        let most = crowd.values().copied().max()?;
        let oldest_of = |wanted: &dyn Fn(Ipv4Addr) -> bool| {
            let calls = self.calls.iter().filter(|(_, (address, _))| wanted(*address));
            calls.min_by_key(|(_, (_, since))| *since).map(|(id, (_, since))| (*id, *since))
        };
        if most > mine + 1 {
            return oldest_of(&|address| crowd.get(&address) == Some(&most)).map(|(id, _)| id);
        }
        let (id, since) = oldest_of(&|_| true)?;
        (now.saturating_duration_since(since) >= SetupSlots::YOUNG).then_some(id)
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
        let let_in = (0..100).filter(|_| limiter.call(later, address(1)).is_ok()).count();
        assert_eq!(let_in, 20, "a bucket never holds more than a minute");
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
    fn c232_a_crowd_from_one_address_cannot_keep_others_out() {
        let now = Instant::now();
        let mut slots = SetupSlots::new(32);
        let mut ended = 0;
        for id in 0..1_000 {
            match slots.begin(now, id, address(1)) {
                SlotAnswer::Admit => {}
                SlotAnswer::AdmitAndEnd(_) => ended += 1,
                SlotAnswer::Refuse => assert!(id >= 32),
            }
        }
        assert_eq!((slots.len(), ended), (32, 0), "young calls of the same address are not ended for it");
        assert_eq!(slots.begin(now, 5_000, address(2)), SlotAnswer::AdmitAndEnd(0));
        assert_eq!(slots.begin(now, 5_001, address(3)), SlotAnswer::AdmitAndEnd(1));
        assert_eq!(slots.len(), 32);
    }

    #[test]
    fn c232_a_crowd_from_many_addresses_gives_way_after_a_while() {
        let now = Instant::now();
        let mut slots = SetupSlots::new(4);
        for id in 0..4 {
            assert_eq!(slots.begin(now, id, address(id as u32)), SlotAnswer::Admit);
        }
        assert_eq!(slots.begin(now, 9, address(9)), SlotAnswer::Refuse);
        assert_eq!(slots.begin(now + SetupSlots::YOUNG, 9, address(9)), SlotAnswer::AdmitAndEnd(0));
        assert!(slots.end(9));
        assert!(!slots.end(9));
        assert_eq!(slots.begin(now, 10, address(9)), SlotAnswer::Admit);
    }
}
