//! AF_XDP between real hosts, with a raw socket or AF_XDP at the other end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_sys::gre::{GreOptions, GreSocket, RecvBatch, SendBatch};
use adit_sys::poll::{Interest, Poller};
use adit_sys::xdp::{self, HEADROOM, Mode, Receiver, SLOT, Sender, Xdp, XdpOptions};
use adit_testbed::{Host, wait_until, wire};

const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const SOON: Duration = Duration::from_secs(20);

struct Net {
    a: Host,
    b: Host,
}

fn net() -> Net {
    let (a, b) = (Host::new("a"), Host::new("b"));
    wire((&a, "eth0", "192.0.2.1/24"), (&b, "eth0", "192.0.2.2/24"));
    Net { a, b }
}

fn options(mode: Mode) -> XdpOptions {
    XdpOptions { interface: "eth0".to_owned(), local: None, dont_fragment: false, mode: Some(mode) }
}

fn open(host: &Host, mode: Mode) -> Xdp {
    host.run(|| {
        let socket = Arc::new(GreSocket::open(&GreOptions::default()).unwrap());
        xdp::open(&options(mode), &socket).unwrap()
    })
}

fn plain(host: &Host) -> GreSocket {
    host.run(|| GreSocket::open(&GreOptions::default()).unwrap())
}

/// An enhanced GRE packet whose payload tells its number and length.
fn packet(number: u32, payload: usize) -> Vec<u8> {
    let mut octets = vec![0x30, 0x01, 0x88, 0x0b];
    octets.extend_from_slice(&(payload as u16).to_be_bytes());
    octets.extend_from_slice(&7u16.to_be_bytes());
    octets.extend_from_slice(&number.to_be_bytes());
    octets.extend((0..payload).map(|at| (at as u32).wrapping_mul(31).wrapping_add(number) as u8));
    octets
}

fn number(gre: &[u8]) -> u32 {
    u32::from_be_bytes(gre[8..12].try_into().unwrap())
}

/// Queues one packet, flushing when the batch is full; returns whether there was a slot.
fn push(sender: &mut Sender, to: Ipv4Addr, source: Option<Ipv4Addr>, octets: &[u8]) -> bool {
    if sender.is_full() {
        flush(sender);
    }
    let Some(slot) = sender.slot() else { return false };
    assert_eq!(slot.len(), SLOT);
    slot[HEADROOM..HEADROOM + octets.len()].copy_from_slice(octets);
    assert!(sender.push(to, source, HEADROOM..HEADROOM + octets.len()));
    true
}

fn flush(sender: &mut Sender) -> adit_sys::gre::Sent {
    sender.flush(Instant::now())
}

/// Until AF_XDP is what carries packets from `sender` to `to`: the neighbour is known.
fn warm(sender: &mut Sender, to: Ipv4Addr, mut arrived: impl FnMut() -> usize) {
    wait_until("the neighbour", SOON, || {
        push(sender, to, None, &packet(u32::MAX, 10));
        flush(sender);
        std::thread::sleep(Duration::from_millis(30));
        arrived() > 0
    });
}

fn drain(receiver: &mut Receiver) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while receiver.receive().unwrap() > 0 {
        all.extend(receiver.packets().map(|p| p.gre.to_vec()));
    }
    all
}

fn both_modes(test: impl Fn(Mode)) {
    test(Mode::Native);
    test(Mode::Generic);
}

