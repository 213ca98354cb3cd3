//! Stopping: in order, within the grace, and at once on a second signal.

use std::time::{Duration, Instant};

use adit_testbed::wait_until;

use crate::common::*;

/// The ends of all sessions on record, oldest first.
fn ends(server: &Server) -> Vec<(String, String)> {
    let past = server.past(&[]).into_iter();
    past.map(|session| (session.user.unwrap_or_default(), session.end.unwrap_or_default())).collect()
}

#[test]
fn c235_sigterm_ends_all_sessions_in_order_and_exits_with_0() {
    let (client_host, server_host) = neighbours();
    let before = state_of(&server_host);
    let mut server = Server::start(server_host, CONFIG, &["alice", "bob"]);
    let mut alice = connect(&client_host, "alice", &["--once"]);
    let second = ["--once", "--routes", "192.168.77.0/24", "--interface", "bob0"];
    let mut bob = dial(&client_host, "203.0.113.10", "bob", PASSWORD, &second);
    bob.running.wait_for("connected", SOON);
    let begin = Instant::now();
    server.running.signal("TERM");
    assert!(server.running.wait(SOON).success(), "{}", server.running.log());
    assert!(begin.elapsed() < Duration::from_secs(5), "it took {:?}", begin.elapsed());
    for client in [&mut alice, &mut bob] {
        assert_eq!(client.running.wait(SOON).code(), Some(0), "told in order: {}", client.running.log());
        assert!(client.running.log().contains("shutdown"), "{}", client.running.log());
    }
    let mut ends = ends(&server);
    ends.sort();
    let shutdown = |user: &str| (user.to_owned(), "shutdown".to_owned());
    assert_eq!(ends, [shutdown("alice"), shutdown("bob")]);
    assert!(!server.dir.path().join("run/adit.sock").exists());
    let after = state_of(&server.host);
    assert!(!after.contains("adit") && !after.contains("10.99."), "{after}\nbefore: {before}");
    assert!(server.running.log().contains("server.stop"), "{}", server.running.log());
}

#[test]
fn c235_a_client_that_does_not_answer_is_waited_for_no_longer_than_the_grace() {
    let (client_host, server_host) = neighbours();
    let config = CONFIG.replace("[pool]", "shutdown_grace = \"2s\"\n[pool]");
    let mut server = Server::start(server_host, &config, &["alice"]);
    let mut alice = connect(&client_host, "alice", &["--once"]);
    alice.running.signal("STOP");
    let begin = Instant::now();
    server.running.signal("TERM");
    assert!(server.running.wait(SOON).success(), "{}", server.running.log());
    let took = begin.elapsed();
    assert!(took > Duration::from_millis(1500) && took < Duration::from_secs(6), "it took {took:?}");
    assert_eq!(ends(&server), [("alice".to_owned(), "shutdown".to_owned())]);
    alice.running.signal("CONT");
    alice.running.wait(SOON);
}

#[test]
fn a_second_sigterm_cuts() {
    let (client_host, server_host) = neighbours();
    let config = CONFIG.replace("[pool]", "shutdown_grace = \"60s\"\n[pool]");
    let mut server = Server::start(server_host, &config, &["alice"]);
    let mut alice = connect(&client_host, "alice", &["--once"]);
    alice.running.signal("STOP");
    server.running.signal("TERM");
    wait_until("the drain", SOON, || server.running.log().contains("server.drain"));
    assert_eq!(server.running.status(), None, "it waits for alice");
    let begin = Instant::now();
    server.running.signal("TERM");
    assert!(server.running.wait(SOON).success(), "{}", server.running.log());
    assert!(begin.elapsed() < Duration::from_secs(3), "it took {:?}", begin.elapsed());
    assert_eq!(ends(&server), [("alice".to_owned(), "shutdown".to_owned())]);
    alice.running.signal("CONT");
    alice.running.wait(SOON);
}

#[test]
fn no_call_is_taken_while_the_server_stops() {
    let (client_host, server_host) = neighbours();
    let config = CONFIG.replace("[pool]", "shutdown_grace = \"60s\"\n[pool]");
    let mut server = Server::start(server_host, &config, &["alice", "bob"]);
    let mut alice = connect(&client_host, "alice", &["--once"]);
    alice.running.signal("STOP");
    server.running.signal("TERM");
    wait_until("the drain", SOON, || server.running.log().contains("server.drain"));
    let second = ["--once", "--routes", "192.168.77.0/24", "--interface", "bob0"];
    let mut bob = dial(&client_host, "203.0.113.10", "bob", PASSWORD, &second);
    let status = bob.running.wait(SOON);
    assert_eq!(status.code(), Some(11), "{}", bob.running.log());
    assert!(bob.running.log().contains("C05"), "{}", bob.running.log());
    server.running.signal("TERM");
    assert!(server.running.wait(SOON).success());
    alice.running.signal("CONT");
    alice.running.wait(SOON);
}
