//! Reading of numbers from octets that may end anywhere.

/// Reads at an offset; `None` beyond the end.
pub(crate) trait Octets {
    fn octet(&self, at: usize) -> Option<u8>;
    fn be16(&self, at: usize) -> Option<u16>;
    fn be32(&self, at: usize) -> Option<u32>;
    /// The octets from offset `at` on; empty beyond the end.
    fn behind(&self, at: usize) -> &[u8];
    /// The first `len` octets, or all that are there.
    fn at_most(&self, len: usize) -> &[u8];
}

impl Octets for [u8] {
    fn octet(&self, at: usize) -> Option<u8> {
        self.get(at).copied()
    }

    fn be16(&self, at: usize) -> Option<u16> {
        self.get(at..)?.first_chunk().map(|octets| u16::from_be_bytes(*octets))
    }

    fn be32(&self, at: usize) -> Option<u32> {
        self.get(at..)?.first_chunk().map(|octets| u32::from_be_bytes(*octets))
    }

    fn behind(&self, at: usize) -> &[u8] {
        self.get(at..).unwrap_or_default()
    }

    fn at_most(&self, len: usize) -> &[u8] {
        self.get(..len).unwrap_or(self)
    }
}

/// The byte order of a file or a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Big,
    Little,
}

impl Order {
    pub(crate) fn u16(self, from: &[u8], at: usize) -> Option<u16> {
        let value = from.be16(at)?;
        Some(if self == Order::Big { value } else { value.swap_bytes() })
    }

    pub(crate) fn u32(self, from: &[u8], at: usize) -> Option<u32> {
        let value = from.be32(at)?;
        Some(if self == Order::Big { value } else { value.swap_bytes() })
    }

    /// Reads two halves, the high one first in either order: a pcapng timestamp.
    pub(crate) fn high_low(self, from: &[u8], at: usize) -> Option<u64> {
        Some(u64::from(self.u32(from, at)?) << 32 | u64::from(self.u32(from, at + 4)?))
    }

    pub(crate) fn u64(self, from: &[u8], at: usize) -> Option<u64> {
        let octets = *from.get(at..)?.first_chunk()?;
        Some(if self == Order::Big { u64::from_be_bytes(octets) } else { u64::from_le_bytes(octets) })
    }
}
