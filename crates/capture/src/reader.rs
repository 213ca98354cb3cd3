//! The reader: octets of a file in, packets and notes out.

use std::collections::VecDeque;
use std::time::Duration;

use crate::container::{CAPACITY, Container, Event, Record};
use crate::decode::{Decoder, State};
use crate::duplicate::Duplicates;
use crate::ip::Ip;
use crate::ip::fragments::INCOMPLETE_MAX;
use crate::link::{self, Carried, NotIp};
use crate::note::{Note, What};
use crate::octets::Octets as _;
use crate::packet::{Content, Packet};
use crate::summary::Summary;
use crate::tcp::{HELD_MAX, STREAMS_MAX};

/// The time by which frames may be out of order before it is reported: network cards have several queues.
const SLACK: Duration = Duration::from_secs(1);
/// The most kinds of notes that are reported once: link types and tables.
const REPORTED_MAX: usize = 64;

/// The most octets of a file that a reader keeps: those not decoded yet, all packets in fragments, and all
/// connections with segments out of order and half a message each.
pub const KEPT_MAX: usize = CAPACITY
    + INCOMPLETE_MAX * (u16::MAX as usize)
    + STREAMS_MAX * 2 * (HELD_MAX + adit_wire::pptp::BUFFER_MAX);

/// An item of the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The next frame.
    Packet(Box<Packet>),
    /// A note about the file, which precedes the packet of the frame that caused it.
    Note(Note),
}

/// Reads a capture file.
///
/// ```
/// use adit_capture::Reader;
///
/// let mut reader = Reader::default();
/// let file = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0";
/// reader.feed(file, |item| println!("{item:?}"));
/// reader.finish();
/// assert_eq!(reader.poll(), None);
/// assert_eq!(reader.summary().frames, 0);
/// ```
#[derive(Debug, Default)]
pub struct Reader {
    container: Container,
    state: State,
    duplicates: Duplicates,
    summary: Summary,
    /// One packet, and the notes that precede it: never more than one frame causes.
    queue: VecDeque<Item>,
    offset: u64,
    reported: Vec<What>,
}

impl Reader {
    /// Adds octets of the file, as many as fit, and returns how many. After each call, items must be taken
    /// until there are none; then there is space again.
    pub fn push(&mut self, octets: &[u8]) -> usize {
        self.container.push(octets)
    }

    /// Adds all of these octets, and passes each item to `each`.
    pub fn feed(&mut self, mut octets: &[u8], mut each: impl FnMut(Item)) {
        while !octets.is_empty() {
            let taken = self.push(octets);
            octets = octets.get(taken..).unwrap_or_default();
            std::iter::from_fn(|| self.poll()).for_each(&mut each);
        }
    }

    /// Reports the end of the file. Remaining items must still be taken.
    pub fn finish(&mut self) {
        self.container.finish();
    }

    /// The next item; `None` if more octets are needed, or, after [`Reader::finish`], if there are no more.
    pub fn poll(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.queue.pop_front() {
                return Some(item);
            }
            match self.container.next() {
                Some(Event::Note(offset, what)) => {
                    self.offset = offset;
                    queue_note(&mut self.queue, &mut self.reported, (self.summary.frames, offset), what);
                }
                Some(Event::Record(offset, record, octets)) => {
                    self.offset = offset;
                    let place = (self.summary.frames + 1, offset);
                    let (queue, reported) = (&mut self.queue, &mut self.reported);
                    let mut report = |what| queue_note(queue, reported, place, what);
                    if self.summary.last.is_some_and(|last| record.time.saturating_add(SLACK) < last)
                        && record.time != Duration::ZERO
                    {
                        report(What::TimeGoesBack);
                    }
                    while let Some(what) = self.state.fragments.give_up(Some(record.time)) {
                        report(what);
                    }
                    let (state, duplicates) = (&mut self.state, &mut self.duplicates);
                    let packet = decode(record, octets, place.0, state, duplicates, &mut report);
                    self.summary.count(&packet);
                    self.queue.push_back(Item::Packet(Box::new(packet)));
                }
                None => {
                    if !self.container.is_over() {
                        return None;
                    }
                    let what = self.state.fragments.give_up(None)?;
                    queue_note(&mut self.queue, &mut self.reported, (self.summary.frames, self.offset), what);
                }
            }
        }
    }

    /// The number of octets that are kept: not decoded yet, or waiting for others. At most [`KEPT_MAX`].
    pub fn kept(&self) -> usize {
        self.container.kept() + self.state.fragments.kept() + self.state.streams.kept()
    }

    /// The counters so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}

/// Queues a note; some kinds are reported once.
fn queue_note(queue: &mut VecDeque<Item>, reported: &mut Vec<What>, (frame, offset): (u64, u64), what: What) {
    if let What::Full { .. } | What::UnknownLink { .. } | What::TimeGoesBack | What::NoInterface { .. } = what
    {
        if reported.contains(&what) || reported.len() == REPORTED_MAX {
            return;
        }
        reported.push(what.clone());
    }
    queue.push_back(Item::Note(Note { frame, offset, what }));
}

fn decode(
    record: Record,
    octets: &[u8],
    number: u64,
    state: &mut State,
    duplicates: &mut Duplicates,
    report: &mut dyn FnMut(What),
) -> Packet {
    let frame = link::frame(record.link, octets);
    let mut packet = Packet {
        number,
        time: record.time,
        interface: record.interface,
        link: record.link,
        direction: record.direction.or(frame.direction),
        captured: octets.len(),
        total: record.total,
        is_retry: frame.is_retry,
        duplicate_of: None,
        network: None,
        content: Content::Other,
    };
    let carried = match frame.carried {
        Carried::Ip(carried) => carried,
        Carried::Ppp(on, frame) => {
            packet.content = Content::Ppp { on, frame: frame.to_vec() };
            return packet;
        }
        Carried::Nothing(kind) => {
            if let NotIp::Link(link) = kind {
                report(What::UnknownLink { link });
            }
            packet.content = Content::NotIp(kind);
            return packet;
        }
    };
    let before = octets.len() - carried.len();
    let wire_len = record.total.saturating_sub(before + frame.check_len.max(record.check_len));
    if let Ok(ip) = Ip::parse(carried, wire_len) {
        let packet_octets = carried.at_most(ip.total);
        packet.duplicate_of = duplicates.first_of(packet_octets, record.time, number, frame.is_retry);
    }
    let is_followed = packet.duplicate_of.is_none();
    let mut decoder = Decoder { state, is_followed, frame: number, time: record.time, report };
    (packet.network, packet.content) = decoder.packet(carried, wire_len);
    packet
}
