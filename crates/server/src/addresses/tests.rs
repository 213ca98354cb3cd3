use adit_config::{Checked, Source};
use adit_store::{Change, NewSession, ServerIdentity, StoreConfig};

use super::*;

/// A configuration with a pool of two addresses.
fn config() -> Config {
    let config = "[pool]\nnet = \"10.99.0.0/24\"\nrange = \"10.99.0.10-10.99.0.11\"\n";
    Checked::built_in_with(Source::new("adit.toml", config)).into_config().unwrap()
}

fn begin(store: &Store) -> SessionId {
    let server = store.register_server(&ServerIdentity::random("vpn1").unwrap()).unwrap();
    let from = "203.0.113.7:50000".parse().unwrap();
    store.start_sessions(server, &[NewSession { started: Timestamp::now(), from }]).unwrap()[0]
}

fn request(user: &str) -> LeaseRequest {
    LeaseRequest { user: user.to_owned(), pool: "default".to_owned(), address: None }
}

fn store() -> Store {
    adit_store::open(&StoreConfig::memory()).unwrap()
}

fn write_release(store: &Store, session: SessionId, address: Ipv4Addr) {
    let release = Release { session, pool: "default".to_owned(), address };
    store.apply(&[Change::Release(release)], Timestamp::now()).unwrap();
}

#[test]
fn the_last_address_is_handed_over_to_its_users_newer_session() {
    let (store, config) = (store(), config());
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(request);
    let addresses = Addresses::new(store.clone());
    let (older, oldest, newer, other) = (begin(&store), begin(&store), begin(&store), begin(&store));
    let lent = addresses.try_lend(&config, older, &alice).unwrap();
    addresses.try_lend(&config, oldest, &carol).unwrap();
    assert_eq!(addresses.try_lend(&config, other, &bob).unwrap_err().code, Code::I01);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| addresses.try_lend(&config, newer, &alice));
        std::thread::sleep(Duration::from_millis(50));
        addresses.release(older);
        assert_eq!(waiting.join().unwrap().unwrap(), lent);
    });
}

#[test]
fn a_released_address_can_be_lent_before_the_event_writer_has_written_the_release() {
    let (store, config) = (store(), config());
    let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(request);
    let addresses = Addresses::new(store.clone());
    let ids: Vec<_> = (0..5).map(|_| begin(&store)).collect();
    let mine = addresses.try_lend(&config, ids[0], &alice).unwrap();
    addresses.release(ids[0]);
    addresses.release(ids[0]);
    assert_eq!(addresses.used("default"), 0);
    assert_eq!(addresses.try_lend(&config, ids[1], &alice).unwrap(), mine, "the user returns at once");
    // The event writer is late: its release must not take the address from the new session.
    write_release(&store, ids[0], mine.address);
    let others = addresses.try_lend(&config, ids[2], &bob).unwrap();
    assert_ne!(others.address, mine.address);
    assert_eq!(addresses.used("default"), 2);

    // Another user gets it if no other address is free.
    addresses.release(ids[1]);
    assert_eq!(addresses.try_lend(&config, ids[3], &carol).unwrap(), mine);
    assert_eq!(addresses.try_lend(&config, ids[4], &dave).unwrap_err().code, Code::I01);
}

#[test]
fn what_another_server_has_lent_stays_with_it() {
    let (store, config) = (store(), config());
    let [alice, bob] = ["alice", "bob"].map(request);
    let (here, elsewhere) = (Addresses::new(store.clone()), Addresses::new(store.clone()));
    let ids: Vec<_> = (0..3).map(|_| begin(&store)).collect();
    let theirs = elsewhere.try_lend(&config, ids[0], &alice).unwrap();
    let ours = here.try_lend(&config, ids[1], &alice).unwrap();
    assert_ne!(ours.address, theirs.address);
    assert_eq!(here.try_lend(&config, ids[2], &bob).unwrap_err().code, Code::I01);
    assert_eq!((here.used("default"), elsewhere.used("default")), (1, 1));
}
