//! The Ethernet and IP headers before GRE.

use std::net::Ipv4Addr;

/// The length of an Ethernet header without a VLAN tag.
pub(super) const ETHERNET: usize = 14;
/// The length of an IP header without options.
pub(super) const IP: usize = 20;
/// The length of both.
pub(super) const HEADERS: usize = ETHERNET + IP;

const TIME_TO_LIVE: u8 = 64;
const GRE: u8 = 47;
const DONT_FRAGMENT: u16 = 0x4000;

/// The headers of a packet to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outer {
    pub(super) ethernet: [u8; ETHERNET],
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
    pub(super) identification: u16,
    pub(super) dont_fragment: bool,
}

impl Outer {
    /// Writes the headers of a packet with `gre` octets, at most 65 515.
    pub(super) fn write(&self, headers: &mut [u8; HEADERS], gre: usize) {
        let (ethernet, ip) = headers.split_at_mut(ETHERNET);
        ethernet.copy_from_slice(&self.ethernet);
        let total = (IP + gre) as u16;
        let flags = if self.dont_fragment { DONT_FRAGMENT } else { 0 };
        let fields = [0x4500, total, self.identification, flags, u16::from_be_bytes([TIME_TO_LIVE, GRE]), 0];
        for (place, field) in ip.chunks_exact_mut(2).zip(fields) {
            place.copy_from_slice(&field.to_be_bytes());
        }
        if let Some(place) = ip.get_mut(12..16) {
            place.copy_from_slice(&self.source.octets());
        }
        if let Some(place) = ip.get_mut(16..20) {
            place.copy_from_slice(&self.destination.octets());
        }
        let checksum = !sum(ip);
        if let Some(place) = ip.get_mut(10..12) {
            place.copy_from_slice(&checksum.to_be_bytes());
        }
    }
}

/// The contents of the headers of a received packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inner {
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
    /// The length of the GRE packet, which begins after [`HEADERS`].
    pub(super) gre: usize,
}

/// Parses the headers of a frame that the program accepted. Verifies what the kernel's own path would have
/// verified: the lengths, and the checksum of the IP header.
pub(super) fn read(frame: &[u8]) -> Option<Inner> {
    let ip = frame.get(ETHERNET..)?.first_chunk::<IP>()?;
    if ip[0] != 0x45 || sum(ip) != 0xffff {
        return None;
    }
    let gre = usize::from(u16::from_be_bytes([ip[2], ip[3]])).checked_sub(IP)?;
    if HEADERS + gre > frame.len() {
        return None;
    }
    let four = |at: usize| Ipv4Addr::new(ip[at], ip[at + 1], ip[at + 2], ip[at + 3]);
    Some(Inner { source: four(12), destination: four(16), gre })
}

/// The one's complement sum (RFC 1071).
fn sum(header: &[u8]) -> u16 {
    let sum = header.chunks_exact(2).fold(0u32, |sum, pair| match pair {
        [high, low] => sum + u32::from(u16::from_be_bytes([*high, *low])),
        _ => sum,
    });
    let folded = (sum & 0xffff) + (sum >> 16);
    ((folded & 0xffff) + (folded >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTER: Outer = Outer {
        ethernet: [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0],
        source: Ipv4Addr::new(192, 0, 2, 1),
        destination: Ipv4Addr::new(198, 51, 100, 2),
        identification: 0xfffe,
        dont_fragment: true,
    };

    fn frame(gre: &[u8]) -> Vec<u8> {
        let mut headers = [0xaa; HEADERS];
        OUTER.write(&mut headers, gre.len());
        [&headers, gre].concat()
    }

    #[test]
    fn what_is_written_is_read() {
        let frame = frame(b"payload");
        assert_eq!(
            frame[14..34],
            [0x45, 0, 0, 27, 0xff, 0xfe, 0x40, 0, 64, 47, 0x4e, 0x7e, 192, 0, 2, 1, 198, 51, 100, 2]
        );
        let read = read(&frame).unwrap();
        assert_eq!(read, Inner { source: OUTER.source, destination: OUTER.destination, gre: 7 });
    }

    #[test]
    fn octets_after_the_packet_are_padding_and_missing_ones_are_an_error() {
        let mut frame = frame(&[7; 12]);
        frame.extend_from_slice(&[0; 20]);
        assert_eq!(read(&frame).unwrap().gre, 12);
        assert_eq!(read(&frame[..45]), None);
        for len in 0..frame.len() {
            let _ = read(&frame[..len]);
        }
    }

    #[test]
    fn a_damaged_header_is_refused() {
        let good = frame(&[7; 12]);
        for at in ETHERNET..HEADERS {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert_eq!(read(&bad), None, "octet {at}");
        }
    }
}
