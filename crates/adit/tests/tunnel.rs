//! The whole program in real network namespaces: a server, a LAN behind it, clients in front. Raw sockets move the packets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "tunnel/cases.rs"]
mod cases;
mod common;
#[path = "tunnel/mfa.rs"]
mod mfa;
#[path = "tunnel/reach.rs"]
mod reach;

use std::net::Ipv4Addr;

use adit_testbed::{Capture, wait_until};
use common::*;

const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);

#[test]
fn blocked_gre_is_named() {
    let (client_host, server_host) = neighbours();
    let config = CONFIG.replace("[limits]", "[link]\nsetup = \"6s\"\n[limits]");
    let server = Server::start(server_host, &config, &["alice"]);
    server.host.nft(
        "table ip f {
chain i { type filter hook input priority 0; ip protocol 47 drop; }
}",
    );
    let mut client = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &["--once"]);
    let code = client.running.wait(SOON * 2).code();
    assert_eq!(code, Some(12), "{}", client.running.log());
    wait_until("the server's verdict", SOON, || {
        server.adit(&["log", "--failed"]).stdout.contains("code=G01")
    });
}

/// With AF_XDP what arrives is not seen by a capture on the host.
#[test]
fn c189_nothing_in_clear_and_nothing_malformed_on_the_wire() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let mut capture = Capture::start(&server.host, "eth0", "tcp port 1723 or proto 47 or icmp");
    let mut client = connect(&client_host, "alice", &[]);
    client_host.ping(LAN_HOST);
    transfer(&client_host, &server.lan, 200_000);
    assert_eq!(client.hang_up(), 0);
    capture.stop();
    let malformed = capture.tshark(&["-Y", "_ws.malformed || pptp.length == 0"]);
    assert_eq!(malformed, "", "tshark finds fault with these packets");
    let clear = capture.tshark(&["-Y", "gre && ppp.protocol == 0x0021"]);
    assert_eq!(clear, "", "IP packets went in clear");
    let encrypted =
        capture.tshark(&["-Y", "gre && ppp.protocol == 0x00fd", "-T", "fields", "-e", "frame.number"]);
    assert!(encrypted.lines().count() > 100, "only {} encrypted packets", encrypted.lines().count());
}

/// Two clients on one host cannot both have AF_XDP.
#[test]
fn an_empty_pool_a_disabled_account_and_a_second_session() {
    let (client_host, server_host) = neighbours();
    let config = CONFIG.replace("dns = ", "range = \"10.99.0.10-10.99.0.10\"\ndns = ");
    let server = Server::start(server_host, &config, &["alice", "bob", "carol"]);
    let mut alice = connect(&client_host, "alice", &[]);
    let mut bob = dial(&client_host, "203.0.113.10", "bob", PASSWORD, &["--once"]);
    assert_eq!(bob.running.wait(SOON).code(), Some(16), "{}", bob.running.log());
    let log = server.adit(&["log", "--failed"]);
    assert!(log.stdout.contains("I01"), "{log}");
    assert!(server.adit(&["user", "disable", "carol", "--reason", "left"]).ok);
    let mut carol = dial(&client_host, "203.0.113.10", "carol", PASSWORD, &["--once"]);
    assert_eq!(carol.running.wait(SOON).code(), Some(14), "{}", carol.running.log());
    assert!(carol.running.log().contains("A02"), "{}", carol.running.log());
    let mut newer = connect(&client_host, "alice", &["--once", "--interface", "newer0"]);
    alice.running.wait_for("ended", SOON);
    client_host.ping(GATEWAY);
    newer.hang_up();
    alice.hang_up();
}