#[test]
fn packets_go_both_ways_octet_by_octet() {
    both_modes(|mode| {
        let net = net();
        let (mut a, mut b) = (open(&net.a, mode), open(&net.b, mode));
        assert_eq!((a.about.mode, a.about.queues), (mode, 1));
        net.a.ping(B);
        warm(&mut a.sender, B, || drain(&mut b.receiver).len());
        warm(&mut b.sender, A, || drain(&mut a.receiver).len());
        drain(&mut a.receiver);
        drain(&mut b.receiver);
        for (count, payload) in [(1u32, 0usize), (64, 1400), (5000, 700), (300, 1468)] {
            let (mut there, mut back) = (Vec::new(), Vec::new());
            for first in (0..count).step_by(64) {
                for n in first..(first + 64).min(count) {
                    assert!(push(&mut a.sender, B, Some(A), &packet(n, payload)));
                    assert!(push(&mut b.sender, A, None, &packet(n, payload)));
                }
                for sender in [&mut a.sender, &mut b.sender] {
                    let queued = sender.pending();
                    let sent = flush(sender);
                    assert_eq!((sent.sent, sent.congested, sent.refused), (queued, 0, 0), "{sent:?}");
                    assert_eq!((sender.pending(), sender.backlog()), (0, 0));
                }
                there.extend(drain(&mut b.receiver));
                back.extend(drain(&mut a.receiver));
            }
            wait_until("the last packets", SOON, || {
                there.extend(drain(&mut b.receiver));
                back.extend(drain(&mut a.receiver));
                there.len() >= count as usize && back.len() >= count as usize
            });
            let expected: Vec<_> = (0..count).map(|n| packet(n, payload)).collect();
            assert!(there == expected, "{mode:?} {count} there");
            assert!(back == expected, "{mode:?} {count} back");
        }
        assert_eq!((a.receiver.dropped(), b.receiver.dropped()), (0, 0));
        assert_eq!((a.receiver.damaged(), b.receiver.damaged()), (0, 0));
    });
}

#[test]
fn what_is_carried_is_carried_by_af_xdp_and_may_be_changed_until_the_flush() {
    both_modes(|mode| {
        let net = net();
        let (mut a, mut b) = (open(&net.a, mode), open(&net.b, mode));
        net.a.ping(B);
        warm(&mut a.sender, B, || drain(&mut b.receiver).len());
        let (given, taken) = (a.sender.given(), b.receiver.taken());
        for n in 0..40 {
            push(&mut a.sender, B, None, &packet(n, 100));
        }
        assert_eq!(a.sender.packets_mut().count(), 40);
        for gre in a.sender.packets_mut() {
            gre[12] ^= 0xff;
        }
        a.sender.packet_mut(3).unwrap()[13] = 0x55;
        assert!(a.sender.packet_mut(40).is_none());
        flush(&mut a.sender);
        let mut seen = 0;
        wait_until("40 packets", SOON, || {
            if b.receiver.receive().unwrap() == 0 {
                return false;
            }
            // Several at once, mutably, and by number.
            let mut all: Vec<_> = b.receiver.packets().collect();
            for p in &mut all {
                assert_eq!((p.source, p.destination), (A, B));
                p.gre[12] ^= 0xff;
            }
            for index in 0..b.receiver.len() {
                let p = b.receiver.get_mut(index).unwrap();
                let mut expected = packet(seen, 100);
                if seen == 3 {
                    expected[13] = 0x55;
                }
                assert_eq!(p.gre, expected);
                seen += 1;
            }
            seen == 40
        });
        assert!(b.receiver.get_mut(b.receiver.len()).is_none());
        assert_eq!(b.receiver.taken() - taken, 40, "{mode:?}");
        // One packet in a second goes by the socket while the neighbour is not confirmed.
        assert!(a.sender.given() - given >= 39, "{mode:?}");
    });
}

#[test]
fn a_full_ring_is_counted_and_nothing_else_is_lost() {
    both_modes(|mode| {
        let net = net();
        let (mut a, mut b) = (open(&net.a, mode), open(&net.b, mode));
        net.a.ping(B);
        warm(&mut a.sender, B, || drain(&mut b.receiver).len());
        let total = 6000u32;
        let mut sent = 0;
        for n in 0..total {
            assert!(push(&mut a.sender, B, None, &packet(n, 60)));
            if a.sender.is_full() {
                sent += flush(&mut a.sender).sent;
            }
        }
        sent += flush(&mut a.sender).sent;
        assert_eq!(sent, total as usize);
        std::thread::sleep(Duration::from_millis(100));
        let numbers: Vec<u32> = drain(&mut b.receiver).iter().map(|gre| number(gre)).collect();
        assert!(numbers.is_sorted() && numbers.len() >= 4096, "{}", numbers.len());
        assert_eq!(numbers.len() as u64 + b.receiver.dropped(), u64::from(total), "{mode:?}");
        // It goes on.
        push(&mut a.sender, B, None, &packet(1, 60));
        flush(&mut a.sender);
        wait_until("one more", SOON, || !drain(&mut b.receiver).is_empty());
    });
}

