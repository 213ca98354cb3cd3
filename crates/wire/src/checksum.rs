//! The Internet checksum (RFC 1071), and changing it with a field (RFC 1624).

use std::net::{Ipv4Addr, Ipv6Addr};

/// A running sum. Octets may be added in pieces of any even length; only the last piece may be odd.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum(u64);

impl Sum {
    /// Adds octets.
    #[must_use]
    pub fn with(self, data: &[u8]) -> Sum {
        // The sum is kept in the machine's own order and turned once at the end (RFC 1071 section 2 B).
        let mut words = data.chunks_exact(4);
        let mut sum = self.0;
        for word in &mut words {
            sum += u64::from(u32::from_ne_bytes([word[0], word[1], word[2], word[3]]));
        }
        let mut last = [0; 4];
        let rest = words.remainder();
        last[..rest.len()].copy_from_slice(rest);
        sum += u64::from(u32::from_ne_bytes(last));
        Sum((sum & 0xffff_ffff) + (sum >> 32))
    }

    /// Adds the pseudo-header of TCP, UDP over IPv4; `len` is that of the upper-layer packet.
    #[must_use]
    pub fn pseudo_v4(self, src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, len: u16) -> Sum {
        self.with(&src.octets()).with(&dst.octets()).with(&[0, protocol]).with(&len.to_be_bytes())
    }

    /// Adds the pseudo-header of TCP, UDP and ICMPv6 over IPv6 (RFC 8200 section 8.1).
    #[must_use]
    pub fn pseudo_v6(self, src: Ipv6Addr, dst: Ipv6Addr, next_header: u8, len: u32) -> Sum {
        self.with(&src.octets()).with(&dst.octets()).with(&len.to_be_bytes()).with(&[0, 0, 0, next_header])
    }

    /// The sum as 16 bits, not complemented: what a checksum field holds before an offloading sender completes it.
    pub fn partial(self) -> u16 {
        let mut sum = self.0;
        while sum >> 16 != 0 {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        u16::from_be((sum & 0xffff) as u16)
    }

    /// The checksum: the complement of the sum. Over data that holds a right checksum it is 0.
    pub fn finish(self) -> u16 {
        !self.partial()
    }
}

/// The checksum of `data`.
pub fn of(data: &[u8]) -> u16 {
    Sum::default().with(data).finish()
}

/// The checksum after a 16-bit field at an even offset went from `old` to `new` (RFC 1624 equation 3). For a field at
/// an odd offset swap the octets of both values.
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

    /// The definition, word by word.
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

    proptest! {
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
            // All-zero data has no second form of zero to disagree about when one octet is fixed.
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
