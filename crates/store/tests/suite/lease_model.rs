//! The choice of addresses against a model, with random operations.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use adit_policy::AddressRefusal;
use adit_store::{AccountChange, Change, NewAccount, Release, SessionId, Store};

use super::leases::pools;
use super::{at, claim, ip, server, start_on};

/// What the choice should be, in the plainest way.
#[derive(Default)]
struct Model {
    held: BTreeMap<Ipv4Addr, (SessionId, String)>,
    /// Given back, in that order: who had it, and when it was given back.
    freed: Vec<(Ipv4Addr, String, i64)>,
    fixed: BTreeMap<Ipv4Addr, String>,
}

impl Model {
    fn expect(&self, user: &str, now: i64) -> Option<Ipv4Addr> {
        let range = (10..14).map(ip);
        let may = |address: &Ipv4Addr| !self.held.contains_key(address) && !self.fixed.contains_key(address);
        let freed = || {
            self.freed.iter().filter(|(address, ..)| may(address) && range.clone().any(|ip| ip == *address))
        };
        let last = freed().rev().find(|(_, last, since)| last == user && now - since < 100);
        let is_unused = |address: &Ipv4Addr| self.freed.iter().all(|(freed, ..)| freed != address);
        last.map(|(address, ..)| *address)
            .or_else(|| range.clone().find(|address| may(address) && is_unused(address)))
            .or_else(|| freed().next().map(|(address, ..)| *address))
    }

    /// Every address that a session has or had, with the last user.
    fn on_record(&self) -> Vec<(Ipv4Addr, String, Option<SessionId>)> {
        let held =
            self.held.iter().map(|(address, (session, user))| (*address, user.clone(), Some(*session)));
        let freed = self.freed.iter().map(|(address, user, _)| (*address, user.clone(), None));
        let mut all: Vec<_> = held.chain(freed).collect();
        all.sort();
        all
    }

    fn take(&mut self, address: Ipv4Addr, session: SessionId, user: &str) {
        self.freed.retain(|(freed, ..)| *freed != address);
        assert_eq!(self.held.insert(address, (session, user.to_owned())), None, "{address} is held twice");
    }
}

/// The same numbers each time: xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

pub(crate) fn the_choice_follows_the_model(store: &Store) {
    let mut model = Model::default();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let users = ["ann", "ben", "cat", "dan", "eve", "fay"];
    for user in users {
        store.add_account(&NewAccount::named(user), None, false, at(0)).unwrap();
    }
    let (mut now, mut given, mut refused) = (0, 0, 0);
    for _ in 0..1500 {
        // Each operation has its own second, so that "longest" is one address.
        now += 1 + random.below(20) as i64;
        let user = users[random.below(6) as usize];
        match random.below(11) {
            0..5 => {
                let id = start_on(store, server(store), now);
                let expected = model.expect(user, now);
                let exhausted = AddressRefusal::Exhausted { pool: "default".into() };
                assert_eq!(claim(store, id, user, None, now), expected.ok_or(exhausted));
                match expected {
                    Some(address) => model.take(address, id, user),
                    None => refused += 1,
                }
                given += u32::from(expected.is_some());
            }
            5..9 => {
                let held = model.held.len() as u64;
                let Some((address, (session, user))) =
                    model.held.clone().into_iter().nth(random.below(held.max(1)) as usize)
                else {
                    continue;
                };
                let release = Release { session, pool: "default".into(), address };
                store.apply(&[Change::Release(release)], at(now)).unwrap();
                model.held.remove(&address);
                model.freed.push((address, user, now));
            }
            9 => {
                let address = ip(9 + random.below(6) as u8);
                let was_known = model.freed.iter().any(|(freed, ..)| *freed == address);
                assert_eq!(store.forget_lease(address).unwrap(), was_known, "{address}");
                model.freed.retain(|(freed, ..)| *freed != address);
            }
            _ => {
                let address = Some(ip(10 + random.below(6) as u8))
                    .filter(|address| random.below(3) == 0 && !model.fixed.contains_key(address));
                let change = AccountChange { address: Some(address), ..AccountChange::default() };
                store.change_account(user, &change).unwrap();
                model.fixed.retain(|_, owner| owner != user);
                model.fixed.extend(address.map(|address| (address, user.to_owned())));
            }
        }
        let pages = (0..3).map(|first| {
            let after = (first > 0).then(|| ip(9 + 4 * first));
            store.leases(&pools()["default"], after, 4).unwrap()
        });
        let mut found: Vec<_> =
            pages.flatten().map(|lease| (lease.address, lease.user, lease.session)).collect();
        found.sort();
        found.dedup();
        assert_eq!(found, model.on_record());
    }
    assert!(given > 300 && refused > 30, "{given} given, {refused} refused: both have to happen");
}
