//! AF_XDP between real hosts, with a raw socket or AF_XDP at the other end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_sys::gre::{CallFilter, GreOptions, GreSocket, RecvBatch, SendBatch};
use adit_sys::poll::{Interest, Poller};
use adit_sys::xdp::{self, HEADROOM, Mode, Receiver, SLOT, Sender, Xdp, XdpOptions};
use adit_testbed::{Host, wait_until, wire};
use common::{A, B, SOON, net, packet};

fn options(mode: Mode) -> XdpOptions {
    XdpOptions { interface: "eth0".to_owned(), local: None, dont_fragment: false, mode: Some(mode) }
}

fn open(host: &Host, mode: Mode) -> Xdp {
    open_one(host, &options(mode), Arc::new(plain(host))).unwrap()
}

fn open_one(host: &Host, options: &XdpOptions, socket: Arc<GreSocket>) -> adit_sys::Result<Xdp> {
    let one = host.run(|| xdp::open(options, &[socket])).map(|mut all| all.remove(0))?;
    take_all(&one, other(host));
    Ok(one)
}

/// Every call of this peer is ours.
fn take_all(xdp: &Xdp, peer: Ipv4Addr) {
    (0..256).for_each(|call_id| xdp.calls.insert(call_id, peer));
}

/// The address at the other end of the wire.
fn other(host: &Host) -> Ipv4Addr {
    if host.ip("address show eth0").contains("192.0.2.1/") { B } else { A }
}

fn plain(host: &Host) -> GreSocket {
    host.run(|| GreSocket::open(&GreOptions::default()).unwrap())
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
        push(sender, to, None, &packet(7, u32::MAX, 10));
        flush(sender);
        std::thread::sleep(Duration::from_millis(30));
        arrived() > 0
    });
}

fn drain(receiver: &mut Receiver) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while receiver.receive(true).unwrap() > 0 {
        all.extend(receiver.packets().map(|p| p.gre.to_vec()));
    }
    all
}

fn both_modes(test: impl Fn(Mode)) {
    test(Mode::Native);
    test(Mode::Generic);
}

#[test]
fn packets_arrive_unchanged_in_both_directions() {
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
                    assert!(push(&mut a.sender, B, Some(A), &packet(7, n, payload)));
                    assert!(push(&mut b.sender, A, None, &packet(7, n, payload)));
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
            let expected: Vec<_> = (0..count).map(|n| packet(7, n, payload)).collect();
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
            push(&mut a.sender, B, None, &packet(7, n, 100));
        }
        // The slots are the sender's to work on until they leave.
        assert_eq!(a.sender.slots_mut().count(), 40);
        for slot in a.sender.slots_mut() {
            slot[HEADROOM + 12] ^= 0xff;
        }
        flush(&mut a.sender);
        let mut seen = 0;
        wait_until("40 packets", SOON, || {
            if b.receiver.receive(true).unwrap() == 0 {
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
                assert_eq!(p.gre, packet(7, seen, 100));
                seen += 1;
            }
            seen == 40
        });
        assert!(b.receiver.get_mut(b.receiver.len()).is_none());
        assert_eq!(b.receiver.taken() - taken, 40, "{mode:?}");
        // One packet a second goes through the socket while the neighbour is not confirmed.
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
            assert!(push(&mut a.sender, B, None, &packet(7, n, 60)));
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
        // Traffic continues.
        push(&mut a.sender, B, None, &packet(7, 1, 60));
        flush(&mut a.sender);
        wait_until("one more", SOON, || !drain(&mut b.receiver).is_empty());
    });
}

#[test]
fn other_packets_go_to_the_kernel() {
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
        // GRE that is not PPTP's, and GRE for another host, is not taken.
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
    let mut a = open_one(&net.a, &narrow, socket).unwrap();
    net.b.ping(A);
    let b = plain(&net.b);
    let mut out = SendBatch::new(4, 2048);
    for to in [A, Ipv4Addr::new(192, 0, 2, 9)] {
        assert!(out.push(to, None, &packet(7, 1, 8)));
        b.send(&mut out);
    }
    // The second one arrives on the socket, which receives for every address of this host.
    let mut destinations = Vec::new();
    wait_until("both", SOON, || {
        a.receiver.receive(true).unwrap();
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
            push(&mut a.sender, B, None, &packet(7, n, 1700));
        }
        let sent = flush(&mut a.sender);
        assert_eq!((sent.sent, sent.refused), (5, 0));
        let mut all = Vec::new();
        wait_until("five packets", SOON, || {
            all.extend(drain(&mut b.receiver));
            all.len() == 5
        });
        assert_eq!(all, (0..5).map(|n| packet(7, n, 1700)).collect::<Vec<_>>());
        assert_eq!((a.sender.given(), b.receiver.taken()), (given, taken));
    });
}

