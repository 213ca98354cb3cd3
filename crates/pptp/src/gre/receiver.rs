//! Reordering of received packets by sequence number.
//!
//! The next packet in sequence is delivered at once. A packet that is ahead by at most the window is held
//! until the missing ones arrive, for a limited time and in limited memory; then the gap counts as lost. A
//! packet that is behind is dropped. A packet that is far ahead is a jump: either very many packets were
//! lost, or it is forged. A second packet of the same range confirms the jump. Without one, the jump is
//! accepted after the wait, but the old range is kept: its next packet, if it arrives, reverts the jump. So a
//! single forged packet cannot stop a call. This is for calls without encryption; while MPPE is up, the rules of
//! `proven` apply.

mod proven;

use std::time::{Duration, Instant};

use super::ahead;
use super::reorder::{Held, Reorder};

pub use proven::{Place, Position};

/// A packet that is ahead by more than this and by more than the window is a jump.
const JUMP: i32 = 64;

/// The limits of a [`Receiver`].
#[derive(Clone, Copy, Debug)]
pub struct ReceiverConfig {
    /// How far ahead a packet may be to be held: 0..=1024; 0 holds no packet.
    pub packets: u16,
    /// The most payload octets that are held.
    pub octets: usize,
    /// How long a packet may be held.
    pub wait: Duration,
}

impl ReceiverConfig {
    /// The largest window.
    pub const MAX_PACKETS: u16 = 1024;
}

impl Default for ReceiverConfig {
    fn default() -> ReceiverConfig {
        ReceiverConfig { packets: 32, octets: 256 * 1024, wait: Duration::from_millis(100) }
    }
}

/// The result of [`Receiver::receive`] for a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The next in sequence: process it now, then fetch the packets that it released with
    /// [`Receiver::next_held`].
    Deliver,
    /// A copy is held; [`Receiver::next_held`] may return packets.
    Held,
    /// Old, duplicate, or out of the window.
    Dropped,
}

/// What a [`Receiver`] has seen, in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiverCounters {
    /// Numbers given up: no packet came in time.
    pub lost: u64,
    /// Packets that arrived after a higher number and were still delivered in order.
    pub reordered: u64,
    /// Packets that had been received before.
    pub duplicate: u64,
    /// Packets too late for their turn, or further ahead than the window.
    pub out_of_window: u64,
}

/// The receiving side of one call.
#[derive(Clone, Debug)]
pub struct Receiver {
    config: ReceiverConfig,
    /// The current range; `None` until the first packet, which may have any number.
    range: Option<Range>,
    waiting: Reorder,
    /// A single packet far ahead that no other has confirmed.
    jump: Option<Held>,
    /// The range before an unconfirmed jump.
    left: Option<Left>,
    /// Frames after the range that are being decrypted.
    begun: u32,
    /// Control frames in clear after the range, while frames must be proven.
    clear: u32,
    /// How far the last of them is after the range.
    clear_reach: u32,
    counters: ReceiverCounters,
}

/// The state of the sequence.
#[derive(Clone, Copy, Debug)]
struct Range {
    /// The number that was last delivered or given up.
    last: u32,
    /// Bit n is set when `last - n` was received.
    recent: u64,
}

#[derive(Clone, Copy, Debug)]
struct Left {
    range: Range,
    /// The number of packets that the jump counted as lost.
    lost: u64,
}

impl Range {
    /// Advances to a received packet.
    fn advance(&mut self, seq: u32) {
        let steps = seq.wrapping_sub(self.last);
        self.recent = self.recent.checked_shl(steps).unwrap_or(0) | 1;
        self.last = seq;
    }

    /// Records a packet at or behind `last`.
    fn note_old(&mut self, seq: u32) -> Old {
        let bit = 1u64.checked_shl(self.last.wrapping_sub(seq)).unwrap_or(0);
        if self.recent & bit != 0 {
            return Old::Duplicate;
        }
        self.recent |= bit;
        Old::Late
    }
}

/// The kind of a packet behind the last one.
enum Old {
    /// It was received before.
    Duplicate,
    /// It was given up, or is older than the history.
    Late,
}

impl Receiver {
    /// Creates a receiver that starts at the number of the first packet.
    pub fn new(config: ReceiverConfig) -> Receiver {
        let packets = config.packets.min(ReceiverConfig::MAX_PACKETS);
        Receiver {
            config: ReceiverConfig { packets, ..config },
            range: None,
            waiting: Reorder::default(),
            jump: None,
            left: None,
            begun: 0,
            clear: 0,
            clear_reach: 0,
            counters: ReceiverCounters::default(),
        }
    }

    /// Handles a data packet. Call [`Receiver::next_held`] until it returns `None` before the next call.
    pub fn receive(&mut self, now: Instant, seq: u32, payload: &[u8]) -> Arrival {
        let Some(range) = &mut self.range else {
            self.range = Some(Range { last: seq, recent: 1 });
            return Arrival::Deliver;
        };
        match ahead(seq, range.last) {
            1 => {
                range.advance(seq);
                self.forget_clear();
                self.counters.reordered += u64::from(self.waiting.highest().is_some());
                self.range_is_alive();
                self.release_in_order();
                Arrival::Deliver
            }
            ..=0 => self.receive_old(now, seq, payload),
            by => {
                let newest = self.waiting.highest().unwrap_or(range.last);
                let held = Held { seq, arrived: now, payload: payload.to_vec() };
                if by > self.far() && ahead(seq, newest) > self.far() {
                    self.receive_jump(held)
                } else {
                    self.hold(held)
                }
            }
        }
    }

