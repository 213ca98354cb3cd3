//! What both sides owe to the network between them and to each other, seen from outside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use std::net::SocketAddrV4;
use std::time::Duration;

use adit_bench::{Plan, Report};
use adit_testbed::{Capture, Host, wait_until};
use common::*;

#[test]
fn c011_every_control_message_is_one_segment_of_its_own() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let mut capture = Capture::start(&server.host, "eth0", "tcp port 1723");
    let mut client = connect(&client_host, "alice", &[]);
    assert_eq!(client.hang_up(), 0, "{}", client.running.log());
    let fields = ["-T", "fields", "-e", "ip.src", "-e", "pptp.control_message_type", "-e", "tcp.len", "-e"];
    let segments = capture.tshark(&[&["-Y", "tcp.len > 0"], &fields[..], &["pptp.length"]].concat());
    let mut sides = [0, 0];
    for segment in segments.lines() {
        let [from, kind, segment_len, message_len] = segment.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{segment:?} in\n{segments}");
        };
        assert!(!kind.is_empty() && segment_len == message_len, "{segment:?} in\n{segments}");
        sides[usize::from(from == SERVER.to_string())] += 1;
    }
    // Start, call, end of the call, stop: at least so many from each.
    assert!(sides.iter().all(|messages| *messages >= 3), "{segments}");
}

#[test]
fn log_level_selects_the_lines_of_the_log() {
    for (level, has_login, has_step) in [("warn", false, false), ("info", true, false), ("debug", true, true)]
    {
        let (client_host, server_host) = neighbours();
        let config = format!("{CONFIG}[log]\nlevel = \"{level}\"\n");
        let server = Server::start(server_host, &config, &["alice"]);
        let mut refused = dial(&client_host, "203.0.113.10", "alice", "not the password", &["--once"]);
        refused.running.wait(SOON);
        let mut client = connect(&client_host, "alice", &[]);
        assert_eq!(client.hang_up(), 0, "{}", client.running.log());
        wait_until("the end in the store", SOON, || server.adit(&["log"]).stdout.contains("session.end"));
        let log = server.running.log();
        assert!(log.contains("code=A01"), "a failed call is a warning: {log}");
        assert_eq!(log.contains("session.up"), has_login, "{level}: {log}");
        assert_eq!(log.lines().any(|line| line.contains(" step ")), has_step, "{level}: {log}");
        assert!(server.adit(&["log"]).stdout.contains("session.up"), "the store keeps all events");
    }
}

/// Makes `calls` calls at once as one user; `hold` keeps them up.
fn call(host: &Host, calls: u32, hold: Duration) -> Report {
    let plan = Plan {
        user: "alice".to_owned(),
        users: 1,
        sessions: calls,
        at_once: calls,
        pings: 1,
        size: 100,
        hold,
        ..Plan::new(SocketAddrV4::new(SERVER, 1723), PASSWORD)
    };
    host.run(|| adit_bench::run(plan).unwrap())
}

#[test]
fn c043_a_full_server_refuses_with_its_reason_and_goes_on() {
    let (client_host, server_host) = neighbours();
    let config = CONFIG.replace("[access]", "[access]\nsessions = 10");
    let config = config.replace("[limits]", "[limits]\nsessions = 3");
    let server = Server::start(server_host, &config, &["alice"]);
    std::thread::scope(|scope| {
        let three = scope.spawn(|| call(&client_host, 3, Duration::from_secs(4)));
        wait_until("three sessions", SOON, || server.status().sessions_up == 3);
        let late = call(&client_host, 1, Duration::ZERO);
        assert_eq!(late.up, 0);
        assert!(late.failed.keys().all(|why| why.starts_with("C05")), "{:?}", late.failed);
        assert_eq!(server.status().sessions_up, 3, "no session was replaced");
        assert!(three.join().unwrap().is_clean());
    });
    assert!(call(&client_host, 1, Duration::ZERO).is_clean(), "there is room again");
    let log = server.adit(&["log", "--failed"]).stdout;
    assert!(log.contains("code=C05") && log.contains("limits.sessions"), "{log}");
}

#[test]
fn c116_a_client_that_vanishes_is_noticed_by_its_echoes_and_its_address_freed() {
    let (client_host, server_host) = neighbours();
    let config = format!("{CONFIG}[link]\necho = {{ every = \"5s\", lost = 1 }}\n");
    let server = Server::start(server_host, &config, &["alice"]);
    let _client = connect(&client_host, "alice", &[]);
    client_host.ip("link set eth0 down");
    wait_until("the end of the session", SOON, || server.sessions().is_empty());
    assert_eq!(server.status().pools[0].used, 0);
    let row = server.first_past();
    assert_eq!(row.outcome(), (Some("lost-carrier"), Some("L04")), "{row:?}");
}

#[test]
fn c035_a_control_connection_without_echo_replies_ends_the_session() {
    let (client_host, server_host) = neighbours();
    let config = CONFIG.replace("[pool]", "echo = { every = \"5s\", lost = 1 }\n[pool]");
    let server = Server::start(server_host, &config, &["alice"]);
    let _client = connect(&client_host, "alice", &["--once"]);
    // GRE still passes: only the control connection is dead.
    client_host.nft(
        "table ip f {
            chain i {
                type filter hook input priority 0
                tcp sport 1723 drop
            }
        }",
    );
    let row = server.first_past();
    assert_eq!(row.outcome(), (Some("lost-carrier"), Some("C06")), "{row:?}");
}
