//! The GRE socket between real hosts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use adit_diag::Code;
use adit_sys::Kind;
use adit_sys::gre::{CallFilter, GreOptions, GreSocket, IcmpKind, IcmpReport, RecvBatch, SendBatch};
use adit_sys::poll::{Interest, Poller};
use adit_testbed::{Host, wait_until, wire};
use common::{A, B, Net, SOON, packet};

const SECOND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 3);

/// With resolved neighbours.
fn net() -> Net {
    let net = common::net();
    net.a.ping(B);
    net
}

fn open(host: &Host, options: &GreOptions) -> GreSocket {
    host.run(|| GreSocket::open(options).unwrap())
}

fn send_one(from: &GreSocket, to: Ipv4Addr, source: Option<Ipv4Addr>, octets: &[u8]) -> adit_sys::gre::Sent {
    let mut batch = SendBatch::new(1, 65_536);
    assert!(batch.push(to, source, octets));
    from.send(&mut batch)
}

fn receive_one(at: &GreSocket) -> (Ipv4Addr, Ipv4Addr, Vec<u8>) {
    let mut batch = RecvBatch::new(1, 65_536);
    wait_until("a packet", SOON, || at.receive(&mut batch).unwrap() > 0);
    let p = batch.get_mut(0).unwrap();
    (p.source, p.destination, p.gre.to_vec())
}

fn silent(at: &GreSocket) -> bool {
    std::thread::sleep(Duration::from_millis(100));
    at.receive(&mut RecvBatch::new(64, 2048)).unwrap() == 0
}

/// The next report, waiting for it as a worker would.
fn report(at: &GreSocket) -> IcmpReport {
    let poller = Poller::new().unwrap();
    poller.add(at, 1, Interest::Read).unwrap();
    let mut found = None;
    wait_until("a report", SOON, || {
        poller
            .wait(Some(Duration::from_millis(100)), |ready| assert!(ready.error || ready.readable))
            .unwrap();
        found = at.icmp();
        found.is_some()
    });
    found.unwrap()
}

#[test]
fn batches_arrive_whole_and_in_order() {
    let net = net();
    let (a, b) = (open(&net.a, &GreOptions::default()), open(&net.b, &GreOptions::default()));
    assert!(b.receive_buffer() >= 4 << 20, "{}", b.receive_buffer());
    let mut out = SendBatch::new(64, 2048);
    for n in 0..64 {
        assert!(out.push(B, None, &packet(n, 1, 1400)));
    }
    let sent = a.send(&mut out);
    assert_eq!((sent.sent, sent.congested, sent.refused, out.pending()), (64, 0, 0, 0));

    let mut batch = RecvBatch::new(16, 2048);
    let mut calls = Vec::new();
    wait_until("64 packets", SOON, || {
        b.receive(&mut batch).unwrap();
        calls.extend(batch.packets().map(|p| {
            assert_eq!((p.source, p.destination, p.gre.len()), (A, B, 1412));
            u16::from_be_bytes([p.gre[6], p.gre[7]])
        }));
        calls.len() >= 64
    });
    assert_eq!(calls, (0..64).collect::<Vec<_>>());
    assert_eq!((batch.damaged(), b.dropped()), (0, 0));
}

#[test]
fn the_answer_comes_from_the_address_that_was_called() {
    let net = net();
    net.b.ip("address add 192.0.2.3/24 dev eth0");
    let (a, b) = (open(&net.a, &GreOptions::default()), open(&net.b, &GreOptions::default()));
    send_one(&a, SECOND, None, &packet(1, 1, 0));
    assert_eq!(receive_one(&b).1, SECOND);
    send_one(&b, A, Some(SECOND), &packet(1, 1, 0));
    assert_eq!(receive_one(&a).0, SECOND);
    send_one(&b, A, None, &packet(1, 1, 0));
    assert_eq!(receive_one(&a).0, B);
}

