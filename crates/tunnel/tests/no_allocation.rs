//! What the packet path allocates: nothing for packets that come in order, little for a call that idles.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::mppe::{StartKey, StartKeys, Strength};
use adit_ppp::mppe::Mppe;
use adit_tunnel::path::{HEADROOM, Network, Origin, Path, PathCommand, PathConfig, Sink};
use adit_wire::{LocalCallId, PeerCallId};
use adit_wire::{gre, udp};

/// Keeps the last GRE packet in a buffer of its own, and counts the rest.
struct Out {
    packet: [u8; 2048],
    len: usize,
    ip: usize,
}

impl Sink for Out {
    fn gre(&mut self, packet: &[u8]) {
        self.packet[..packet.len()].copy_from_slice(packet);
        self.len = packet.len();
    }
    fn ip(&mut self, _packet: &mut [u8]) {
        self.ip += 1;
    }
    fn frame(&mut self, _frame: &[u8], _origin: Origin) {}
    fn dhcp(&mut self, _packet: &[u8]) {}
}

fn end(call_ids: (u16, u16), keys: (u8, u8), peer: &str, stateless: bool) -> Path {
    let now = Instant::now();
    let mut path = Path::new(PathConfig::new(LocalCallId::new(call_ids.0), PeerCallId::new(call_ids.1)), now);
    let keys = StartKeys { send: StartKey::new([keys.0; 16]), receive: StartKey::new([keys.1; 16]) };
    path.command(now, PathCommand::Encryption(Some(Mppe { strength: Strength::Bits128, stateless, keys })));
    let network = Network {
        peer_networks: vec![peer.parse().unwrap()],
        acl: None,
        local: Ipv4Addr::new(10, 0, 0, 1),
        mtu: 1400,
        answer_dhcp: true,
        ipv6: None,
    };
    path.command(now, PathCommand::Network(Some(network)));
    path
}

#[test]
fn packets_in_order_allocate_nothing() {
    for stateless in [true, false] {
        let mut client = end((9, 7), (1, 2), "0.0.0.0/0", stateless);
        let mut server = end((7, 9), (2, 1), "10.0.0.2/32", stateless);
        let mut out = Out { packet: [0; 2048], len: 0, ip: 0 };
        let inner =
            udp::datagram_v4((Ipv4Addr::new(10, 0, 0, 2), 1), (Ipv4Addr::new(192, 0, 2, 1), 2), &[7; 1000]);
        let mut buffer = vec![0; HEADROOM + inner.len()];
        let now = Instant::now();
        // The first packet with new keys allocates the record of packets that the peer may reject.
        buffer[HEADROOM..].copy_from_slice(&inner);
        client.handle_ip(now, &mut buffer, &mut out);
        let (mut packet, len) = (out.packet, out.len);
        server.handle_gre(now, &mut packet[..len], &mut out);
        // Acknowledgments that go alone are part of it: there is one for every sixteen packets.
        let spent = allocation_counter::measure(|| {
            for _ in 0..1000 {
                buffer[HEADROOM..].copy_from_slice(&inner);
                client.handle_ip(now, &mut buffer, &mut out);
                let (mut packet, len) = (out.packet, out.len);
                server.handle_gre(now, &mut packet[..len], &mut out);
                server.handle_timeout(now, &mut out);
                assert!(server.poll_timeout().is_some() || client.poll_timeout().is_none());
            }
        });
        assert_eq!(out.ip, 1001);
        assert_eq!(server.counters().decrypt_failures, 0);
        // Stateful mode makes a new RC4 stream at every 256th packet.
        let allowed = if stateless { 0 } else { 1000 / 256 };
        assert!(spent.count_total <= allowed, "{spent:?}");
    }
}

#[test]
fn c237_an_idle_call_keeps_little_and_a_closed_one_nothing() {
    const CALLS: i64 = 100;
    const FRAME: [u8; 8] = [0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 4];
    let mut out = Out { packet: [0; 2048], len: 0, ip: 0 };
    let now = Instant::now();
    let mut idle = 0;
    let after = allocation_counter::measure(|| {
        let mut paths = Vec::new();
        let open = allocation_counter::measure(|| {
            for _ in 0..CALLS {
                let mut path = end((7, 9), (2, 1), "10.0.0.2/32", true);
                path.send_frame(now, &FRAME, &mut out);
                // A packet of each kind that is kept for a while: ahead of its turn, and a jump.
                for seq in [0u32, 20, 100_000] {
                    let mut packet = gre::packet(7, Some(seq), None, &[0xff; 1500]);
                    path.handle_gre(now, &mut packet, &mut out);
                }
                path.handle_timeout(now + Duration::from_secs(1), &mut out);
                paths.push(path);
            }
        });
        idle = open.bytes_current;
    });
    assert!(idle > 0 && idle < CALLS * 4096, "{} octets for each call", idle / CALLS);
    assert_eq!(after.bytes_current, 0);
}
