//! A check whether decrypted octets are a packet.

/// The most octets that the check needs: a two-octet protocol number and the longest IPv4 header.
pub(super) const PEEK: usize = 62;

/// The strictness of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Protocol number, version and lengths fit: noise passes once in about 10^5 frames.
    Fields,
    /// The IPv4 header checksum is valid as well: noise passes once in about 10^9 frames.
    Checksum,
}

/// Whether `data`, the first of `len` decrypted octets, is the beginning of an IPv4 or IPv6 packet. No other
/// protocol is negotiated inside MPPE.
pub(super) fn is_packet(data: &[u8], len: usize, proof: Proof) -> bool {
    // A protocol number ends with its first odd octet; the high octet of a long one may be left out (PFC).
    let (protocol, packet) = match data {
        [0x00, protocol, packet @ ..] => (*protocol, packet),
        [protocol, packet @ ..] => (*protocol, packet),
        [] => return false,
    };
    let len = len.saturating_sub(data.len() - packet.len());
    match (protocol, packet) {
        (0x21, &[version, _, high, low, ..]) => {
            let header = usize::from(version & 0x0f) * 4;
            let total = usize::from(u16::from_be_bytes([high, low]));
            version >> 4 == 4
                && header >= 20
                && (header..=len).contains(&total)
                && (proof == Proof::Fields
                    || packet.get(..header).is_some_and(|octets| adit_wire::checksum::of(octets) == 0))
        }
        (0x57, &[version, _, _, _, high, low, ..]) => {
            let payload = usize::from(u16::from_be_bytes([high, low]));
            version >> 4 == 6 && 40 + payload <= len
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(data: &[u8], proof: Proof) -> bool {
        is_packet(&data[..data.len().min(PEEK)], data.len(), proof)
    }

    fn ipv4() -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0xf6, 0xdc, 192, 0, 2, 2, 192, 0, 2, 1];
        packet.extend([8, 0, 0xf7, 0xfd, 0, 1, 0, 1]);
        packet
    }

    fn with(protocol: &[u8], packet: &[u8]) -> Vec<u8> {
        [protocol, packet].concat()
    }

    #[test]
    fn c194_packets_with_and_without_pfc() {
        for proof in [Proof::Fields, Proof::Checksum] {
            assert!(judge(&with(&[0, 0x21], &ipv4()), proof));
            assert!(judge(&with(&[0x21], &ipv4()), proof));
        }
        let mut ipv6 = vec![0; 48];
        (ipv6[0], ipv6[5]) = (0x60, 8);
        assert!(judge(&with(&[0, 0x57], &ipv6), Proof::Checksum));
        assert!(judge(&with(&[0x57], &ipv6), Proof::Fields));
    }

    #[test]
    fn damage_is_seen() {
        let mut packet = with(&[0, 0x21], &ipv4());
        packet[10] ^= 1; // time to live
        assert!(judge(&packet, Proof::Fields));
        assert!(!judge(&packet, Proof::Checksum));
        for (at, value) in [(0, 1), (1, 0x23), (2, 0x65), (2, 0x44), (4, 1), (5, 29), (5, 19)] {
            let mut packet = with(&[0, 0x21], &ipv4());
            packet[at] = value;
            assert!(!judge(&packet, Proof::Fields), "octet {at} = {value}");
        }
    }

    #[test]
    fn every_cut_is_refused_without_panic() {
        let packet = with(&[0, 0x21], &ipv4());
        for len in 0..packet.len() {
            assert!(!judge(&packet[..len], Proof::Fields));
        }
    }
}
