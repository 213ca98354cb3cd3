use proptest::prelude::*;

use super::*;

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn config(net: &str) -> PoolConfig {
    PoolConfig::new("default", net.parse().unwrap())
}

fn pools(net: &str) -> Pools {
    Pools::new([config(net)]).unwrap()
}

fn take(pools: &mut Pools, now: Instant, user: &str) -> Lease {
    pools.allocate(now, user, "default", None).unwrap()
}

#[test]
fn default_range_of_a_24_and_of_a_small_one() {
    let pool = config("10.99.0.0/24");
    assert_eq!(pool.server, ip("10.99.0.1"));
    assert_eq!(pool.ranges, [(ip("10.99.0.10"), ip("10.99.0.250"))]);
    assert_eq!(pools("10.99.0.0/24").usage("default").unwrap().total, 241);
    assert_eq!(config("10.99.8.0/28").ranges, [(ip("10.99.8.2"), ip("10.99.8.14"))]);
    assert_eq!(config("10.0.0.0/8").check(), Ok(()), "the default range of a huge network is bounded");
}

#[test]
fn network_broadcast_and_server_are_never_given() {
    let mut pool = config("10.9.0.0/29");
    pool.server = ip("10.9.0.3");
    pool.ranges = vec![(ip("10.9.0.0"), ip("10.9.0.7"))];
    let mut pools = Pools::new([pool]).unwrap();
    let now = Instant::now();
    let mut given: Vec<Ipv4Addr> = Vec::new();
    while let Ok(lease) = pools.allocate(now, "u", "default", None) {
        given.push(lease.address());
    }
    assert_eq!(given, ["10.9.0.1", "10.9.0.2", "10.9.0.4", "10.9.0.5", "10.9.0.6"].map(ip));
    let empty = pools.allocate(now, "v", "default", None).unwrap_err();
    assert_eq!(
        empty.to_string(),
        "I01 pool default has no free address user=v pool=default total=5 used=5 fixed=0"
    );
}

