//! Real packets between two network namespaces.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests")]

mod common;

use adit_tunnel::path::Origin;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use adit_dataplane::{DataplaneConfig, Event, Io};
use adit_sys::gre::{GreOptions, GreSocket, IcmpKind, SendBatch};
use adit_sys::packet::PacketSocket;
use adit_sys::tun::VnetHeader;
use adit_testbed::{Answer, Host, Relay, Request, Seeded, wait_until, wire};
use adit_wire::{LocalCallId, PeerCallId, checksum, gre, ipv4};
use common::{INNER, OUTER, Site, pair, transfer};

const LIMIT: Duration = Duration::from_secs(10);
const LCP: [u8; 8] = [0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 4];

/// Two hosts with a wire between them.
fn hosts() -> (Host, Host) {
    let (a, b) = (Host::new("a"), Host::new("b"));
    wire((&a, "eth0", "192.0.2.1/24"), (&b, "eth0", "192.0.2.2/24"));
    (a, b)
}

fn server() -> DataplaneConfig {
    DataplaneConfig::server()
}

#[test]
fn ping_and_tcp_cross_encrypted_and_in_clear() {
    for encrypted in [true, false] {
        let (a, b) = hosts();
        let sites = pair(&a, &b, &server(), encrypted);
        a.ping(INNER[1]);
        b.ping(INNER[0]);
        transfer(&a, &b, INNER[1], 5_000_000);
        transfer(&b, &a, INNER[0], 5_000_000);
        for site in &sites {
            let counters = site.counters();
            assert_eq!((counters.decrypt_failures, counters.malformed, counters.spoofed), (0, 0, 0));
            assert!(counters.rx_bytes > 5_000_000 && counters.tx_bytes > 5_000_000, "{counters:?}");
            let drops = site.plane.drops();
            assert_eq!((drops.unknown_call, drops.spoofed, drops.malformed), (0, 0, 0), "{drops:?}");
        }
    }
}

/// What crosses by the socket crosses by AF_XDP, native or generic, alone on its side or on both.
#[test]
fn ping_and_tcp_cross_by_af_xdp() {
    for (io, encrypted) in [([Io::Xdp; 2], true), ([Io::Xdp; 2], false), ([Io::Socket, Io::Xdp], true)] {
        let (a, b) = hosts();
        let sites = io.map(|io| DataplaneConfig { io, near: Some(OUTER[0]), ..server() });
        let sites = [Site::new(&a, 0, sites[0].clone()), Site::new(&b, 1, sites[1].clone())];
        assert_eq!(sites[1].plane.no_xdp(), "");
        assert!(sites[1].plane.io().starts_with("AF_XDP on eth0"), "{}", sites[1].plane.io());
        sites[0].open(sites[1].named_by_peer(), encrypted);
        sites[1].open(sites[0].named_by_peer(), encrypted);
        a.ping(INNER[1]);
        transfer(&a, &b, INNER[1], 5_000_000);
        transfer(&b, &a, INNER[0], 5_000_000);
        for site in &sites {
            let counters = site.counters();
            assert_eq!((counters.decrypt_failures, counters.malformed, counters.spoofed), (0, 0, 0));
            let drops = site.plane.drops();
            assert_eq!((drops.unknown_call, drops.spoofed, drops.malformed), (0, 0, 0), "{drops:?}");
        }
    }
}

#[test]
fn refused_af_xdp_falls_back_to_the_socket_with_the_reason() {
    let (a, b) = hosts();
    // The wire has one queue.
    let config = DataplaneConfig { io: Io::Xdp, near: Some(OUTER[0]), workers: Some(2), ..server() };
    let sites = pair(&a, &b, &config, true);
    let why = sites[0].plane.no_xdp();
    assert!(why.contains("the interface has 1") && why.contains("link.io"), "{why}");
    let io = sites[0].plane.io();
    assert!(io.starts_with("raw socket, TUN"), "{io}");
    a.ping(INNER[1]);
}

