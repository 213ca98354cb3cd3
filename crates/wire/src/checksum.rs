//! The Internet checksum (RFC 1071) and its incremental update (RFC 1624).

use std::net::{Ipv4Addr, Ipv6Addr};

/// A running sum. Data may be added in pieces of even length; only the last piece may have an odd length.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum(u64);

/// The number of parallel sums: two vector registers.
const LANES: usize = 8;

impl Sum {
    /// Adds octets.
    #[must_use]
    pub fn with(self, data: &[u8]) -> Sum {
        // The sum is kept in the byte order of the host and swapped once at the end (RFC 1071 section 2 B).
        // Words of 32 bits in sums of 64 bits need no carry.
        let (words, rest) = data.as_chunks::<4>();
        let (blocks, words) = words.as_chunks::<LANES>();
        let mut lanes = [0; LANES];
        for block in blocks {
            add(&mut lanes, block);
        }
        self.with_lanes(lanes).with_rest(words, rest)
    }

    /// Copies octets to the start of `to`, which must be at least as long, and adds them in the same pass.
    #[must_use]
    pub fn with_copy(self, data: &[u8], to: &mut [u8]) -> Sum {
        let Some(to) = to.get_mut(..data.len()) else { return self };
        const BLOCK: usize = 4 * LANES;
        let ((from, from_rest), (to, to_rest)) = (data.as_chunks::<BLOCK>(), to.as_chunks_mut::<BLOCK>());
        let mut lanes = [0; LANES];
        for (from, to) in from.iter().zip(to) {
            *to = *from;
            let (words, _) = from.as_chunks::<4>();
            if let Some(block) = words.first_chunk() {
                add(&mut lanes, block);
            }
        }
        to_rest.copy_from_slice(from_rest);
        let (words, rest) = from_rest.as_chunks();
        self.with_lanes(lanes).with_rest(words, rest)
    }

    /// Adds a 16-bit field.
    #[must_use]
    pub fn with_field(self, field: u16) -> Sum {
        Sum(self.0 + u64::from(field.to_be()))
    }

    fn with_lanes(self, lanes: [u64; LANES]) -> Sum {
        Sum(self.0 + lanes.iter().sum::<u64>())
    }

    fn with_rest(self, words: &[[u8; 4]], rest: &[u8]) -> Sum {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        let sum = words.iter().chain([&last]).map(|word| u64::from(u32::from_ne_bytes(*word))).sum::<u64>();
        let sum = self.0 + sum;
        Sum((sum & 0xffff_ffff) + (sum >> 32))
    }

    /// Adds the pseudo-header of TCP and UDP over IPv4; `len` is the length of the upper-layer packet.
    #[must_use]
    pub fn pseudo_v4(self, src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, len: u16) -> Sum {
        self.with(&src.octets()).with(&dst.octets()).with(&[0, protocol]).with(&len.to_be_bytes())
    }

    /// Adds the pseudo-header of TCP, UDP and ICMPv6 over IPv6 (RFC 8200 section 8.1).
    #[must_use]
    pub fn pseudo_v6(self, src: Ipv6Addr, dst: Ipv6Addr, next_header: u8, len: u32) -> Sum {
        self.with(&src.octets()).with(&dst.octets()).with(&len.to_be_bytes()).with(&[0, 0, 0, next_header])
    }

