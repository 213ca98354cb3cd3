//! One direction of a connection: reordering of data, and the control messages in it.

use std::collections::BTreeMap;

use adit_wire::pptp::{Frame, Framer, HEADER_LEN, Header};
use adit_wire::{Error, tcp};

use super::{Arrival, FIRST_KEPT, Segment};
use crate::octets::Octets as _;

/// The most octets of segments ahead of sequence, in one direction of one connection. Control messages are
/// short.
pub const HELD_MAX: usize = 8192;
/// The most segments ahead of sequence.
const PIECES_MAX: usize = 32;

/// Octets that will not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Gap { octets: u64, acknowledged: bool },
    Lost(Error),
}

/// The interpretation of the data.
#[derive(Debug)]
enum Reading {
    /// Unknown yet: too few octets have arrived.
    Undecided(Vec<u8>),
    /// Control messages.
    Control(Framer),
    /// Control messages, from the next segment that begins with one: the capture starts in the middle, or
    /// data is missing.
    Seeking,
    /// Another protocol, detected at its beginning.
    Foreign,
}

/// One direction of a connection.
#[derive(Debug)]
pub(super) struct Half {
    /// The next sequence number.
    next: Option<u32>,
    /// The sequence number of the SYN.
    initial: Option<u32>,
    reading: Reading,
    /// Segments ahead of sequence, by sequence number at the time when the first of them arrived.
    held: BTreeMap<u32, Vec<u8>>,
    has_spoken: bool,
}

impl Default for Half {
    fn default() -> Half {
        let reading = Reading::Seeking;
        Half { next: None, initial: None, reading, held: BTreeMap::new(), has_spoken: false }
    }
}

/// The distance from `from` to `to` in sequence numbers, modulo 2^32.
fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}

impl Half {
    /// The sequence number of the SYN, if it was captured.
    pub(super) fn initial(&self) -> Option<u32> {
        self.initial
    }

    pub(super) fn is_control(&self) -> bool {
        matches!(self.reading, Reading::Control(_))
    }

    /// Handles a segment: `payload` is its data as far as it was captured. Sets the fields of the segment
    /// that depend on earlier ones.
    pub(super) fn take(&mut self, segment: &mut Segment, payload: &[u8], report: &mut dyn FnMut(Trouble)) {
        if segment.flags & tcp::SYN != 0 {
            if self.initial == Some(segment.seq) {
                segment.arrival = Arrival::Retransmission;
            } else {
                *self = Half::default();
                self.initial = Some(segment.seq);
                self.next = Some(segment.seq.wrapping_add(1));
                self.reading = Reading::Undecided(Vec::new());
            }
            return;
        }
        if segment.len == 0 {
            if let Some(next) = self.next
                && segment.flags & tcp::ACK != 0
                && segment.flags & (tcp::FIN | tcp::RST) == 0
                && distance(next, segment.seq) == -1
            {
                segment.arrival = Arrival::KeepAlive;
            }
            return;
        }
        if !self.has_spoken {
            self.has_spoken = true;
            segment.first = payload.at_most(FIRST_KEPT).to_vec();
        }
        let ahead = distance(*self.next.get_or_insert(segment.seq), segment.seq);
        let end = i64::from(ahead) + segment.len as i64;
        if end <= 0 {
            let is_keep_alive = segment.len == 1 && ahead == -1;
            segment.arrival = if is_keep_alive { Arrival::KeepAlive } else { Arrival::Retransmission };
        } else if ahead > 0 {
            segment.arrival = Arrival::Ahead;
            self.hold(segment, payload, report);
        } else {
            let known = ahead.unsigned_abs() as usize;
            let len = segment.len - known;
            self.advance(payload.behind(known), len, &mut segment.messages, report);
            self.release(&mut segment.messages, report);
        }
    }

    /// Handles an acknowledgment of all data before `ack`: missing octets before it will not be sent again,
    /// and messages after them become readable.
    pub(super) fn acknowledged(&mut self, ack: u32, out: &mut Vec<Frame>, report: &mut dyn FnMut(Trouble)) {
        let Some(next) = self.next else { return };
        if self.held.is_empty() || distance(next, ack) <= 0 {
            return;
        }
        let first = self.nearest(next);
        if first.is_some_and(|first| distance(first, ack) >= 0) {
            self.jump(true, out, report);
        }
    }

    fn hold(&mut self, segment: &mut Segment, payload: &[u8], report: &mut dyn FnMut(Trouble)) {
        if matches!(self.reading, Reading::Foreign | Reading::Seeking) || payload.len() < segment.len {
            // The missing octets are not needed here.
            self.skip_to(segment, report);
            self.advance(payload, segment.len, &mut segment.messages, report);
            return;
        }
        self.held.entry(segment.seq).or_insert_with(|| payload.to_vec());
        while self.held() > HELD_MAX || self.held.len() > PIECES_MAX {
            self.jump(false, &mut segment.messages, report);
        }
    }

