//! Garbage, floods and half conversations on TCP 1723, while another client works.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use adit_testbed::{Host, wait_until};
use adit_wire::pptp::{EchoRequest, Message};

use crate::common::*;
use crate::peer::{Gre, Peer, call, outsider, start};

/// A server with alice connected to it, and another client.
struct Scene {
    server: Server,
    client_host: Host,
    alice: Client,
    outsider: Host,
}

impl Scene {
    fn new(config: &str) -> Scene {
        let (client_host, server_host) = neighbours();
        let server = Server::start(server_host, config, &["alice", "bob"]);
        let outsider = outsider(&server.host);
        let alice = connect(&client_host, "alice", &[]);
        Scene { server, client_host, alice, outsider }
    }

    /// Alice noticed nothing, and nothing is left of the others.
    #[track_caller]
    fn undisturbed(mut self) {
        transfer(&self.client_host, &self.server.lan, 200_000);
        wait_until("the end of the others", SOON, || self.sessions() == ["alice"]);
        let log = self.alice.running.log();
        assert!(!log.contains("retry") && !log.contains("FAIL"), "{log}");
        assert_eq!(self.alice.hang_up(), 0);
        assert_eq!(self.server.status().pools[0].used, 0, "an address is still lent");
        self.server.running.signal("TERM");
        assert!(self.server.running.wait(SOON).success(), "{}", self.server.running.log());
    }

    fn sessions(&self) -> Vec<String> {
        self.server.sessions().into_iter().map(|session| session.user).collect()
    }

    fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.running.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

/// A second client on the host of the first: it cannot have the same routes.
fn bob(host: &Host) -> Client {
    let routes = ["--routes", "192.168.77.0/24", "--interface", "bob0"];
    let mut bob = dial(host, "203.0.113.10", "bob", PASSWORD, &routes);
    bob.running.wait_for("connected", SOON);
    bob
}

fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491u32;
    let step = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(step).take(len).collect()
}

#[test]
fn c003_c005_c007_c014_garbage_and_giant_lengths_end_their_own_connection_alone() {
    let scene = Scene::new(CONFIG);
    let header =
        |length: u16| [&length.to_be_bytes()[..], &[0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0]].concat();
    let giant = [header(65_535), vec![0; 65_535]].concat();
    let rubbish: [&[u8]; 7] = [
        b"GET / HTTP/1.1\r\nHost: vpn.example.org\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a hello of TLS that never ends",
        &noise(64 << 10),
        &header(0),
        &header(11),
        &header(65_535),
        &giant,
    ];
    for octets in rubbish {
        let mut peer = Peer::open(&scene.outsider);
        // It may be closed before all of it is written.
        let _ = peer.stream.write_all(octets);
        assert!(peer.is_closed_within(Duration::from_secs(10)), "{:?} is listened to", &octets[..12]);
        let mut peer = Peer::open(&scene.outsider);
        peer.start();
        let _ = peer.stream.write_all(octets);
        assert!(peer.is_closed_within(Duration::from_secs(10)), "{:?} is listened to", &octets[..12]);
    }
    wait_until("the records", SOON, || {
        scene.server.adit(&["log", "--failed"]).stdout.matches("code=C09").count() >= 2 * rubbish.len()
    });
    scene.undisturbed();
}

#[test]
fn c001_half_messages_are_waited_for_and_no_longer_than_a_bound() {
    let config = CONFIG.replace("[limits]", "[link]\nsetup = \"5s\"\n[limits]");
    let scene = Scene::new(&config);
    let hello = start().to_octets();
    let mut slow = Peer::open(&scene.outsider);
    for octet in &hello {
        slow.stream.write_all(&[*octet]).unwrap();
    }
    assert!(matches!(slow.receive(), Some(Message::StartControlConnectionReply(_))));
    let mut half = Peer::open(&scene.outsider);
    half.stream.write_all(&hello[..77]).unwrap();
    let mut gone = Peer::open(&scene.outsider);
    gone.stream.write_all(&hello[..77]).unwrap();
    drop(gone);
    assert!(half.is_closed_within(SOON * 2), "half a message is waited for without a bound");
    scene.undisturbed();
}

