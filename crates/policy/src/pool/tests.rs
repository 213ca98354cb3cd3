use core::convert::Infallible;
use std::collections::BTreeMap;

use adit_diag::Code;
use proptest::prelude::*;

use super::*;
use std::net::Ipv4Addr;

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn config(net: &str) -> PoolConfig {
    PoolConfig::new("default", net.parse().unwrap())
}

/// A table in memory, whose clock counts seconds.
#[derive(Debug, Default)]
struct Table {
    now: u64,
    /// Who has an address, or had it last and gave it back when.
    leases: BTreeMap<Ipv4Addr, (String, Option<u64>)>,
    owners: BTreeMap<Ipv4Addr, String>,
}

impl Table {
    fn is_free(&self, address: Ipv4Addr) -> bool {
        !self.owners.contains_key(&address)
            && self.leases.get(&address).is_none_or(|(_, freed)| freed.is_some())
    }

    /// The free addresses of a pool that were given before: when they were given back, and by whom.
    fn freed<'a>(&'a self, pool: &'a PoolConfig) -> impl Iterator<Item = (u64, Ipv4Addr, &'a str)> {
        let free =
            self.leases.iter().filter(|(address, _)| pool.assigns(**address) && self.is_free(**address));
        free.filter_map(|(address, (user, freed))| Some(((*freed)?, *address, user.as_str())))
    }

    fn take(
        &mut self,
        pools: &BTreeMap<String, PoolConfig>,
        user: &str,
        fixed: Option<Ipv4Addr>,
    ) -> Result<Ipv4Addr, AddressRefusal> {
        let request = AddressRequest { pools, pool: "default", user, fixed };
        let Ok(chosen) = choose(&request, self);
        let Chosen { pool, address } = chosen?;
        assert!(pool.is_host(address));
        let before = self.leases.insert(address, (user.to_owned(), None));
        assert!(before.is_none_or(|(_, freed)| freed.is_some()), "{address} is held twice");
        Ok(address)
    }

    fn release(&mut self, address: Ipv4Addr) {
        if let Some((_, freed)) = self.leases.get_mut(&address) {
            *freed = Some(self.now);
        }
    }
}

impl LeaseTable for Table {
    type Error = Infallible;

    fn holder(&mut self, address: Ipv4Addr) -> Result<Option<String>, Infallible> {
        let lease = self.leases.get(&address).filter(|(_, freed)| freed.is_none());
        Ok(lease.map(|(user, _)| user.clone()))
    }

    fn owner(&mut self, address: Ipv4Addr) -> Result<Option<String>, Infallible> {
        Ok(self.owners.get(&address).cloned())
    }

    fn last_of(&mut self, pool: &PoolConfig, user: &str) -> Result<Option<Ipv4Addr>, Infallible> {
        let sticks = |freed: u64| self.now - freed < pool.sticky.as_secs();
        let mine = self.freed(pool).filter(|(freed, _, last)| *last == user && sticks(*freed));
        Ok(mine.max().map(|(_, address, _)| address))
    }

    fn unused(&mut self, pool: &PoolConfig) -> Result<Option<Ipv4Addr>, Infallible> {
        let mut all = pool.net.hosts().filter(|address| pool.assigns(*address));
        Ok(all.find(|address| !self.leases.contains_key(address) && self.is_free(*address)))
    }

    fn longest_free(&mut self, pool: &PoolConfig) -> Result<Option<Ipv4Addr>, Infallible> {
        Ok(self.freed(pool).min().map(|(_, address, _)| address))
    }
}

fn pools(configs: impl IntoIterator<Item = PoolConfig>) -> BTreeMap<String, PoolConfig> {
    configs.into_iter().map(|pool| (pool.name.clone(), pool)).collect()
}

fn one(net: &str) -> BTreeMap<String, PoolConfig> {
    pools([config(net)])
}

#[test]
fn default_range_of_a_24_and_of_a_small_one() {
    let pool = config("10.99.0.0/24");
    assert_eq!(pool.server, ip("10.99.0.1"));
    assert_eq!(pool.ranges, [(ip("10.99.0.10"), ip("10.99.0.250"))]);
    assert_eq!(config("10.99.8.0/28").ranges, [(ip("10.99.8.2"), ip("10.99.8.14"))]);
    assert_eq!(config("10.0.0.0/8").check(), Ok(()), "the default range of a huge network is bounded");
}

