//! PPP as a link: with or without HDLC's address and control, plain or with a direction before it.

use adit_wire::ppp;

use super::{Carried, Direction, Frame, NotIp, PppOn};

pub(super) fn frame(on: PppOn, octets: &[u8]) -> Carried<'_> {
    match ppp::frame(octets) {
        Ok((ppp::IP | ppp::IPV6, packet)) => Carried::Ip(packet),
        // Protocols from 0x8000 on are control protocols; lower ones are data.
        Ok((protocol, _)) if protocol >= 0x8000 => Carried::Ppp(on, octets),
        Ok((ppp::COMPRESSED, _)) => Carried::Ppp(on, octets),
        Ok((protocol, _)) => Carried::Nothing(NotIp::Ppp(protocol)),
        Err(_) => Carried::Nothing(NotIp::TooShort),
    }
}

/// Decodes a frame whose first octet is its direction: `received`, otherwise `sent` (any other value if that
/// is empty). It may replace HDLC's address, before the control octet.
pub(super) fn with_direction<'a>(octets: &'a [u8], received: &[u8], sent: &[u8]) -> Frame<'a> {
    let Some((first, rest)) = octets.split_first() else {
        return Frame::of(Carried::Nothing(NotIp::TooShort));
    };
    let direction = if received.contains(first) {
        Some(Direction::Received)
    } else {
        (sent.is_empty() || sent.contains(first)).then_some(Direction::Sent)
    };
    let rest = rest.strip_prefix(&[3]).unwrap_or(rest);
    Frame { direction, ..Frame::of(frame(PppOn::Link, rest)) }
}