#[test]
fn everything_else_goes_to_the_stack() {
    both_modes(|mode| {
        let net = net();
        let (mut a, _b) = (open(&net.a, mode), open(&net.b, mode));
        net.a.ping(B);
        net.b.ping(A);
        // A transfer of some size, with whatever offload the interfaces have.
        const OCTETS: usize = 8 << 20;
        let listener = net.b.run(|| TcpListener::bind((B, 1723)).unwrap());
        let server = net.b.thread(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            stream.write_all(b"thanks").unwrap();
            all
        });
        let data: Vec<u8> = (0..OCTETS).map(|at| (at * 7 + at / 251) as u8).collect();
        let answer = net.a.run(|| {
            let mut stream = TcpStream::connect((B, 1723)).unwrap();
            stream.set_read_timeout(Some(SOON)).unwrap();
            stream.write_all(&data).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            answer
        });
        assert_eq!(answer, b"thanks");
        assert!(server.join().unwrap() == data);
        // GRE that is not PPTP's, and GRE for somebody else, is not taken.
        let b = plain(&net.b);
        let mut out = SendBatch::new(2, 2048);
        assert!(out.push(A, None, &[0x00, 0x00, 0x08, 0x00, 1, 2, 3, 4, 5, 6, 7, 8]));
        b.send(&mut out);
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!((drain(&mut a.receiver).len(), a.receiver.taken()), (0, 0));
    });
}

#[test]
fn packets_for_addresses_of_others_are_left_alone() {
    let net = net();
    net.a.ip("address add 192.0.2.9/24 dev eth0");
    let socket = Arc::new(plain(&net.a));
    let narrow = XdpOptions { local: Some(A), ..options(Mode::Native) };
    let mut a = net.a.run(|| xdp::open(&narrow, &socket).unwrap());
    net.b.ping(A);
    let b = plain(&net.b);
    let mut out = SendBatch::new(4, 2048);
    for to in [A, Ipv4Addr::new(192, 0, 2, 9)] {
        assert!(out.push(to, None, &packet(1, 8)));
        b.send(&mut out);
    }
    // The second one comes by the socket, which hears every address here.
    let mut destinations = Vec::new();
    wait_until("both", SOON, || {
        a.receiver.receive().unwrap();
        destinations.extend(a.receiver.packets().map(|p| p.destination));
        destinations.len() == 2
    });
    assert_eq!(a.receiver.taken(), 1);
}

#[test]
fn fragments_and_long_packets_go_through_the_socket() {
    both_modes(|mode| {
        let net = net();
        let (mut a, mut b) = (open(&net.a, mode), open(&net.b, mode));
        net.a.ping(B);
        warm(&mut a.sender, B, || drain(&mut b.receiver).len());
        let (given, taken) = (a.sender.given(), b.receiver.taken());
        for n in 0..5 {
            push(&mut a.sender, B, None, &packet(n, 1700));
        }
        let sent = flush(&mut a.sender);
        assert_eq!((sent.sent, sent.refused), (5, 0));
        let mut all = Vec::new();
        wait_until("five packets", SOON, || {
            all.extend(drain(&mut b.receiver));
            all.len() == 5
        });
        assert_eq!(all, (0..5).map(|n| packet(n, 1700)).collect::<Vec<_>>());
        assert_eq!((a.sender.given(), b.receiver.taken()), (given, taken));
    });
}

#[test]
fn a_neighbour_that_is_not_known_is_found_by_the_kernel() {
    both_modes(|mode| {
        let net = net();
        let mut a = open(&net.a, mode);
        let b = plain(&net.b);
        let mut batch = RecvBatch::new(64, 2048);
        // Nobody has asked for the address yet: not one packet is lost, and soon they go by AF_XDP.
        let mut count = 0u32;
        let mut seen = Vec::new();
        wait_until("AF_XDP", SOON, || {
            push(&mut a.sender, B, None, &packet(count, 20));
            assert_eq!(flush(&mut a.sender).sent, 1);
            count += 1;
            std::thread::sleep(Duration::from_millis(10));
            while b.receive(&mut batch).unwrap() > 0 {
                seen.extend(batch.packets().map(|p| number(p.gre)));
            }
            a.sender.given() >= 3
        });
        wait_until("the last", SOON, || {
            while b.receive(&mut batch).unwrap() > 0 {
                seen.extend(batch.packets().map(|p| number(p.gre)));
            }
            seen.len() == count as usize
        });
        assert_eq!(seen, (0..count).collect::<Vec<_>>());
    });
}

