//! 802.11 data frames, plain or behind a radiotap header.

use super::{Carried, Direction, Frame, NotIp, ethernet};
use crate::octets::{Octets as _, Order};

const TO_DS: u8 = 0x01;
const FROM_DS: u8 = 0x02;
const RETRY: u8 = 0x08;
const PROTECTED: u8 = 0x40;
const ORDERED: u8 = 0x80;

/// Several packets in one frame (A-MSDU), by the QoS field.
const AGGREGATE: u8 = 0x80;

pub(super) fn frame(octets: &[u8]) -> Frame<'_> {
    let (Some(control), Some(flags)) = (octets.octet(0), octets.octet(1)) else {
        return Frame::of(Carried::Nothing(NotIp::TooShort));
    };
    let is_data = control & 0x0c == 0x08;
    // Subtypes with this bit are "no data": power management.
    let is_null = control & 0x40 != 0;
    if !is_data || is_null {
        return Frame::of(Carried::Nothing(NotIp::WifiControl));
    }
    let is_retry = flags & RETRY != 0;
    if flags & PROTECTED != 0 {
        return Frame { is_retry, ..Frame::of(Carried::Nothing(NotIp::WifiEncrypted)) };
    }
    let mut at = if flags & (TO_DS | FROM_DS) == TO_DS | FROM_DS { 30 } else { 24 };
    let mut octets = octets;
    if control & 0x80 != 0 {
        let is_aggregate = octets.octet(at).is_some_and(|qos| qos & AGGREGATE != 0);
        at += if flags & ORDERED != 0 { 6 } else { 2 };
        if is_aggregate {
            // Only the first packet in it is decoded: addresses and length precede it.
            octets = octets.behind(14);
        }
    }
    Frame { is_retry, ..Frame::of(ethernet::llc(octets.behind(at))) }
}

/// Parses a radiotap header, which is little-endian and contains its length and a bit map of its fields.
pub(super) fn radiotap(octets: &[u8]) -> Frame<'_> {
    let Some(len) = Order::Little.u16(octets, 2).filter(|len| *len >= 8) else {
        return Frame::of(Carried::Nothing(NotIp::TooShort));
    };
    let inner = frame(octets.behind(len.into()));
    Frame { check_len: check_len(octets.at_most(len.into())), direction: None::<Direction>, ..inner }
}

/// The length of the frame check sequence: bit 4 of the flags, which follow the presence words and the
/// timestamp.
fn check_len(header: &[u8]) -> usize {
    const MORE: u32 = 1 << 31;
    const TIME: u32 = 1;
    const FLAGS: u32 = 1 << 1;
    let Some(present) = Order::Little.u32(header, 4) else { return 0 };
    let mut at = 4;
    while Order::Little.u32(header, at).is_some_and(|word| word & MORE != 0) {
        at += 4;
    }
    at += 4;
    if present & TIME != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    let has_check = present & FLAGS != 0 && header.octet(at).is_some_and(|flags| flags & 0x10 != 0);
    if has_check { 4 } else { 0 }
}
