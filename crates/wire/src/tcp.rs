//! The part of TCP (RFC 9293) that is needed for MSS clamping and segmentation.

use crate::{Error, Protocol, Result, checksum};

/// The length of a header without options.
pub const HEADER_MIN: usize = 20;

/// FIN: the sender has no more data.
pub const FIN: u8 = 0x01;
/// SYN: synchronise sequence numbers.
pub const SYN: u8 = 0x02;
/// RST: reset.
pub const RST: u8 = 0x04;
/// PSH: push.
pub const PSH: u8 = 0x08;
/// ACK: the acknowledgment number is valid.
pub const ACK: u8 = 0x10;
/// CWR: congestion window reduced (RFC 3168).
pub const CWR: u8 = 0x80;

/// The offset of the checksum in the header.
pub const CHECKSUM_AT: usize = 16;

/// A TCP segment read in place.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Parses the segment that fills `buffer`. The checksum is not verified.
    pub fn new_checked(buffer: &'a [u8]) -> Result<Packet<'a>> {
        let Some(header) = buffer.first_chunk::<HEADER_MIN>() else {
            let found = buffer.len() as u64;
            return Err(Error::new(Protocol::Tcp, "header", 0, "at least 20 octets", found));
        };
        let offset = usize::from(header[12] >> 4);
        if !(HEADER_MIN..=buffer.len()).contains(&(offset * 4)) {
            let expected = "at least 5, within the segment";
            return Err(Error::new(Protocol::Tcp, "Data Offset", 12, expected, offset as u64));
        }
        Ok(Packet { bytes: buffer })
    }

    /// Source port.
    pub fn src_port(&self) -> u16 {
        self.half(0)
    }

    /// Destination port.
    pub fn dst_port(&self) -> u16 {
        self.half(2)
    }

    /// Sequence number of the first octet.
    pub fn seq(&self) -> u32 {
        u32::from(self.half(4)) << 16 | u32::from(self.half(6))
    }

    /// The control bits, such as [`SYN`].
    pub fn flags(&self) -> u8 {
        self.bytes[13]
    }

    /// The length of the header in octets.
    pub fn header_len(&self) -> usize {
        usize::from(self.bytes[12] >> 4) * 4
    }

    /// The data.
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(self.header_len()..).unwrap_or_default()
    }

    /// The offset of the value of the MSS option in the segment.
    fn mss_at(&self) -> Option<usize> {
        let mut at = HEADER_MIN;
        let end = self.header_len();
        while at < end {
            match self.bytes.get(at..end)? {
                [0, ..] => return None,
                [1, ..] => at += 1,
                [2, 4, _, _, ..] => return Some(at + 2),
                [_, len @ 2..=255, ..] => at += usize::from(*len),
                _ => return None,
            }
        }
        None
    }

    /// The maximum segment size in a SYN.
    pub fn mss(&self) -> Option<u16> {
        self.mss_at().map(|at| self.half(at))
    }

    fn half(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]])
    }
}