#[test]
fn several_workers_share_the_work() {
    for workers in [2, 4] {
        let (a, b) = hosts();
        let sites = pair(&a, &b, &DataplaneConfig { workers: Some(workers), ..server() }, true);
        assert!(sites[0].plane.io().ends_with(&format!("{workers} workers")));
        transfer(&a, &b, INNER[1], 2_000_000);
        transfer(&b, &a, INNER[0], 2_000_000);
        for site in &sites {
            assert_eq!(site.counters().decrypt_failures, 0);
        }
    }
}

/// Over two queues, so that some packets come by the queue of their call's worker and others by the socket.
#[test]
fn several_workers_share_the_queues_of_af_xdp() {
    let (a, b) = (Host::new("a"), Host::new("b"));
    a.sh("ip link add eth0 numtxqueues 2 numrxqueues 2 type veth peer name eth1 numtxqueues 2 numrxqueues 2");
    a.ip(&format!("link set eth1 netns {} name eth0", b.path()));
    for (host, address) in [(&a, OUTER[0]), (&b, OUTER[1])] {
        host.sh(&format!("ip address add {address}/24 dev eth0; ip link set eth0 up"));
    }
    let config = DataplaneConfig { io: Io::Xdp, near: Some(OUTER[0]), workers: Some(2), ..server() };
    let sites = pair(&a, &b, &config, true);
    for site in &sites {
        let io = site.plane.io();
        assert!(io.contains("2 queues") && io.ends_with("2 workers"), "{io}");
    }
    transfer(&a, &b, INNER[1], 2_000_000);
    transfer(&b, &a, INNER[0], 2_000_000);
    for site in &sites {
        assert_eq!(site.counters().decrypt_failures, 0);
        assert_eq!((site.plane.drops().unknown_call, site.plane.drops().spoofed), (0, 0));
    }
}

#[test]
fn networks_behind_the_peer_are_reached() {
    let (a, b) = hosts();
    let _sites = pair(&a, &b, &server(), true);
    b.ip("address add 172.16.5.5/32 dev lo");
    a.ip("route add 172.16.0.0/12 dev adit0");
    a.ping("172.16.5.5".parse().unwrap());
}

#[test]
fn c076_c077_c190_c191_a_bad_wire_loses_packets_but_no_data() {
    let (a, b) = (Host::new("a"), Host::new("b"));
    let bad = |seed| Seeded { drop: 10, duplicate: 10, reorder: 20, ..Seeded::new(seed) };
    let relay = Relay::between((&a, "eth0", "192.0.2.1/24"), (&b, "eth0", "192.0.2.2/24"), bad(1), bad(2));
    let sites = pair(&a, &b, &server(), true);
    transfer(&a, &b, INNER[1], 1_000_000);
    let counters = sites[1].counters();
    let wire = relay.counts()[0];
    assert!(wire.dropped > 0 && wire.duplicated > 0 && wire.delayed > 0, "{wire:?}");
    // A packet, or its copy, that was overtaken by more than the window holds is out of the window when it arrives; on a
    // busy machine, where packets come in long bursts, that can be all of them.
    let known = counters.reordered + counters.duplicate + counters.out_of_window;
    assert!(counters.lost > 0 && known > 0, "{counters:?}");
    assert_eq!(counters.decrypt_failures, 0);
}

#[test]
fn c080_c063_frames_cross_and_are_acknowledged() {
    let (a, b) = hosts();
    let sites = pair(&a, &b, &server(), true);
    let start = Instant::now();
    sites[0].plane.send_frame(sites[0].call_id, LCP.to_vec());
    assert_eq!(
        sites[1].events.recv(),
        Some(Event::Frame { call_id: sites[1].call_id, frame: LCP.to_vec(), origin: Origin::Clear })
    );
    assert_eq!(sites[0].events.recv(), Some(Event::Acknowledged { call_id: sites[0].call_id }));
    assert!(start.elapsed() >= Duration::from_millis(100), "nothing rode back on data");
    assert!(start.elapsed() < Duration::from_secs(5));
}

