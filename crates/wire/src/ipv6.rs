//! IPv6 (RFC 8200): the packet inside the tunnel.

use core::fmt;
use std::net::Ipv6Addr;

use crate::{Error, Protocol, Result};

/// The length of the fixed header.
pub const HEADER: usize = 40;
/// The minimum MTU of a link.
pub const MTU_MIN: u16 = 1280;

/// Next Header of ICMPv6.
pub const ICMPV6: u8 = 58;
/// The most extension headers that are skipped to find the upper layer.
const MAX_EXTENSIONS: usize = 8;

/// An IPv6 packet read in place.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Header and payload, without padding.
    bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Parses the packet at the start of `buffer`; octets beyond its Payload Length are padding and ignored.
    /// Jumbograms (RFC 2675) look like empty packets.
    pub fn new_checked(buffer: &'a [u8]) -> Result<Packet<'a>> {
        let error = |field, offset, expected, found: usize| {
            Err(Error::new(Protocol::Ipv6, field, offset, expected, found as u64))
        };
        let Some(header) = buffer.first_chunk::<HEADER>() else {
            return error("header", 0, "at least 40 octets", buffer.len());
        };
        if header[0] >> 4 != 6 {
            return error("Version", 0, "6", usize::from(header[0] >> 4));
        }
        let payload = usize::from(u16::from_be_bytes([header[4], header[5]]));
        match buffer.get(..HEADER + payload) {
            Some(bytes) => Ok(Packet { bytes }),
            None => error("Payload Length", 4, "no more than the packet holds", payload),
        }
    }

    /// The packet's octets.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Next Header: the type of the header after the fixed header.
    pub fn next_header(&self) -> u8 {
        self.bytes[6]
    }

    /// Hop Limit.
    pub fn hop_limit(&self) -> u8 {
        self.bytes[7]
    }

    /// Source.
    pub fn src(&self) -> Ipv6Addr {
        self.address(8)
    }

    /// Destination.
    pub fn dst(&self) -> Ipv6Addr {
        self.address(24)
    }

    /// The data after the fixed header.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }

    /// The upper-layer protocol and its offset in the packet, after any extension headers. `None` for a
    /// non-first fragment, or a header chain that is truncated or too long.
    pub fn upper_layer(&self) -> Option<(u8, usize)> {
        let (mut next, mut at) = (self.next_header(), HEADER);
        for _ in 0..MAX_EXTENSIONS {
            let header = self.bytes.get(at..);
            match (next, header) {
                // Hop-by-hop options, routing, destination options: length in units of 8 octets, less one.
                (0 | 43 | 60, Some(&[follows, len, ..])) => {
                    next = follows;
                    at += 8 + 8 * usize::from(len);
                }
                (44, Some(&[follows, _, high, low, ..])) => {
                    if u16::from_be_bytes([high, low]) >> 3 != 0 {
                        return None;
                    }
                    next = follows;
                    at += 8;
                }
                (0 | 43 | 44 | 60, _) => return None,
                (protocol, header) => return header.map(|_| (protocol, at)),
            }
        }
        None
    }

    fn address(&self, at: usize) -> Ipv6Addr {
        let mut octets = [0; 16];
        octets.copy_from_slice(&self.bytes[at..at + 16]);
        Ipv6Addr::from(octets)
    }
}

/// `fe80::1 > fe80::2 next header 58, 64 octets`.
impl fmt::Display for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (src, dst, next, len) = (self.src(), self.dst(), self.next_header(), self.bytes.len());
        write!(f, "{src} > {dst} next header {next}, {len} octets")
    }
}

/// The fields of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repr {
    /// Source.
    pub src: Ipv6Addr,
    /// Destination.
    pub dst: Ipv6Addr,
    /// Next Header.
    pub next_header: u8,
    /// Hop Limit.
    pub hop_limit: u8,
    /// The number of octets after the header.
    pub payload_len: u16,
}

impl Repr {
    /// The header.
    pub fn emit(&self) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[0] = 0x60;
        header[4..6].copy_from_slice(&self.payload_len.to_be_bytes());
        header[6] = self.next_header;
        header[7] = self.hop_limit;
        header[8..24].copy_from_slice(&self.src.octets());
        header[24..40].copy_from_slice(&self.dst.octets());
        header
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(next_header: u8, payload: &[u8]) -> Vec<u8> {
        let repr = Repr {
            src: "fe80::1".parse().unwrap(),
            dst: "fe80::2".parse().unwrap(),
            next_header,
            hop_limit: 64,
            payload_len: payload.len() as u16,
        };
        [&repr.emit()[..], payload].concat()
    }

    #[test]
    fn a_header_is_read_back() {
        let octets = packet(58, &[1, 2, 3]);
        let read = Packet::new_checked(&octets).unwrap();
        assert_eq!((read.next_header(), read.hop_limit(), read.payload()), (58, 64, &[1, 2, 3][..]));
        assert_eq!(read.to_string(), "fe80::1 > fe80::2 next header 58, 43 octets");
        assert_eq!(Packet::new_checked(&octets[..42]).unwrap_err().field, "Payload Length");
        assert_eq!(Packet::new_checked(&octets[..39]).unwrap_err().field, "header");
        assert_eq!(Packet::new_checked(&[0x40; 60]).unwrap_err().field, "Version");
    }

    #[test]
    fn the_upper_layer_lies_behind_extensions() {
        let upper = |next, payload: &[u8]| Packet::new_checked(&packet(next, payload)).unwrap().upper_layer();
        assert_eq!(upper(6, &[0; 20]), Some((6, 40)));
        let mut chain = vec![0; 36];
        (chain[0], chain[1]) = (43, 1); // hop-by-hop of 16 octets, then routing of 8, then TCP
        chain[16] = 6;
        assert_eq!(upper(0, &chain), Some((6, 64)));
        let mut fragment = vec![6, 0, 0, 1, 0, 0, 0, 9, 0];
        assert_eq!(upper(44, &fragment), Some((6, 48)), "the first fragment, more follow");
        fragment[3] = 8;
        assert_eq!(upper(44, &fragment), None);
        assert_eq!(upper(0, &[0]), None);
        assert_eq!(upper(0, &[6, 9, 0, 0]), None, "beyond the packet");
        assert_eq!(upper(0, &[0; 200]), None, "an endless chain");
    }

    proptest! {
        #[test]
        fn any_octets_parse_or_are_refused(mut octets in proptest::collection::vec(any::<u8>(), 0..120)) {
            if octets.len() > 6 {
                octets[0] = 0x60;
                octets[4] = 0;
                octets[5] %= 80;
            }
            if let Ok(packet) = Packet::new_checked(&octets) {
                if let Some((_, at)) = packet.upper_layer() {
                    prop_assert!(at <= packet.as_bytes().len());
                }
                let _ = packet.to_string();
            }
        }
    }
}
