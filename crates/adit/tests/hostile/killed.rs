//! kill -9 at every stage: nothing is left on the host but what the next start, or `adit undo`, takes away.

use std::time::Duration;

use adit_store::{SessionFilter, StoreConfig};
use adit_testbed::{Fate, Host, Relay, Seeded, pass, wait_until};

use crate::common::*;

/// Where it is killed: after this line of the client's progress.
const STAGES: [&str; 8] = ["name", "control", "gre", "lcp", "auth", "encrypt", "address", "connected"];

/// Two hosts on a slow wire: every stage takes long enough to be caught in it.
fn slow_wire() -> (Host, Host, Relay) {
    let (client, server) = (Host::new("client"), Host::new("server"));
    let slow = |seed| Seeded { delay: Duration::from_millis(40), ..Seeded::new(seed) };
    let relay = Relay::between(
        (&client, "eth0", "203.0.113.77/24"),
        (&server, "eth0", "203.0.113.10/24"),
        slow(1),
        slow(2),
    );
    client.ip("route add default via 203.0.113.254");
    (client, server, relay)
}

fn no_session_is_left(server: &Server) {
    wait_until("the server's forgetting", SOON, || {
        let status = server.status();
        [status.sessions_up, status.sessions_starting, status.pools[0].used] == [0; 3]
    });
}

#[test]
fn c234_a_client_killed_at_any_stage_leaves_nothing_that_undo_does_not_take_away() {
    let (client_host, server_host, _relay) = slow_wire();
    let before = state_of(&client_host);
    let server = Server::start(server_host, CONFIG, &["alice"]);
    for stage in STAGES {
        let mut client = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &["--all"]);
        client.running.wait_for(stage, SOON);
        client.running.kill();
        let undone = client_host.command(&mut adit(client.dir.path(), &["undo"]));
        assert!(undone.ok, "after {stage}: {undone}");
        assert_eq!(state_of(&client_host), before, "after {stage}: {undone}");
        no_session_is_left(&server);
    }
}

#[test]
fn c234_what_a_killed_client_left_is_taken_away_by_its_next_start() {
    let (client_host, server_host, _relay) = slow_wire();
    let before = state_of(&client_host);
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &["--all"]);
    for stage in STAGES {
        client.running.wait_for(stage, SOON);
        client.running.kill();
        // The same state directory.
        client.running = redial(&client_host, &client);
    }
    client.running.wait_for("connected", SOON);
    client_host.ping(LAN_HOST);
    let to_server = client_host.ip("route get 203.0.113.10");
    assert!(!to_server.contains("adit"), "{to_server}");
    assert_eq!(client.hang_up(), 0, "{}", client.running.log());
    assert_eq!(state_of(&client_host), before);
    no_session_is_left(&server);
}

/// The same call again, with what is left of the first.
fn redial(host: &Host, client: &Client) -> adit_testbed::Running {
    let password = client.dir.path().join("password");
    let file = password.to_str().unwrap();
    let arguments = ["connect", "203.0.113.10", "-u", "alice", "--password-file", file, "--no-dns", "--all"];
    host.spawn(&mut adit(client.dir.path(), &arguments))
}

#[test]
fn c234_a_server_killed_at_any_stage_starts_again_with_a_clean_host() {
    let (client_host, server_host, _relay) = slow_wire();
    let mut server = Server::start(server_host, CONFIG, &["alice"]);
    let interfaces = |host: &Host| host.sh("ip -o link | sed 's/^[0-9]*: \\([^:@]*\\).*/\\1/'");
    for (number, stage) in STAGES.into_iter().enumerate() {
        let mut client = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &["--once"]);
        client.running.wait_for(stage, SOON);
        wait_until("the session on record", SOON, || on_record(&server) == number + 1);
        server.running.kill();
        wait_until("the interface's end", SOON, || !interfaces(&server.host).contains("adit"));
        assert!(!server.host.ip("route show table all").contains("10.99."), "after {stage}");
        let status = client.running.wait(SOON);
        assert_eq!(status.code(), Some(11), "after {stage}: {}", client.running.log());
        server.running = start(&server.host, server.dir.path());
        let status = server.status();
        assert_eq!(status.pools[0].used, 0, "after {stage}: {status:?}");
        assert_eq!(status.sessions_up, 0, "after {stage}: {status:?}");
    }
    // What was going on is on record as ended, and no login is blocked.
    let past = server.past(&[]);
    assert_eq!(past.len(), STAGES.len(), "{past:?}");
    assert!(past.iter().all(|session| session.ended.is_some() && session.end.is_some()), "{past:?}");
    let mut client = connect(&client_host, "alice", &[]);
    client_host.ping(LAN_HOST);
    assert_eq!(client.hang_up(), 0);
}

/// Sessions in the database, running ones too: a row is written a moment after its connection was accepted.
fn on_record(server: &Server) -> usize {
    let store = StoreConfig::sqlite_read_only(server.dir.path().join("state/adit.db"));
    adit_store::open(&store).unwrap().sessions(&SessionFilter::default()).unwrap().len()
}

