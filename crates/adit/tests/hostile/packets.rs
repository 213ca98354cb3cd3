//! GRE that belongs to no call, addresses that are not the sender's own, and an LCP that is answered by its echo.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adit_diag::Counters;
use adit_testbed::{Host, wait_until};

use crate::common::*;
use crate::peer::{Gre, Peer, outsider};

/// What the server calls alice's call.
fn call_id(server: &Server) -> u16 {
    let session = server.session("alice");
    session.call_ids.unwrap_or_else(|| panic!("{session:?}")).0
}

/// What went through alice's session.
fn counters(server: &Server) -> Counters {
    server.session("alice").session.counters
}

/// One UDP datagram from this source address, through the tunnel.
fn datagram(host: &Host, source: &str, to: &str) {
    host.run(|| {
        let socket = std::net::UdpSocket::bind((source, 0)).unwrap();
        socket.send_to(b"hello", (to, 9)).unwrap();
    });
}

#[test]
fn c069_c070_gre_for_unknown_calls_and_from_strangers_is_counted_and_dropped() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let outsider = outsider(&server.host);
    let mut alice = connect(&client_host, "alice", &[]);
    let call_id = call_id(&server);
    let mut stranger = Gre::open(&outsider, SERVER);
    let frame = b"\xff\x03\xc0\x21\x05\x01\x00\x04";
    let unknown = (1..).find(|id| id % 97 != call_id % 97).unwrap();
    for _ in 0..20 {
        stranger.send(unknown, frame);
    }
    // A Terminate-Request for alice's call, by another host.
    for seq in 0..10 {
        stranger.send_as(call_id, seq, frame);
    }
    // Not enhanced GRE, and cut.
    for _ in 0..5 {
        stranger.raw(b"\x00\x00\x08\x00plain GRE");
        stranger.raw(b"\x30\x01\x88\x0b\x00\xff\x00\x01");
        stranger.raw(b"\x30");
    }
    wait_until("the drops", SOON, || {
        let drops = server.status().drops;
        drops.unknown_call >= 20 && drops.spoofed >= 10
    });
    let drops = server.status().drops;
    assert!(drops.malformed >= 5, "{drops:?}");
    client_host.ping(LAN_HOST);
    assert!(!alice.running.log().contains("retry"), "{}", alice.running.log());
    // The same from alice's own address: what is not encrypted is refused from any address.
    let neighbour = Gre::open(&client_host, SERVER);
    for seq in 1000..1010 {
        neighbour.send_as(
            call_id,
            seq,
            b"\x00\x21\x45\x00\x00\x14\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x63\x00\x0a\xc0\xa8\x0a\x14",
        );
    }
    wait_until("the refusals", SOON, || counters(&server).clear_refused > 0);
    alice.running.status();
    drop(alice);
}

#[test]
fn c136_inner_packets_with_another_source_or_to_a_denied_place_are_dropped_and_counted() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    // A second network behind the server, which no user may reach.
    server.lan.ip("address add 192.168.77.20/24 dev eth0");
    server.host.ip("address add 192.168.77.1/24 dev lan0");
    let mut alice = connect(&client_host, "alice", &["--routes", "192.168.77.0/24"]);
    client_host.ping(LAN_HOST);
    let listener = |address: &'static str| {
        let socket = server.lan.run(|| std::net::UdpSocket::bind((address, 9)).unwrap());
        socket.set_nonblocking(true).unwrap();
        socket
    };
    let (allowed, denied) = (listener("192.168.10.20"), listener("192.168.77.20"));
    let got = |socket: &std::net::UdpSocket| socket.recv_from(&mut [0; 64]).is_ok();
    let address = server.session("alice").session.address.unwrap().to_string();
    datagram(&client_host, &address, "192.168.10.20");
    wait_until("an honest datagram", SOON, || got(&allowed));
    client_host.ip("address add 10.99.0.200/32 dev adit0");
    for _ in 0..5 {
        datagram(&client_host, "10.99.0.200", "192.168.10.20");
        datagram(&client_host, "203.0.113.77", "192.168.10.20");
        datagram(&client_host, &address, "192.168.77.20");
    }
    wait_until("the spoofed ones", SOON, || counters(&server).spoofed >= 10);
    wait_until("the denied ones", SOON, || counters(&server).acl_denied >= 5);
    assert!(!got(&allowed) && !got(&denied), "a dropped datagram came through");
    client_host.ping(LAN_HOST);
    assert_eq!(alice.hang_up(), 0);
}

