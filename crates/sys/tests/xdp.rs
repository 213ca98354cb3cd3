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