#[test]
fn an_unknown_neighbour_is_resolved_by_the_kernel() {
    both_modes(|mode| {
        let net = net();
        let mut a = open(&net.a, mode);
        let b = plain(&net.b);
        let mut batch = RecvBatch::new(64, 2048);
        // The neighbour is not resolved yet: not one packet is lost, and soon they use AF_XDP.
        let mut count = 0u32;
        let mut seen = Vec::new();
        wait_until("AF_XDP", SOON, || {
            push(&mut a.sender, B, None, &packet(7, count, 20));
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
        push(&mut x.sender, far, None, &packet(7, 0, 20));
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
    push(&mut x.sender, far, None, &packet(7, 1, 20));
    flush(&mut x.sender);
    let given = x.sender.given();
    for _ in 0..5 {
        push(&mut x.sender, far, None, &packet(7, 2, 20));
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
fn the_program_is_detached_with_its_owner_and_excludes_a_second() {
    both_modes(|mode| {
        let net = net();
        let attached = || net.a.ip("-details link show eth0").contains("xdp");
        let first = open(&net.a, mode);
        assert!(attached());
        let socket = Arc::new(plain(&net.a));
        let error = open_one(&net.a, &options(mode), Arc::clone(&socket)).unwrap_err();
        assert!(error.to_string().contains("ip link"), "{error}");
        let Xdp { receiver, sender, .. } = first;
        drop(receiver);
        wait_until("the end of the program", SOON, || !attached());
        drop(sender);
        // The queue is free again, soon.
        wait_until("another", SOON, || open_one(&net.a, &options(mode), Arc::clone(&socket)).is_ok());
    });
}

#[test]
fn an_interface_that_goes_down_or_is_removed_causes_no_panic_and_no_busy_loop() {
    both_modes(|mode| {
        let net = net();
        let (mut a, mut b) = (open(&net.a, mode), open(&net.b, mode));
        net.a.ping(B);
        warm(&mut a.sender, B, || drain(&mut b.receiver).len());
        let poller = Poller::new().unwrap();
        poller.add(&a.receiver, 1, Interest::Read).unwrap();

        net.a.ip("link set eth0 down");
        push(&mut a.sender, B, None, &packet(7, 0, 20));
        let sent = flush(&mut a.sender);
        assert!(sent.error.is_some() || sent.refused > 0, "{sent:?}");
        std::thread::sleep(Duration::from_millis(30));
        // Every frame stays usable: far more packets than there are frames.
        for n in 0..5000 {
            assert!(push(&mut a.sender, B, None, &packet(7, n, 20)));
        }
        let sent = flush(&mut a.sender);
        assert!(sent.refused > 0 && sent.error.is_some(), "{sent:?}");
        assert_eq!(a.receiver.receive(true).unwrap(), 0);

        net.a.ip("link set eth0 up");
        warm(&mut a.sender, B, || drain(&mut b.receiver).len());

        net.a.ip("link delete eth0");
        for n in 0..5000 {
            assert!(push(&mut a.sender, B, None, &packet(7, n, 20)));
        }
        flush(&mut a.sender);
        assert_eq!(a.receiver.receive(true).unwrap(), 0);
        wait_until("the news", SOON, || a.receiver.gone() && b.receiver.gone());
        let mut wakes = 0;
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(100) {
            poller.wait(Some(Duration::from_millis(50)), |_| wakes += 1).unwrap();
            a.receiver.receive(true).unwrap();
        }
        assert!(wakes < 5, "{wakes}");
    });
}

#[test]
fn waiting_ends_when_a_packet_arrives() {
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
        push(&mut a.sender, B, None, &packet(7, 1, 20));
        flush(&mut a.sender);
        poller.wait(Some(SOON), |r| ready += r.token).unwrap();
        assert_eq!(ready, 9);
        assert_eq!(drain(&mut b.receiver).len(), 1);
    });
}

/// Two hosts on a wire with two queues each way at both ends.
fn two_queues() -> (Host, Host) {
    let (a, b) = (Host::new("a"), Host::new("b"));
    a.sh("ip link add eth0 numtxqueues 2 numrxqueues 2 type veth peer name eth1 numtxqueues 2 numrxqueues 2");
    a.ip(&format!("link set eth1 netns {} name eth0", b.path()));
    for (host, address) in [(&a, "192.0.2.1/24"), (&b, "192.0.2.2/24")] {
        host.ip(&format!("address add {address} dev eth0"));
        host.ip("link set eth0 up");
    }
    (a, b)
}

/// A socket for the share of one of two workers.
fn share(host: &Host, number: u16) -> Arc<GreSocket> {
    let filter = Some(CallFilter::share(1, number));
    host.run(|| Arc::new(GreSocket::open(&GreOptions { filter, ..GreOptions::default() }).unwrap()))
}

/// Every call's packets reach its own worker from any queue: through AF_XDP from the worker's queue, through its raw
/// socket from the other's.
#[test]
fn workers_share_the_queues_and_get_their_own_calls() {
    both_modes(|mode| {
        let (a, b) = two_queues();
        a.ping(B);
        let sockets = [share(&b, 0), share(&b, 1)];
        let mut workers = b.run(|| xdp::open(&options(mode), &sockets).unwrap());
        assert_eq!((workers.len(), workers[0].about.queues), (2, 2));
        take_all(&workers[0], A);
        // A worker at the other end sends by its own queue, and that is the one by which veth delivers.
        let peers = [share(&a, 0), share(&a, 1)];
        let mut senders = a.run(|| xdp::open(&options(mode), &peers).unwrap());
        for (number, sender) in senders.iter_mut().enumerate() {
            let sender = &mut sender.sender;
            let mut arrived = || workers.iter_mut().map(|worker| drain(&mut worker.receiver).len()).sum();
            warm(sender, B, &mut arrived);
            let before: Vec<u64> = workers.iter().map(|worker| worker.receiver.taken()).collect();
            for call in 0..40 {
                assert!(push(sender, B, None, &packet(call, call.into(), 100)));
            }
            flush(sender);
            for (own, worker) in workers.iter_mut().enumerate() {
                let mut got = Vec::new();
                wait_until("the worker's calls", SOON, || {
                    got.extend(drain(&mut worker.receiver));
                    got.len() >= 20
                });
                let due = (0..40u16).filter(|call| usize::from(call % 2) == own);
                let due: Vec<_> = due.map(|call| packet(call, call.into(), 100)).collect();
                assert_eq!(got, due, "{mode:?}");
                // In generic mode veth reports the first queue for every packet.
                let queue = if mode == Mode::Native { number } else { 0 };
                let taken = worker.receiver.taken() - before[own];
                assert_eq!(taken, if own == queue { 20 } else { 0 }, "{mode:?}, queue {queue}, worker {own}");
            }
        }
    });
}

/// The packets of a call that is not ours go the kernel's way: another program on this host may wait for them.
#[test]
fn the_calls_of_others_are_left_to_the_kernel() {
    both_modes(|mode| {
        let net = net();
        let (mut a, mut b) = (open(&net.a, mode), open(&net.b, mode));
        b.calls.remove(8);
        net.a.ping(B);
        warm(&mut a.sender, B, || drain(&mut b.receiver).len());
        for ours in [false, true] {
            let taken = b.receiver.taken();
            for n in 0..20 {
                push(&mut a.sender, B, None, &packet(if n % 2 == 0 { 7 } else { 8 }, n, 100));
            }
            flush(&mut a.sender);
            let mut got = 0;
            wait_until("20 packets, by one way or the other", SOON, || {
                got += drain(&mut b.receiver).len();
                got >= 20
            });
            assert_eq!(b.receiver.taken() - taken, if ours { 20 } else { 10 }, "{mode:?}");
            b.calls.insert(8, A);
        }
    });
}

/// The same Call ID from another address is another program's call, or forged.
#[test]
fn the_call_of_another_peer_is_left_to_the_kernel() {
    let net = net();
    let (mut a, mut b) = (open(&net.a, Mode::Native), open(&net.b, Mode::Native));
    net.a.ping(B);
    warm(&mut a.sender, B, || drain(&mut b.receiver).len());
    let mut send = |call: u16| {
        let (taken, left) = (b.receiver.taken(), b.receiver.left());
        for n in 0..20 {
            push(&mut a.sender, B, None, &packet(call, n, 100));
        }
        flush(&mut a.sender);
        let mut got = 0;
        wait_until("20 packets", SOON, || {
            got += drain(&mut b.receiver).len();
            got >= 20
        });
        (b.receiver.taken() - taken, b.receiver.left() - left)
    };
    assert_eq!(send(9), (20, 0));
    b.calls.insert(9, Ipv4Addr::new(192, 0, 2, 3));
    assert_eq!(send(9), (0, 20));
    b.calls.insert(9, A);
    assert_eq!(send(9), (20, 0));
}

/// Whether AF_XDP is used can be changed at any time: every packet arrives once, and in order.
#[test]
fn packets_change_their_path_without_loss() {
    both_modes(|mode| {
        let net = net();
        let (mut a, mut b) = (open(&net.a, mode), open(&net.b, mode));
        net.a.ping(B);
        warm(&mut a.sender, B, || drain(&mut b.receiver).len());
        let mut number = 0;
        let mut seen = Vec::new();
        for (there, here) in [(true, false), (false, false), (false, true), (true, true)] {
            a.calls.use_xdp(there);
            b.calls.use_xdp(here);
            assert_eq!((a.calls.uses_xdp(), b.calls.uses_xdp()), (there, here));
            let before = (a.sender.left(), b.receiver.taken());
            for _ in 0..50 {
                push(&mut a.sender, B, None, &packet(7, number, 100));
                number += 1;
            }
            flush(&mut a.sender);
            wait_until("50 packets", SOON, || {
                seen.extend(drain(&mut b.receiver));
                seen.len() >= number as usize
            });
            let left = a.sender.left() - before.0;
            // One packet a second passes through the socket while the neighbour is not confirmed.
            assert!(if there { left <= 1 } else { left == 50 }, "{mode:?}: {left}");
            assert_eq!(b.receiver.taken() - before.1, if here { 50 } else { 0 }, "{mode:?}");
        }
        let expected: Vec<_> = (0..number).map(|n| packet(7, n, 100)).collect();
        assert!(seen == expected, "{mode:?}");
    });
}

#[test]
fn fewer_queues_than_workers_are_refused() {
    let net = net();
    let sockets = [share(&net.a, 0), share(&net.a, 1)];
    let error = net.a.run(|| xdp::open(&options(Mode::Native), &sockets).unwrap_err());
    assert!(error.fix().contains("ethtool -L eth0 combined 2"), "{error:?}");
    assert!(!net.a.ip("-details link show eth0").contains("xdp"), "nothing is left behind");
}

#[test]
fn all_receive_queues_are_polled() {
    let (a, b) = two_queues();
    a.ping(B);
    let mut x = open(&b, Mode::Native);
    let at = plain(&a);
    let mut out = SendBatch::new(64, 2048);
    for n in 0..64 {
        assert!(out.push(B, None, &packet(7, n, 20)));
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
fn unsupported_interfaces_are_errors_with_a_reason() {
    let net = net();
    let socket = Arc::new(plain(&net.a));
    let lo = XdpOptions { interface: "lo".to_owned(), ..options(Mode::Generic) };
    let error = open_one(&net.a, &lo, Arc::clone(&socket)).unwrap_err();
    assert!(error.to_string().contains("Ethernet"), "{error}");
    let none = XdpOptions { interface: "eth7".to_owned(), ..options(Mode::Generic) };
    let error = open_one(&net.a, &none, Arc::clone(&socket)).unwrap_err();
    assert!(error.to_string().contains("no such interface"), "{error}");
    assert!(net.a.run(|| xdp::interface_for(Some(Ipv4Addr::new(10, 9, 8, 7)))).is_err());
    assert!(net.a.run(|| xdp::interface_for(None)).is_err(), "this host has no default route");
}
