//! The reorder buffer: packets that arrived ahead of their turn.

use std::collections::VecDeque;
use std::time::Instant;

use super::ahead;

/// A copy of a held packet.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) seq: u32,
    pub(super) arrived: Instant,
    pub(super) payload: Vec<u8>,
}

/// Held packets in the order of their numbers; the first `released` of them are ready to be fetched.
#[derive(Clone, Debug, Default)]
pub(super) struct Reorder {
    queue: VecDeque<Held>,
    released: usize,
    octets: usize,
}

impl Reorder {
    /// Inserts a packet in order; false if there is one with that number already.
    pub(super) fn insert(&mut self, held: Held) -> bool {
        let place = self.queue.partition_point(|other| ahead(held.seq, other.seq) > 0);
        if self.queue.get(place).is_some_and(|other| other.seq == held.seq) {
            return false;
        }
        self.octets += held.payload.len();
        self.queue.insert(place, held);
        true
    }

    /// Inserts a packet in order, behind others with its number; false if there are `most` of them.
    pub(super) fn insert_among(&mut self, held: Held, most: usize) -> bool {
        let from = self.queue.partition_point(|other| ahead(held.seq, other.seq) > 0);
        let to = self.queue.partition_point(|other| ahead(held.seq, other.seq) >= 0);
        if to - from >= most {
            return false;
        }
        self.octets += held.payload.len();
        self.queue.insert(to, held);
        true
    }

    /// Removes the first packet, released or not.
    pub(super) fn take_first(&mut self) -> Option<Held> {
        if !self.queue.is_empty() {
            self.released = self.released.max(1);
        }
        self.pop()
    }

    /// The number of packets in the buffer.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// The first packet that is not released yet.
    pub(super) fn first_waiting(&self) -> Option<&Held> {
        self.queue.get(self.released)
    }

    /// Releases the first packet that is not released, and returns its number.
    pub(super) fn release_one(&mut self) -> Option<u32> {
        let seq = self.first_waiting()?.seq;
        self.released += 1;
        Some(seq)
    }

    /// Takes the first released packet.
    pub(super) fn pop(&mut self) -> Option<Held> {
        if self.released == 0 {
            return None;
        }
        let held = self.queue.pop_front()?;
        self.released -= 1;
        self.octets -= held.payload.len();
        Some(held)
    }

    /// The highest number in the buffer.
    pub(super) fn highest(&self) -> Option<u32> {
        self.queue.back().map(|held| held.seq)
    }

    /// The number of payload octets in the buffer.
    pub(super) fn octets(&self) -> usize {
        self.octets
    }
}
