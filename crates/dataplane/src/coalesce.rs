//! Joins TCP segments of one flow into one write to the TUN interface.
//!
//! The kernel's network stack takes the same time for a packet of 64 KiB as for one of 1,400 octets. Segments
//! that arrive in one batch, in order, with headers that differ only as their order requires, are passed on
//! as a single packet, with a GSO header (`virtio_net.h`) that lets the kernel segment it again if it is
//! forwarded. The rules are those of the kernel's own receive offload (GRO), and stricter where that costs
//! nothing:
//!
//! - The checksum of every joined segment is verified, because damage is not detectable after the join. MPPE
//!   has no integrity check.
//! - Only segments with data and ACK are joined. PSH and a shorter segment end a group. SYN, FIN, RST, URG,
//!   ECE, CWR and pure acknowledgments are written alone, in the order of their flow.
//! - TOS with its ECN bits, TTL, DF, the acknowledgment, the window and all options are equal. So congestion
//!   marks and timestamps reach the host unchanged.
//! - Nothing is held back: all packets are written at the end of a batch.
//!
//! A packet that cannot be joined is written unchanged.

mod group;
mod kind;

use adit_sys::tun::VnetHeader;

use self::group::{Fit, Group, Noted};
use self::kind::{Flow, Kind, Segment, read};

/// The most flows that collect segments at the same time.
const OPEN: usize = 8;

/// The buffers with the packets of a batch.
pub trait Slots {
    /// The octets of a slot; empty for a slot that does not exist.
    fn octets(&self, slot: usize) -> &[u8];
    /// The octets of a slot, mutable.
    fn octets_mut(&mut self, slot: usize) -> &mut [u8];
}

/// Joins the packets of a batch.
///
/// [`Coalescer::push`] adds every received packet, in the order of arrival. [`Coalescer::flush`] at the end
/// of the batch writes them all. In between, the octets stay in their slots; nothing is borrowed.
#[derive(Debug, Default)]
pub struct Coalescer {
    packets: Vec<Noted>,
    /// At most [`OPEN`] groups, in the order in which they began.
    open: Vec<Group>,
}

impl Coalescer {
    /// Creates a coalescer without packets.
    pub fn new() -> Coalescer {
        Coalescer::default()
    }

    /// Adds the IP packet that fills `range` of a slot.
    pub fn push(&mut self, slot: usize, range: core::ops::Range<usize>) {
        self.packets.push(Noted::new(slot, range.start, range.end));
    }

    /// Whether there are no packets.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Writes and removes all packets. `write` gets each packet in up to
    /// [`MAX_SLICES`](adit_sys::tun::MAX_SLICES) slices, as [`Tun::write`](adit_sys::tun::Tun::write) takes
    /// it. The headers of joined packets are modified in their slots.
    pub fn flush<S: Slots>(&mut self, slots: &mut S, mut write: impl FnMut(VnetHeader, &[&[u8]])) {
        for index in 0..self.packets.len() {
            self.take(index, slots, &mut write);
        }
        self.write_open(slots, &mut write);
        self.packets.clear();
    }

    fn take<S: Slots>(&mut self, index: usize, slots: &mut S, write: &mut impl FnMut(VnetHeader, &[&[u8]])) {
        let Some(&noted) = self.packets.get(index) else { return };
        match read(noted.octets(slots)) {
            Kind::Data(segment) => return self.take_data(index, noted, &segment, slots, write),
            Kind::Alone(flow) => {
                if let Some(at) = self.find(&flow) {
                    self.write_one(at, slots, write);
                }
            }
            Kind::Unclear => self.write_open(slots, write),
            Kind::Other => {}
        }
        noted.write(slots, write);
    }

    fn take_data<S: Slots>(
        &mut self,
        index: usize,
        noted: Noted,
        segment: &Segment,
        slots: &mut S,
        write: &mut impl FnMut(VnetHeader, &[&[u8]]),
    ) {
        let mut verified = false;
        if let Some(at) = self.find(&segment.flow)
            && let Some(group) = self.open.get_mut(at)
        {
            match group.fit(segment, noted.octets(slots), &self.packets, slots) {
                Fit::Joins => {
                    group.join(index, segment, &mut self.packets);
                    if group.is_complete() {
                        self.write_one(at, slots, write);
                    }
                    return;
                }
                Fit::Begins { verified: is_right } => {
                    self.write_one(at, slots, write);
                    verified = is_right;
                }
                Fit::Damaged => {
                    self.write_one(at, slots, write);
                    return noted.write(slots, write);
                }
            }
        }
        if segment.has_push {
            return noted.write(slots, write);
        }
        if self.open.len() == OPEN {
            self.write_one(0, slots, write);
        }
        self.open.push(Group::new(index, *segment, verified));
    }

    fn find(&self, flow: &Flow) -> Option<usize> {
        self.open.iter().position(|group| group.flow() == flow)
    }

    /// Writes the segments of one flow.
    fn write_one<S: Slots>(
        &mut self,
        at: usize,
        slots: &mut S,
        write: &mut impl FnMut(VnetHeader, &[&[u8]]),
    ) {
        if at < self.open.len() {
            self.open.remove(at).write(&self.packets, slots, write);
        }
    }

    /// Writes the segments of all flows.
    fn write_open<S: Slots>(&mut self, slots: &mut S, write: &mut impl FnMut(VnetHeader, &[&[u8]])) {
        for group in self.open.drain(..) {
            group.write(&self.packets, slots, write);
        }
    }
}

#[cfg(test)]
mod tests;
