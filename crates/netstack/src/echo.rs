//! An ICMP echo (RFC 792) of any size.

use std::net::Ipv4Addr;

use adit_wire::{checksum, icmp, ipv4};

/// IP header, ICMP header.
pub(crate) const SMALLEST: u16 = (ipv4::HEADER_MIN + icmp::HEADER) as u16;
const FILL: u8 = 0x55;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Echo {
    pub(crate) from: Ipv4Addr,
    pub(crate) to: Ipv4Addr,
    pub(crate) identifier: u16,
    pub(crate) sequence: u16,
    /// Octets of the whole IP packet.
    pub(crate) size: u16,
    pub(crate) dont_fragment: bool,
    pub(crate) ttl: u8,
}

impl Echo {
    /// The whole packet.
    pub(crate) fn packet(&self) -> Vec<u8> {
        let size = usize::from(self.size.max(SMALLEST));
        let header = ipv4::Repr {
            identification: self.sequence,
            dont_fragment: self.dont_fragment,
            ttl: self.ttl,
            ..ipv4::Repr::new(self.from, self.to, ipv4::ICMP)
        };
        let mut icmp = vec![icmp::ECHO_REQUEST, 0, 0, 0];
        icmp.extend_from_slice(&self.identifier.to_be_bytes());
        icmp.extend_from_slice(&self.sequence.to_be_bytes());
        icmp.resize(size - ipv4::HEADER_MIN, FILL);
        let sum = checksum::of(&icmp).to_be_bytes();
        icmp.splice(2..4, sum);
        header.packet(&icmp)
    }
}

/// Identifier and sequence number of the echo or reply that begins with `octets`, an ICMP message.
pub(crate) fn numbers(octets: &[u8]) -> Option<(u16, u16)> {
    let half = |at: usize| Some(u16::from_be_bytes(*octets.get(at..)?.first_chunk::<2>()?));
    Some((half(4)?, half(6)?))
}
