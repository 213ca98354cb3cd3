//! Ethernet with any VLAN tags, and PPP over Ethernet (RFC 2516) to distinguish it from PPTP.

use super::{Carried, ETHERTYPE_IPV4, ETHERTYPE_IPV6, NotIp, PppOn, ppp};
use crate::octets::Octets as _;

/// Two addresses.
const ADDRESSES: usize = 12;
/// The most VLAN tags that are skipped; QinQ has two.
const TAGS_MAX: usize = 4;
/// Values of the type field below this are a length.
const LENGTHS: u16 = 0x0600;
/// LLC with SNAP and no organisation: an EtherType follows (RFC 1042).
const SNAP: [u8; 6] = [0xaa, 0xaa, 3, 0, 0, 0];

pub(super) fn frame(octets: &[u8]) -> Carried<'_> {
    typed(octets.behind(ADDRESSES))
}

/// Decodes from an EtherType on.
pub(super) fn typed(mut octets: &[u8]) -> Carried<'_> {
    for _ in 0..=TAGS_MAX {
        let Some(kind) = octets.be16(0) else { return Carried::Nothing(NotIp::TooShort) };
        octets = octets.behind(2);
        if matches!(kind, 0x8100 | 0x88a8 | 0x9100 | 0x9200) {
            octets = octets.behind(2);
            continue;
        }
        return if kind < LENGTHS { llc(octets) } else { of_type(kind, octets) };
    }
    Carried::Nothing(NotIp::EtherType(0x8100))
}

/// Decodes from an LLC header on.
pub(super) fn llc(octets: &[u8]) -> Carried<'_> {
    match octets.strip_prefix(&SNAP) {
        Some(rest) => match rest.be16(0) {
            Some(kind) => of_type(kind, rest.behind(2)),
            None => Carried::Nothing(NotIp::TooShort),
        },
        None => Carried::Nothing(NotIp::Llc),
    }
}

pub(super) fn of_type(kind: u16, octets: &[u8]) -> Carried<'_> {
    match kind {
        ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => Carried::Ip(octets),
        0x8863 => Carried::Nothing(NotIp::PppoeDiscovery),
        0x8864 => pppoe(octets),
        other => Carried::Nothing(NotIp::EtherType(other)),
    }
}

/// Decodes from a PPPoE header on.
pub(super) fn pppoe(octets: &[u8]) -> Carried<'_> {
    let (Some(code), Some(session), Some(len)) = (octets.octet(1), octets.be16(2), octets.be16(4)) else {
        return Carried::Nothing(NotIp::TooShort);
    };
    if code != 0 {
        return Carried::Nothing(NotIp::PppoeDiscovery);
    }
    ppp::frame(PppOn::Pppoe { session }, octets.behind(6).at_most(len.into()))
}
