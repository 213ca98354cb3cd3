//! Classification of packets for the coalescer.

use adit_wire::{ipv4, ipv6, tcp};

/// The kind of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A TCP segment with data and no flags other than ACK and PSH.
    Data(Segment),
    /// Another TCP segment: it keeps its place in its flow and is not joined.
    Alone(Flow),
    /// A packet that may be TCP of an unknown flow: fragments, IP options, extension headers, damage.
    Unclear,
    /// Not TCP.
    Other,
}

/// One direction of a TCP connection: addresses and ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    ports: [u8; 4],
    is_v6: bool,
    /// Source and destination; IPv4 addresses use the first 8 octets.
    addresses: [u8; 32],
}

/// Offsets in a segment that may be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) flow: Flow,
    pub(super) is_v6: bool,
    /// The offset of the TCP header.
    pub(super) transport: usize,
    /// The offset of the data.
    pub(super) data: usize,
    /// The length of the data in octets, at least 1.
    pub(super) len: usize,
    pub(super) seq: u32,
    pub(super) has_push: bool,
}

/// Classifies a packet. Only the checksum of the IPv4 header is verified.
pub(super) fn read(packet: &[u8]) -> Kind {
    match packet.first().map(|octet| octet >> 4) {
        Some(4) => read_v4(packet),
        Some(6) => read_v6(packet),
        _ => Kind::Other,
    }
}

fn read_v4(packet: &[u8]) -> Kind {
    let Some((header, segment)) = packet.split_first_chunk::<{ ipv4::HEADER_MIN }>() else {
        return Kind::Other;
    };
    if header[9] != ipv4::TCP {
        return Kind::Other;
    }
    // Neither options nor fragments; DF alone may be set.
    if header[0] != 0x45 || header[6] & !0x40 != 0 || header[7] != 0 {
        return Kind::Unclear;
    }
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let is_whole = total == packet.len() && adit_wire::checksum::of(header) == 0;
    let mut addresses = [0; 32];
    addresses[..8].copy_from_slice(&header[12..]);
    read_tcp(segment, ipv4::HEADER_MIN, addresses, is_whole)
}

fn read_v6(packet: &[u8]) -> Kind {
    let Some((header, segment)) = packet.split_first_chunk::<{ ipv6::HEADER }>() else {
        return Kind::Other;
    };
    match header[6] {
        ipv4::TCP => {}
        // Hop-by-hop options, routing, fragment, authentication, destination options, mobility, HIP, shim6.
        0 | 43 | 44 | 51 | 60 | 135 | 139 | 140 => return Kind::Unclear,
        _ => return Kind::Other,
    }
    let is_whole = usize::from(u16::from_be_bytes([header[4], header[5]])) == segment.len();
    let mut addresses = [0; 32];
    addresses.copy_from_slice(&header[8..]);
    read_tcp(segment, ipv6::HEADER, addresses, is_whole)
}

fn read_tcp(segment: &[u8], transport: usize, addresses: [u8; 32], is_whole: bool) -> Kind {
    let Some(header) = segment.first_chunk::<{ tcp::HEADER_MIN }>() else { return Kind::Unclear };
    let is_v6 = transport == ipv6::HEADER;
    let flow = Flow { ports: [header[0], header[1], header[2], header[3]], is_v6, addresses };
    let header_len = usize::from(header[12] >> 4) * 4;
    let len = segment.len().saturating_sub(header_len);
    let is_plain = header[12] & 0x0f == 0 && header[13] & !tcp::PSH == tcp::ACK;
    if !is_whole || !is_plain || header_len < tcp::HEADER_MIN || len == 0 {
        return Kind::Alone(flow);
    }
    Kind::Data(Segment {
        flow,
        is_v6,
        transport,
        data: transport + header_len,
        len,
        seq: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
        has_push: header[13] & tcp::PSH != 0,
    })
}