    /// The sum as 16 bits, not complemented: the contents of a checksum field that checksum offload
    /// completes.
    pub fn partial(self) -> u16 {
        let mut sum = self.0;
        while sum >> 16 != 0 {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        u16::from_be((sum & 0xffff) as u16)
    }

    /// The checksum: the complement of the sum. Over data with a correct checksum it is 0.
    pub fn finish(self) -> u16 {
        !self.partial()
    }
}

fn add(lanes: &mut [u64; LANES], block: &[[u8; 4]; LANES]) {
    for (lane, word) in lanes.iter_mut().zip(block) {
        *lane += u64::from(u32::from_ne_bytes(*word));
    }
}

/// The checksum of `data`.
pub fn of(data: &[u8]) -> u16 {
    Sum::default().with(data).finish()
}

/// Updates a checksum after a 16-bit field at an even offset changed from `old` to `new` (RFC 1624 equation
/// 3). For a field at an odd offset swap the octets of both values.
pub fn update(checksum: u16, old: u16, new: u16) -> u16 {
    let sum = u32::from(!checksum) + u32::from(!old) + u32::from(new);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A straightforward implementation of the definition.
    fn slow(data: &[u8]) -> u16 {
        let mut sum = 0u32;
        for pair in data.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    #[test]
    fn the_example_of_rfc_1071() {
        assert_eq!(of(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    }

    #[test]
    fn the_example_of_rfc_1624() {
        assert_eq!(update(0xdd2f, 0x5555, 0x3285), 0x0000);
    }

    /// Test data in which zeros, all values and the highest words occur.
    fn octets(len: usize) -> Vec<u8> {
        (0..len).map(|n| if n % 97 < 40 { 0xff } else { (n * 31 + n / 256) as u8 }).collect()
    }

    #[test]
    fn every_length_at_every_alignment_equals_the_definition() {
        let all = octets(2100);
        for start in 0..16 {
            for len in (0..300).chain(1300..1520).chain([2048, 2080]) {
                let data = &all[start..start + len];
                assert_eq!(of(data), slow(data), "{start} {len}");
                let mut copy = vec![0xaa; len + start];
                let sum = Sum::default().with_copy(data, &mut copy[start..]);
                assert_eq!((sum.finish(), &copy[start..]), (slow(data), data), "{start} {len}");
                assert!(copy[..start].iter().all(|octet| *octet == 0xaa));
            }
        }
    }

    #[test]
    fn the_largest_packet_of_the_largest_words_does_not_overflow() {
        let data = vec![0xff; 65_535];
        let many = (0..10_000).fold(Sum::default(), |sum, _| sum.with(&data[..65_534]).with_field(0xffff));
        assert_eq!((of(&data), many.finish()), (slow(&data), 0));
    }

    #[test]
    fn a_copy_into_a_short_buffer_is_none() {
        let mut to = [7; 3];
        assert_eq!((Sum::default().with_copy(&[1; 4], &mut to).partial(), to), (0, [7; 3]));
        assert_eq!(Sum::default().with_copy(&[1; 2], &mut to).partial(), 0x0101);
        assert_eq!(to, [1, 1, 7]);
    }

    proptest! {
        #[test]
        fn fields_are_octets(data in proptest::collection::vec(any::<u8>(), 0..20), fields: [u16; 3]) {
            let data = &data[..data.len() & !1];
            let sum = fields.iter().fold(Sum::default().with(data), |sum, field| sum.with_field(*field));
            let octets: Vec<u8> = fields.iter().flat_map(|field| field.to_be_bytes()).collect();
            prop_assert_eq!(sum.finish(), slow(&[data, &octets].concat()));
        }

        #[test]
        fn equals_the_definition(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(of(&data), slow(&data));
        }

        #[test]
        fn pieces_add_up(data in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..100) {
            let at = (2 * at).min(data.len() & !1);
            prop_assert_eq!(Sum::default().with(&data[..at]).with(&data[at..]).finish(), slow(&data));
        }

        #[test]
        fn update_equals_computing_anew(mut data in proptest::collection::vec(any::<u8>(), 4..64), new: u16, at in 0usize..62) {
            // All-zero data has two valid forms of zero; a fixed octet avoids the ambiguity.
            data[0] = 0x45;
            let at = 2 + at % (data.len() - 3);
            let before = of(&data);
            let old = u16::from_be_bytes([data[at], data[at + 1]]);
            data[at..at + 2].copy_from_slice(&new.to_be_bytes());
            let (old, new) = if at % 2 == 0 { (old, new) } else { (old.swap_bytes(), new.swap_bytes()) };
            prop_assert_eq!(update(before, old, new), of(&data));
        }
    }
}