/// An LCP frame with number 0 in GRE for `call_id`.
fn gre_frame(call_id: LocalCallId) -> Vec<u8> {
    gre::packet(call_id.get(), Some(0), None, &LCP)
}

#[test]
fn c068_ip_options_do_not_hide_the_gre_header() {
    let (a, b) = hosts();
    let sites = pair(&a, &b, &server(), true);
    let gre = gre_frame(sites[1].call_id);
    let header = ipv4::Repr::new(OUTER[0], OUTER[1], gre::IP_PROTOCOL);
    let mut header = ipv4::Repr { payload_len: 8 + gre.len() as u16, ..header }.emit().to_vec();
    header[0] = 0x47;
    header.extend([1, 1, 1, 1, 1, 1, 1, 0]); // no-operations to the end of the list
    header[10..12].fill(0);
    let sum = checksum::of(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    let ethernet = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 8, 0];
    let frame = [&ethernet[..], &header, &gre].concat();
    a.run(|| PacketSocket::open("eth0").unwrap().send(VnetHeader::default(), &frame).unwrap());
    assert_eq!(
        sites[1].events.recv(),
        Some(Event::Frame { call_id: sites[1].call_id, frame: LCP.to_vec(), origin: Origin::Clear })
    );
}

#[test]
fn c069_c070_c087_strangers_and_unknown_calls_are_counted_and_not_answered() {
    let (a, b) = hosts();
    a.ip("address add 192.0.2.77/24 dev eth0");
    let config = server();
    let site = Site::new(&b, 1, config);
    // Before the call is open no packet is read; those of its peer wait.
    let send = |call_id: LocalCallId, from: &str| {
        let options = GreOptions { local: Some(from.parse().unwrap()), ..GreOptions::default() };
        let socket = a.run(|| GreSocket::open(&options).unwrap());
        let mut batch = SendBatch::new(1, 100);
        assert!(batch.push(OUTER[1], None, &gre_frame(call_id)));
        assert_eq!(socket.send(&mut batch).sent, 1);
    };
    send(site.call_id, "192.0.2.1");
    send(site.call_id, "192.0.2.77");
    wait_until("the stranger before the call", LIMIT, || site.plane.drops().unknown_call == 1);
    assert!(site.events.try_recv().is_none());
    site.open(PeerCallId::new(4711), true);
    assert!(matches!(site.events.recv(), Some(Event::Frame { .. })));
    send(site.call_id, "192.0.2.77");
    wait_until("the stranger", LIMIT, || site.plane.drops().spoofed == 1);
    send(LocalCallId::new(site.call_id.get() ^ 1), "192.0.2.1");
    wait_until("the unknown call", LIMIT, || site.plane.drops().unknown_call == 2);
    assert!(site.events.try_recv().is_none());
    site.plane.close(site.call_id);
    assert_eq!(site.plane.counters(site.call_id), None);
    send(site.call_id, "192.0.2.1");
    wait_until("the packet after the call", LIMIT, || site.plane.drops().unknown_call == 3);
}

#[test]
fn c088_a_host_without_gre_answers_protocol_unreachable() {
    let (a, _b) = hosts();
    let site = Site::new(&a, 0, server());
    site.open(PeerCallId::new(4711), true);
    site.plane.send_frame(site.call_id, LCP.to_vec());
    assert_eq!(
        site.events.recv(),
        Some(Event::Unreachable { call_id: site.call_id, from: OUTER[1], code: 2 })
    );
}

#[test]
fn c088_a_firewall_that_rejects_gre_answers_administratively_prohibited() {
    let (a, b) = hosts();
    b.nft(
        "table ip t {\n\
           chain c {\n\
             type filter hook input priority 0\n\
             ip protocol 47 reject with icmp type admin-prohibited\n\
           }\n\
         }",
    );
    let sites = pair(&a, &b, &server(), true);
    sites[0].plane.send_frame(sites[0].call_id, LCP.to_vec());
    assert_eq!(
        sites[0].events.recv(),
        Some(Event::Unreachable { call_id: sites[0].call_id, from: OUTER[1], code: 13 })
    );
}

