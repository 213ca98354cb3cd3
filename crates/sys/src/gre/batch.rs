//! The caller's buffers: slots of fixed size, allocated once.

use std::io;
use std::net::Ipv4Addr;
use std::ops::Range;

use super::MAX_BATCH;

/// A batch of slots for received packets.
#[derive(Debug)]
pub struct RecvBatch {
    buffer: Box<[u8]>,
    slot: usize,
    packets: Vec<Place>,
    damaged: u64,
}

/// The position of a packet in its slot, without its IP header.
#[derive(Clone, Copy, Debug)]
struct Place {
    slot: usize,
    start: usize,
    end: usize,
    source: Ipv4Addr,
    destination: Ipv4Addr,
}

/// A received packet.
#[derive(Debug)]
pub struct Packet<'a> {
    /// The sender's address, from the IP header.
    pub source: Ipv4Addr,
    /// The local address that it was sent to.
    pub destination: Ipv4Addr,
    /// The packet from the GRE header on, for processing in place.
    pub gre: &'a mut [u8],
}

impl RecvBatch {
    /// Creates space for `packets` packets (1 to [`MAX_BATCH`]) of up to `slot` octets each, including the IP
    /// header.
    pub fn new(packets: usize, slot: usize) -> RecvBatch {
        let packets = packets.clamp(1, MAX_BATCH);
        let slot = slot.clamp(64, 65_536);
        RecvBatch {
            buffer: vec![0; packets * slot].into_boxed_slice(),
            slot,
            packets: Vec::with_capacity(packets),
            damaged: 0,
        }
    }

    /// The number of packets in the batch.
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether there are no packets.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// The number of packets left out since the batch was created: without an IPv4 header, or longer than a
    /// slot.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// The packet at `index`, in the order of arrival.
    pub fn get_mut(&mut self, index: usize) -> Option<Packet<'_>> {
        let place = *self.packets.get(index)?;
        let base = place.slot * self.slot;
        let gre = self.buffer.get_mut(base + place.start..base + place.end)?;
        Some(Packet { source: place.source, destination: place.destination, gre })
    }

    /// The octets of the packet at `index`.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let place = self.packets.get(index)?;
        let base = place.slot * self.slot;
        self.buffer.get(base + place.start..base + place.end)
    }

    /// All packets at once, in the order of arrival. Their octets are disjoint, so they can be kept while
    /// neighbours are joined into one write.
    pub fn packets(&mut self) -> impl Iterator<Item = Packet<'_>> {
        let mut places = self.packets.iter().copied().peekable();
        self.buffer.chunks_exact_mut(self.slot).enumerate().filter_map(move |(slot, octets)| {
            let place = places.next_if(|p| p.slot == slot)?;
            let gre = octets.get_mut(place.start..place.end)?;
            Some(Packet { source: place.source, destination: place.destination, gre })
        })
    }

    /// Empties the batch and returns all of its slots to be filled.
    pub(super) fn slots(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.packets.clear();
        self.buffer.chunks_exact_mut(self.slot)
    }

    /// Records that `len` octets arrived in `slot`.
    pub(super) fn filled(&mut self, slot: usize, len: usize, truncated: bool) {
        let base = slot * self.slot;
        let place = match self.buffer.get(base..base + len.min(self.slot)) {
            Some(octets) if !truncated => ip_header(octets, slot),
            _ => None,
        };
        match place {
            Some(place) => self.packets.push(place),
            None => self.damaged += 1,
        }
    }
}

/// Parses the IP header. The kernel has verified its checksum and length, and reassembled fragments.
fn ip_header(octets: &[u8], slot: usize) -> Option<Place> {
    let (header, _) = octets.split_first_chunk::<20>()?;
    let start = usize::from(header[0] & 0x0f) * 4;
    if header[0] >> 4 != 4 || start < 20 || start > octets.len() {
        return None;
    }
    let end = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if end < start || end > octets.len() {
        return None;
    }
    let four = |at: usize| Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]);
    Some(Place { slot, start, end, source: four(12), destination: four(16) })
}

