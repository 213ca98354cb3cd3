//! Two servers on one database, each with its own state directory: what one does never touches the other's sessions.

use std::os::unix::fs::symlink;

use adit_store::{Session, SessionFilter, StoreConfig};
use adit_testbed::wait_until;
use tempfile::TempDir;

use crate::common::*;

/// The state directory of a server that uses the database of another.
fn state_beside(first: &Server, config: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("adit.toml"), with_io(config)).unwrap();
    let state = dir.path().join("state");
    std::fs::create_dir(&state).unwrap();
    for file in ["adit.db", "seal.key"] {
        symlink(first.dir.path().join("state").join(file), state.join(file)).unwrap();
    }
    dir
}

/// The sessions of both servers that run, by user.
fn running(server: &Server) -> Vec<Session> {
    let database = server.dir.path().join("state/adit.db");
    let store = adit_store::open(&StoreConfig::sqlite_read_only(database)).unwrap();
    let filter = SessionFilter { running: Some(true), ..SessionFilter::default() };
    let mut sessions = store.sessions(&filter).unwrap();
    sessions.sort_by(|a, b| a.user.cmp(&b.user));
    sessions
}

#[test]
fn a_server_that_starts_again_ends_its_own_sessions_alone() {
    let ((alice_host, first_host), (bob_host, second_host)) = (neighbours(), neighbours());
    let mut first = Server::start(first_host, CONFIG, &["alice", "bob"]);
    let second = Server::start_in(second_host, state_beside(&first, CONFIG));
    let mut alice = connect(&alice_host, "alice", &["--once"]);
    let mut bob = connect(&bob_host, "bob", &["--once"]);
    let before = running(&first);
    let [of_alice, of_bob] = &before[..] else { panic!("{before:?}") };
    assert_ne!(of_alice.server, of_bob.server);
    assert_ne!(of_alice.address, of_bob.address);

    first.running.kill();
    alice.running.wait(SOON);
    first.running = start(&first.host, first.dir.path());
    let ended = first.past(&["--filter", "user=alice"]);
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert!(ended[0].ended.is_some(), "{ended:?}");
    let left: Vec<_> = running(&first).iter().map(|session| session.id).collect();
    assert_eq!(left, [of_bob.id], "the session at the other server goes on");
    bob_host.ping(LAN_HOST);
    assert_eq!((first.status().pools[0].used, second.status().pools[0].used), (0, 1));

    // The server is the same one as before, and the address of the other's client is in use for it too.
    let mut alice = connect(&alice_host, "alice", &["--once"]);
    let after = running(&first);
    assert_eq!((after[0].server, after[0].address), (of_alice.server, of_alice.address));
    assert_eq!((alice.hang_up(), bob.hang_up()), (0, 0));
    wait_until("the end of both rows", SOON, || running(&first).is_empty());
}

#[test]
fn two_servers_with_one_identity_are_refused() {
    let (_client, host) = neighbours();
    let server = Server::start(host, CONFIG, &["alice"]);
    let (_other_client, elsewhere) = neighbours();
    let run = TempDir::new().unwrap();
    let mut command = adit(server.dir.path(), &["serve"]);
    let refused = elsewhere.command(command.env("ADIT_RUN_DIR", run.path()));
    assert!(!refused.ok, "{refused}");
    assert!(refused.stderr.contains("S01") && refused.stderr.contains("server.id"), "{refused}");
    assert_eq!(server.status().sessions_up, 0, "the first one serves on");
}
