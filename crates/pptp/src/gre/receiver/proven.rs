//! Reception while frames can prove that they are from the peer: while MPPE is up.
//!
//! A sequence number is in clear, and any host can forge a packet. So a number counts as received only once its frame
//! was decrypted ([`Receiver::prove`]), and a jump to other numbers is decided by the owner
//! ([`Receiver::go_to`]). Nothing else moves the range: not a frame in clear, and not a frame that is noise.
//! IPsec does the same (RFC 4303 section 3.4.3).

use std::time::Instant;

use super::super::ahead;
use super::super::reorder::Held;
use super::{Range, Receiver};

/// The most control frames in clear that widen the range: several weeks of an idle call.
const CLEAR_MAX: u32 = 1 << 16;
/// The most held frames of one number: which of them is genuine is not known yet.
const COPIES: usize = 4;

/// Where a number is, seen from the current range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// So many numbers after the last received one; 1 is the next.
    Ahead(u32),
    /// It was received.
    Seen,
    /// Shortly before the last one, and not received.
    Late,
    /// Outside the range.
    Far,
}

/// A range that was left, to be resumed.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    range: Option<Range>,
    /// The number of packets that the jump away from it counted as lost.
    lost: u64,
}

impl Position {
    /// How far `seq` is after the last number of the range; 0 if it is not after it.
    pub fn distance(&self, seq: u32) -> u32 {
        self.range.map_or(0, |range| ahead(seq, range.last).max(0).unsigned_abs())
    }
}

impl Receiver {
    /// Begins or ends the time in which only proven frames move the range. Frames that wait stay at its
    /// beginning, and are dropped at its end.
    pub fn require_proof(&mut self, is_required: bool) {
        self.counters.out_of_window += u64::from(self.jump.take().is_some());
        self.left = None;
        self.begun = 0;
        if is_required {
            if let Some(range) = &mut self.range {
                // What was received before proves nothing: the peer may still send those numbers.
                range.recent = 0;
            }
            return;
        }
        while self.waiting.take_first().is_some() {
            self.counters.out_of_window += 1;
        }
    }

    /// The packets that are missing between control frames in clear after the range.
    pub(super) fn missing(&self) -> u64 {
        u64::from(self.clear_reach.saturating_sub(self.clear))
    }

    /// The packets that are missing before this number, if it follows the range. Control frames in clear were received,
    /// although they did not move it.
    pub(super) fn missing_before(&self, seq: u32) -> u64 {
        let gap = self.range.map_or(0, |range| ahead(seq, range.last).saturating_sub(1)).max(0);
        u64::from(gap.unsigned_abs().saturating_sub(self.clear))
    }

    /// Where `seq` is. Before the first packet, any number is the next.
    pub fn place(&self, seq: u32) -> Place {
        let Some(range) = &self.range else { return Place::Ahead(1) };
        let by = ahead(seq, range.last);
        match by {
            1.. if by <= self.reach() => Place::Ahead(by.unsigned_abs()),
            -63..=0 if range.recent >> by.unsigned_abs() & 1 != 0 => Place::Seen,
            -63..=0 => Place::Late,
            _ => Place::Far,
        }
    }

    /// Records that the frame with this number, which is not behind the range, is genuine. Numbers before it that are
    /// missing are given up.
    pub fn prove(&mut self, seq: u32) {
        self.begun = 0;
        self.counters.lost += self.missing_before(seq);
        self.forget_clear();
        let Some(range) = &mut self.range else {
            self.range = Some(Range { last: seq, recent: 1 });
            return;
        };
        range.advance(seq);
        while self.waiting.first_waiting().is_some_and(|held| ahead(held.seq, seq) <= 0) {
            self.waiting.take_first();
            self.counters.out_of_window += 1;
        }
        self.counters.reordered += u64::from(self.waiting.first_waiting().is_some());
    }

    /// Records a control frame in clear. It has a number like a data frame, and proves nothing: it only
    /// explains why the next data frame is further ahead. Returns the number to acknowledge, if it is in the range: a peer
    /// on an idle line sends nothing else, and must not run out of its window.
    pub fn note_clear(&mut self, seq: u32) -> Option<u32> {
        let Place::Ahead(by) = self.place(seq) else { return None };
        self.clear = (self.clear + 1).min(CLEAR_MAX);
        self.clear_reach = self.clear_reach.max(by);
        Some(self.range.map_or(seq, |range| range.last.wrapping_add(self.clear_reach)))
    }