#[test]
fn a_bound_socket_receives_for_its_address_only() {
    let net = net();
    net.b.ip("address add 192.0.2.3/24 dev eth0");
    let a = open(&net.a, &GreOptions::default());
    let bound = open(&net.b, &GreOptions { local: Some(SECOND), ..GreOptions::default() });
    let device = open(&net.b, &GreOptions { interface: Some("eth0".to_owned()), ..GreOptions::default() });
    send_one(&a, B, None, &packet(1, 1, 0));
    assert_eq!(receive_one(&device).1, B);
    assert!(silent(&bound));
    send_one(&a, SECOND, None, &packet(2, 1, 0));
    assert_eq!(receive_one(&bound).1, SECOND);
    send_one(&bound, A, None, &packet(3, 1, 0));
    assert_eq!(receive_one(&a).0, SECOND);
}

#[test]
fn the_filter_gives_each_worker_its_share_and_nothing_foreign() {
    let net = net();
    let a = open(&net.a, &GreOptions::default());
    let share = |n| GreOptions { filter: Some(CallFilter::share(0x0003, n)), ..GreOptions::default() };
    let workers: Vec<_> = (0..4).map(|n| open(&net.b, &share(n))).collect();
    let mute = open(&net.b, &GreOptions { filter: Some(CallFilter::none()), ..GreOptions::default() });
    let all = open(&net.b, &GreOptions { filter: None, ..GreOptions::default() });

    let mut plain = packet(2, 1, 4);
    plain[1] = 0; // GRE version 0
    send_one(&a, B, None, &plain);
    let mut other = packet(2, 1, 4);
    other[2..4].copy_from_slice(&[0x08, 0x00]); // version 1, but not PPP
    send_one(&a, B, None, &other);
    send_one(&a, B, None, &[0x30, 0x01]); // ends in the header
    for call in 0..16 {
        send_one(&a, B, None, &packet(call, 1, 4));
    }

    let mut batch = RecvBatch::new(64, 2048);
    for (n, worker) in workers.iter().enumerate() {
        worker.receive(&mut batch).unwrap();
        let calls: Vec<_> = batch.packets().map(|p| usize::from(p.gre[7])).collect();
        assert_eq!(calls, (0..16).filter(|call| call % 4 == n).collect::<Vec<_>>());
    }
    assert_eq!(all.receive(&mut batch).unwrap(), 19);
    assert_eq!(mute.receive(&mut batch).unwrap(), 0);

    workers[0].set_filter(CallFilter::all()).unwrap();
    send_one(&a, B, None, &packet(7, 1, 4));
    assert_eq!(receive_one(&workers[0]).2[7], 7);
}

#[test]
fn a_packet_larger_than_its_slot_is_counted_and_left_out() {
    let net = net();
    let (a, b) = (open(&net.a, &GreOptions::default()), open(&net.b, &GreOptions::default()));
    send_one(&a, B, None, &packet(1, 1, 1000));
    send_one(&a, B, None, &packet(2, 1, 10));
    let mut batch = RecvBatch::new(8, 512);
    wait_until("both", SOON, || {
        b.receive(&mut batch).unwrap();
        !batch.is_empty()
    });
    assert_eq!((batch.len(), batch.damaged()), (1, 1));
    assert_eq!(batch.get_mut(0).unwrap().gre[7], 2);
}

#[test]
fn packets_beyond_the_mtu_are_fragmented_and_put_together_again() {
    let net = net();
    net.a.ip("link set dev eth0 mtu 600");
    let (a, b) = (open(&net.a, &GreOptions::default()), open(&net.b, &GreOptions::default()));
    let octets = packet(9, 1, 1400);
    assert_eq!(send_one(&a, B, None, &octets).sent, 1);
    assert_eq!(receive_one(&b).2, octets);

    let whole = open(&net.a, &GreOptions { dont_fragment: true, ..GreOptions::default() });
    let sent = send_one(&whole, B, None, &octets);
    assert_eq!((sent.sent, sent.refused), (0, 1));
    assert_eq!(sent.error.unwrap().raw_os_error(), Some(libc::EMSGSIZE));
    assert_eq!(report(&whole).kind, IcmpKind::FragmentationNeeded { mtu: 600 });
    assert_eq!(send_one(&whole, B, None, &packet(9, 1, 500)).sent, 1, "the error does not stick");
}

