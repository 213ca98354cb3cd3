//! `link.io = "auto"`: AF_XDP carries the packets only while that changes nothing for any of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use std::time::{Duration, Instant};

use adit_testbed::{Capture, Host, wait_until};
use common::*;

/// The longest time from a change of the rules to its effect.
const EFFECT: Duration = Duration::from_secs(1);

/// What the server says it uses.
fn uses_xdp(server: &Server) -> bool {
    server.status().io.starts_with("AF_XDP on eth0 (native")
}

/// A server on a host with these rules, and a client that is connected.
fn server_with(rules: &str) -> (Host, Server, Client) {
    let (client_host, server_host) = neighbours();
    server_host.nft(rules);
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let client = connect(&client_host, "alice", &[]);
    (client_host, server, client)
}

/// The packets that the only session has received.
fn received(server: &Server) -> u64 {
    server.sessions()[0].counters.rx_packets
}

/// Sends echo requests through the tunnel for as long as it lives, without waiting for answers.
struct Traffic(std::process::Child);

impl Traffic {
    fn start(client: &Host) -> Traffic {
        let mut ping = std::process::Command::new("ping");
        ping.args(["-q", "-i", "0.01", "-c", "6000", "192.168.10.20"]);
        ping.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        Traffic(client.run(|| ping.spawn().unwrap()))
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const EMPTY: &str = "";

#[test]
fn without_rules_af_xdp_carries_the_packets() {
    let (client_host, server, mut client) = server_with(EMPTY);
    assert!(uses_xdp(&server), "{:?}", server.status());
    assert_eq!(server.status().no_xdp, "");
    assert!(client_host.sh("ip -o link show eth0").contains("xdp"), "the client too");
    transfer(&client_host, &server.lan, 2_000_000);
    assert_eq!(client.hang_up(), 0);
}

/// The rule drops packets that the driver passes to AF_XDP: within a second they are dropped again. Nothing ends, and as
/// soon as the rule is removed the packets flow, by the socket.
#[test]
fn a_rule_that_drops_gre_takes_effect_within_a_second_and_no_session_is_lost() {
    let (client_host, server, mut client) = server_with(EMPTY);
    assert!(uses_xdp(&server));
    let traffic = Traffic::start(&client_host);
    wait_until("traffic", SOON, || received(&server) > 100);
    server.host.nft("table ip f {\nchain i { type filter hook input priority 0; ip protocol 47 drop; }\n}");
    let added = Instant::now();
    std::thread::sleep(EFFECT);
    let after = received(&server);
    // The time of the question itself is not part of it.
    assert!(added.elapsed() < EFFECT * 5, "this machine is too slow for this test");
    std::thread::sleep(EFFECT);
    let later = received(&server);
    assert_eq!(later, after, "the rule drops them, and still they arrive");
    let status = server.status();
    assert!(status.io.starts_with("raw socket"), "{status:?}");
    assert!(status.no_xdp.contains("drop") && status.no_xdp.contains("GRE"), "{status:?}");
    server.host.sh("nft delete table ip f");
    wait_until("traffic again", SOON, || received(&server) > later + 100);
    drop(traffic);
    transfer(&client_host, &server.lan, 500_000);
    assert!(!uses_xdp(&server), "not again within ten minutes");
    assert!(server.status().left_by_xdp > 100, "{:?}", server.status());
    let rows = server.sessions();
    assert_eq!((rows.len(), rows[0].counters.decrypt_failures), (1, 0), "{rows:?}");
    assert_eq!(client.hang_up(), 0, "{}", client.running.log());
}

/// A rule that only counts is added in the middle of a transfer: it counts, and not an octet is lost.
#[test]
fn a_rule_that_counts_gre_puts_the_packets_on_the_socket_in_the_middle_of_a_transfer() {
    let (client_host, server, mut client) = server_with(EMPTY);
    assert!(uses_xdp(&server));
    let moving = std::thread::scope(|scope| {
        let moving = scope.spawn(|| transfer(&client_host, &server.lan, 60_000_000));
        std::thread::sleep(Duration::from_millis(200));
        server.host.nft(
            "table inet count {\nchain i { type filter hook input priority 0; ip protocol 47 counter; }\n\
             chain o { type filter hook output priority 0; ip protocol 47 counter; }\n}",
        );
        moving.join()
    });
    moving.unwrap();
    wait_until("the socket", SOON, || !uses_xdp(&server));
    let status = server.status();
    assert!(status.no_xdp.contains("count"), "{status:?}");
    transfer(&client_host, &server.lan, 1_000_000);
    let counted = server.host.sh("nft list table inet count");
    assert!(!counted.contains("packets 0 "), "{counted}");
    assert_eq!(client.hang_up(), 0, "{}", client.running.log());
}

/// The rule sets of programs that manage firewalls, and what is decided with them. The rules in front of them only let the
/// control connection in, and the packets of the tunnel.
#[test]
fn rule_sets_of_ufw_firewalld_and_docker() {
    const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../inspect/tests/data/bypass");
    const IPTABLES: &str =
        "iptables -I INPUT -p tcp --dport 1723 -j ACCEPT; iptables -I INPUT -i adit+ -j ACCEPT";
    const FIREWALLD: &str = "nft insert rule inet firewalld filter_INPUT tcp dport 1723 accept; \
                             nft insert rule inet firewalld filter_INPUT iifname adit* accept";
    for (load, file, more, obstacle) in [
        ("iptables-restore", "ufw-gre.txt", IPTABLES, "count received GRE packets"),
        ("iptables-restore", "docker.txt", IPTABLES, ""),
        ("nft -j -f -", "firewalld-gre.nft.json", FIREWALLD, ""),
        // The client cannot get through here, in either way.
        ("iptables-restore", "ufw.txt", IPTABLES, "drop received GRE packets"),
        ("nft -j -f -", "firewalld.nft.json", FIREWALLD, "reject received GRE packets"),
    ] {
        let (client_host, server_host) = neighbours();
        server_host.sh(&format!("{load} <{DATA}/{file}; {more}"));
        let config = CONFIG.replace("[limits]", "[link]\nsetup = \"6s\"\n[limits]");
        let server = Server::start(server_host, &config, &["alice"]);
        let status = server.status();
        assert_eq!(uses_xdp(&server), obstacle.is_empty(), "{file}: {status:?}");
        assert!(status.no_xdp.contains(obstacle), "{file}: {status:?}");
        assert!(obstacle.is_empty() || status.no_xdp.starts_with("at the start, "), "{file}: {status:?}");
        if obstacle.starts_with("drop") || obstacle.starts_with("reject") {
            let mut client = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &["--once"]);
            assert!(!client.running.wait(SOON * 2).success(), "{file}: {}", client.running.log());
            continue;
        }
        let mut client = connect(&client_host, "alice", &[]);
        client_host.ping(std::net::Ipv4Addr::new(10, 99, 0, 1));
        assert_eq!(client.hang_up(), 0, "{file}");
    }
}

/// Who captures packets on the interface sees them: AF_XDP is not used for as long.
#[test]
fn a_capture_shows_the_packets() {
    let (client_host, server, mut client) = server_with(EMPTY);
    assert!(uses_xdp(&server));
    let traffic = Traffic::start(&client_host);
    let mut capture = Capture::start(&server.host, "eth0", "proto 47");
    wait_until("the socket", SOON, || !uses_xdp(&server));
    assert!(server.status().no_xdp.contains("captures packets on eth0"), "{:?}", server.status());
    std::thread::sleep(EFFECT);
    drop(traffic);
    capture.stop();
    let both = capture.tshark(&["-T", "fields", "-e", "ip.src"]);
    let from = |address: &str| both.lines().filter(|line| *line == address).count();
    assert!(from("203.0.113.77") > 10 && from("203.0.113.10") > 10, "{both}");
    assert_eq!(client.hang_up(), 0);
}

/// Rules that do not concern GRE change nothing.
#[test]
fn other_rules_leave_af_xdp_in_use() {
    let (client_host, server, mut client) = server_with(
        "table inet f {\nchain i { type filter hook input priority 0; policy drop;\n\
         ct state established,related accept\n tcp dport { 22, 1723 } counter accept\n ip protocol 47 accept\n\
         iifname lan0 accept\n iifname \"adit*\" accept\n icmp type echo-request accept; }\n}",
    );
    assert!(uses_xdp(&server), "{:?}", server.status());
    for port in 1..20 {
        server.host.sh(&format!("nft add rule inet f i tcp dport {port} counter log drop"));
    }
    std::thread::sleep(EFFECT * 2);
    assert!(uses_xdp(&server), "{:?}", server.status());
    transfer(&client_host, &server.lan, 1_000_000);
    assert_eq!(client.hang_up(), 0);
}
