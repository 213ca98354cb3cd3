//! A check whether decrypted octets are a packet.
//!
//! MPPE has no integrity check, so this is the only proof that a frame is from the peer. Octets of a forged frame
//! are random after decryption. They pass with these probabilities, all below 2^-32 together:
//!
//! | content | protocol | header | length | checksum | all |
//! |---|---|---|---|---|---|
//! | IPv4 | 2^-16, with PFC 2^-8 | version, header length: 2^-4.5 | at most 27 / 2^16 | 2^-16 | 2^-47.8, 2^-39.8 |
//! | IPv6 | 2^-16, with PFC 2^-8 | version, next header, source: 2^-10.8 | 2^-16 | none | 2^-42.8, 2^-34.8 |
//! | control | 2^-14 | code: 2^-4.1 | 2^-16 | none | 2^-34.1 |

use adit_wire::{checksum, ppp};

/// The most octets that the check needs: a two-octet protocol number and the longest IPv4 header.
pub(super) const PEEK: usize = 62;
/// The data of the shortest Ethernet frame: a router may leave the padding behind a shorter packet.
const ETHERNET_MIN: usize = 46;

/// What a decrypted frame contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// An IPv4 packet; the checksum of its header is valid.
    Ipv4,
    /// An IPv6 packet.
    Ipv6,
    /// A frame of LCP, CCP, IPCP or IPV6CP. adit never encrypts one (RFC 3078 section 3), some peers do.
    Control,
}

/// The content of `len` decrypted octets that begin with `data`; `None` if they are noise.
pub(super) fn content(data: &[u8], len: usize) -> Option<Content> {
    // A protocol number ends with its first odd octet; the high octet of a long one may be left out (PFC).
    let (protocol, packet) = match data {
        [first, packet @ ..] if first & 1 == 1 => (u16::from(*first), packet),
        [high, low, packet @ ..] => (u16::from_be_bytes([*high, *low]), packet),
        _ => return None,
    };
    let len = len.saturating_sub(data.len() - packet.len());
    match protocol {
        ppp::IP if is_ipv4(packet, len) => Some(Content::Ipv4),
        ppp::IPV6 if is_ipv6(packet, len) => Some(Content::Ipv6),
        ppp::LCP | ppp::CCP | ppp::IPCP | ppp::IPV6CP if is_control(packet, len) => Some(Content::Control),
        _ => None,
    }
}

fn is_ipv4(packet: &[u8], len: usize) -> bool {
    has_ipv4_version(packet) && has_ipv4_length(packet, len) && has_ipv4_checksum(packet)
}

fn has_ipv4_version(packet: &[u8]) -> bool {
    matches!(packet, [0x45..=0x4f, ..])
}

fn has_ipv4_length(packet: &[u8], len: usize) -> bool {
    let &[version, _, high, low, ..] = packet else { return false };
    let header = usize::from(version & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([high, low]));
    total >= header && total <= len && len <= total.max(ETHERNET_MIN)
}

fn has_ipv4_checksum(packet: &[u8]) -> bool {
    let header = packet.first().map_or(0, |version| usize::from(version & 0x0f) * 4);
    packet.get(..header).is_some_and(|octets| checksum::of(octets) == 0)
}

fn is_ipv6(packet: &[u8], len: usize) -> bool {
    has_ipv6_fields(packet) && has_ipv6_length(packet, len)
}

/// Version; a next header that hosts and routers send; a source that is one (RFC 4291): global, unique local, link-local or
/// unspecified.
fn has_ipv6_fields(packet: &[u8]) -> bool {
    let &[version, _, _, _, _, _, next, _, first, second, ..] = packet else { return false };
    version >> 4 == 6
        && matches!(next, 0 | 4 | 6 | 17 | 41 | 43 | 44 | 47 | 50 | 51 | 58 | 59 | 60 | 89 | 103 | 132 | 135)
        && (first >> 5 == 1
            || first >> 1 == 0x7e
            || (first == 0xfe && second >> 6 == 2)
            || (first, second) == (0, 0))
}

fn has_ipv6_length(packet: &[u8], len: usize) -> bool {
    let &[_, _, _, _, high, low, ..] = packet else { return false };
    40 + usize::from(u16::from_be_bytes([high, low])) == len
}

/// A known code (RFC 1661 and its extensions), and the length of the frame.
fn is_control(packet: &[u8], len: usize) -> bool {
    has_code(packet) && has_control_length(packet, len)
}

fn has_code(packet: &[u8]) -> bool {
    matches!(packet, [1..=15, ..])
}

fn has_control_length(packet: &[u8], len: usize) -> bool {
    matches!(*packet, [_, _, high, low, ..] if len >= 4 && usize::from(u16::from_be_bytes([high, low])) == len)
}

#[cfg(test)]
mod tests;