#[test]
fn a_host_without_pptp_is_reported_as_such() {
    let net = net();
    let a = open(&net.a, &GreOptions::default());
    send_one(&a, B, None, &packet(0x1234, 1, 4));
    let report = report(&a);
    assert_eq!(
        report,
        IcmpReport {
            destination: B,
            from: Some(B),
            kind: IcmpKind::ProtocolUnreachable,
            call_id: Some(0x1234)
        }
    );
    assert_eq!(report.to_string(), "192.0.2.2 reports for GRE to 192.0.2.2: protocol 47 unreachable");
    // The pending error must not eat a packet in either direction.
    let b = open(&net.b, &GreOptions::default());
    send_one(&a, B, None, &packet(1, 1, 4));
    receive_one(&b);
    send_one(&b, A, None, &packet(1, 1, 4));
    receive_one(&a);
}

#[test]
fn icmp_errors_pending_while_sending_and_receiving_lose_nothing() {
    let net = net();
    let a = open(&net.a, &GreOptions::default());
    let mut out = SendBatch::new(64, 256);
    let mut taken = 0;
    for round in 0..20u16 {
        for n in 0..8 {
            assert!(out.push(B, None, &packet(round * 8 + n, 1, 4)));
        }
        // Each packet is answered by an error, so that most of these sends find one pending.
        let sent = a.send(&mut out);
        assert_eq!(sent.refused, 0, "{:?}", sent.error);
        taken += sent.sent;
        assert_eq!(a.receive(&mut RecvBatch::new(8, 2048)).unwrap(), 0);
    }
    assert_eq!(taken, 160);
}

#[test]
fn routers_report_what_they_cannot_forward() {
    let (a, router, far) = (Host::new("a"), Host::new("router"), Host::new("far"));
    wire((&a, "eth0", "192.0.2.1/24"), (&router, "near", "192.0.2.254/24"));
    wire((&router, "far", "198.51.100.254/24"), (&far, "eth0", "198.51.100.2/24"));
    router.sysctl("net.ipv4.ip_forward", "1");
    router.ip("link set dev far mtu 1300");
    a.ip("route add default via 192.0.2.254");
    far.ip("route add default via 198.51.100.254");
    let to = Ipv4Addr::new(198, 51, 100, 2);
    let hop = Some(Ipv4Addr::new(192, 0, 2, 254));
    a.ping(to);

    let whole = open(&a, &GreOptions { dont_fragment: true, ..GreOptions::default() });
    assert_eq!(send_one(&whole, to, None, &packet(5, 1, 1400)).sent, 1);
    let too_large = report(&whole);
    assert_eq!((too_large.from, too_large.kind), (hop, IcmpKind::FragmentationNeeded { mtu: 1300 }));
    assert_eq!(too_large.call_id, Some(5));
    drop(whole);

    let short = open(&a, &GreOptions::default());
    short.set_ttl(1).unwrap();
    send_one(&short, to, None, &packet(6, 1, 4));
    let ended = report(&short);
    assert_eq!((ended.from, ended.kind, ended.call_id), (hop, IcmpKind::TimeExceeded, Some(6)));
    drop(short);

    router.nft("table ip f { chain forward { type filter hook forward priority 0; ip protocol 47 reject with icmp type admin-prohibited; }; }");
    let barred = open(&a, &GreOptions::default());
    send_one(&barred, to, None, &packet(7, 1, 4));
    assert_eq!(report(&barred).kind, IcmpKind::Prohibited);
}

