//! The virtio header before every packet (linux/virtio_net.h): checksum and segmentation offload.

/// The type of a super-packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Gso {
    /// An ordinary packet.
    #[default]
    None,
    /// TCP over IPv4, to be segmented.
    TcpV4,
    /// TCP over IPv6, to be segmented.
    TcpV6,
    /// UDP datagrams of one flow, to be segmented (IPv4 or IPv6).
    Udp,
    /// A type that this version does not support.
    Unknown(u8),
}

const NEEDS_CSUM: u8 = 1;
const DATA_VALID: u8 = 2;
/// With [`Gso::TcpV4`] and [`Gso::TcpV6`]: the flow uses ECN, so CWR belongs to the first segment only.
const GSO_ECN: u8 = 0x80;

/// The header, in the host's byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct VnetHeader {
    /// Whether the checksum must be completed: sum from `csum_start`, store at `csum_start + csum_offset`;
    /// the field contains the sum of the pseudo-header.
    pub needs_checksum: bool,
    /// Whether the checksum was verified.
    pub checksum_valid: bool,
    /// The type of the super-packet.
    pub gso: Gso,
    /// Whether the flow uses ECN.
    pub ecn: bool,
    /// The length of IP and transport headers in octets.
    pub header_len: u16,
    /// The payload of each segment in octets.
    pub gso_size: u16,
    /// The offset at which the checksummed data begins.
    pub checksum_start: u16,
    /// The offset of the checksum field, from `checksum_start`.
    pub checksum_offset: u16,
}

impl VnetHeader {
    /// The length of the header.
    pub const LEN: usize = 10;

    /// Parses the header.
    pub fn from_octets(octets: [u8; VnetHeader::LEN]) -> VnetHeader {
        let [flags, kind, h0, h1, g0, g1, s0, s1, o0, o1] = octets;
        VnetHeader {
            needs_checksum: flags & NEEDS_CSUM != 0,
            checksum_valid: flags & DATA_VALID != 0,
            gso: match kind & !GSO_ECN {
                0 => Gso::None,
                1 => Gso::TcpV4,
                4 => Gso::TcpV6,
                5 => Gso::Udp,
                other => Gso::Unknown(other),
            },
            ecn: kind & GSO_ECN != 0,
            header_len: u16::from_ne_bytes([h0, h1]),
            gso_size: u16::from_ne_bytes([g0, g1]),
            checksum_start: u16::from_ne_bytes([s0, s1]),
            checksum_offset: u16::from_ne_bytes([o0, o1]),
        }
    }

    /// Encodes the header.
    pub fn to_octets(self) -> [u8; VnetHeader::LEN] {
        let flags = if self.needs_checksum { NEEDS_CSUM } else { 0 }
            | if self.checksum_valid { DATA_VALID } else { 0 };
        let kind = match self.gso {
            Gso::None => 0,
            Gso::TcpV4 => 1,
            Gso::TcpV6 => 4,
            Gso::Udp => 5,
            Gso::Unknown(other) => other,
        } | if self.ecn { GSO_ECN } else { 0 };
        let [h0, h1] = self.header_len.to_ne_bytes();
        let [g0, g1] = self.gso_size.to_ne_bytes();
        let [s0, s1] = self.checksum_start.to_ne_bytes();
        let [o0, o1] = self.checksum_offset.to_ne_bytes();
        [flags, kind, h0, h1, g0, g1, s0, s1, o0, o1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_is_read_back() {
        for flags in 0..4u8 {
            for kind in [0u8, 1, 4, 5, 3, 0x81, 0x84] {
                let octets = [flags, kind, 1, 2, 3, 4, 5, 6, 7, 8];
                assert_eq!(VnetHeader::from_octets(octets).to_octets(), octets);
            }
        }
        assert_eq!(VnetHeader::default().to_octets(), [0; 10]);
    }
}