#[test]
fn floods_of_echoes_and_calls_do_not_grow_the_server_nor_starve_others() {
    let scene = Scene::new(CONFIG);
    let before = scene.memory_kib();
    let echo = Message::from(EchoRequest { identifier: 7 }).to_octets();
    let flood = echo.repeat(4096);
    // The answers are not read.
    let mut deaf = Peer::open(&scene.outsider);
    deaf.start();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) && deaf.stream.write_all(&flood).is_ok() {}
    // They are read; the server does not answer each of a flood, and still answers.
    let mut eager = Peer::open(&scene.outsider);
    eager.start();
    eager.stream.write_all(&flood).unwrap();
    eager.stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut answers = Vec::new();
    let _ = eager.stream.read_to_end(&mut answers);
    assert!(!answers.is_empty() && answers.len() < 4096 * 20, "{} octets of answers", answers.len());
    std::thread::sleep(Duration::from_millis(1100));
    eager.send(&Message::from(EchoRequest { identifier: 99 }));
    let answered = |message: &Message| matches!(message, Message::EchoReply(reply) if reply.identifier == 99);
    assert!(std::iter::from_fn(|| eager.receive()).any(|message| answered(&message)));
    // Calls upon calls on one connection: one is taken, the others are answered.
    let mut caller = Peer::open(&scene.outsider);
    caller.start();
    for id in 1..=300 {
        caller.send(&call(id));
    }
    let mut taken = 0;
    for _ in 0..300 {
        match caller.receive() {
            Some(Message::OutgoingCallReply(reply)) => taken += u32::from(u8::from(reply.result) == 1),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(taken, 1, "one call a connection");
    transfer(&scene.client_host, &scene.server.lan, 200_000);
    let grown = scene.memory_kib().saturating_sub(before);
    assert!(grown < 16 << 10, "the server has grown by {grown} KiB");
    drop((eager, caller));
    drop(deaf);
    scene.undisturbed();
}

#[test]
fn c232_a_thousand_half_open_connections_do_not_stop_a_new_client() {
    let scene = Scene::new(CONFIG);
    adit_sys::host::raise_descriptor_limit().unwrap();
    let mut silent: Vec<Peer> = (0..550).map(|_| Peer::open(&scene.outsider)).collect();
    let mut started: Vec<Peer> = (0..550)
        .map(|_| {
            let mut peer = Peer::open(&scene.outsider);
            peer.send(&start());
            peer
        })
        .collect();
    let mut bob = bob(&scene.client_host);
    let took = bob.running.log();
    let connected = took.lines().find(|line| line.starts_with("connected")).unwrap();
    let seconds: f64 = connected.split_whitespace().nth(2).unwrap().parse().unwrap();
    assert!(seconds < 5.0, "{connected}");
    assert!(bob.hang_up() == 0);
    // More than the server keeps: the oldest made room.
    assert!(silent[0].is_closed_within(Duration::from_secs(10)), "the oldest is still there");
    assert!(matches!(started[549].receive(), Some(Message::StartControlConnectionReply(_))));
    drop((silent.split_off(0), started));
    scene.undisturbed();
}

#[test]
fn c027_a_connection_that_breaks_in_any_state_frees_everything() {
    let scene = Scene::new(CONFIG);
    for state in 0..4 {
        for reset in [false, true] {
            let mut peer = Peer::open(&scene.outsider);
            let mut gre = Gre::open(&scene.outsider, SERVER);
            if state > 0 {
                peer.start();
            }
            if state > 1 {
                let call_id = peer.call(77);
                if state > 2 {
                    gre.send(call_id, b"\xff\x03\xc0\x21\x01\x01\x00\x04");
                }
            }
            if reset {
                // Something unread at the end makes the kernel send a reset.
                peer.send(&Message::from(EchoRequest { identifier: 1 }));
                std::thread::sleep(Duration::from_millis(50));
            }
            drop(peer);
        }
    }
    wait_until("the end of all of them", SOON, || scene.sessions() == ["alice"]);
    let status = scene.server.status();
    assert_eq!(status.sessions_starting, 0, "{status:?}");
    assert_eq!(status.pools[0].used, 1, "alice's alone: {status:?}");
    scene.undisturbed();
}

#[test]
fn c028_two_connections_from_one_address_work_at_once() {
    let mut scene = Scene::new(CONFIG);
    let mut bob = bob(&scene.client_host);
    let rows = scene.server.sessions();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[0].from, rows[1].from);
    assert_ne!(rows[0].address, rows[1].address);
    assert_eq!(scene.alice.running.status(), None);
    assert_eq!(bob.hang_up(), 0);
    scene.undisturbed();
}
