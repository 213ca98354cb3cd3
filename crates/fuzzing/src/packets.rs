//! GRE, and the IP packets inside the tunnel.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use adit_pptp::gre::{Arrival, Receiver, ReceiverConfig};
use adit_wire::{dhcp, gre, icmp, ipv4, ipv6, tcp, udp};

use crate::input::Input;

/// GRE headers, and a receiver that is fed with sequence numbers and time.
pub(crate) fn gre_packet(data: &[u8]) {
    if let Ok(packet) = gre::Packet::new_checked(data) {
        let repr = packet.repr();
        assert_eq!(packet.payload().len(), usize::from(repr.payload_len));
        let again = gre::packet(repr.call_id, repr.seq, repr.ack, packet.payload());
        assert_eq!(gre::Repr::parse(&again), Ok(repr), "read, written, read again");
        let _ = packet.to_string();
    }
    receiver(&mut Input::new(data));
}

fn receiver(input: &mut Input<'_>) {
    let config = ReceiverConfig::default();
    let mut receiver = Receiver::new(config);
    let begun = Instant::now();
    let mut now = begun;
    let mut sequence = input.u32();
    let mut delivered = 0_u64;
    let mut given = 0_u64;
    while !input.is_empty() {
        let step = input.u8();
        // Small steps around the last number, and now and then anywhere.
        sequence = match step & 3 {
            0 => sequence.wrapping_add(1),
            1 => sequence.wrapping_add(u32::from(step >> 2)),
            2 => sequence.wrapping_sub(u32::from(step >> 2)),
            _ => input.u32(),
        };
        now += Duration::from_millis(u64::from(input.u8()));
        given += 1;
        match receiver.receive(now, sequence, &[step]) {
            Arrival::Deliver => delivered += 1,
            Arrival::Held | Arrival::Dropped => {}
        }
        while receiver.next_held().is_some() {
            delivered += 1;
        }
        if receiver.poll_timeout().is_some_and(|at| at <= now) {
            receiver.handle_timeout(now);
            while receiver.next_held().is_some() {
                delivered += 1;
            }
            assert!(receiver.poll_timeout().is_none_or(|at| at > now), "a timeout that stays due");
        }
    }
    assert!(delivered <= given, "{delivered} delivered of {given}");
}

/// Whatever a TUN or a peer may hand over as an IP packet.
pub(crate) fn dhcp_and_ip(data: &[u8]) {
    if let Ok(packet) = ipv4::Packet::new_checked(data) {
        let _ = (packet.to_string(), packet.checksum_is_right());
        upper_layer(packet.protocol(), packet.payload());
        fragments(packet);
        let mut out = Vec::new();
        icmp::fragmentation_needed(packet, 1400, Ipv4Addr::new(192, 0, 2, 1), &mut out);
        assert!(out.is_empty() || ipv4::Packet::new_checked(&out).is_ok_and(|p| p.checksum_is_right()));
    }
    if let Ok(packet) = ipv6::Packet::new_checked(data) {
        let _ = packet.to_string();
        if let Some((protocol, at)) = packet.upper_layer() {
            upper_layer(protocol, packet.as_bytes().get(at..).unwrap_or_default());
        }
        let mut out = Vec::new();
        icmp::packet_too_big(packet, 1400, Ipv6Addr::LOCALHOST, &mut out);
        assert!(out.is_empty() || ipv6::Packet::new_checked(&out).is_ok());
    }
    upper_layer(17, data);
    inform(data);
}

fn upper_layer(protocol: u8, data: &[u8]) {
    match protocol {
        1 | 58 => {
            if let Ok(packet) = icmp::Packet::new_checked(data) {
                let _ = (packet.to_string(), packet.mtu(), packet.payload().len());
            }
        }
        6 => clamp(data),
        17 => {
            if let Ok(packet) = udp::Packet::new_checked(data) {
                inform(packet.payload());
            }
        }
        _ => {}
    }
}

/// The MSS is lowered, never raised, and nothing else changes but the checksum.
fn clamp(data: &[u8]) {
    let Ok(packet) = tcp::Packet::new_checked(data) else { return };
    let before = packet.mss();
    let mut segment = data.to_vec();
    tcp::clamp_mss(&mut segment, 1360);
    assert_eq!(segment.len(), data.len());
    if let (Ok(after), Some(before)) = (tcp::Packet::new_checked(&segment), before) {
        assert!(after.mss().is_some_and(|mss| mss <= before), "clamping raised {before}");
    }
}

/// The fragments of a packet hold its octets, no more and no less.
fn fragments(packet: ipv4::Packet<'_>) {
    let Some(mut fragments) = ipv4::Fragments::new(packet, 576) else { return };
    let mut buffer = [0; 576];
    let mut payload = Vec::new();
    while let Some(len) = fragments.next_into(&mut buffer) {
        match ipv4::Packet::new_checked(&buffer[..len]) {
            Ok(fragment) => payload.extend_from_slice(fragment.payload()),
            Err(error) => unreachable!("a fragment that cannot be read: {error}"),
        }
    }
    assert_eq!(payload, packet.payload());
}

fn inform(data: &[u8]) {
    let is_inform = dhcp::is_inform(data);
    match dhcp::Inform::parse(data) {
        Ok(inform) => {
            assert!(is_inform, "parsed, but is_inform is false");
            let _ = inform.to_string();
        }
        Err(error) => {
            let _ = error.to_string();
        }
    }
}