#[test]
fn a_router_on_the_way_is_the_next_hop_and_another_interface_is_the_kernels() {
    let (a, r, c) = (Host::new("a"), Host::new("r"), Host::new("c"));
    wire((&a, "eth0", "192.0.2.1/24"), (&r, "eth0", "192.0.2.254/24"));
    wire((&r, "eth1", "198.51.100.254/24"), (&c, "eth0", "198.51.100.3/24"));
    r.sysctl("net.ipv4.ip_forward", "1");
    a.ip("route add default via 192.0.2.254");
    c.ip("route add default via 198.51.100.254");
    let far = Ipv4Addr::new(198, 51, 100, 3);
    a.ping(far);
    assert_eq!(a.run(|| xdp::interface_for(Some(far)).unwrap()), "eth0");
    assert_eq!(a.run(|| xdp::interface_for(Some(A)).unwrap()), "eth0");
    let mut x = open(&a, Mode::Native);
    let at = plain(&c);
    let mut batch = RecvBatch::new(64, 2048);
    let mut sources = BTreeMap::new();
    let mut hear = |batch: &mut RecvBatch| {
        let n = at.receive(batch).unwrap();
        for p in batch.packets() {
            *sources.entry(p.source).or_insert(0) += 1;
        }
        n
    };
    wait_until("AF_XDP", SOON, || {
        push(&mut x.sender, far, None, &packet(0, 20));
        flush(&mut x.sender);
        std::thread::sleep(Duration::from_millis(10));
        hear(&mut batch);
        x.sender.given() >= 3
    });
    // The route moves to another interface: no packet is lost, and AF_XDP has no part in it.
    wire((&a, "eth1", "203.0.113.1/24"), (&r, "eth2", "203.0.113.254/24"));
    c.ip("route replace default via 198.51.100.254");
    a.ip("route add 198.51.100.0/24 via 203.0.113.254");
    a.ping(far);
    std::thread::sleep(Duration::from_millis(50));
    push(&mut x.sender, far, None, &packet(1, 20));
    flush(&mut x.sender);
    let given = x.sender.given();
    for _ in 0..5 {
        push(&mut x.sender, far, None, &packet(2, 20));
        assert_eq!(flush(&mut x.sender).sent, 1);
    }
    assert_eq!(x.sender.given(), given);
    let mut late = 0;
    wait_until("the packets by the other way", SOON, || {
        while hear(&mut batch) > 0 {}
        late += 1;
        late > 20
    });
    assert!(sources[&Ipv4Addr::new(203, 0, 113, 1)] >= 5, "{sources:?}");
}

#[test]
fn the_program_goes_with_its_owner_and_admits_no_second() {
    both_modes(|mode| {
        let net = net();
        let attached = || net.a.ip("-details link show eth0").contains("xdp");
        let first = open(&net.a, mode);
        assert!(attached());
        let socket = Arc::new(plain(&net.a));
        let error = net.a.run(|| xdp::open(&options(mode), &socket).unwrap_err());
        assert!(error.to_string().contains("ip link"), "{error}");
        let Xdp { receiver, sender, .. } = first;
        drop(receiver);
        wait_until("the end of the program", SOON, || !attached());
        drop(sender);
        // The queue is free again, soon.
        wait_until("another", SOON, || net.a.run(|| xdp::open(&options(mode), &socket).is_ok()));
    });
}

