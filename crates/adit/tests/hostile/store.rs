//! A full disk, a locked database, a broken one: sessions go on, new calls are refused with the reason, and all is well
//! again as soon as the cause is gone.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use adit_api::status::{Status, Warning};
use adit_diag::Code;
use adit_testbed::{Fate, Host, Output, Relay, pass, wait_until};
use rusqlite::Connection;

use crate::common::documents::{PastSession, PastSessions, parse};
use crate::common::*;
use adit_testbed::MountNamespace;

/// One attempt; its exit status and what it printed.
fn try_once(host: &Host, user: &str) -> (i32, String) {
    let routes = ["--once", "--routes", "192.168.77.0/24", "--interface", "second0"];
    let mut client = dial(host, "203.0.113.10", user, PASSWORD, &routes);
    let status = client.running.wait(SOON);
    (status.code().unwrap_or(-1), client.running.log())
}

fn comes_in(host: &Host, user: &str) {
    let routes = ["--once", "--routes", "192.168.77.0/24", "--interface", "second0"];
    let mut client = dial(host, "203.0.113.10", user, PASSWORD, &routes);
    client.running.wait_for("connected", SOON);
    assert_eq!(client.hang_up(), 0);
}

/// Whether a session is that of this user, who hung up.
fn hung_up(user: &str) -> impl Fn(&PastSession) -> bool {
    move |session| session.user.as_deref() == Some(user) && session.end.as_deref() == Some("user-request")
}

fn database(server: &Server) -> PathBuf {
    server.dir.path().join("state/adit.db")
}

#[test]
fn a_locked_database_keeps_new_calls_out_and_nothing_else() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice", "bob"]);
    let mut alice = connect(&client_host, "alice", &[]);
    let lock = Connection::open(database(&server)).unwrap();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let (code, log) = try_once(&client_host, "bob");
    assert_eq!(code, 11, "{log}");
    assert!(log.contains("C07") && log.contains("no resource"), "{log}");
    // Once it is known, no login waits for it.
    wait_until("a warning", SOON, || {
        let warnings = server.status().warnings;
        warnings
            .iter()
            .any(|warning| warning.code == Code::S09 && warning.text.contains("new calls are refused"))
    });
    let begin = Instant::now();
    assert_eq!(try_once(&client_host, "bob").0, 11);
    assert!(begin.elapsed() < Duration::from_secs(3), "refused after {:?}", begin.elapsed());
    let printed = server.running.log();
    assert!(printed.contains("code=S09") && printed.contains("locked by another program"), "{printed}");
    client_host.ping(LAN_HOST);
    // Alice goes while nothing can be written.
    assert_eq!(alice.hang_up(), 0, "{}", alice.running.log());
    lock.execute_batch("ROLLBACK").unwrap();
    wait_until("alice's end in the record", SOON, || server.past(&[]).iter().any(hung_up("alice")));
    comes_in(&client_host, "bob");
    comes_in(&client_host, "alice");
    let status = server.status();
    assert!(status.warnings.iter().all(|warning| warning.code != Code::S09), "{status:?}");
    assert_eq!(status.pools[0].used, 0, "{status:?}");
}

#[test]
fn a_database_locked_while_a_call_is_set_up_ends_the_call_with_the_reason() {
    let (client_host, server_host) = (Host::new("client"), Host::new("server"));
    let nothing = |_: &adit_testbed::Frame<'_>| Fate::Drop;
    let relay = Relay::between(
        (&client_host, "eth0", "203.0.113.77/24"),
        (&server_host, "eth0", "203.0.113.10/24"),
        nothing,
        pass,
    );
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let mut alice = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &["--once"]);
    alice.running.wait_for("control", SOON);
    let lock = Connection::open(database(&server)).unwrap();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
    relay.set(pass, pass);
    // Reading still works, so that the password is checked; the address cannot be written down.
    let status = alice.running.wait(SOON);
    let log = alice.running.log();
    assert_eq!(status.code(), Some(13), "{log}");
    assert!(log.contains("S09") && !log.contains("adit.db"), "{log}");
    lock.execute_batch("ROLLBACK").unwrap();
    wait_until("the record", SOON, || server.adit(&["log", "--failed"]).stdout.contains("code=S09"));
    comes_in(&client_host, "alice");
}

