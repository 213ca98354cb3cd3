//! One pool: which addresses are fresh, held, remembered and kept.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_diag::{Code, Diagnostic};

use super::bitmap::Bitmap;
use super::{PoolConfig, Usage};

/// An address of the range is in exactly one of: `fresh`, `held`, `remembered`, or is kept and not held.
/// So every table is bounded by the size of the network.
#[derive(Debug)]
pub(super) struct Pool {
    config: PoolConfig,
    /// The lowest address of the ranges: bit 0 of `fresh`.
    base: u32,
    /// Never given, or forgotten.
    fresh: Bitmap,
    held: BTreeMap<u32, Held>,
    remembered: BTreeMap<u32, Remembered>,
    /// The remembered addresses, the one freed longest ago first.
    by_age: BTreeSet<(u64, u32)>,
    /// The remembered addresses of each user.
    by_user: BTreeMap<String, BTreeSet<u32>>,
    /// Fixed addresses: owner.
    kept: BTreeMap<u32, String>,
    /// Counts releases, to order them.
    releases: u64,
}

#[derive(Debug)]
struct Held {
    user: String,
    serial: u64,
}

#[derive(Debug)]
struct Remembered {
    user: String,
    age: u64,
    rests_until: Instant,
    sticks_until: Instant,
}

impl Pool {
    /// An unused pool; `config` was checked.
    pub(super) fn new(config: PoolConfig) -> Pool {
        let base = config.ranges.iter().map(|(from, _)| u32::from(*from)).min().unwrap_or_default();
        let end = config.ranges.iter().map(|(_, to)| u32::from(*to)).max().unwrap_or_default();
        let mut pool = Pool {
            fresh: Bitmap::new((end - base).saturating_add(1)),
            config,
            base,
            held: BTreeMap::new(),
            remembered: BTreeMap::new(),
            by_age: BTreeSet::new(),
            by_user: BTreeMap::new(),
            kept: BTreeMap::new(),
            releases: 0,
        };
        for (from, to) in pool.config.ranges.clone() {
            for address in u32::from(from)..=u32::from(to) {
                if pool.is_host(address) {
                    pool.fresh.insert(address - base);
                }
            }
        }
        pool
    }

    pub(super) fn config(&self) -> &PoolConfig {
        &self.config
    }

    pub(super) fn usage(&self) -> Usage {
        let used = self.held.keys().filter(|address| self.in_range(**address)).count() as u32;
        let idle_fixed =
            self.kept.keys().filter(|a| self.in_range(**a) && !self.held.contains_key(a)).count() as u32;
        let fixed = self.kept.keys().filter(|a| self.in_range(**a)).count() as u32;
        let free = self.fresh.count() + self.remembered.len() as u32;
        Usage { total: used + idle_fixed + free, used, fixed, free }
    }

    pub(super) fn holder(&self, address: Ipv4Addr) -> Option<&str> {
        self.held.get(&u32::from(address)).map(|held| held.user.as_str())
    }

    pub(super) fn reserve(&mut self, user: &str, address: Ipv4Addr) -> Result<(), Diagnostic> {
        let number = u32::from(address);
        if !self.is_host(number) {
            return Err(self.refuse(user, address, "is the network, broadcast or server address"));
        }
        match self.kept.get(&number) {
            Some(owner) if owner != user => {
                let why = format!("is already the fixed address of {owner}");
                return Err(self.refuse(user, address, &why));
            }
            _ => {}
        }
        self.forget(number);
        if let Some(bit) = number.checked_sub(self.base) {
            self.fresh.remove(bit);
        }
        self.kept.insert(number, user.to_owned());
        Ok(())
    }

    pub(super) fn unreserve(&mut self, address: Ipv4Addr) -> bool {
        let number = u32::from(address);
        let was_kept = self.kept.remove(&number).is_some();
        if was_kept && self.in_range(number) && !self.held.contains_key(&number) {
            self.fresh.insert(number - self.base);
        }
        was_kept
    }

    pub(super) fn remember(&mut self, now: Instant, user: &str, address: Ipv4Addr, idle: Duration) {
        let number = u32::from(address);
        let left = self.config.sticky.saturating_sub(idle);
        let free = self.in_range(number) && !self.held.contains_key(&number);
        if !free || self.kept.contains_key(&number) || left.is_zero() {
            return;
        }
        self.forget(number);
        self.fresh.remove(number - self.base);
        let rest = self.config.rest.saturating_sub(idle);
        self.put_in_memory(number, user.to_owned(), later(now, rest), later(now, left));
    }