/// Reduces the maximum segment size in a SYN or SYN-ACK to `max`, and adjusts the checksum. Never increases
/// it, and does not change other segments. Returns whether anything changed.
pub fn clamp_mss(segment: &mut [u8], max: u16) -> bool {
    let Ok(packet) = Packet::new_checked(segment) else { return false };
    if packet.flags() & SYN == 0 {
        return false;
    }
    let Some(at) = packet.mss_at() else { return false };
    let old = packet.half(at);
    if old <= max {
        return false;
    }
    let sum = packet.half(CHECKSUM_AT);
    let (before, after) = if at % 2 == 0 { (old, max) } else { (old.swap_bytes(), max.swap_bytes()) };
    let sum = checksum::update(sum, before, after);
    segment[at..at + 2].copy_from_slice(&max.to_be_bytes());
    segment[CHECKSUM_AT..CHECKSUM_AT + 2].copy_from_slice(&sum.to_be_bytes());
    true
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    const SRC: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
    const DST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

    fn sum(segment: &[u8]) -> u16 {
        checksum::Sum::default().pseudo_v4(SRC, DST, 6, segment.len() as u16).with(segment).finish()
    }

    fn segment(flags: u8, options: &[u8]) -> Vec<u8> {
        let mut octets = vec![0x04, 0xd2, 0, 80, 0, 0, 0, 9, 0, 0, 0, 0, 0x50, flags, 0x20, 0, 0, 0, 0, 0];
        octets.extend_from_slice(options);
        octets.resize(octets.len().next_multiple_of(4), 0);
        octets[12] = (octets.len() as u8 / 4) << 4;
        let sum = sum(&octets);
        octets[16..18].copy_from_slice(&sum.to_be_bytes());
        octets
    }

    #[test]
    fn c091_syn_and_syn_ack_are_clamped_and_never_raised() {
        for flags in [SYN, SYN | ACK] {
            for (options, changes) in [
                (&[2, 4, 0x05, 0xb4][..], true),
                (&[1, 2, 4, 0x05, 0xb4, 1, 1, 1], true), // odd offset
                (&[4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 2, 4, 0x23, 0x01], true),
                (&[2, 4, 0x05, 0x50], false), // 1360 already
                (&[2, 4, 0x02, 0x18], false),
                (&[3, 3, 7], false),
                (&[], false),
                (&[0, 2, 4, 0x05, 0xb4], false), // after the end of the list
                (&[2, 3, 0x05, 0xb4], false),    // wrong length
                (&[2, 4, 0x05], false),
                (&[9, 0, 2, 4, 0x05, 0xb4], false), // length 0: must not loop
                (&[9, 1, 2, 4, 0x05, 0xb4], false),
                (&[9, 200, 2, 4, 0x05, 0xb4], false),
            ] {
                let mut octets = segment(flags, options);
                let before = octets.clone();
                // A truncated option of two octets is padded with a zero, which makes it [2, 4, 5, 0] = 1280.
                assert_eq!(clamp_mss(&mut octets, 1360), changes, "{options:?}");
                assert_eq!(sum(&octets), 0, "{options:?}");
                assert_eq!(octets != before, changes);
                if changes {
                    assert_eq!(Packet::new_checked(&octets).unwrap().mss(), Some(1360));
                }
            }
        }
    }

    #[test]
    fn c091_other_segments_are_left_alone() {
        let mut octets = segment(ACK, &[2, 4, 0x05, 0xb4]);
        let before = octets.clone();
        assert!(!clamp_mss(&mut octets, 1360));
        assert_eq!(octets, before);
        assert!(!clamp_mss(&mut [], 1360));
        assert!(!clamp_mss(&mut segment(SYN, &[2, 4, 0x05, 0xb4])[..19], 1360));
    }

    #[test]
    fn data_offset_is_checked() {
        let mut octets = segment(ACK, &[]);
        octets[12] = 0x40;
        assert_eq!(Packet::new_checked(&octets).unwrap_err().field, "Data Offset");
        octets[12] = 0x60;
        assert_eq!(Packet::new_checked(&octets).unwrap_err().field, "Data Offset");
        octets[12] = 0x50;
        let packet = Packet::new_checked(&octets).unwrap();
        assert_eq!((packet.src_port(), packet.dst_port(), packet.seq()), (1234, 80, 9));
    }

    proptest! {
        #[test]
        fn any_octets_are_clamped_or_left(mut octets in proptest::collection::vec(any::<u8>(), 0..80), max: u16) {
            if octets.len() > 13 {
                octets[13] |= SYN;
            }
            let before = octets.clone();
            if !clamp_mss(&mut octets, max) {
                prop_assert_eq!(octets, before);
            }
        }

        #[test]
        fn the_checksum_stays_right(mut options in proptest::collection::vec(any::<u8>(), 0..37), at in 0usize..33, max: u16) {
            let at = at.min(options.len());
            options.splice(at..at, [2, 4, 0x05, 0xb4]);
            options.truncate(40);
            let mut octets = segment(SYN, &options);
            clamp_mss(&mut octets, max);
            prop_assert_eq!(sum(&octets), 0);
        }
    }
}
