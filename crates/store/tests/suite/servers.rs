use adit_store::{ServerIdentity, SessionFilter, Store};

use super::{at, claim, ip, start_on};

pub(crate) fn a_server_is_the_same_after_a_restart(store: &Store) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("server.id");
    let identity = ServerIdentity::open(&path, "vpn1").unwrap();
    let first = store.register_server(&identity).unwrap();
    assert_eq!(store.register_server(&identity).unwrap(), first);
    let other = store.register_server(&ServerIdentity::random("vpn1").unwrap()).unwrap();
    assert_ne!(other, first, "a name says nothing");
    drop(identity);
    let renamed = ServerIdentity::open(&path, "vpn2").unwrap();
    assert_eq!(store.register_server(&renamed).unwrap(), first);
}

pub(crate) fn a_server_cleans_up_after_itself_alone(store: &Store) {
    let [one, two] =
        ["a", "b"].map(|name| store.register_server(&ServerIdentity::random(name).unwrap()).unwrap());
    let (mine, theirs) = (start_on(store, one, 0), start_on(store, two, 0));
    assert_eq!(claim(store, mine, "alice", None, 1), Ok(ip(10)));
    assert_eq!(claim(store, theirs, "bob", None, 1), Ok(ip(11)));

    let recovered = store.recover(one, at(100)).unwrap();
    assert_eq!((recovered.sessions, recovered.leases), (vec![mine], 1));
    let running = SessionFilter { running: Some(true), ..SessionFilter::default() };
    let left: Vec<_> =
        store.sessions(&running).unwrap().iter().map(|session| (session.id, session.server)).collect();
    assert_eq!(left, [(theirs, two)]);
    let again = start_on(store, one, 101);
    assert_eq!(claim(store, again, "bob", None, 101), Ok(ip(12)), "11 is in use, and 10 is alice's");
    assert_eq!(claim(store, again, "alice", None, 101), Ok(ip(10)));

    let recovered = store.recover(two, at(200)).unwrap();
    assert_eq!((recovered.sessions, recovered.leases), (vec![theirs], 1));
    assert!(store.session(again).unwrap().unwrap().end.is_none());
}