#[test]
fn unreadable_accounts_are_not_reported_as_a_wrong_password() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let outside = Connection::open(database(&server)).unwrap();
    outside.execute_batch("ALTER TABLE accounts RENAME TO hidden").unwrap();
    let (code, log) = try_once(&client_host, "alice");
    assert_eq!(code, 14, "{log}");
    assert!(log.contains("A07") && !log.contains("A01"), "{log}");
    wait_until("the record", SOON, || server.adit(&["log", "--failed"]).stdout.contains("code=A07"));
    outside.execute_batch("ALTER TABLE hidden RENAME TO accounts").unwrap();
    comes_in(&client_host, "alice");
}

#[test]
fn a_full_disk_keeps_new_calls_out_and_nothing_else() {
    let (client_host, server_host) = neighbours();
    let dir = tempfile::TempDir::new().unwrap();
    let state = dir.path().join("state");
    std::fs::create_dir(&state).unwrap();
    std::fs::write(dir.path().join("adit.toml"), CONFIG).unwrap();
    let space =
        MountNamespace::new(&server_host, &format!("mount -t tmpfs -o size=2m none {}", state.display()));
    for user in ["alice", "bob"] {
        let mut add = space.inside(&adit(dir.path(), &["user", "add", user, "--password-stdin"]));
        assert!(with_input(&mut add, PASSWORD).status.success());
    }
    let run = |arguments: &[&str]| -> Output {
        server_host.command(&mut space.inside(&adit(dir.path(), arguments)))
    };
    let mut server = server_host.spawn(&mut space.inside(&adit(dir.path(), &["serve"])));
    server.wait_for("ready", SOON);
    let mut alice = connect(&client_host, "alice", &[]);
    let fill = space.path(&state.join("fill"));
    let filled = std::fs::write(&fill, vec![0; 4 << 20]).unwrap_err();
    assert_eq!(filled.kind(), std::io::ErrorKind::StorageFull);
    let (code, log) = try_once(&client_host, "bob");
    assert_eq!(code, 11, "{log}");
    assert!(log.contains("C07"), "{log}");
    assert!(server.log().contains("code=S06"), "{}", server.log());
    client_host.ping("10.99.0.1".parse().unwrap());
    let status: Status = parse(&run(&["status", "--json"]).stdout).unwrap();
    let full =
        |warning: &Warning| warning.code == Code::S06 && warning.text.contains("new calls are refused");
    assert!(status.warnings.iter().any(full), "{status:?}");
    assert_eq!(alice.hang_up(), 0);
    std::fs::remove_file(&fill).unwrap();
    wait_until("alice's end in the record", SOON, || {
        let past: PastSessions = parse(&run(&["sessions", "--past", "--json"]).stdout).unwrap();
        past.sessions.iter().any(hung_up("alice"))
    });
    comes_in(&client_host, "bob");
    server.signal("TERM");
    assert!(server.wait(SOON).success(), "{}", server.log());
}

#[test]
fn a_server_does_not_start_on_a_full_disk_or_a_broken_database() {
    let (_client, host) = neighbours();
    let dir = tempfile::TempDir::new().unwrap();
    let state = dir.path().join("state");
    std::fs::create_dir(&state).unwrap();
    std::fs::write(dir.path().join("adit.toml"), CONFIG).unwrap();
    let before = state_of(&host);
    std::fs::write(
        state.join("adit.db"),
        "this was a shopping list, and much longer than a hundred octets: ".repeat(9),
    )
    .unwrap();
    let mut broken = host.spawn(&mut adit(dir.path(), &["serve"]));
    let status = broken.wait(SOON);
    assert_eq!(status.code(), Some(19), "{}", broken.log());
    assert!(broken.log().contains("S09"), "{}", broken.log());
    std::fs::remove_file(state.join("adit.db")).unwrap();
    let tiny = format!("mount -t tmpfs -o size=16k none {}", state.display());
    let space = MountNamespace::new(&host, &tiny);
    let mut full = host.spawn(&mut space.inside(&adit(dir.path(), &["serve"])));
    let status = full.wait(SOON);
    assert_eq!(status.code(), Some(19), "{}", full.log());
    assert!(full.log().contains("S06"), "{}", full.log());
    assert_eq!(state_of(&host), before);
}