#[test]
fn network_broadcast_and_server_are_never_given() {
    let mut pool = config("10.9.0.0/29");
    pool.server = ip("10.9.0.3");
    pool.ranges = vec![(ip("10.9.0.0"), ip("10.9.0.7"))];
    let pools = pools([pool]);
    let mut table = Table::default();
    let mut given: Vec<Ipv4Addr> = Vec::new();
    while let Ok(address) = table.take(&pools, "u", None) {
        given.push(address);
    }
    assert_eq!(given, ["10.9.0.1", "10.9.0.2", "10.9.0.4", "10.9.0.5", "10.9.0.6"].map(ip));
    let empty = table.take(&pools, "v", None).unwrap_err();
    assert_eq!((empty.code(), empty.to_string().as_str()), (Code::I01, "pool default has no free address"));
}

#[test]
fn only_what_lies_in_a_range_is_given_and_only_hosts_are_hosts() {
    let mut pool = config("10.9.0.0/24");
    pool.ranges = vec![(ip("10.9.0.20"), ip("10.9.0.21")), (ip("10.9.0.30"), ip("10.9.0.30"))];
    let assigns = |text: &str| pool.assigns(ip(text));
    assert!(assigns("10.9.0.20") && assigns("10.9.0.21") && assigns("10.9.0.30"));
    assert!(!assigns("10.9.0.19") && !assigns("10.9.0.22") && !assigns("10.9.0.29") && !assigns("10.9.0.31"));
    for (text, host) in [
        ("10.9.0.0", false),
        ("10.9.0.1", false),
        ("10.9.0.2", true),
        ("10.9.0.254", true),
        ("10.9.0.255", false),
        ("10.9.1.2", false),
        ("10.8.255.9", false),
    ] {
        assert_eq!(pool.is_host(ip(text)), host, "{text}");
    }
}

#[test]
fn bad_pools_are_refused() {
    let refused = |change: &dyn Fn(&mut PoolConfig)| {
        let mut pool = config("10.99.0.0/24");
        change(&mut pool);
        pool.check().unwrap_err()
    };
    assert!(matches!(refused(&|p| p.net = "10.99.0.0/31".parse().unwrap()), PoolError::TooSmall { .. }));
    assert!(matches!(refused(&|p| p.server = ip("10.98.0.1")), PoolError::Server { .. }));
    assert!(matches!(refused(&|p| p.server = ip("10.99.0.255")), PoolError::Server { .. }));
    assert!(matches!(
        refused(&|p| p.ranges = vec![(ip("10.99.0.9"), ip("10.99.1.9"))]),
        PoolError::Range { .. }
    ));
    assert!(matches!(
        refused(&|p| p.ranges = vec![(ip("10.99.0.9"), ip("10.99.0.8"))]),
        PoolError::Range { .. }
    ));
    let huge = |p: &mut PoolConfig| {
        p.net = "10.0.0.0/8".parse().unwrap();
        p.server = ip("10.0.0.1");
        p.ranges = vec![(ip("10.0.0.2"), ip("10.200.0.0"))];
    };
    assert!(matches!(refused(&huge), PoolError::TooBig { .. }));
}

#[test]
fn same_user_same_address_and_others_get_unused_ones() {
    const DAY: u64 = 86_400;
    let pools = one("10.99.0.0/24");
    let mut table = Table::default();
    let address = table.take(&pools, "alice", None).unwrap();
    assert_eq!(address, ip("10.99.0.10"));
    table.release(address);
    assert_ne!(table.take(&pools, "bob", None).unwrap(), address);
    table.now += 29 * DAY;
    assert_eq!(table.take(&pools, "alice", None).unwrap(), address);
    let second = table.take(&pools, "alice", None).unwrap();
    assert_ne!(second, address, "a second session of the same user has its own");
    table.release(address);
    table.release(second);
    table.now += 30 * DAY;
    assert_eq!(
        table.take(&pools, "alice", None).unwrap(),
        ip("10.99.0.13"),
        "after 30 days it no longer sticks"
    );
}

#[test]
fn the_address_that_is_free_longest_is_given_when_none_is_unused() {
    let pools = one("10.9.0.0/29");
    let mut table = Table::default();
    let all: Vec<_> = (0..5).map(|n| table.take(&pools, &format!("u{n}"), None).unwrap()).collect();
    for address in [all[3], all[1]] {
        table.now += 1;
        table.release(address);
    }
    assert_eq!(table.take(&pools, "new", None).unwrap(), all[3]);
    assert_eq!(table.take(&pools, "newer", None).unwrap(), all[1]);
    assert_eq!(table.take(&pools, "newest", None).unwrap_err().code(), Code::I01);
}

