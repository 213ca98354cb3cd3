//! Databases of older versions open, and nothing of them is lost.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use adit_store::{LockoutChange, ServerIdentity, SessionFilter, StoreConfig};
use jiff::Timestamp;
use rusqlite::Connection;

/// The first schema, which never changes.
const VERSION_1: &str = include_str!("../src/sqlite/schema.sql");

/// A database of version 1 whose server was killed: one session is over, one runs and has an address.
fn version_1(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(VERSION_1).unwrap();
    connection
        .execute_batch(
            "PRAGMA application_id = 0x61646974;
             PRAGMA user_version = 1;
             INSERT INTO accounts (name_key, name, created, login_at, login_from)
                 VALUES ('alice', 'Alice', 0, 900, '198.51.100.17'), ('bob', 'Bob', 0, 900, '2001:db8::1');
             INSERT INTO sessions (started, from_address, from_port, seen, ended, why, ended_by, detail)
                 VALUES (1000, '198.51.100.7', 50000, 2000, 3000, 'user-request', 'received', 'done');
             INSERT INTO sessions (started, from_address, from_port, seen, user, user_key, pool, address)
                 VALUES (4000, '198.51.100.8', 50001, 5000, 'Alice', 'alice', 'default', '10.99.0.10');
             INSERT INTO leases (pool, number, address, user, user_key, state, session, since)
                 VALUES ('default', 174260234, '10.99.0.10', 'Alice', 'alice', 'used', 2, 4500);",
        )
        .unwrap();
}

#[test]
fn a_database_without_server_identities_belongs_to_the_first_server() {
    let dir = tempfile::tempdir().unwrap();
    let (path, key) = (dir.path().join("adit.db"), dir.path().join("seal.key"));
    version_1(&path);
    let all = SessionFilter::default();

    let before = adit_store::open(&StoreConfig::sqlite_read_only(&path)).unwrap().sessions(&all).unwrap();
    assert_eq!(before.len(), 2, "it can be read before it is migrated");
    let store = adit_store::open(&StoreConfig::sqlite(&path, &key)).unwrap();
    assert_eq!(store.sessions(&all).unwrap(), before);
    let own = store.lockout().unwrap();
    let [LockoutChange::Home(name, network, Some(home))] = &own[..] else { panic!("{own:?}") };
    assert_eq!((&**name, network.to_string().as_str(), home.at), ("alice", "198.51.100.0/24", 900));
    assert_eq!(home.address.to_string(), "198.51.100.17", "the user keeps access from there");
    assert_eq!(store.account("alice").unwrap().unwrap().name, "Alice");

    let [first, second] =
        ["a", "b"].map(|name| store.register_server(&ServerIdentity::random(name).unwrap()).unwrap());
    assert!(before.iter().all(|session| session.server == first));
    let now = Timestamp::from_second(100).unwrap();
    assert_eq!(store.recover(second, now).unwrap(), Default::default());
    let recovered = store.recover(first, now).unwrap();
    assert_eq!((recovered.sessions, recovered.leases), (vec![before[1].id], 1));
    let ended = store.session(before[1].id).unwrap().unwrap().end.unwrap();
    assert_eq!((ended.at.as_second(), ended.why.as_str()), (5, "crash"));
}
