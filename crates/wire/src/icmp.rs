//! ICMP (RFC 792, RFC 1191) and ICMPv6 (RFC 4443): echoes, the errors sent for packets that are too large,
//! and the errors received about our own packets.

use core::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::{Error, Protocol, Result, checksum, ipv4, ipv6};

/// ICMP type of an echo reply.
pub const ECHO_REPLY: u8 = 0;
/// ICMP type of "destination unreachable".
pub const UNREACHABLE: u8 = 3;
/// Code of [`UNREACHABLE`]: the host does not support the protocol.
pub const PROTOCOL_UNREACHABLE: u8 = 2;
/// Code of [`UNREACHABLE`]: too big for the next link, and DF is set.
pub const FRAGMENTATION_NEEDED: u8 = 4;
/// ICMP type of an echo request.
pub const ECHO_REQUEST: u8 = 8;
/// ICMPv6 type of "packet too big".
pub const PACKET_TOO_BIG: u8 = 2;

/// The length of an ICMP header.
pub const HEADER: usize = 8;
/// The octets of a quoted packet after its IPv4 header (RFC 792; RFC 1812 allows more).
const QUOTED: usize = 8;

/// An ICMP message read in place.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Parses the message that fills `buffer`, and verifies its checksum.
    pub fn new_checked(buffer: &'a [u8]) -> Result<Packet<'a>> {
        if buffer.len() < HEADER {
            return Err(Error::new(Protocol::Icmp, "header", 0, "at least 8 octets", buffer.len() as u64));
        }
        match checksum::of(buffer) {
            0 => Ok(Packet { bytes: buffer }),
            sum => Err(Error::new(Protocol::Icmp, "Checksum", 2, "a sum of 0", u64::from(sum))),
        }
    }

    /// Type.
    pub fn kind(&self) -> u8 {
        self.bytes[0]
    }

    /// Code.
    pub fn code(&self) -> u8 {
        self.bytes[1]
    }

    /// The next hop's MTU, in a "fragmentation needed" (RFC 1191); 0 from old routers.
    pub fn mtu(&self) -> u16 {
        u16::from_be_bytes([self.bytes[6], self.bytes[7]])
    }

    /// The data after the header; of an error, the beginning of the quoted packet.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }
}

/// `ICMP 3/4`.
impl fmt::Display for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ICMP {}/{}", self.kind(), self.code())
    }
}

/// Builds a message with a checksum: `rest` follows the checksum in its header, `data` follows the header.
pub fn message(kind: u8, code: u8, rest: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + data.len());
    push(&mut out, kind, code, rest, data);
    out
}

/// Builds an echo request.
pub fn echo_request(identifier: u16, sequence: u16, data: &[u8]) -> Vec<u8> {
    let ([a, b], [c, d]) = (identifier.to_be_bytes(), sequence.to_be_bytes());
    message(ECHO_REQUEST, 0, [a, b, c, d], data)
}

fn push(out: &mut Vec<u8>, kind: u8, code: u8, rest: [u8; 4], data: &[u8]) {
    let at = out.len();
    out.extend_from_slice(&[kind, code, 0, 0]);
    out.extend_from_slice(&rest);
    out.extend_from_slice(data);
    let sum = checksum::of(&out[at..]);
    out[at + 2..at + 4].copy_from_slice(&sum.to_be_bytes());
}

/// Appends to `out` an IPv4 packet from `from` that reports to the sender of `original` that it does not fit
/// into `mtu` octets. Returns false and appends nothing if no error may be sent: RFC 1122 section 3.2.2
/// forbids errors about errors, non-first fragments, and packets to or from more than one host.
pub fn fragmentation_needed(original: ipv4::Packet<'_>, mtu: u16, from: Ipv4Addr, out: &mut Vec<u8>) -> bool {
    let one_host = |address: Ipv4Addr| {
        !(address.is_unspecified() || address.is_multicast() || address.is_broadcast())
            && address.octets()[0] < 240
    };
    let is_error = original.protocol() == ipv4::ICMP
        && !matches!(original.payload().first(), Some(&(ECHO_REPLY | ECHO_REQUEST | 13..=18)));
    if is_error
        || original.fragment_offset() != 0
        || !one_host(original.src())
        || !one_host(original.dst())
        || original.src().is_loopback()
    {
        return false;
    }
    let bytes = original.as_bytes();
    let quoted = &bytes[..bytes.len().min(original.header_len() + QUOTED)];
    let header = ipv4::Repr {
        payload_len: (HEADER + quoted.len()) as u16,
        ..ipv4::Repr::new(from, original.src(), ipv4::ICMP)
    };
    out.extend_from_slice(&header.emit());
    let [high, low] = mtu.to_be_bytes();
    push(out, UNREACHABLE, FRAGMENTATION_NEEDED, [0, 0, high, low], quoted);
    true
}

/// Appends to `out` an IPv6 packet from `from` that reports to the sender of `original` that it does not fit
/// into `mtu` octets. Returns false and appends nothing if no error may be sent (RFC 4443 section 2.4 e). A
/// packet to a multicast group may be answered: path MTU discovery covers multicast too.
pub fn packet_too_big(original: ipv6::Packet<'_>, mtu: u32, from: Ipv6Addr, out: &mut Vec<u8>) -> bool {
    let is_error = match original.upper_layer() {
        // Types below 128 are errors, and 137 is a redirect.
        Some((ipv6::ICMPV6, at)) => {
            original.as_bytes().get(at).is_none_or(|kind| *kind < 128 || *kind == 137)
        }
        _ => false,
    };
    if is_error || original.src().is_unspecified() || original.src().is_multicast() {
        return false;
    }
    let capacity = usize::from(ipv6::MTU_MIN) - ipv6::HEADER - HEADER;
    let bytes = original.as_bytes();
    let quoted = &bytes[..bytes.len().min(capacity)];
    let len = HEADER + quoted.len();
    let header = ipv6::Repr {
        src: from,
        dst: original.src(),
        next_header: ipv6::ICMPV6,
        hop_limit: 64,
        payload_len: len as u16,
    };
    out.extend_from_slice(&header.emit());
    let at = out.len();
    out.extend_from_slice(&[PACKET_TOO_BIG, 0, 0, 0]);
    out.extend_from_slice(&mtu.to_be_bytes());
    out.extend_from_slice(quoted);
    let sum = checksum::Sum::default()
        .pseudo_v6(from, original.src(), ipv6::ICMPV6, len as u32)
        .with(&out[at..])
        .finish();
    out[at + 2..at + 4].copy_from_slice(&sum.to_be_bytes());
    true
}

#[cfg(test)]
mod tests;