    /// The user's last address, else a fresh one, else the one that has been free longest. That one may
    /// still rest: late packets for its last holder harm less than a refused call.
    pub(super) fn take_any(&mut self, now: Instant, user: &str, serial: u64) -> Result<Ipv4Addr, Diagnostic> {
        let number = match self.last_address(now, user) {
            Some(number) => number,
            None => match self.fresh.first() {
                Some(bit) => self.base + bit,
                None => match self.oldest(now) {
                    Some(number) => number,
                    None => return Err(self.empty(user)),
                },
            },
        };
        Ok(self.take(number, user, serial))
    }

    pub(super) fn take_fixed(
        &mut self,
        user: &str,
        address: Ipv4Addr,
        serial: u64,
    ) -> Result<Ipv4Addr, Diagnostic> {
        let number = u32::from(address);
        if let Some(held) = self.held.get(&number) {
            let why = format!("is held by a session of {}", held.user);
            return Err(self.refuse(user, address, &why));
        }
        self.reserve(user, address)?;
        Ok(self.take(number, user, serial))
    }

    pub(super) fn release(&mut self, now: Instant, address: Ipv4Addr, serial: u64) -> bool {
        let number = u32::from(address);
        let user = match self.held.get(&number) {
            Some(held) if held.serial == serial => held.user.clone(),
            _ => return false,
        };
        self.held.remove(&number);
        if self.in_range(number) && !self.kept.contains_key(&number) {
            let rests_until = later(now, self.config.rest);
            let sticks_until = later(now, self.config.sticky);
            self.put_in_memory(number, user, rests_until, sticks_until);
        }
        true
    }

    fn take(&mut self, number: u32, user: &str, serial: u64) -> Ipv4Addr {
        self.forget(number);
        if let Some(bit) = number.checked_sub(self.base) {
            self.fresh.remove(bit);
        }
        self.held.insert(number, Held { user: user.to_owned(), serial });
        Ipv4Addr::from(number)
    }

    /// The address that the user had last and that still sticks.
    fn last_address(&self, now: Instant, user: &str) -> Option<u32> {
        let mine = self.by_user.get(user)?.iter();
        mine.filter_map(|number| Some((self.remembered.get(number)?, *number)))
            .filter(|(memory, _)| now < memory.sticks_until)
            .max_by_key(|(memory, _)| memory.age)
            .map(|(_, number)| number)
    }

    /// The remembered address to take from its last holder: the oldest that has rested, else the oldest.
    fn oldest(&self, now: Instant) -> Option<u32> {
        let rested =
            |number: &u32| self.remembered.get(number).is_some_and(|memory| memory.rests_until <= now);
        let mut ages = self.by_age.iter().map(|(_, number)| *number);
        let first = ages.clone().next()?;
        // Rest is the same for all, so those that rest are the youngest: the first decides nearly always.
        Some(ages.find(rested).unwrap_or(first))
    }

    fn put_in_memory(&mut self, number: u32, user: String, rests_until: Instant, sticks_until: Instant) {
        self.releases += 1;
        let age = self.releases;
        self.by_age.insert((age, number));
        self.by_user.entry(user.clone()).or_default().insert(number);
        self.remembered.insert(number, Remembered { user, age, rests_until, sticks_until });
    }

    fn forget(&mut self, number: u32) {
        let Some(memory) = self.remembered.remove(&number) else { return };
        self.by_age.remove(&(memory.age, number));
        if let Some(mine) = self.by_user.get_mut(&memory.user) {
            mine.remove(&number);
            if mine.is_empty() {
                self.by_user.remove(&memory.user);
            }
        }
    }

    fn in_range(&self, number: u32) -> bool {
        let inside =
            |(from, to): &(Ipv4Addr, Ipv4Addr)| (u32::from(*from)..=u32::from(*to)).contains(&number);
        self.config.ranges.iter().any(inside) && self.is_host(number)
    }

    /// Not the network, broadcast or server address, and inside the network.
    fn is_host(&self, number: u32) -> bool {
        let net = self.config.net;
        number > u32::from(net.network())
            && number < u32::from(net.broadcast())
            && number != u32::from(self.config.server)
    }

    fn empty(&self, user: &str) -> Diagnostic {
        let Usage { total, used, fixed, .. } = self.usage();
        Diagnostic::new(Code::I01)
            .message(format!("pool {} has no free address", self.config.name))
            .with("user", user)
            .with("pool", &self.config.name)
            .with("total", total)
            .with("used", used)
            .with("fixed", fixed)
    }

    fn refuse(&self, user: &str, address: Ipv4Addr, why: &str) -> Diagnostic {
        Diagnostic::new(Code::I02)
            .message(format!("{address} cannot be given to {user}: it {why}"))
            .with("user", user)
            .with("address", address)
            .with("pool", &self.config.name)
    }
}

/// `now + wait`, or a day later where the clock cannot count that far.
fn later(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).or_else(|| now.checked_add(Duration::from_secs(86_400))).unwrap_or(now)
}