/// A batch of packets to be sent together.
#[derive(Debug)]
pub struct SendBatch {
    buffer: Box<[u8]>,
    slot: usize,
    items: Vec<Item>,
    first: usize,
}

/// One packet of a [`SendBatch`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) destination: Ipv4Addr,
    pub(super) source: Option<Ipv4Addr>,
    start: usize,
    end: usize,
}

/// The result of sending a [`SendBatch`].
#[derive(Debug, Default)]
pub struct Sent {
    /// The number of packets that the kernel accepted.
    pub sent: usize,
    /// The number of packets dropped because the queue of the interface was full.
    pub congested: usize,
    /// The number of packets that were rejected for another reason.
    pub refused: usize,
    /// Why the last of them was rejected: no route, a firewall's output rule (EPERM), larger than the path
    /// MTU (EMSGSIZE).
    pub error: Option<io::Error>,
}

impl SendBatch {
    /// Creates space for `packets` packets (1 to [`MAX_BATCH`]) of up to `slot` octets each, starting with
    /// the GRE header.
    pub fn new(packets: usize, slot: usize) -> SendBatch {
        let packets = packets.clamp(1, MAX_BATCH);
        let slot = slot.clamp(64, 65_536);
        SendBatch {
            buffer: vec![0; packets * slot].into_boxed_slice(),
            slot,
            items: Vec::with_capacity(packets),
            first: 0,
        }
    }

    /// Adds a packet. Without `source` the kernel selects the address by the route.
    ///
    /// Returns false, and adds nothing, when the batch is full or the packet is longer than a slot.
    #[must_use]
    pub fn push(&mut self, destination: Ipv4Addr, source: Option<Ipv4Addr>, gre: &[u8]) -> bool {
        let Some(space) = self.slot().and_then(|slot| slot.get_mut(..gre.len())) else { return false };
        space.copy_from_slice(gre);
        self.push_in_place(destination, source, 0..gre.len())
    }

    /// The octets of the next slot, in which to build a packet; `None` if the batch is full.
    pub fn slot(&mut self) -> Option<&mut [u8]> {
        let base = self.items.len() * self.slot;
        self.buffer.get_mut(base..base + self.slot)
    }

    /// Adds the packet at `range` of [`SendBatch::slot`].
    ///
    /// Returns false, and adds nothing, when the batch is full or the range is not inside the slot.
    #[must_use]
    pub fn push_in_place(
        &mut self,
        destination: Ipv4Addr,
        source: Option<Ipv4Addr>,
        range: Range<usize>,
    ) -> bool {
        let Range { start, end } = range;
        let fits = start <= end && end <= self.slot && !self.is_full();
        if fits {
            self.items.push(Item { destination, source, start, end });
        }
        fits
    }

    /// The whole slots of the packets added so far, in order, for processing before they are sent.
    pub fn slots_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.buffer.chunks_exact_mut(self.slot).take(self.items.len())
    }

    /// The number of packets still to be sent.
    pub fn pending(&self) -> usize {
        self.items.len() - self.first
    }

    /// Whether the batch is full.
    pub fn is_full(&self) -> bool {
        (self.items.len() + 1) * self.slot > self.buffer.len()
    }

    /// Empties the batch.
    pub fn clear(&mut self) {
        self.items.clear();
        self.first = 0;
    }

    /// The packets still to be sent, in order.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Item, &[u8])> {
        self.items
            .iter()
            .zip(self.buffer.chunks_exact(self.slot))
            .skip(self.first)
            .map(|(item, octets)| (*item, octets.get(item.start..item.end).unwrap_or_default()))
    }

    /// Removes the next `n` packets.
    pub(super) fn advance(&mut self, n: usize) {
        self.first += n;
        if self.first >= self.items.len() {
            self.clear();
        }
    }
}

#[cfg(test)]
mod tests;
