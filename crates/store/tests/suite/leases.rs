use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::time::Duration;

use adit_policy::{AddressRefusal, AddressRequest, PoolConfig};
use adit_store::{AccountChange, Change, ErrorKind, LeaseClaim, NewAccount, Release, SessionId, Store};

use super::{at, server, start_on};

pub(crate) type Pools = BTreeMap<String, PoolConfig>;

/// An address of the pool `default`, or of `lan` from 100 on.
pub(crate) fn ip(last: u8) -> Ipv4Addr {
    if last < 100 { Ipv4Addr::new(10, 99, 0, last) } else { Ipv4Addr::new(10, 98, 0, last) }
}

/// Four addresses in `default`, two in `lan`; a user's address sticks for 100 seconds.
pub(crate) fn pools() -> Pools {
    let pool = |name: &str, net: &str, first, last| PoolConfig {
        ranges: vec![(ip(first), ip(last))],
        sticky: Duration::from_secs(100),
        ..PoolConfig::new(name, net.parse().unwrap())
    };
    [pool("default", "10.99.0.0/24", 10, 13), pool("lan", "10.98.0.0/24", 100, 101)]
        .map(|pool| (pool.name.clone(), pool))
        .into()
}

/// A claim of the pool `default`.
pub(crate) fn claim(
    store: &Store,
    session: SessionId,
    user: &str,
    fixed: Option<Ipv4Addr>,
    seconds: i64,
) -> Result<Ipv4Addr, AddressRefusal> {
    let pools = pools();
    let request = AddressRequest { pools: &pools, pool: "default", user, fixed };
    claim_with(store, session, request, &[], seconds)
}

fn claim_with(
    store: &Store,
    session: SessionId,
    request: AddressRequest<'_>,
    released: &[Release],
    seconds: i64,
) -> Result<Ipv4Addr, AddressRefusal> {
    let chosen = store.claim_lease(&LeaseClaim { session, request }, released, at(seconds)).unwrap();
    chosen.map(|chosen| {
        assert!(chosen.pool.is_host(chosen.address), "{chosen:?}");
        chosen.address
    })
}

fn of(session: SessionId, address: Ipv4Addr) -> Release {
    let pool = if address < ip(10) { "lan" } else { "default" };
    Release { session, pool: pool.into(), address }
}

fn release(store: &Store, session: SessionId, address: Ipv4Addr, seconds: i64) {
    store.apply(&[Change::Release(of(session, address))], at(seconds)).unwrap();
}

fn session(store: &Store) -> SessionId {
    start_on(store, server(store), 0)
}

fn exhausted() -> Result<Ipv4Addr, AddressRefusal> {
    Err(AddressRefusal::Exhausted { pool: "default".into() })
}

fn in_use(last: u8, user: &str, by: &str) -> Result<Ipv4Addr, AddressRefusal> {
    Err(AddressRefusal::InUse { address: ip(last), user: user.into(), by: by.into() })
}

pub(crate) fn an_address_is_lent_once(store: &Store) {
    for n in 10..14 {
        assert_eq!(claim(store, session(store), "alice", None, 1), Ok(ip(n)), "each session has its own");
    }
    assert_eq!(claim(store, session(store), "alice", None, 1), exhausted());
    assert_eq!(claim(store, session(store), "bob", Some(ip(12)), 1), in_use(12, "bob", "alice"));

    // The same network under another name, as after a change of the configuration.
    let mut renamed = pools().remove("default").unwrap();
    renamed.name = "main".into();
    renamed.ranges = vec![(ip(13), ip(14))];
    let pools = [("main".to_owned(), renamed)].into();
    let request = AddressRequest { pools: &pools, pool: "main", user: "bob", fixed: None };
    assert_eq!(claim_with(store, session(store), request, &[], 1), Ok(ip(14)), "13 is in use");
}

pub(crate) fn a_lease_is_for_a_session_on_record(store: &Store) {
    let pools = pools();
    let request = AddressRequest { pools: &pools, pool: "default", user: "alice", fixed: None };
    let claim_of = LeaseClaim { session: SessionId(999), request };
    assert_eq!(
        store.claim_lease(&claim_of, &[], at(0)),
        Err(ErrorKind::NoSuchSession(SessionId(999)).into())
    );
    assert_eq!(claim(store, session(store), "bob", None, 0), Ok(ip(10)), "nothing is left of it");
}

pub(crate) fn a_lease_is_released_exactly_once(store: &Store) {
    let (one, two, three) = (session(store), session(store), session(store));
    assert_eq!(claim(store, one, "alice", Some(ip(20)), 1), Ok(ip(20)));
    release(store, two, ip(20), 2);
    assert_eq!(claim(store, two, "bob", Some(ip(20)), 2), in_use(20, "bob", "alice"), "it was not theirs");
    release(store, one, ip(20), 3);
    assert_eq!(claim(store, two, "bob", Some(ip(20)), 3), Ok(ip(20)));
    release(store, one, ip(20), 4);
    let late = claim(store, three, "carol", Some(ip(20)), 4);
    assert_eq!(late, in_use(20, "carol", "bob"), "a late release does not free the next one");
}

