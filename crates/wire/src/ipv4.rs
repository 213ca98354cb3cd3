//! IPv4 (RFC 791): the packet inside the tunnel, and the header of packets sent on a raw socket.

use core::fmt;
use std::net::Ipv4Addr;

use crate::{Error, Protocol, Result, checksum};

mod fragment;

pub use fragment::Fragments;

/// The length of a header without options.
pub const HEADER_MIN: usize = 20;
/// The length of a header with the most options.
pub const HEADER_MAX: usize = 60;

/// Protocol number of ICMP.
pub const ICMP: u8 = 1;
/// Protocol number of TCP.
pub const TCP: u8 = 6;
/// Protocol number of UDP.
pub const UDP: u8 = 17;

/// An IPv4 packet read in place.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Exactly Total Length octets, at least a header.
    bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Parses the packet at the start of `buffer`; octets beyond its Total Length are padding and ignored.
    /// The header checksum is not verified, see [`Packet::checksum_is_right`].
    pub fn new_checked(buffer: &'a [u8]) -> Result<Packet<'a>> {
        let error = |field, offset, expected, found: usize| {
            Err(Error::new(Protocol::Ipv4, field, offset, expected, found as u64))
        };
        let Some(header) = buffer.first_chunk::<HEADER_MIN>() else {
            return error("header", 0, "at least 20 octets", buffer.len());
        };
        if header[0] >> 4 != 4 {
            return error("Version", 0, "4", usize::from(header[0] >> 4));
        }
        let header_len = usize::from(header[0] & 0x0f) * 4;
        let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header_len < HEADER_MIN {
            return error("IHL", 0, "at least 5", usize::from(header[0] & 0x0f));
        }
        if total < header_len {
            return error("Total Length", 2, "at least the header", total);
        }
        match buffer.get(..total) {
            Some(bytes) => Ok(Packet { bytes }),
            None => error("Total Length", 2, "no more than the packet holds", total),
        }
    }

    /// The packet's octets.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The length of the header in octets: 20 to 60.
    pub fn header_len(&self) -> usize {
        usize::from(self.bytes[0] & 0x0f) * 4
    }

    /// Type of service: DSCP and ECN.
    pub fn tos(&self) -> u8 {
        self.bytes[1]
    }

    /// Identification, the same in all fragments of a packet.
    pub fn identification(&self) -> u16 {
        self.half(4)
    }

    /// DF: routers must not fragment the packet.
    pub fn dont_fragment(&self) -> bool {
        self.bytes[6] & 0x40 != 0
    }

    /// MF: it is a fragment other than the last.
    pub fn more_fragments(&self) -> bool {
        self.bytes[6] & 0x20 != 0
    }

    /// The offset of this fragment in the payload of the whole packet, in octets.
    pub fn fragment_offset(&self) -> usize {
        usize::from(self.half(6) & 0x1fff) * 8
    }

    /// Whether it is a fragment.
    pub fn is_fragment(&self) -> bool {
        self.more_fragments() || self.fragment_offset() != 0
    }

    /// Time to live.
    pub fn ttl(&self) -> u8 {
        self.bytes[8]
    }

    /// The protocol of the payload.
    pub fn protocol(&self) -> u8 {
        self.bytes[9]
    }

    /// Source.
    pub fn src(&self) -> Ipv4Addr {
        self.address(12)
    }

    /// Destination.
    pub fn dst(&self) -> Ipv4Addr {
        self.address(16)
    }

    /// The data after the header.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(self.header_len()..).unwrap_or_default()
    }

    /// Whether the header checksum is correct.
    pub fn checksum_is_right(&self) -> bool {
        self.bytes.get(..self.header_len()).is_some_and(|header| checksum::of(header) == 0)
    }

    fn half(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    fn address(&self, at: usize) -> Ipv4Addr {
        Ipv4Addr::new(self.bytes[at], self.bytes[at + 1], self.bytes[at + 2], self.bytes[at + 3])
    }
}

/// `10.0.0.2 > 192.0.2.1 protocol 6, 1400 octets`.
impl fmt::Display for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} > {} protocol {}, {} octets",
            self.src(),
            self.dst(),
            self.protocol(),
            self.bytes.len()
        )?;
        if self.is_fragment() {
            write!(f, ", fragment at {}", self.fragment_offset())?;
        }
        Ok(())
    }
}

/// The fields of a header without options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repr {
    /// Source.
    pub src: Ipv4Addr,
    /// Destination.
    pub dst: Ipv4Addr,
    /// The protocol of the payload.
    pub protocol: u8,
    /// Type of service.
    pub tos: u8,
    /// Identification; any value is allowed for a packet with DF.
    pub identification: u16,
    /// DF.
    pub dont_fragment: bool,
    /// Time to live.
    pub ttl: u8,
    /// The number of octets after the header, at most 65515.
    pub payload_len: u16,
}

impl Repr {
    /// Creates the header of a packet that may be fragmented, with time to live 64 and nothing else set.
    pub fn new(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8) -> Repr {
        Repr { src, dst, protocol, tos: 0, identification: 0, dont_fragment: false, ttl: 64, payload_len: 0 }
    }

    /// Builds the whole packet. Its length is that of `payload`, whatever `payload_len` is; data beyond the
    /// size of a packet is truncated.
    pub fn packet(&self, payload: &[u8]) -> Vec<u8> {
        const MAX: usize = u16::MAX as usize - HEADER_MIN;
        let payload = payload.get(..MAX).unwrap_or(payload);
        let header = Repr { payload_len: payload.len() as u16, ..*self }.emit();
        [&header[..], payload].concat()
    }

    /// The header with its checksum.
    pub fn emit(&self) -> [u8; HEADER_MIN] {
        let mut header = [0; HEADER_MIN];
        header[0] = 0x45;
        header[1] = self.tos;
        header[2..4].copy_from_slice(&self.payload_len.saturating_add(HEADER_MIN as u16).to_be_bytes());
        header[4..6].copy_from_slice(&self.identification.to_be_bytes());
        header[6] = if self.dont_fragment { 0x40 } else { 0 };
        header[8] = self.ttl;
        header[9] = self.protocol;
        header[12..16].copy_from_slice(&self.src.octets());
        header[16..20].copy_from_slice(&self.dst.octets());
        let sum = checksum::of(&header);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        header
    }
}

#[cfg(test)]
mod tests;