    /// The number of octets that wait for earlier ones.
    fn held(&self) -> usize {
        self.held.values().map(Vec::len).sum()
    }

    /// The number of octets that are kept.
    pub(super) fn kept(&self) -> usize {
        let reading = match &self.reading {
            Reading::Undecided(begun) => begun.len(),
            Reading::Control(framer) => framer.pending().len(),
            Reading::Seeking | Reading::Foreign => 0,
        };
        self.held() + reading
    }

    /// Continues at the segment, without the data before it.
    fn skip_to(&mut self, segment: &Segment, report: &mut dyn FnMut(Trouble)) {
        if let Some(next) = self.next
            && self.is_control()
        {
            let octets = segment.seq.wrapping_sub(next).into();
            report(Trouble::Gap { octets, acknowledged: false });
        }
        self.next = Some(segment.seq);
        self.held.clear();
        self.lose();
    }

    /// Continues at the first held segment.
    fn jump(&mut self, acknowledged: bool, out: &mut Vec<Frame>, report: &mut dyn FnMut(Trouble)) {
        let Some((next, first)) = self.next.and_then(|next| Some((next, self.nearest(next)?))) else {
            return;
        };
        report(Trouble::Gap { octets: first.wrapping_sub(next).into(), acknowledged });
        self.next = Some(first);
        self.lose();
        self.release(out, report);
    }

    fn lose(&mut self) {
        if !matches!(self.reading, Reading::Foreign) {
            self.reading = Reading::Seeking;
        }
    }

    /// The held segment that is the first one after `next`.
    fn nearest(&self, next: u32) -> Option<u32> {
        self.held.keys().copied().min_by_key(|seq| distance(next, *seq))
    }

    /// Processes held segments that are in sequence now.
    fn release(&mut self, out: &mut Vec<Frame>, report: &mut dyn FnMut(Trouble)) {
        while let Some(next) = self.next
            && let Some(first) = self.nearest(next)
            && distance(next, first) <= 0
            && let Some(payload) = self.held.remove(&first)
        {
            let known = distance(next, first).unsigned_abs() as usize;
            if known < payload.len() {
                self.advance(payload.behind(known), payload.len() - known, out, report);
            }
        }
    }

    /// Processes octets in order; the first of `len` octets were captured.
    fn advance(&mut self, octets: &[u8], len: usize, out: &mut Vec<Frame>, report: &mut dyn FnMut(Trouble)) {
        self.next = self.next.map(|next| next.wrapping_add(len as u32));
        self.read(octets, out, report);
        let cut = len.saturating_sub(octets.len());
        if cut > 0 {
            if self.is_control() {
                report(Trouble::Gap { octets: cut as u64, acknowledged: false });
            }
            self.lose();
        }
    }

    fn read(&mut self, octets: &[u8], out: &mut Vec<Frame>, report: &mut dyn FnMut(Trouble)) {
        match &mut self.reading {
            Reading::Foreign => {}
            Reading::Control(framer) => {
                if let Err(error) = read(framer, octets, out) {
                    report(Trouble::Lost(error));
                    self.reading = Reading::Seeking;
                }
            }
            Reading::Undecided(begun) => {
                begun.extend_from_slice(octets);
                if begun.len() >= HEADER_LEN {
                    let begun = std::mem::take(begun);
                    self.begin(&begun, Reading::Foreign, out, report);
                }
            }
            Reading::Seeking => self.begin(octets, Reading::Seeking, out, report),
        }
    }

    /// Processes octets that should begin with a control message; otherwise the interpretation is
    /// `otherwise`.
    fn begin(
        &mut self,
        octets: &[u8],
        otherwise: Reading,
        out: &mut Vec<Frame>,
        report: &mut dyn FnMut(Trouble),
    ) {
        if Header::parse(octets).is_err() {
            self.reading = otherwise;
            return;
        }
        let mut framer = Framer::default();
        self.reading = match read(&mut framer, octets, out) {
            Ok(()) => Reading::Control(framer),
            Err(error) => {
                report(Trouble::Lost(error));
                Reading::Seeking
            }
        };
    }
}

fn read(framer: &mut Framer, mut octets: &[u8], messages: &mut Vec<Frame>) -> Result<(), Error> {
    while !octets.is_empty() {
        let taken = framer.push(octets);
        octets = octets.behind(taken);
        while let Some(frame) = framer.next_frame() {
            messages.push(frame?);
        }
        if taken == 0 {
            break;
        }
    }
    Ok(())
}