/// Sends back every frame for `mine` until it is stopped.
fn echo_everything(mut gre: Gre, mine: u16, theirs: u16, stop: &AtomicBool) {
    gre.each(mine, || !stop.load(Ordering::Relaxed), |gre, frame| gre.send(theirs, frame));
}

#[test]
fn c112_a_client_that_echoes_our_lcp_is_a_loop() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &[]);
    let mut peer = Peer::open(&client_host);
    let gre = Gre::open(&client_host, SERVER);
    peer.start();
    let theirs = peer.call(77);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| echo_everything(gre, 77, theirs, &stop));
        assert!(peer.is_closed_within(SOON));
        stop.store(true, Ordering::Relaxed);
    });
    let failed = |log: &str| log.lines().filter(|line| line.contains("code=L02")).count();
    wait_until("the verdict", SOON, || failed(&server.adit(&["log", "--failed"]).stdout) == 1);
}

#[test]
fn c112_a_server_that_echoes_our_lcp_is_a_loop() {
    let (client_host, server_host) = neighbours();
    let listener = server_host.run(|| std::net::TcpListener::bind((SERVER, 1723)).unwrap());
    let gre = Gre::open(&server_host, "203.0.113.77".parse().unwrap());
    let before = state_of(&client_host);
    let mut client = dial(&client_host, "203.0.113.10", "alice", PASSWORD, &[]);
    let mut peer = Peer::of(listener.accept().unwrap().0);
    let theirs = peer.accept(88);
    let stop = AtomicBool::new(false);
    let status = std::thread::scope(|scope| {
        scope.spawn(|| echo_everything(gre, 88, theirs, &stop));
        // It closes the control connection in order, without an answer here.
        let status = client.running.wait(SOON);
        stop.store(true, Ordering::Relaxed);
        status
    });
    let log = client.running.log();
    assert_eq!(status.code(), Some(13), "{log}");
    assert!(log.contains("L02"), "{log}");
    assert_eq!(state_of(&client_host), before);
}

#[test]
fn a_ppp_flood_in_one_call_disturbs_no_other() {
    let (client_host, server_host) = neighbours();
    let server = Server::start(server_host, CONFIG, &["alice"]);
    let outsider = outsider(&server.host);
    let mut alice = connect(&client_host, "alice", &[]);
    let mut peer = Peer::open(&outsider);
    let mut gre = Gre::open(&outsider, SERVER);
    peer.start();
    let theirs = peer.call(77);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut id = 0u8;
            while !stop.load(Ordering::Relaxed) {
                // Requests that want an answer each: LCP with an unknown option, an echo, and PAP out of turn.
                gre.send(theirs, &[0xff, 3, 0xc0, 0x21, 1, id, 0, 8, 0x77, 4, 1, 2]);
                gre.send(theirs, &[0xff, 3, 0xc0, 0x21, 9, id, 0, 8, 1, 2, 3, 4]);
                gre.send(theirs, &[0xff, 3, 0xc0, 0x23, 1, id, 0, 10, 2, b'a', b'b', 2, b'c', b'd']);
                gre.send(theirs, &[0xff, 3, 0x12, 0x35, 1, id, 0, 4]);
                id = id.wrapping_add(1);
            }
        });
        transfer(&client_host, &server.lan, 1_000_000);
        let begin = std::time::Instant::now();
        while begin.elapsed() < Duration::from_secs(2) {
            client_host.ping(LAN_HOST);
        }
        stop.store(true, Ordering::Relaxed);
    });
    drop(peer);
    wait_until("its end", SOON, || server.status().sessions_starting == 0);
    assert!(!alice.running.log().contains("retry"), "{}", alice.running.log());
    assert_eq!(alice.hang_up(), 0);
}
