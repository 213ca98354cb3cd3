//! IPv4 and IPv6 headers of possibly truncated packets.

pub(crate) mod fragments;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use adit_wire::{Error, Protocol, Result, checksum, ipv4, ipv6};

use crate::octets::Octets as _;

/// IPv4 in IP.
pub(crate) const IPV4_IN_IP: u8 = 4;
/// IPv6 in IP (6in4).
pub(crate) const IPV6_IN_IP: u8 = 41;

/// The most IPv6 extension headers that are skipped.
const EXTENSIONS_MAX: usize = 8;

/// An IP header and its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ip<'a> {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) ttl: u8,
    pub(crate) dont_fragment: bool,
    pub(crate) protocol: u8,
    pub(crate) fragment: Option<Fragment>,
    /// The length of the whole packet by its header, or by the frame if the header claims more.
    pub(crate) total: usize,
    /// The payload after the headers, as far as it was captured.
    pub(crate) payload: &'a [u8],
    /// The length of the payload on the wire.
    pub(crate) payload_len: usize,
    /// Whether the checksum of the IPv4 header is correct.
    pub(crate) header_sum: Option<bool>,
}

/// The position of a fragment in its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub(crate) id: u32,
    pub(crate) offset: usize,
    /// MF: others follow.
    pub(crate) more: bool,
}

impl<'a> Ip<'a> {
    /// Parses the packet at the start of `octets`, which had `wire_len` octets on the wire, including
    /// padding. Longer lengths are clamped: the header may be wrong.
    pub(crate) fn parse(octets: &'a [u8], wire_len: usize) -> Result<Ip<'a>> {
        match octets.octet(0).map(|first| first >> 4) {
            Some(4) => Ip::parse_v4(octets, wire_len),
            Some(6) => Ip::parse_v6(octets, wire_len),
            Some(other) => Err(Error::new(Protocol::Ipv4, "Version", 0, "4 or 6", other.into())),
            None => Err(Error::new(Protocol::Ipv4, "header", 0, "at least 20 octets", 0)),
        }
    }

    fn parse_v4(octets: &'a [u8], wire_len: usize) -> Result<Ip<'a>> {
        let error = |field, offset, expected, found| {
            Err(Error::new(Protocol::Ipv4, field, offset, expected, found as u64))
        };
        let Some(header) = octets.first_chunk::<{ ipv4::HEADER_MIN }>() else {
            return error("header", 0, "at least 20 octets", octets.len());
        };
        let header_len = usize::from(header[0] & 0x0f) * 4;
        if header_len < ipv4::HEADER_MIN {
            return error("IHL", 0, "at least 5", header_len / 4);
        }
        let claimed = usize::from(u16::from_be_bytes([header[2], header[3]]));
        // With segmentation offload, packets are captured with length 0.
        let total = if claimed == 0 { wire_len.min(octets.len().max(header_len)) } else { claimed };
        if total < header_len {
            return error("Total Length", 2, "at least the header", total);
        }
        let flags = u16::from_be_bytes([header[6], header[7]]);
        let (more, offset) = (flags & 0x2000 != 0, usize::from(flags & 0x1fff) * 8);
        let id = u32::from(u16::from_be_bytes([header[4], header[5]]));
        let address = |at: usize| {
            IpAddr::from(Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]))
        };
        let total = total.min(wire_len);
        Ok(Ip {
            source: address(12),
            destination: address(16),
            ttl: header[8],
            dont_fragment: flags & 0x4000 != 0,
            protocol: header[9],
            fragment: (more || offset > 0).then_some(Fragment { id, offset, more }),
            total,
            payload: octets.at_most(total).behind(header_len),
            payload_len: total.saturating_sub(header_len),
            header_sum: octets.get(..header_len).map(|header| checksum::of(header) == 0),
        })
    }

    fn parse_v6(octets: &'a [u8], wire_len: usize) -> Result<Ip<'a>> {
        let Some(header) = octets.first_chunk::<{ ipv6::HEADER }>() else {
            let found = octets.len() as u64;
            return Err(Error::new(Protocol::Ipv6, "header", 0, "at least 40 octets", found));
        };
        let claimed = usize::from(u16::from_be_bytes([header[4], header[5]]));
        let total =
            if claimed == 0 { wire_len.min(octets.len()) } else { wire_len.min(ipv6::HEADER + claimed) };
        let address = |at: usize| {
            let octets: [u8; 16] = std::array::from_fn(|n| header[at + n]);
            IpAddr::from(Ipv6Addr::from(octets))
        };
        let mut ip = Ip {
            source: address(8),
            destination: address(24),
            ttl: header[7],
            dont_fragment: true,
            protocol: header[6],
            fragment: None,
            total,
            payload: octets.at_most(total).behind(ipv6::HEADER),
            payload_len: total.saturating_sub(ipv6::HEADER),
            header_sum: None,
        };
        ip.walk_extensions();
        Ok(ip)
    }

    fn walk_extensions(&mut self) {
        for _ in 0..EXTENSIONS_MAX {
            let (Some(follows), Some(len)) = (self.payload.octet(0), self.payload.octet(1)) else { return };
            let size = match self.protocol {
                // Hop-by-hop options, routing, destination options, mobility.
                0 | 43 | 60 | 135 => 8 + 8 * usize::from(len),
                // Authentication header.
                51 => 8 + 4 * usize::from(len),
                44 => {
                    let (Some(place), Some(id)) = (self.payload.be16(2), self.payload.be32(4)) else {
                        return;
                    };
                    let (offset, more) = (usize::from(place & 0xfff8), place & 1 != 0);
                    if more || offset > 0 {
                        self.fragment = Some(Fragment { id, offset, more });
                    }
                    8
                }
                _ => return,
            };
            self.protocol = follows;
            self.payload = self.payload.behind(size);
            self.payload_len = self.payload_len.saturating_sub(size);
            // The payload of a non-first fragment does not begin with a header.
            if self.fragment.is_some() {
                return;
            }
        }
    }
}
