//! What is known of an address before it logs in: whether a user logged in from it, and how many of its set-ups led to
//! nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::crowd::network;

/// The most addresses from which a login is remembered; the one whose last login is oldest is forgotten first.
pub const MAX_KNOWN: usize = 16_384;
/// The most addresses, and networks, whose failures are counted; the one that failed least recently is forgotten first.
pub const MAX_FAILED: usize = 16_384;
/// A count of failures halves in this time.
const HALVING: Duration = Duration::from_secs(60);
/// With more recent failures than this an address loses its advantage, although a user logged in from it: another
/// client behind it floods.
const KNOWN_FAILURES: u32 = 64;
/// With more recent failures than this in its network an address is not new.
const NETWORK_FAILURES: u32 = 16;

/// How an address is treated when it waits for admission; the first is preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A user logged in from it recently.
    Known,
    /// Nothing is known of it: it had no failure recently, and its network few.
    New,
    /// Set-ups from it, or many from its network, led to nothing.
    Failed,
}

impl Standing {
    /// All of them, the preferred one first.
    pub const ALL: [Standing; 3] = [Standing::Known, Standing::New, Standing::Failed];

    /// Its position in [`Standing::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// Counts of failures that halve with time, in bounded memory.
#[derive(Debug)]
struct Failures<K> {
    counts: BTreeMap<K, (Instant, u32)>,
    by_time: BTreeSet<(Instant, K)>,
}

impl<K: Copy + Ord> Failures<K> {
    fn new() -> Failures<K> {
        Failures { counts: BTreeMap::new(), by_time: BTreeSet::new() }
    }

    fn count(&self, now: Instant, key: K) -> u32 {
        let Some((at, count)) = self.counts.get(&key) else { return 0 };
        let halvings = now.saturating_duration_since(*at).as_secs() / HALVING.as_secs();
        count.checked_shr(u32::try_from(halvings).unwrap_or(u32::MAX)).unwrap_or(0)
    }

    fn add(&mut self, now: Instant, key: K) {
        let count = self.count(now, key).saturating_add(1);
        match self.counts.insert(key, (now, count)) {
            Some((at, _)) => {
                self.by_time.remove(&(at, key));
            }
            None if self.counts.len() > MAX_FAILED => {
                if let Some((_, oldest)) = self.by_time.pop_first() {
                    self.counts.remove(&oldest);
                }
            }
            None => {}
        }
        self.by_time.insert((now, key));
    }
}

/// See the module.
#[derive(Debug)]
pub struct History {
    /// Addresses from which a user logged in, with the number of the login.
    known: BTreeMap<Ipv4Addr, u64>,
    by_login: BTreeSet<(u64, Ipv4Addr)>,
    logins: u64,
    addresses: Failures<Ipv4Addr>,
    networks: Failures<u32>,
}

impl History {
    /// Nothing is known.
    pub fn new() -> History {
        History {
            known: BTreeMap::new(),
            by_login: BTreeSet::new(),
            logins: 0,
            addresses: Failures::new(),
            networks: Failures::new(),
        }
    }

    /// Remembers that a user logged in from an address.
    pub fn logged_in(&mut self, from: Ipv4Addr) {
        self.logins += 1;
        if let Some(before) = self.known.insert(from, self.logins) {
            self.by_login.remove(&(before, from));
        } else if self.known.len() > MAX_KNOWN
            && let Some((_, oldest)) = self.by_login.pop_first()
        {
            self.known.remove(&oldest);
        }
        self.by_login.insert((self.logins, from));
    }

    /// Counts a set-up that led to nothing.
    pub fn failed(&mut self, now: Instant, from: Ipv4Addr) {
        self.addresses.add(now, from);
        self.networks.add(now, network(from));
    }

    /// How the address is treated.
    pub fn standing(&self, now: Instant, from: Ipv4Addr) -> Standing {
        let failures = self.addresses.count(now, from);
        if self.known.contains_key(&from) && failures <= KNOWN_FAILURES {
            return Standing::Known;
        }
        if failures == 0 && self.networks.count(now, network(from)) <= NETWORK_FAILURES {
            return Standing::New;
        }
        Standing::Failed
    }
}

impl Default for History {
    fn default() -> History {
        History::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> Ipv4Addr {
        Ipv4Addr::from(0x0b00_0000 + n)
    }

    #[test]
    fn failures_are_forgotten_with_time_and_logins_are_not() {
        let start = Instant::now();
        let mut history = History::new();
        assert_eq!(history.standing(start, address(1)), Standing::New);
        history.failed(start, address(1));
        assert_eq!(history.standing(start, address(1)), Standing::Failed);
        assert_eq!(history.standing(start, address(2)), Standing::New, "its network has one failure");
        assert_eq!(history.standing(start + HALVING, address(1)), Standing::New);
        history.logged_in(address(1));
        assert_eq!(history.standing(start, address(1)), Standing::Known);
        for _ in 0..200 {
            history.failed(start, address(1));
        }
        assert_eq!(
            history.standing(start, address(1)),
            Standing::Failed,
            "a flood from behind a known address"
        );
        assert_eq!(history.standing(start, address(2)), Standing::Failed, "a flood from its network");
        assert_eq!(history.standing(start + 2 * HALVING, address(1)), Standing::Known);
        assert_eq!(history.standing(start + HALVING * 100, address(1)), Standing::Known);
    }

    #[test]
    fn memory_is_bounded_and_the_latest_are_kept() {
        let start = Instant::now();
        let mut history = History::new();
        let many = 3 * MAX_KNOWN as u32;
        for n in 0..many {
            history.logged_in(address(n));
            history.logged_in(address(0));
            history.failed(start + Duration::from_millis(n.into()), address(n << 8));
        }
        assert_eq!((history.known.len(), history.by_login.len()), (MAX_KNOWN, MAX_KNOWN));
        for (counts, order) in [
            (history.addresses.counts.len(), history.addresses.by_time.len()),
            (history.networks.counts.len(), history.networks.by_time.len()),
        ] {
            assert_eq!((counts, order), (MAX_FAILED, MAX_FAILED));
        }
        let now = start + Duration::from_millis(many.into());
        assert_eq!(history.standing(now, address(0)), Standing::Known);
        assert_eq!(history.standing(now, address(many - 1)), Standing::Known);
        assert_eq!(history.standing(now, address(1)), Standing::New, "forgotten");
        assert_eq!(history.standing(now, address((many - 1) << 8)), Standing::Failed);
    }
}