    /// Accepts a data packet if it is next in sequence and no packet is held: equivalent to
    /// [`Arrival::Deliver`] with nothing to fetch. If it returns false, nothing has changed.
    pub fn receive_next(&mut self, seq: u32) -> bool {
        let Some(range) = self.range.as_mut().filter(|range| ahead(seq, range.last) == 1) else {
            return false;
        };
        if self.waiting.highest().is_some() {
            return false;
        }
        range.advance(seq);
        self.forget_clear();
        self.range_is_alive();
        true
    }

    /// Handles a packet at or behind the last one, which matters only if it refutes an unconfirmed jump.
    fn receive_old(&mut self, now: Instant, seq: u32, payload: &[u8]) -> Arrival {
        let far = self.far();
        if let Some(left) = self.left.take_if(|left| (1..=far).contains(&ahead(seq, left.range.last))) {
            self.counters.lost = self.counters.lost.saturating_sub(left.lost);
            self.counters.out_of_window += 1;
            self.range = Some(left.range);
            return self.receive(now, seq, payload);
        }
        match self.range.as_mut().map(|range| range.note_old(seq)) {
            Some(Old::Duplicate) => self.counters.duplicate += 1,
            _ => self.counters.out_of_window += 1,
        }
        Arrival::Dropped
    }

    /// Handles a packet far beyond the window.
    fn receive_jump(&mut self, held: Held) -> Arrival {
        match self.jump.take() {
            Some(first) if first.seq == held.seq => {
                self.counters.duplicate += 1;
                self.jump = Some(first);
                Arrival::Dropped
            }
            Some(first) if (1..=self.far()).contains(&ahead(held.seq, first.seq)) => {
                self.jump_to(first);
                self.hold(held)
            }
            other => {
                self.counters.out_of_window += u64::from(other.is_some());
                self.jump = Some(held);
                Arrival::Held
            }
        }
    }

    /// Holds a packet that is near the last one, or near the newest held one.
    fn hold(&mut self, held: Held) -> Arrival {
        self.range_is_alive();
        let seq = held.seq;
        let early = self.waiting.highest().is_some_and(|highest| ahead(seq, highest) < 0);
        if !self.waiting.insert(held) {
            self.counters.duplicate += 1;
            return Arrival::Dropped;
        }
        self.counters.reordered += u64::from(early);
        self.release_in_order();
        let window = i32::from(self.config.packets);
        while self.waiting.first_waiting().is_some()
            && (self.waiting.octets() > self.config.octets
                || self.range.is_some_and(|range| ahead(seq, range.last) > window))
        {
            self.give_up_gap();
        }
        Arrival::Held
    }

    /// The distance beyond which a packet is not a gap but a jump.
    fn far(&self) -> i32 {
        i32::from(self.config.packets).max(JUMP)
    }

    /// Handles a packet of the current range: refutes a jump away from it, and confirms the jump that led to
    /// it.
    fn range_is_alive(&mut self) {
        self.counters.out_of_window += u64::from(self.jump.take().is_some());
        self.left = None;
    }

    /// Leaves the current range for that of `held`, and delivers the held packets.
    fn jump_to(&mut self, held: Held) {
        while self.waiting.first_waiting().is_some() {
            self.give_up_gap();
        }
        if let Some(range) = self.range {
            self.left = Some(Left { range, lost: self.missing_before(held.seq) });
        }
        self.waiting.insert(held);
        self.give_up_gap();
    }

    /// Counts the numbers before the first held packet as lost and releases all packets that are then in
    /// order.
    fn give_up_gap(&mut self) {
        if let (Some(_), Some(held)) = (&self.range, self.waiting.first_waiting()) {
            self.counters.lost += self.missing_before(held.seq);
            self.forget_clear();
            self.release_first();
            self.release_in_order();
        }
    }

    fn release_in_order(&mut self) {
        while let (Some(range), Some(held)) = (&self.range, self.waiting.first_waiting())
            && ahead(held.seq, range.last) == 1
        {
            self.release_first();
        }
    }

    fn release_first(&mut self) {
        if let (Some(range), Some(seq)) = (&mut self.range, self.waiting.release_one()) {
            range.advance(seq);
        }
    }

    /// The next released packet: its number and payload.
    pub fn next_held(&mut self) -> Option<(u32, Vec<u8>)> {
        self.waiting.pop().map(|held| (held.seq, held.payload))
    }

    /// Gives up gaps that have timed out; then fetch packets with [`Receiver::next_held`].
    pub fn handle_timeout(&mut self, now: Instant) {
        let wait = self.config.wait;
        while self.waiting.first_waiting().is_some_and(|held| held.arrived + wait <= now) {
            self.give_up_gap();
        }
        if let Some(held) = self.jump.take_if(|held| held.arrived + wait <= now) {
            self.jump_to(held);
        }
    }

    /// When [`Receiver::handle_timeout`] must be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let waiting = self.waiting.first_waiting().map(|held| held.arrived);
        let jump = self.jump.as_ref().map(|held| held.arrived);
        let first = match (waiting, jump) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        first.map(|arrived| arrived + self.config.wait)
    }

    /// The highest number received, which is sent as the Acknowledgment Number (RFC 2637 section 4.3).
    pub fn highest(&self) -> Option<u32> {
        self.waiting.highest().or(self.range.map(|range| range.last))
    }

    /// The counters so far. Until the next proven frame, the packets that are missing between control frames in clear count as
    /// lost, so that the loss on an idle line is known.
    pub fn counters(&self) -> ReceiverCounters {
        ReceiverCounters { lost: self.counters.lost + self.missing(), ..self.counters }
    }
}

#[cfg(test)]
#[path = "receiver/tests.rs"]
mod tests;