pub(crate) fn what_is_given_back_is_free_before_it_is_on_record(store: &Store) {
    let (one, two) = (session(store), session(store));
    assert_eq!(claim(store, one, "alice", None, 1), Ok(ip(10)));
    let pools = pools();
    let request = AddressRequest { pools: &pools, pool: "default", user: "alice", fixed: None };
    assert_eq!(claim_with(store, two, request, &[of(one, ip(10))], 2), Ok(ip(10)));
    release(store, one, ip(10), 3);
    assert_eq!(claim(store, one, "bob", Some(ip(10)), 3), in_use(10, "bob", "alice"));
}

pub(crate) fn a_user_gets_the_last_address_again(store: &Store) {
    let mut sessions: Vec<_> = (0..4).map(|_| session(store)).collect();
    for (n, session) in sessions.iter().enumerate() {
        assert_eq!(claim(store, *session, &format!("u{n}"), None, 0), Ok(ip(10 + n as u8)));
    }
    for (place, seconds) in [(2, 10), (0, 20), (3, 30)] {
        release(store, sessions[place], ip(10 + place as u8), seconds);
    }
    let mut next = |user: &str, seconds| {
        sessions.push(session(store));
        claim(store, *sessions.last().unwrap(), user, None, seconds)
    };
    assert_eq!(next("U3", 129), Ok(ip(13)), "it sticks, whatever the case");
    assert_eq!(next("u0", 120), Ok(ip(12)), "it does not stick for longer; the one free longest is next");
    assert_eq!(next("new", 121), Ok(ip(10)));
    assert_eq!(next("newer", 122), exhausted());
}

pub(crate) fn a_fixed_address_is_for_its_owner(store: &Store) {
    let owner = NewAccount { address: Some(ip(10)), ..NewAccount::named("Fax") };
    store.add_account(&owner, None, false, at(0)).unwrap();
    assert_eq!(claim(store, session(store), "alice", None, 1), Ok(ip(11)));
    let reserved = AddressRefusal::Reserved { address: ip(10), user: "bob".into(), of: "Fax".into() };
    assert_eq!(claim(store, session(store), "bob", Some(ip(10)), 1), Err(reserved));
    assert_eq!(claim(store, session(store), "fax", Some(ip(10)), 1), Ok(ip(10)));
    assert_eq!(claim(store, session(store), "fax", Some(ip(10)), 1), in_use(10, "fax", "fax"));
    assert_eq!(claim(store, session(store), "pi", Some(ip(110)), 1), Ok(ip(110)), "in another pool");
    let outside = Ipv4Addr::new(192, 0, 2, 1);
    let refused = claim(store, session(store), "pi", Some(outside), 1);
    assert_eq!(refused, Err(AddressRefusal::OutsidePools { address: outside, user: "pi".into() }));
    let refused = claim(store, session(store), "pi", Some(ip(1)), 1);
    assert_eq!(refused, Err(AddressRefusal::NotHost { address: ip(1), user: "pi".into() }));

    let pools = pools();
    let request = AddressRequest { pools: &pools, pool: "moon", user: "pi", fixed: None };
    let refused = claim_with(store, session(store), request, &[], 1);
    assert_eq!(refused, Err(AddressRefusal::UnknownPool { pool: "moon".into() }));
}

pub(crate) fn an_address_without_an_owner_is_for_all(store: &Store) {
    let owner = NewAccount { address: Some(ip(10)), ..NewAccount::named("fax") };
    store.add_account(&owner, None, false, at(0)).unwrap();
    for n in 11..14 {
        assert_eq!(claim(store, session(store), "alice", None, 1), Ok(ip(n)));
    }
    assert_eq!(claim(store, session(store), "alice", None, 1), exhausted());
    let change = AccountChange { address: Some(None), ..AccountChange::default() };
    store.change_account("fax", &change).unwrap();
    let last = session(store);
    assert_eq!(claim(store, last, "bob", None, 1), Ok(ip(10)));
    assert_eq!(claim(store, session(store), "alice", None, 1), exhausted());

    store.add_account(&NewAccount::named("bob"), None, false, at(0)).unwrap();
    release(store, last, ip(10), 2);
    store.remove_account("bob").unwrap();
    assert_eq!(
        claim(store, session(store), "carol", None, 3),
        Ok(ip(10)),
        "nothing is kept of a removed user"
    );
}

pub(crate) fn leases_of_many_threads_never_overlap(store: &Store) {
    let held: Mutex<BTreeSet<Ipv4Addr>> = Mutex::default();
    std::thread::scope(|scope| {
        for thread in 0..6u32 {
            let held = &held;
            scope.spawn(move || {
                let id = session(store);
                for round in 0..40 {
                    let Ok(address) = claim(store, id, &format!("u{}", (thread + round) % 3), None, 0) else {
                        continue;
                    };
                    assert!(held.lock().unwrap().insert(address), "{address} is held twice");
                    std::thread::yield_now();
                    held.lock().unwrap().remove(&address);
                    release(store, id, address, 0);
                }
            });
        }
    });
}
