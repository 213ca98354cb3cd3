//! Linux cooked captures, which `tcpdump -i any` writes. They contain the direction of each frame.

use super::{Carried, Direction, Frame, NotIp, PppOn, ethernet, ppp};
use crate::octets::Octets as _;

const V1: usize = 16;
const V2: usize = 20;
/// ARPHRD_PPP: the interface is a PPP link, and its packets have a protocol but no header.
const LINK_PPP: u16 = 512;

pub(super) fn v1(octets: &[u8]) -> Frame<'_> {
    let fields = (octets.be16(0), octets.be16(2), octets.be16(14));
    let (Some(kind), Some(link), Some(protocol)) = fields else {
        return Frame::of(Carried::Nothing(NotIp::TooShort));
    };
    cooked(kind, link, protocol, octets.behind(V1))
}

pub(super) fn v2(octets: &[u8]) -> Frame<'_> {
    let fields = (octets.be16(0), octets.be16(8), octets.octet(10));
    let (Some(protocol), Some(link), Some(kind)) = fields else {
        return Frame::of(Carried::Nothing(NotIp::TooShort));
    };
    cooked(kind.into(), link, protocol, octets.behind(V2))
}

fn cooked(kind: u16, link: u16, protocol: u16, octets: &[u8]) -> Frame<'_> {
    let direction = match kind {
        0..=2 => Some(Direction::Received),
        4 => Some(Direction::Sent),
        _ => None,
    };
    let carried = match protocol {
        // VLAN tags as on Ethernet.
        0x8100 | 0x88a8 => ethernet::typed(octets.behind(2)),
        0x0004 => ethernet::llc(octets),
        // PPP frames on a PPP link that are not IP.
        0x0007 | 0x0008 if link == LINK_PPP => ppp::frame(PppOn::Link, octets),
        other => ethernet::of_type(other, octets),
    };
    Frame { direction, ..Frame::of(carried) }
}