#[test]
fn bad_pools_are_refused() {
    let refused = |change: &dyn Fn(&mut PoolConfig)| {
        let mut pool = config("10.99.0.0/24");
        change(&mut pool);
        Pools::new([pool]).unwrap_err()
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
    let other = PoolConfig::new("other", "10.99.0.128/25".parse().unwrap());
    let overlap = Pools::new([config("10.99.0.0/24"), other]).unwrap_err();
    assert_eq!(overlap.to_string(), "pool other overlaps pool default");
    assert!(matches!(
        Pools::new([config("10.1.0.0/24"), config("10.2.0.0/24")]),
        Err(PoolError::Twice { .. })
    ));
}

#[test]
fn c137_an_address_comes_back_exactly_once() {
    let mut pools = pools("10.99.0.0/24");
    let now = Instant::now();
    let lease = take(&mut pools, now, "alice");
    let address = lease.address();
    assert_eq!(pools.holder(address), Some("alice"));
    assert_eq!(pools.usage("default").unwrap(), Usage { total: 241, used: 1, fixed: 0, free: 240 });
    let forged = Lease { address, pool: "default".into(), serial: 99 };
    assert!(!pools.release(now, forged), "only the lease itself frees the address");
    assert!(pools.release(now, lease));
    assert_eq!(pools.holder(address), None);
    let again = Lease { address, pool: "default".into(), serial: 1 };
    assert!(!pools.release(now, again));
    assert_eq!(pools.usage("default").unwrap(), Usage { total: 241, used: 0, fixed: 0, free: 241 });
}

#[test]
fn same_user_same_address_and_others_get_fresh_ones() {
    let mut pools = pools("10.99.0.0/24");
    let now = Instant::now();
    let alice = take(&mut pools, now, "alice");
    let address = alice.address();
    pools.release(now, alice);
    let bob = take(&mut pools, now, "bob");
    assert_ne!(bob.address(), address);
    let day = Duration::from_secs(86_400);
    let alice = take(&mut pools, now + 29 * day, "alice");
    assert_eq!(alice.address(), address);
    let second = take(&mut pools, now + 29 * day, "alice");
    assert_ne!(second.address(), address, "a second session of the same user has its own");
    pools.release(now + 30 * day, alice);
    let late = take(&mut pools, now + 61 * day, "alice");
    assert_ne!(late.address(), address, "after 30 days it no longer sticks");
}

#[test]
fn freed_addresses_rest_while_another_is_free() {
    let mut pools = pools("10.9.0.0/29");
    let now = Instant::now();
    let leases: Vec<Lease> = (0..5).map(|n| take(&mut pools, now, &format!("u{n}"))).collect();
    let addresses: Vec<Ipv4Addr> = leases.iter().map(Lease::address).collect();
    let mut leases = leases.into_iter();
    pools.release(now, leases.next().unwrap());
    let second = now + Duration::from_secs(29);
    pools.release(second, leases.next().unwrap());
    let third = now + Duration::from_secs(31);
    let new = take(&mut pools, third, "new");
    assert_eq!(new.address(), addresses[0], "the one that has rested");
    let newer = take(&mut pools, third, "newer");
    assert_eq!(newer.address(), addresses[1], "a short rest is better than a refused call");
    assert!(pools.allocate(third, "newest", "default", None).is_err());
}

#[test]
fn memory_of_an_earlier_run() {
    let mut pools = pools("10.99.0.0/24");
    let now = Instant::now();
    let hour = Duration::from_secs(3600);
    pools.remember(now, "alice", ip("10.99.0.77"), hour);
    pools.remember(now, "old", ip("10.99.0.78"), 31 * 24 * hour);
    pools.remember(now, "moved", ip("10.98.0.5"), hour);
    assert_eq!(take(&mut pools, now, "alice").address(), ip("10.99.0.77"));
    assert_eq!(take(&mut pools, now, "old").address(), ip("10.99.0.10"));
    assert_eq!(take(&mut pools, now, "moved").address(), ip("10.99.0.11"));
    assert_eq!(pools.usage("default").unwrap().total, 241);
}

#[test]
fn fixed_addresses_are_for_their_user_alone() {
    let mut pools = pools("10.9.0.0/29");
    let now = Instant::now();
    pools.reserve("fax", ip("10.9.0.2")).unwrap();
    pools.reserve("fax", ip("10.9.0.2")).unwrap();
    assert_eq!(pools.reserve("al", ip("10.9.0.2")).unwrap_err().code, Code::I02);
    assert_eq!(pools.reserve("al", ip("10.9.0.1")).unwrap_err().code, Code::I02);
    assert_eq!(pools.reserve("al", ip("10.8.0.2")).unwrap_err().code, Code::I02);
    assert_eq!(take(&mut pools, now, "al").address(), ip("10.9.0.3"));
    let fax = pools.allocate(now, "fax", "default", Some(ip("10.9.0.2"))).unwrap();
    let twice = pools.allocate(now, "fax", "default", Some(ip("10.9.0.2"))).unwrap_err();
    assert_eq!(twice.message, "10.9.0.2 cannot be given to fax: it is held by a session of fax");
    let stolen = pools.allocate(now, "fax", "default", Some(ip("10.9.0.3"))).unwrap_err();
    assert_eq!(stolen.code, Code::I02);
    pools.release(now, fax);
    assert_eq!(pools.usage("default").unwrap(), Usage { total: 5, used: 1, fixed: 1, free: 3 });
    assert!(pools.unreserve(ip("10.9.0.2")));
    assert!(!pools.unreserve(ip("10.9.0.2")));
    assert_eq!(pools.usage("default").unwrap(), Usage { total: 5, used: 1, fixed: 0, free: 4 });
}

#[test]
fn a_fixed_address_outside_the_range_but_inside_the_network() {
    let mut pools = pools("10.99.0.0/24");
    let now = Instant::now();
    let lease = pools.allocate(now, "pi", "default", Some(ip("10.99.0.4"))).unwrap();
    assert_eq!(pools.usage("default").unwrap(), Usage { total: 241, used: 0, fixed: 0, free: 241 });
    assert!(pools.release(now, lease));
    assert_eq!(pools.usage("default").unwrap().free, 241);
}

#[test]
fn reserving_a_held_address_waits_for_its_end() {
    let mut pools = pools("10.9.0.0/29");
    let now = Instant::now();
    let al = take(&mut pools, now, "al");
    pools.reserve("fax", al.address()).unwrap();
    assert!(pools.allocate(now, "fax", "default", Some(al.address())).is_err());
    let address = al.address();
    pools.release(now, al);
    assert!(pools.allocate(now, "fax", "default", Some(address)).is_ok());
}

#[test]
fn unknown_pool() {
    let refused = pools("10.9.0.0/29").allocate(Instant::now(), "al", "lan", None).unwrap_err();
    assert_eq!((refused.code, refused.message.as_str()), (Code::I01, "pool \"lan\" does not exist"));
}

#[derive(Clone, Debug)]
enum Step {
    Take(u8),
    Fixed(u8, u8),
    Free(prop::sample::Index),
    Reserve(u8, u8),
    Unreserve(u8),
    Remember(u8, u8),
    Wait(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..8u8).prop_map(Step::Take),
        1 => (0..8u8, 0..32u8).prop_map(|(u, a)| Step::Fixed(u, a)),
        4 => any::<prop::sample::Index>().prop_map(Step::Free),
        1 => (0..8u8, 0..32u8).prop_map(|(u, a)| Step::Reserve(u, a)),
        1 => (0..32u8).prop_map(Step::Unreserve),
        1 => (0..8u8, 0..32u8).prop_map(|(u, a)| Step::Remember(u, a)),
        1 => (0..100u32).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn c138_two_sessions_never_get_one_address(steps in prop::collection::vec(step(), 1..200)) {
        let mut pools = pools("10.9.0.0/28");
        let total = pools.usage("default").unwrap().total;
        let mut now = Instant::now();
        let mut live: Vec<Lease> = Vec::new();
        for step in steps {
            let address = |last: u8| Ipv4Addr::new(10, 9, 0, last);
            match step {
                Step::Take(user) => {
                    let before = pools.usage("default").unwrap().free;
                    let lease = pools.allocate(now, &user.to_string(), "default", None);
                    prop_assert_eq!(lease.is_ok(), before > 0);
                    live.extend(lease);
                }
                Step::Fixed(user, last) => {
                    live.extend(pools.allocate(now, &user.to_string(), "default", Some(address(last))));
                }
                Step::Free(index) => {
                    if !live.is_empty() {
                        let lease = live.remove(index.index(live.len()));
                        prop_assert!(pools.release(now, lease));
                    }
                }
                Step::Reserve(user, last) => {
                    let _ = pools.reserve(&user.to_string(), address(last));
                }
                Step::Unreserve(last) => {
                    pools.unreserve(address(last));
                }
                Step::Remember(user, last) => {
                    pools.remember(now, &user.to_string(), address(last), Duration::from_secs(5));
                }
                Step::Wait(minutes) => now += Duration::from_secs(60 * u64::from(minutes)),
            }
            let mut held: Vec<Ipv4Addr> = live.iter().map(Lease::address).collect();
            held.sort();
            held.dedup();
            prop_assert_eq!(held.len(), live.len());
            for address in held {
                prop_assert!(pools.holder(address).is_some());
                let last = address.octets()[3];
                prop_assert!(last != 0 && last != 1 && last != 15);
            }
            let usage = pools.usage("default").unwrap();
            prop_assert_eq!(usage.total, total, "no address is ever lost");
        }
        for lease in live {
            prop_assert!(pools.release(now, lease));
        }
        prop_assert_eq!(pools.usage("default").unwrap().used, 0);
    }
}
