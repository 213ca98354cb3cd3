//! What is written down of calls that fail: one line of the log for each, and its record.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use adit_testbed::{Host, wait_until};
use common::documents::PastSessionDocument;
use common::*;

/// A pool with one address.
const SMALL: &str = "range = \"10.99.0.10-10.99.0.10\"\n";

/// Dials once and waits for the end.
fn fail(host: &Host, user: &str, password: &str, more: &[&str]) {
    let mut arguments = vec!["--once"];
    arguments.extend(more);
    let mut client = dial(host, "203.0.113.10", user, password, &arguments);
    let status = client.running.wait(SOON * 3);
    assert!(!status.success(), "{}", client.running.log());
}

/// The lines of the server's own log about calls that failed.
fn lines(server: &Server) -> Vec<String> {
    let is_one =
        |line: &&str| line.contains(".fail") || line.contains("session.end") && line.contains("code=");
    server.running.log().lines().filter(is_one).map(str::to_owned).collect()
}

#[test]
fn every_failed_call_is_one_line_with_address_user_layer_code_and_reason() {
    let (client_host, server_host) = neighbours();
    let config = CONFIG.replace("dns = ", &format!("{SMALL}dns = "));
    let server = Server::start(server_host, &config, &["alice", "bob"]);
    let mut expected: Vec<(&str, &str, &str, &str)> = Vec::new();
    let mut failed = |user: &str, password: &str, more: &[&str], line| {
        fail(&client_host, user, password, more);
        expected.push(line);
        wait_until("the line", SOON, || lines(&server).len() == expected.len());
        let newest = lines(&server).pop().unwrap();
        let (user, layer, code, reason) = line;
        assert!(newest.contains(" from=203.0.113.77 "), "{newest}");
        assert!(newest.contains(&format!(" code={code} layer={layer} ")), "{newest}");
        assert!(newest.contains(reason), "{newest}");
        assert!(user.is_empty() || newest.contains(&format!(" user={user} ")), "{newest}");
    };
    failed("alice", "not the password", &[], ("alice", "auth", "A01", "wrong password"));
    failed("mallory", PASSWORD, &[], ("mallory", "auth", "A01", "unknown user"));
    failed("alice@corp", PASSWORD, &[], ("alice@corp", "auth", "A01", "there is"));
    assert!(server.adit(&["user", "set", "alice", "--must-change", "yes"]).ok);
    failed("alice", PASSWORD, &[], ("alice", "auth", "A03", "must change the password"));
    assert!(server.adit(&["user", "set", "alice", "--must-change", "no"]).ok);
    let passwd = server.adit(&["user", "disable", "bob", "--reason", "left"]);
    assert!(passwd.ok, "{passwd}");
    failed("bob", PASSWORD, &[], ("bob", "auth", "A02", "bob is disabled: left"));
    let enable = server.adit(&["user", "enable", "bob"]);
    assert!(enable.ok, "{enable}");
    let mut alice = connect(&client_host, "alice", &[]);
    failed("bob", PASSWORD, &["--interface", "other0"], ("bob", "address", "I01", "no free address"));
    assert_eq!(alice.hang_up(), 0);
    // The command shows the same lines, and nothing else has a code.
    let log = server.adit(&["log", "--failed"]);
    assert_eq!(log.stdout.lines().count(), expected.len(), "{log}");
    let again = server.past(&["--failed"]);
    assert_eq!(again.len(), expected.len(), "{again:?}");
    // And what they mean together.
    let record = server.adit(&["explain", "user", "alice"]);
    assert!(record.ok && record.stdout.contains("A01  wrong password"), "{record}");
}

#[test]
fn a_call_without_gre_is_named_while_it_hangs_and_when_it_is_over() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    server.host.nft("table ip f {\nchain i { type filter hook input priority 0; ip protocol 47 drop; }\n}");
    let mut client = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &["--once"]);
    wait_until("the suspicion", SOON, || {
        server.adit(&["session", "s1"]).stdout.contains("gre       FAIL  G0")
    });
    let list = server.adit(&["sessions"]);
    assert!(list.stdout.contains("control G0"), "{list}");
    // The client says that it hears the server: then the direction is known.
    wait_until("the direction", SOON, || server.adit(&["session", "s1"]).stdout.contains("FAIL  G02"));
    assert_eq!(client.running.wait(SOON * 3).code(), Some(12), "{}", client.running.log());
    wait_until("the line", SOON, || lines(&server).len() == 1);
    let line = lines(&server).pop().unwrap();
    assert!(line.contains("code=G02 layer=gre"), "{line}");
    let record = server.adit(&["session", "s1"]);
    for words in [
        "3 gre       FAIL  G02",
        "4-9         ",
        "not reached",
        "Not the cause",
        "Next test",
        "adit explain G02",
    ] {
        assert!(record.stdout.contains(words), "{words} is missing: {record}");
    }
    let past: PastSessionDocument = server.document(&["session", "s1"]);
    assert_eq!(past.verdict.code(), "G02");
}