    /// Begins a frame that is next in sequence, if none waits: [`Receiver::confirm`] follows once it is decrypted. More
    /// frames may be begun before.
    pub fn begin_next(&mut self, seq: u32) -> bool {
        let is_next = self.is_next(seq) && self.begun < u32::from(u16::MAX);
        self.begun += u32::from(is_next);
        is_next
    }

    /// Whether `seq` is next in sequence and no frame waits.
    pub fn is_next(&self, seq: u32) -> bool {
        self.waiting.highest().is_none()
            && self.range.is_some_and(|range| range.last.wrapping_add(1 + self.begun) == seq)
    }

    /// The oldest begun frame is genuine. False if there is none with this number.
    pub fn confirm(&mut self, seq: u32) -> bool {
        let Some(range) = self.range.as_mut().filter(|range| ahead(seq, range.last) == 1 && self.begun > 0)
        else {
            return false;
        };
        range.advance(seq);
        self.begun -= 1;
        self.forget_clear();
        true
    }

    /// Begun frames are not confirmed: they were not received.
    pub fn roll_back(&mut self) {
        self.begun = 0;
    }

    /// Holds a copy of a frame that is ahead of others. A number can have several while none of them
    /// is `proven`. False if there is no space for it.
    pub fn hold_back(&mut self, now: Instant, seq: u32, payload: &[u8], proven: bool) -> bool {
        let copies = if proven { 1 } else { COPIES };
        self.waiting.insert_among(Held { seq, arrived: now, payload: payload.to_vec() }, copies)
    }

    /// The first frame that waits: its number and payload.
    pub fn first_held(&self) -> Option<(u32, &[u8])> {
        self.waiting.first_waiting().map(|held| (held.seq, &held.payload[..]))
    }

    /// Removes the first frame that waits.
    pub fn take_held(&mut self) -> Option<(u32, Vec<u8>)> {
        self.waiting.take_first().map(|held| (held.seq, held.payload))
    }

    /// Whether the first frame waits no longer for those before it: its time is over, or too many wait.
    pub fn gives_up(&self, now: Instant) -> bool {
        let Some(first) = self.waiting.first_waiting() else { return false };
        let newest = self.waiting.highest().zip(self.range).map_or(0, |(seq, range)| ahead(seq, range.last));
        first.arrived + self.config.wait <= now
            || self.waiting.octets() > self.config.octets
            || self.waiting.len() > COPIES * usize::from(self.config.packets)
            || newest > i32::from(self.config.packets) + self.clear.cast_signed()
    }

    /// Leaves the range for that of `seq`, the number of a genuine frame.
    pub fn go_to(&mut self, seq: u32) -> Position {
        let lost = self.missing_before(seq);
        self.counters.lost += lost;
        self.forget_clear();
        self.begun = 0;
        Position { range: self.range.replace(Range { last: seq, recent: 1 }), lost }
    }

    /// Resumes a range that was left. Returns the one that is left for it.
    pub fn resume(&mut self, position: Position) -> Position {
        self.counters.lost = self.counters.lost.saturating_sub(position.lost);
        self.begun = 0;
        self.forget_clear();
        Position { range: std::mem::replace(&mut self.range, position.range), lost: 0 }
    }

    /// The highest number that was received and is genuine.
    pub fn proven(&self) -> Option<u32> {
        self.range.map(|range| range.last)
    }

    /// Forgets the control frames in clear after the range, which has moved.
    pub(super) fn forget_clear(&mut self) {
        (self.clear, self.clear_reach) = (0, 0);
    }

    /// Counts a packet that was received before.
    pub fn count_duplicate(&mut self) {
        self.counters.duplicate += 1;
    }

    /// Counts a packet that is not in the range.
    pub fn count_out_of_window(&mut self) {
        self.counters.out_of_window += 1;
    }

    /// The largest distance ahead of the last number that is not a jump.
    fn reach(&self) -> i32 {
        self.far() + self.clear.cast_signed()
    }
}

#[cfg(test)]
mod tests;
