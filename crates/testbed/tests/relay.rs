//! A wire that spoils GRE by rule, and nothing else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_sys::gre::{GreOptions, GreSocket, RecvBatch, SendBatch};
use adit_testbed::{Fate, Frame, Host, Relay, Rule, Seeded, pass, wait_until};

const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

struct Net {
    relay: Relay,
    a: GreSocket,
    b: GreSocket,
    _hosts: [Host; 2],
}

fn net(a_to_b: impl Rule + 'static) -> Net {
    let hosts = [Host::new("a"), Host::new("b")];
    let relay = Relay::between(
        (&hosts[0], "eth0", "192.0.2.1/24"),
        (&hosts[1], "eth0", "192.0.2.2/24"),
        a_to_b,
        pass,
    );
    // Addresses are resolved before GRE is counted.
    hosts[0].ping(B);
    let open = || GreSocket::open(&GreOptions::default()).unwrap();
    Net { relay, a: hosts[0].run(open), b: hosts[1].run(open), _hosts: hosts }
}

fn packet(number: u16) -> [u8; 12] {
    let [n0, n1] = number.to_be_bytes();
    [0x30, 0x01, 0x88, 0x0b, 0, 0, 0, 7, 0, 0, n0, n1]
}

fn send(from: &GreSocket, to: Ipv4Addr, numbers: std::ops::Range<u16>) {
    let mut batch = SendBatch::new(64, 64);
    for n in numbers {
        assert!(batch.push(to, None, &packet(n)));
        if batch.is_full() {
            assert_eq!(from.send(&mut batch).sent, 64);
        }
    }
    from.send(&mut batch);
}

/// What arrives until nothing has for 200 ms.
fn receive(at: &GreSocket) -> Vec<u16> {
    let mut batch = RecvBatch::new(64, 256);
    let mut numbers = Vec::new();
    let mut last = Instant::now();
    while last.elapsed() < Duration::from_millis(200) {
        if at.receive(&mut batch).unwrap() == 0 {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        last = Instant::now();
        numbers.extend(batch.packets().map(|p| u16::from_be_bytes([p.gre[10], p.gre[11]])));
    }
    numbers
}

#[test]
fn a_wire_without_a_rule_keeps_everything_in_order() {
    let net = net(pass);
    send(&net.a, B, 0..200);
    assert_eq!(receive(&net.b), (0..200).collect::<Vec<_>>());
    send(&net.b, A, 0..10);
    assert_eq!(receive(&net.a), (0..10).collect::<Vec<_>>());
    let [there, back] = net.relay.counts();
    assert_eq!((there.seen, back.seen, there.dropped, there.overflowed), (200, 10, 0, 0));
}

#[test]
fn a_rule_decides_frame_by_frame() {
    let net = net(|frame: &Frame<'_>| match (frame.index, frame.gre) {
        (3, Some(gre)) if gre.len() == 12 => Fate::Drop,
        (5, _) => Fate::Duplicate(Duration::from_millis(20)),
        (7, _) => Fate::Delay(Duration::from_millis(20)),
        _ => Fate::Pass,
    });
    send(&net.a, B, 0..12);
    assert_eq!(receive(&net.b), [0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 5, 7]);
    let [there, _] = net.relay.counts();
    assert_eq!((there.dropped, there.duplicated, there.delayed), (1, 1, 1));
}

#[test]
fn a_seeded_rule_loses_its_share_and_can_be_replaced() {
    let net = net(Seeded { drop: 200, reorder: 100, duplicate: 50, ..Seeded::new(42) });
    send(&net.a, B, 0..1000);
    let arrived = receive(&net.b);
    let [there, _] = net.relay.counts();
    assert_eq!(there.overflowed, 0);
    assert!((150..250).contains(&there.dropped), "{there:?}");
    assert_eq!(arrived.len() as u64, 1000 - there.dropped + there.duplicated);
    assert!(!arrived.is_sorted(), "held frames are overtaken");

    net.relay.set(pass, |_: &Frame<'_>| Fate::Drop);
    send(&net.a, B, 0..50);
    assert_eq!(receive(&net.b), (0..50).collect::<Vec<_>>());
    send(&net.b, A, 0..50);
    assert!(receive(&net.a).is_empty());
}

#[test]
fn a_delay_delays_and_tcp_passes_whole() {
    let hosts = [Host::new("a"), Host::new("b")];
    let delay = || Seeded { delay: Duration::from_millis(30), drop: 0, ..Seeded::new(1) };
    let relay = Relay::between(
        (&hosts[0], "eth0", "192.0.2.1/24"),
        (&hosts[1], "eth0", "192.0.2.2/24"),
        delay(),
        delay(),
    );
    // Super-packets with unfinished checksums go through as they are.
    let listener = hosts[1].run(|| std::net::TcpListener::bind("192.0.2.2:9").unwrap());
    let sink = std::thread::spawn(move || {
        std::io::copy(&mut listener.accept().unwrap().0, &mut std::io::sink()).unwrap()
    });
    hosts[0].run(|| {
        let mut to = std::net::TcpStream::connect("192.0.2.2:9").unwrap();
        std::io::Write::write_all(&mut to, &vec![1; 4 << 20]).unwrap();
    });
    assert_eq!(sink.join().unwrap(), 4 << 20);

    let open = || GreSocket::open(&GreOptions::default()).unwrap();
    let (a, b) = (hosts[0].run(open), hosts[1].run(open));
    let start = Instant::now();
    send(&a, B, 0..1);
    let mut batch = RecvBatch::new(1, 256);
    wait_until("the delayed frame", Duration::from_secs(10), || b.receive(&mut batch).unwrap() > 0);
    assert!(start.elapsed() >= Duration::from_millis(30));
    assert_eq!(relay.counts()[0].delayed, 1);
}
