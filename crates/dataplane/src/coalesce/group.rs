//! A group of segments of one flow that will be written together.

use adit_sys::tun::{Gso, MAX_SLICES, VnetHeader};
use adit_wire::checksum::{self, Sum};
use adit_wire::{ipv4, ipv6, tcp};

use super::Slots;
use super::kind::{Flow, Segment};

/// The largest IP packet in octets.
const TOTAL_MAX: usize = u16::MAX as usize;
/// The end of a group's list.
const NONE: usize = usize::MAX;

/// A packet of the batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noted {
    pub(super) slot: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    /// The index of the next packet of its group.
    next: usize,
}

impl Noted {
    pub(super) fn new(slot: usize, start: usize, end: usize) -> Noted {
        Noted { slot, start, end, next: NONE }
    }

    pub(super) fn octets<'a>(&self, slots: &'a impl Slots) -> &'a [u8] {
        slots.octets(self.slot).get(self.start..self.end).unwrap_or_default()
    }

    /// Writes the packet unchanged.
    pub(super) fn write(&self, slots: &impl Slots, write: &mut impl FnMut(VnetHeader, &[&[u8]])) {
        write(VnetHeader::default(), &[self.octets(slots)]);
    }
}

/// Whether a segment can be appended to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It can be appended.
    Joins,
    /// It begins a new group; whether its checksum was verified.
    Begins { verified: bool },
    /// Its checksum is wrong: it must be passed on unchanged.
    Damaged,
}

/// Segments in order, with the headers of the first one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    first: usize,
    last: usize,
    count: usize,
    /// The first segment.
    segment: Segment,
    /// The size of the joined packet in octets.
    total: usize,
    next_seq: u32,
    has_push: bool,
    /// Whether a segment shorter than the first was appended, which ends the group.
    ends: bool,
    /// Whether the checksum of the first segment was verified. If the segment stays alone, the host verifies
    /// it.
    verified: bool,
}

impl Group {
    pub(super) fn new(index: usize, segment: Segment, verified: bool) -> Group {
        Group {
            first: index,
            last: index,
            count: 1,
            segment,
            total: segment.data + segment.len,
            next_seq: segment.seq.wrapping_add(segment.len as u32),
            has_push: segment.has_push,
            ends: false,
            verified,
        }
    }

    pub(super) fn flow(&self) -> &Flow {
        &self.segment.flow
    }

    /// Whether `packet`, of the same flow, can be appended.
    pub(super) fn fit(
        &mut self,
        segment: &Segment,
        packet: &[u8],
        packets: &[Noted],
        slots: &impl Slots,
    ) -> Fit {
        let Some(first) = packets.get(self.first).map(|first| first.octets(slots)) else {
            return Fit::Begins { verified: false };
        };
        let has_place = segment.seq == self.next_seq
            && segment.data == self.segment.data
            && segment.len <= self.segment.len
            && self.count < MAX_SLICES
            && self.total + segment.len <= TOTAL_MAX;
        if !has_place || !headers_agree(first, packet, segment, self.count) {
            return Fit::Begins { verified: false };
        }
        if !checksum_is_right(packet, segment) {
            return Fit::Damaged;
        }
        self.verified = self.verified || checksum_is_right(first, &self.segment);
        if self.verified { Fit::Joins } else { Fit::Begins { verified: true } }
    }

    pub(super) fn join(&mut self, index: usize, segment: &Segment, packets: &mut [Noted]) {
        if let Some(last) = packets.get_mut(self.last) {
            last.next = index;
        }
        self.last = index;
        self.count += 1;
        self.total += segment.len;
        self.next_seq = self.next_seq.wrapping_add(segment.len as u32);
        self.has_push = segment.has_push;
        self.ends |= segment.len < self.segment.len;
    }

    /// Whether nothing may be appended any more: after PSH, and after a segment that is shorter than the
    /// others.
    pub(super) fn is_complete(&self) -> bool {
        self.has_push || self.ends
    }