#[test]
fn a_firewall_of_this_host_and_a_missing_route_are_distinguished() {
    let net = net();
    let (a, b) = (open(&net.a, &GreOptions::default()), open(&net.b, &GreOptions::default()));
    let nowhere = send_one(&a, Ipv4Addr::new(203, 0, 113, 1), None, &packet(1, 1, 4));
    assert_eq!((nowhere.refused, nowhere.error.unwrap().raw_os_error()), (1, Some(libc::ENETUNREACH)));
    net.a.nft("table ip f { chain output { type filter hook output priority 0; ip protocol 47 drop; }; }");
    let barred = send_one(&a, B, None, &packet(2, 1, 4));
    assert_eq!((barred.refused, barred.error.unwrap().raw_os_error()), (1, Some(libc::EPERM)));

    // One bad packet does not hold back its batch.
    net.a.nft("flush ruleset");
    let mut out = SendBatch::new(3, 64);
    assert!(out.push(B, None, &packet(1, 1, 0)));
    assert!(out.push(Ipv4Addr::new(203, 0, 113, 1), None, &packet(2, 1, 0)));
    assert!(out.push(B, None, &packet(3, 1, 0)));
    let sent = a.send(&mut out);
    assert_eq!((sent.sent, sent.refused), (2, 1));
    assert_eq!([receive_one(&b).2[7], receive_one(&b).2[7]], [1, 3]);
}

#[test]
fn packets_that_are_not_received_in_time_are_counted() {
    let net = net();
    let a = open(&net.a, &GreOptions::default());
    let b = open(&net.b, &GreOptions { receive_buffer: 4096, ..GreOptions::default() });
    let mut out = SendBatch::new(64, 2048);
    while out.push(B, None, &packet(1, 1, 1400)) {}
    a.send(&mut out);
    let dropped = b.dropped();
    assert!(dropped > 0 && dropped <= 64, "{dropped}");
}

#[test]
fn a_full_queue_drops_and_counts() {
    let net = net();
    net.a.shape("eth0", 800, 20);
    let (a, b) = (open(&net.a, &GreOptions::default()), open(&net.b, &GreOptions::default()));
    let mut out = SendBatch::new(64, 2048);
    for n in 0..64 {
        assert!(out.push(B, None, &packet(n, 1, 1000)));
    }
    let sent = a.send(&mut out);
    assert_eq!((sent.sent + sent.congested, sent.refused, out.pending()), (64, 0, 0));
    assert!(sent.sent > 4 && sent.congested > 4, "{sent:?}");
    // What was taken arrives, from the first on.
    for n in 0..4 {
        assert_eq!(receive_one(&b).2[7], n);
    }
}

#[test]
fn wrong_addresses_and_interfaces_are_errors_with_a_fix() {
    let host = Host::new("host");
    let open = |options: GreOptions| host.run(move || GreSocket::open(&options).unwrap_err());
    let address = open(GreOptions { local: Some(SECOND), ..GreOptions::default() });
    assert_eq!((address.kind(), address.code()), (Kind::NotFound, Some(Code::S02)));
    assert!(address.to_string().contains("cannot bind the GRE socket to 192.0.2.3: "), "{address}");
    let interface = open(GreOptions { interface: Some("eth9".to_owned()), ..GreOptions::default() });
    assert_eq!((interface.kind(), interface.code()), (Kind::NotFound, Some(Code::S02)));
}

#[test]
fn without_the_capability_the_error_names_it() {
    const INSIDE: &str = "ADIT_TEST_WITHOUT_CAPABILITY";
    if std::env::var_os(INSIDE).is_some() {
        let error = GreSocket::open(&GreOptions::default()).unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::NotPermitted, Some(Code::S08)));
        assert!(error.fix().contains("CAP_NET_RAW"), "{error}");
        println!("seen: {error}");
        return;
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-net_raw,-net_admin", "--inh-caps=-net_raw,-net_admin"]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", "without_the_capability_the_error_names_it", "--nocapture"]);
    let output = Host::new("host").command(command.env(INSIDE, "1"));
    assert!(output.ok && output.stdout.contains("seen: cannot open a raw GRE socket"), "{output}");
}