#[test]
fn fixed_addresses_are_for_their_user_alone() {
    let pools = one("10.9.0.0/29");
    let mut table = Table::default();
    table.owners.insert(ip("10.9.0.2"), "Fax".into());
    assert_eq!(table.take(&pools, "al", None).unwrap(), ip("10.9.0.3"));
    let message = |fixed: &str, table: &mut Table, user: &str| {
        let refused = table.take(&pools, user, Some(ip(fixed))).unwrap_err();
        assert_eq!(refused.code(), Code::I02);
        refused.to_string()
    };
    assert_eq!(
        message("10.9.0.2", &mut table, "al"),
        "10.9.0.2 cannot be given to al: it is already the fixed address of Fax"
    );
    assert_eq!(
        message("10.9.0.1", &mut table, "al"),
        "10.9.0.1 cannot be given to al: it is the network, broadcast or server address"
    );
    assert_eq!(message("10.8.0.2", &mut table, "al"), "the fixed address 10.8.0.2 of al lies in no pool");
    assert_eq!(table.take(&pools, "fax", Some(ip("10.9.0.2"))).unwrap(), ip("10.9.0.2"));
    assert_eq!(
        message("10.9.0.2", &mut table, "fax"),
        "10.9.0.2 cannot be given to fax: it is held by a session of fax"
    );
}

#[test]
fn a_fixed_address_may_lie_outside_the_range_and_in_another_pool() {
    let pools = pools([config("10.99.0.0/24"), PoolConfig::new("lan", "10.98.0.0/24".parse().unwrap())]);
    let mut table = Table::default();
    for address in ["10.99.0.4", "10.98.0.4"].map(ip) {
        assert_eq!(table.take(&pools, "pi", Some(address)).unwrap(), address);
    }
    let fixed = Some(ip("10.98.0.5"));
    let Ok(chosen) =
        choose(&AddressRequest { pools: &pools, pool: "default", user: "pi", fixed }, &mut table);
    assert_eq!(chosen.unwrap().pool.name, "lan");
}

#[test]
fn unknown_pool() {
    let pools = one("10.9.0.0/29");
    let request = AddressRequest { pools: &pools, pool: "lan", user: "al", fixed: None };
    let Ok(refused) = choose(&request, &mut Table::default());
    let refused = refused.unwrap_err();
    assert_eq!((refused.code(), refused.to_string().as_str()), (Code::I01, "pool \"lan\" does not exist"));
}

#[derive(Clone, Debug)]
enum Step {
    Take(u8),
    Fixed(u8, u8),
    Free(prop::sample::Index),
    Own(u8, u8),
    Disown(u8),
    Wait(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..8u8).prop_map(Step::Take),
        1 => (0..8u8, 0..32u8).prop_map(|(u, a)| Step::Fixed(u, a)),
        4 => any::<prop::sample::Index>().prop_map(Step::Free),
        1 => (0..8u8, 0..32u8).prop_map(|(u, a)| Step::Own(u, a)),
        1 => (0..32u8).prop_map(Step::Disown),
        1 => (0..100u32).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn the_size_of_a_pool_is_the_number_of_addresses_that_it_assigns(
        ranges in prop::collection::vec((0..64u32, 0..64u32), 0..6),
        server in 1..63u32,
    ) {
        let address = |last: u32| Ipv4Addr::from(u32::from(ip("10.9.0.0")) + last);
        let mut pool = config("10.9.0.0/26");
        pool.server = address(server);
        pool.ranges = ranges.iter().map(|(a, b)| (address(*a.min(b)), address(*a.max(b)))).collect();
        let assigned = (0..64).filter(|last| pool.assigns(address(*last))).count() as u64;
        prop_assert_eq!(pool.size(), assigned);
    }

    #[test]
    fn c138_two_sessions_never_get_one_address(steps in prop::collection::vec(step(), 1..200)) {
        let pools = one("10.9.0.0/28");
        let all: Vec<Ipv4Addr> =
            pools["default"].net.hosts().filter(|address| pools["default"].assigns(*address)).collect();
        let mut table = Table::default();
        let mut held: Vec<Ipv4Addr> = Vec::new();
        for step in steps {
            let address = |last: u8| Ipv4Addr::new(10, 9, 0, last);
            match step {
                Step::Take(user) => {
                    let free = all.iter().filter(|address| table.is_free(**address)).count();
                    let taken = table.take(&pools, &user.to_string(), None);
                    prop_assert_eq!(taken.is_ok(), free > 0, "what is free is given, whichever user had it");
                    held.extend(taken);
                }
                Step::Fixed(user, last) => {
                    held.extend(table.take(&pools, &user.to_string(), Some(address(last))));
                }
                Step::Free(index) => {
                    if !held.is_empty() {
                        table.release(held.remove(index.index(held.len())));
                    }
                }
                Step::Own(user, last) => {
                    table.owners.insert(address(last), user.to_string());
                }
                Step::Disown(last) => {
                    table.owners.remove(&address(last));
                }
                Step::Wait(minutes) => table.now += 60 * u64::from(minutes),
            }
            let mut distinct = held.clone();
            distinct.sort();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), held.len());
            for address in distinct {
                prop_assert!(pools["default"].is_host(address));
            }
        }
    }
}