#[test]
fn an_interface_that_goes_down_and_away_is_no_panic_and_no_spin() {
    both_modes(|mode| {
        let net = net();
        let (mut a, mut b) = (open(&net.a, mode), open(&net.b, mode));
        net.a.ping(B);
        warm(&mut a.sender, B, || drain(&mut b.receiver).len());
        let poller = Poller::new().unwrap();
        poller.add(&a.receiver, 1, Interest::Read).unwrap();

        net.a.ip("link set eth0 down");
        push(&mut a.sender, B, None, &packet(0, 20));
        let sent = flush(&mut a.sender);
        assert!(sent.error.is_some() || sent.refused > 0, "{sent:?}");
        std::thread::sleep(Duration::from_millis(30));
        // Every frame stays usable: far more packets than there are frames.
        for n in 0..5000 {
            assert!(push(&mut a.sender, B, None, &packet(n, 20)));
        }
        let sent = flush(&mut a.sender);
        assert!(sent.refused > 0 && sent.error.is_some(), "{sent:?}");
        assert_eq!(a.receiver.receive().unwrap(), 0);

        net.a.ip("link set eth0 up");
        warm(&mut a.sender, B, || drain(&mut b.receiver).len());

        net.a.ip("link delete eth0");
        for n in 0..5000 {
            assert!(push(&mut a.sender, B, None, &packet(n, 20)));
        }
        flush(&mut a.sender);
        assert_eq!(a.receiver.receive().unwrap(), 0);
        wait_until("the news", SOON, || a.receiver.gone() && b.receiver.gone());
        let mut wakes = 0;
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(100) {
            poller.wait(Some(Duration::from_millis(50)), |_| wakes += 1).unwrap();
            a.receiver.receive().unwrap();
        }
        assert!(wakes < 5, "{wakes}");
    });
}

#[test]
fn waiting_ends_when_a_packet_comes() {
    both_modes(|mode| {
        let net = net();
        let (mut a, mut b) = (open(&net.a, mode), open(&net.b, mode));
        net.a.ping(B);
        warm(&mut a.sender, B, || drain(&mut b.receiver).len());
        drain(&mut b.receiver);
        let poller = Poller::new().unwrap();
        poller.add(&b.receiver, 9, Interest::Read).unwrap();
        let mut ready = 0;
        poller.wait(Some(Duration::from_millis(50)), |_| ready += 1).unwrap();
        assert_eq!(ready, 0);
        push(&mut a.sender, B, None, &packet(1, 20));
        flush(&mut a.sender);
        poller.wait(Some(SOON), |r| ready += r.token).unwrap();
        assert_eq!(ready, 9);
        assert_eq!(drain(&mut b.receiver).len(), 1);
    });
}

#[test]
fn several_receive_queues_are_all_heard() {
    let (a, b) = (Host::new("a"), Host::new("b"));
    a.sh("ip link add eth0 numtxqueues 2 numrxqueues 2 type veth peer name eth1 numtxqueues 2 numrxqueues 2");
    a.ip(&format!("link set eth1 netns {} name eth0", b.path()));
    for (host, address) in [(&a, "192.0.2.1/24"), (&b, "192.0.2.2/24")] {
        host.ip(&format!("address add {address} dev eth0"));
        host.ip("link set eth0 up");
    }
    a.ping(B);
    let mut x = open(&b, Mode::Native);
    let at = plain(&a);
    let mut out = SendBatch::new(64, 2048);
    for n in 0..64 {
        assert!(out.push(B, None, &packet(n, 20)));
    }
    assert_eq!(at.send(&mut out).sent, 64);
    let mut seen = 0;
    wait_until("64 packets", SOON, || {
        seen += drain(&mut x.receiver).len();
        seen == 64
    });
    assert_eq!((x.about.queues, x.receiver.taken()), (2, 64), "{}", x.about);
}

#[test]
fn what_cannot_be_is_said() {
    let net = net();
    let socket = Arc::new(plain(&net.a));
    let lo = XdpOptions { interface: "lo".to_owned(), ..options(Mode::Generic) };
    let error = net.a.run(|| xdp::open(&lo, &socket).unwrap_err());
    assert!(error.to_string().contains("Ethernet"), "{error}");
    let none = XdpOptions { interface: "eth7".to_owned(), ..options(Mode::Generic) };
    let error = net.a.run(|| xdp::open(&none, &socket).unwrap_err());
    assert!(error.to_string().contains("no such interface"), "{error}");
    assert!(net.a.run(|| xdp::interface_for(Some(Ipv4Addr::new(10, 9, 8, 7)))).is_err());
    assert!(net.a.run(|| xdp::interface_for(None)).is_err(), "this host has no default route");
}