/// An echo of `size` octets with Don't Fragment.
fn echo(from: &Host, to: Ipv4Addr, size: u16) -> Answer {
    let request = Request { size, dont_fragment: true, ..Request::new(to) };
    from.try_ping(&request).unwrap()
}

fn too_big(from: Ipv4Addr, mtu: u32) -> Answer {
    Answer::Error { from: Some(from), kind: IcmpKind::FragmentationNeeded { mtu } }
}

#[test]
fn c090_inner_packets_that_are_too_big_are_answered() {
    let (a, b) = hosts();
    let sites = pair(&a, &b, &server(), true);
    // The interface lets more through than the tunnel takes.
    a.ip("link set adit0 mtu 1500");
    assert!(matches!(echo(&a, INNER[1], 1400), Answer::Reply(_)));
    assert_eq!(echo(&a, INNER[1], 1401), too_big(INNER[1], 1400));
    wait_until("the count", LIMIT, || sites[0].counters().too_big == 1);
}

#[test]
fn inner_packets_without_df_are_fragmented() {
    let (a, b) = hosts();
    let sites = pair(&a, &b, &server(), true);
    a.ip("link set adit0 mtu 4000");
    let receiver = b.run(|| UdpSocket::bind((INNER[1], 9)).unwrap());
    receiver.set_read_timeout(Some(LIMIT)).unwrap();
    let data: Vec<u8> = (0..3000u16).map(|n| n as u8).collect();
    a.sysctl("net.ipv4.ip_no_pmtu_disc", "1");
    a.run(|| UdpSocket::bind((INNER[0], 0)).unwrap().send_to(&data, (INNER[1], 9)).unwrap());
    let mut buffer = [0; 4000];
    let len = receiver.recv(&mut buffer).unwrap();
    assert_eq!(buffer[..len], data);
    wait_until("the counters", LIMIT, || {
        (sites[0].counters().fragmented, sites[1].counters().rx_packets) == (1, 3)
    });
}

#[test]
fn c089_c090_with_df_a_narrow_router_lowers_the_tunnel_mtu() {
    let (a, router, b) = (Host::new("a"), Host::new("router"), Host::new("b"));
    wire((&a, "eth0", "192.0.2.1/32"), (&router, "left", "192.0.2.100/32"));
    wire((&router, "right", "192.0.2.100/32"), (&b, "eth0", "192.0.2.2/32"));
    router.sysctl("net.ipv4.ip_forward", "1");
    router.ip("route add 192.0.2.1 dev left");
    router.ip("route add 192.0.2.2 dev right mtu 1300");
    for host in [&a, &b] {
        host.ip("route add 192.0.2.100 dev eth0");
        host.ip("route add 192.0.2.0/24 via 192.0.2.100");
    }
    let config = DataplaneConfig { dont_fragment: true, ..server() };
    let _sites = pair(&a, &b, &config, true);
    a.ping(INNER[1]);
    wait_until("the sender inside to hear of the narrow router", LIMIT, || {
        echo(&a, INNER[1], 1400) == too_big(INNER[1], 1256)
    });
    assert!(matches!(echo(&a, INNER[1], 1256), Answer::Reply(_)));
}

#[test]
fn tcp_segments_fit_the_tunnel_from_the_first() {
    let (a, b) = hosts();
    let sites = pair(&a, &b, &server(), true);
    // The hosts believe in 1500; the clamp knows better.
    a.ip("link set adit0 mtu 1500");
    b.ip("link set adit0 mtu 1500");
    transfer(&a, &b, INNER[1], 1_000_000);
    assert_eq!(sites[0].counters().too_big + sites[1].counters().too_big, 0);
}

#[test]
fn stop_ends_the_events_and_removes_the_interface() {
    let (a, b) = hosts();
    let [site, _other] = pair(&a, &b, &server(), true);
    site.plane.stop();
    site.plane.stop();
    assert_eq!(site.events.recv(), None);
    site.plane.send_frame(site.call_id, LCP.to_vec());
    drop(site.plane);
    assert!(!a.try_sh("ip link show adit0").ok);
}
