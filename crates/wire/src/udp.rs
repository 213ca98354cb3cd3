//! UDP (RFC 768).

use std::net::Ipv4Addr;

use crate::{Error, Protocol, Result, checksum, ipv4};

/// The length of the header.
pub const HEADER: usize = 8;

/// The offset of the checksum in the header.
pub const CHECKSUM_AT: usize = 6;

/// A UDP datagram read in place.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Parses the datagram at the start of `buffer`. The checksum is not verified.
    pub fn new_checked(buffer: &'a [u8]) -> Result<Packet<'a>> {
        let Some(header) = buffer.first_chunk::<HEADER>() else {
            let found = buffer.len() as u64;
            return Err(Error::new(Protocol::Udp, "header", 0, "at least 8 octets", found));
        };
        let len = usize::from(u16::from_be_bytes([header[4], header[5]]));
        match buffer.get(..len) {
            Some(bytes) if len >= HEADER => Ok(Packet { bytes }),
            _ => {
                Err(Error::new(Protocol::Udp, "Length", 4, "header and data, within the packet", len as u64))
            }
        }
    }

    /// Source port.
    pub fn src_port(&self) -> u16 {
        u16::from_be_bytes([self.bytes[0], self.bytes[1]])
    }

    /// Destination port.
    pub fn dst_port(&self) -> u16 {
        u16::from_be_bytes([self.bytes[2], self.bytes[3]])
    }

    /// The data.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }
}

/// Builds an IPv4 packet with one datagram; data beyond the size of a packet is truncated.
pub fn datagram_v4(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), data: &[u8]) -> Vec<u8> {
    const MAX: usize = u16::MAX as usize - ipv4::HEADER_MIN - HEADER;
    let data = data.get(..MAX).unwrap_or(data);
    let len = (HEADER + data.len()) as u16;
    let header = ipv4::Repr { payload_len: len, ..ipv4::Repr::new(from.0, to.0, ipv4::UDP) };
    let mut packet = header.emit().to_vec();
    let udp = packet.len();
    for half in [from.1, to.1, len, 0] {
        packet.extend_from_slice(&half.to_be_bytes());
    }
    packet.extend_from_slice(data);
    let sum = checksum::Sum::default().pseudo_v4(from.0, to.0, ipv4::UDP, len).with(&packet[udp..]).finish();
    // A checksum of zero is sent in its other form, because zero means "none".
    let sum = if sum == 0 { 0xffff } else { sum };
    packet[udp + CHECKSUM_AT..udp + HEADER].copy_from_slice(&sum.to_be_bytes());
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_read_back() {
        let (a, b) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        let packet = datagram_v4((a, 67), (b, 68), b"hello");
        let ip = ipv4::Packet::new_checked(&packet).unwrap();
        assert!(ip.checksum_is_right());
        assert_eq!((ip.src(), ip.dst(), ip.protocol()), (a, b, ipv4::UDP));
        let udp = Packet::new_checked(ip.payload()).unwrap();
        assert_eq!((udp.src_port(), udp.dst_port(), udp.payload()), (67, 68, &b"hello"[..]));
        let sum = checksum::Sum::default().pseudo_v4(a, b, 17, 13).with(ip.payload()).finish();
        assert_eq!(sum, 0);
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let mut octets = [0, 67, 0, 68, 0, 8, 0, 0, 1];
        assert!(Packet::new_checked(&octets).unwrap().payload().is_empty());
        assert_eq!(Packet::new_checked(&octets[..7]).unwrap_err().field, "header");
        for len in [0, 7, 10] {
            octets[5] = len;
            assert_eq!(Packet::new_checked(&octets).unwrap_err().field, "Length");
        }
    }

    #[test]
    fn more_data_than_a_packet_holds_is_cut() {
        let a = Ipv4Addr::LOCALHOST;
        let packet = datagram_v4((a, 1), (a, 2), &[7; 70_000]);
        assert_eq!(packet.len(), 65_535);
        assert!(ipv4::Packet::new_checked(&packet).is_ok());
    }
}
