use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::time::Duration;

use adit_store::{Lease, LeaseState, NewSession, SessionId, Store};

use super::at;

const A: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 10);

fn session(store: &Store) -> SessionId {
    let from = "198.51.100.7:50000".parse().unwrap();
    store.start_sessions(&[NewSession { started: at(0), from }]).unwrap()[0]
}

pub(crate) fn an_address_is_lent_once(store: &Store) {
    let (one, two) = (session(store), session(store));
    assert!(store.take_lease("default", A, "Alice", one, at(1)).unwrap());
    assert!(store.take_lease("default", A, "alice", one, at(2)).unwrap(), "asking again is no harm");
    assert!(!store.take_lease("default", A, "bob", two, at(3)).unwrap());
    assert!(!store.take_lease("default", A, "alice", two, at(3)).unwrap(), "not even to the same user");
    assert!(store.take_lease("other", A, "bob", two, at(3)).unwrap(), "another pool is another address");
    let leases = store.leases(Some("default"), None).unwrap();
    assert_eq!(
        leases,
        [Lease {
            pool: "default".into(),
            address: A,
            user: "alice".into(),
            state: LeaseState::Used,
            session: Some(one),
            since: at(2),
            until: None,
        }]
    );
}

pub(crate) fn a_lease_is_released_exactly_once(store: &Store) {
    let (one, two) = (session(store), session(store));
    assert!(store.take_lease("default", A, "alice", one, at(1)).unwrap());
    assert!(!store.release_lease("default", A, two, None, at(2)).unwrap(), "it is not theirs");
    assert!(store.release_lease("default", A, one, None, at(2)).unwrap());
    assert!(!store.release_lease("default", A, one, None, at(3)).unwrap());
    assert!(store.take_lease("default", A, "bob", two, at(4)).unwrap());
    assert!(
        !store.release_lease("default", A, one, None, at(5)).unwrap(),
        "a late release must not free the next one"
    );
    assert_eq!(store.leases(None, None).unwrap()[0].session, Some(two));
    assert!(!store.release_lease("nowhere", A, one, None, at(5)).unwrap());
}

pub(crate) fn quarantine_keeps_others_away(store: &Store) {
    let (one, two) = (session(store), session(store));
    assert!(store.take_lease("default", A, "alice", one, at(0)).unwrap());
    assert!(store.release_lease("default", A, one, Some(Duration::from_secs(60)), at(10)).unwrap());
    let lease = &store.leases(None, None).unwrap()[0];
    assert_eq!((lease.state, lease.until, lease.session), (LeaseState::Quarantine, Some(at(70)), None));
    assert!(!store.take_lease("default", A, "bob", two, at(69)).unwrap());
    assert!(store.take_lease("default", A, "ALICE", two, at(69)).unwrap(), "her own does not bind her");
    assert!(store.release_lease("default", A, two, Some(Duration::from_secs(60)), at(100)).unwrap());
    assert!(store.take_lease("default", A, "bob", two, at(160)).unwrap(), "it is over");
}

pub(crate) fn the_last_address_is_remembered(store: &Store) {
    for (n, (user, pool)) in
        [("alice", "default"), ("alice", "lan"), ("bob", "default")].into_iter().enumerate()
    {
        let id = session(store);
        let address = Ipv4Addr::from(u32::from(A) + n as u32);
        assert!(store.take_lease(pool, address, user, id, at(n as i64)).unwrap());
        assert!(store.release_lease(pool, address, id, None, at(10)).unwrap());
    }
    let of =
        |pool, user| store.leases(pool, user).unwrap().into_iter().map(|l| l.address).collect::<Vec<_>>();
    assert_eq!(of(Some("default"), Some("Alice")), [A]);
    assert_eq!(of(None, Some("alice")).len(), 2);
    assert_eq!(of(Some("default"), None).len(), 2);
    store.add_account(&adit_store::NewAccount::named("alice"), None, false, at(0)).unwrap();
    store.remove_account("alice").unwrap();
    assert_eq!(of(None, Some("alice")), [] as [Ipv4Addr; 0], "nothing is kept for somebody who is gone");
}

pub(crate) fn leases_of_many_threads_never_overlap(store: &Store) {
    const POOL: u32 = 8;
    let held: Mutex<BTreeMap<Ipv4Addr, SessionId>> = Mutex::default();
    std::thread::scope(|scope| {
        for thread in 0..4u32 {
            let held = &held;
            scope.spawn(move || {
                let id = session(store);
                for round in 0..60u32 {
                    let address = Ipv4Addr::from(u32::from(A) + (round * 7 + thread) % POOL);
                    if !store.take_lease("default", address, "u", id, at(0)).unwrap() {
                        continue;
                    }
                    let before = held.lock().unwrap().insert(address, id);
                    assert_eq!(before, None, "{address} is held twice");
                    std::thread::yield_now();
                    held.lock().unwrap().remove(&address);
                    assert!(store.release_lease("default", address, id, None, at(0)).unwrap());
                }
            });
        }
    });
    assert!(store.leases(None, None).unwrap().iter().all(|lease| lease.state == LeaseState::Free));
}
