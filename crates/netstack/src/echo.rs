//! An ICMP echo (RFC 792) of any size.

use std::net::Ipv4Addr;

use adit_wire::{icmp, ipv4};

/// IP header, ICMP header.
pub(crate) const SMALLEST: u16 = (ipv4::HEADER_MIN + icmp::HEADER) as u16;
const FILL: u8 = 0x55;

/// An echo request to be sent.
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
        let header = ipv4::Repr {
            identification: self.sequence,
            dont_fragment: self.dont_fragment,
            ttl: self.ttl,
            ..ipv4::Repr::new(self.from, self.to, ipv4::ICMP)
        };
        let data = vec![FILL; usize::from(self.size.saturating_sub(SMALLEST))];
        header.packet(&icmp::echo_request(self.identifier, self.sequence, &data))
    }
}

/// Identifier and sequence number of the echo or reply that begins with `octets`, an ICMP message.
pub(crate) fn numbers(octets: &[u8]) -> Option<(u16, u16)> {
    let half = |at: usize| Some(u16::from_be_bytes(*octets.get(at..)?.first_chunk::<2>()?));
    Some((half(4)?, half(6)?))
}