    /// Writes the segments as one packet.
    pub(super) fn write<S: Slots>(
        &self,
        packets: &[Noted],
        slots: &mut S,
        write: &mut impl FnMut(VnetHeader, &[&[u8]]),
    ) {
        let Some(first) = packets.get(self.first) else { return };
        if self.count == 1 {
            return first.write(slots, write);
        }
        if let Some(octets) = slots.octets_mut(first.slot).get_mut(first.start..first.end) {
            self.repair_checksum(octets);
        }
        let mut slices: [&[u8]; MAX_SLICES] = [&[]; MAX_SLICES];
        let mut next = Some(first);
        let mut skip = 0;
        for slice in slices.iter_mut().take(self.count) {
            let Some(packet) = next else { break };
            *slice = packet.octets(slots).get(skip..).unwrap_or_default();
            skip = self.segment.data;
            next = packets.get(packet.next);
        }
        write(self.header(), slices.get(..self.count).unwrap_or_default());
    }

    fn header(&self) -> VnetHeader {
        VnetHeader {
            needs_checksum: true,
            checksum_valid: false,
            gso: if self.segment.is_v6 { Gso::TcpV6 } else { Gso::TcpV4 },
            // CWR is never joined.
            ecn: false,
            header_len: self.segment.data as u16,
            gso_size: self.segment.len as u16,
            checksum_start: self.segment.transport as u16,
            checksum_offset: tcp::CHECKSUM_AT as u16,
        }
    }

    /// Adjusts the headers of the first segment to the joined packet.
    fn repair_checksum(&self, packet: &mut [u8]) {
        let transport = self.segment.transport;
        let Some((ip, segment)) = packet.split_at_mut_checked(transport) else { return };
        let addresses = if self.segment.is_v6 {
            let Some(ip) = ip.first_chunk_mut::<{ ipv6::HEADER }>() else { return };
            ip[4..6].copy_from_slice(&((self.total - ipv6::HEADER) as u16).to_be_bytes());
            &ip[8..]
        } else {
            let Some(ip) = ip.first_chunk_mut::<{ ipv4::HEADER_MIN }>() else { return };
            let (old, new) = (u16::from_be_bytes([ip[2], ip[3]]), self.total as u16);
            let sum = checksum::update(u16::from_be_bytes([ip[10], ip[11]]), old, new);
            ip[2..4].copy_from_slice(&new.to_be_bytes());
            ip[10..12].copy_from_slice(&sum.to_be_bytes());
            &ip[12..]
        };
        let Some(tcp) = segment.first_chunk_mut::<{ tcp::HEADER_MIN }>() else { return };
        if self.has_push {
            tcp[13] |= tcp::PSH;
        }
        // The kernel adds the rest if it is needed.
        let sum = pseudo_header(addresses, self.total - transport).partial();
        tcp[tcp::CHECKSUM_AT..][..2].copy_from_slice(&sum.to_be_bytes());
    }
}

/// Whether one header can represent both segments. Addresses and ports are equal already, and the sequence
/// numbers are consecutive.
fn headers_agree(first: &[u8], packet: &[u8], segment: &Segment, distance: usize) -> bool {
    let (at, end) = (segment.transport, segment.data);
    let (Some(a), Some(b)) = (first.get(..end), packet.get(..end)) else { return false };
    let ip = if segment.is_v6 {
        // Traffic class and flow label; hop limit.
        a[..4] == b[..4] && a[7] == b[7]
    } else {
        let id = |header: &[u8]| u16::from_be_bytes([header[4], header[5]]);
        // With DF the identification has no meaning (RFC 6864 section 4.1); otherwise the segmentation must
        // restore it.
        let has_id = b[6] & 0x40 != 0 || id(b) == id(a).wrapping_add(distance as u16);
        // TOS with ECN; DF; TTL.
        a[1] == b[1] && a[6] == b[6] && a[8] == b[8] && has_id
    };
    // Acknowledgment and length of the header; window; urgent pointer and options.
    ip && a[at + 8..=at + 12] == b[at + 8..=at + 12]
        && a[at + 14..at + 16] == b[at + 14..at + 16]
        && a[at + 18..] == b[at + 18..]
}

fn checksum_is_right(packet: &[u8], segment: &Segment) -> bool {
    let Some((ip, octets)) = packet.split_at_checked(segment.transport) else { return false };
    let addresses = ip.get(if segment.is_v6 { 8.. } else { 12.. }).unwrap_or_default();
    pseudo_header(addresses, octets.len()).with(octets).finish() == 0
}

fn pseudo_header(addresses: &[u8], len: usize) -> Sum {
    Sum::default().with(addresses).with(&(len as u32).to_be_bytes()).with(&[0, ipv4::TCP])
}