#[test]
fn c137_c138_a_killed_client_gives_its_address_back_once_and_no_two_have_the_same() {
    let (client_host, server_host) = neighbours();
    let config = CONFIG.replace("dns = ", "range = \"10.99.0.10-10.99.0.11\"\ndns = ");
    let server = Server::start(server_host, &config, &["alice", "bob", "carol"]);
    let second = ["--routes", "192.168.77.0/24", "--interface", "second0"];
    let used = || server.status().pools[0].used;
    for _ in 0..4 {
        let mut alice = connect(&client_host, "alice", &[]);
        assert_eq!(used(), 1);
        alice.running.kill();
        wait_until("the address", SOON, || used() == 0);
    }
    let mut alice = connect(&client_host, "alice", &[]);
    let mut bob = dial(&client_host, "203.0.113.10", "bob", PASSWORD, &second);
    bob.running.wait_for("connected", SOON);
    let sessions = server.sessions();
    assert_ne!(sessions[0].address, sessions[1].address, "{sessions:?}");
    let third = ["--once", "--routes", "192.168.78.0/24", "--interface", "third0"];
    let mut carol = dial(&client_host, "203.0.113.10", "carol", PASSWORD, &third);
    assert_eq!(
        carol.running.wait(SOON).code(),
        Some(16),
        "two addresses, two calls: {}",
        carol.running.log()
    );
    assert_eq!((alice.hang_up(), bob.hang_up()), (0, 0));
    wait_until("both addresses", SOON, || used() == 0);
}

#[test]
fn c061_calls_one_after_the_other_leak_nothing() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", server.running.pid())).unwrap().count();
    let call = || {
        let mut alice = connect(&client_host, "alice", &[]);
        assert_eq!(alice.hang_up(), 0);
        no_session_is_left(&server);
    };
    call();
    let (before, routes) = (descriptors(), state_of(&server.host));
    for _ in 0..10 {
        call();
    }
    // A connection may be closed a moment after its session is gone; what leaks stays, ten times.
    wait_until("the descriptors", SOON, || descriptors() <= before);
    wait_until("the routes", SOON, || state_of(&server.host) == routes);
    let status = server.status();
    assert_eq!((status.calls_ok, status.drops.queue_full), (11, 0), "{status:?}");
}

#[test]
fn a_server_that_falls_silent_is_noticed_and_everything_is_put_back() {
    let (client_host, server_host, relay) = slow_wire();
    let before = state_of(&client_host);
    let _server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &["--all", "--once"]);
    client.running.wait_for("connected", SOON);
    relay.set(|_: &adit_testbed::Frame<'_>| Fate::Drop, pass);
    // SIGINT does not wait for a server that does not answer longer than for its good-byes.
    client.running.signal("INT");
    assert_eq!(client.running.wait(SOON).code(), Some(0), "{}", client.running.log());
    assert_eq!(state_of(&client_host), before);
}

#[test]
fn a_second_interrupt_does_not_wait_and_undo_puts_the_host_back() {
    let (client_host, server_host) = neighbours();
    client_host.ip("route add default via 203.0.113.254");
    let before = state_of(&client_host);
    let mut server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &["--all"]);
    client.running.wait_for("connected", SOON);
    server.running.signal("STOP");
    client.running.signal("INT");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(client.running.status(), None, "it waits for the server's good-bye");
    client.running.signal("INT");
    assert_eq!(client.running.wait(Duration::from_secs(3)).code(), Some(130), "{}", client.running.log());
    let undone = client_host.command(&mut adit(client.dir.path(), &["undo"]));
    assert!(undone.ok, "{undone}");
    assert_eq!(state_of(&client_host), before, "{undone}");
    server.running.signal("CONT");
}

#[test]
fn a_client_comes_back_when_its_server_does() {
    let (client_host, server_host) = neighbours();
    let mut server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = connect(&client_host, "alice", &[]);
    server.running.kill();
    client.running.wait_for("retry", SOON);
    assert!(client.running.log().contains("C06"), "{}", client.running.log());
    server.running = start(&server.host, server.dir.path());
    wait_until("the client's return", SOON, || client.running.log().matches("\nconnected").count() == 2);
    client_host.ping(LAN_HOST);
    assert_eq!(client.hang_up(), 0);
}

#[test]
fn a_client_that_comes_back_never_repeats_a_refused_password() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let mut client = connect(&client_host, "alice", &[]);
    let passwd = ["user", "passwd", "alice", "--password-stdin"];
    let changed = with_input(&mut adit(server.dir.path(), &passwd), "kestrel-vault-nine-7");
    assert!(changed.status.success(), "{}", String::from_utf8_lossy(&changed.stderr));
    assert!(server.adit(&["kick", "alice", "--reason", "new password"]).ok);
    assert_eq!(client.running.wait(SOON).code(), Some(14), "{}", client.running.log());
    assert_eq!(client.running.log().matches("FAIL  A01").count(), 1, "{}", client.running.log());
    let failed = server.adit(&["log", "--failed"]).stdout;
    assert_eq!(failed.lines().count(), 1, "{failed}");
}
