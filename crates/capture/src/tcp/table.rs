//! The table of all connections of the file, with limits.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use adit_wire::tcp;

use super::Segment;
use super::stream::{Half, Trouble};
use crate::note::What;

/// The most connections that are tracked. Connections other than control connections are removed first,
/// oldest first.
pub const STREAMS_MAX: usize = 1024;

/// Both ends, the lesser first, so that both directions have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key((IpAddr, u16), (IpAddr, u16));

impl Key {
    fn of(from: (IpAddr, u16), to: (IpAddr, u16)) -> Key {
        if from <= to { Key(from, to) } else { Key(to, from) }
    }
}

#[derive(Debug)]
struct Stream {
    number: u32,
    halves: [Half; 2],
    /// The position in the order of removal.
    rank: (bool, u64),
    /// When the first SYN arrived; `None` once the handshake is complete.
    syn: Option<Duration>,
    is_control: bool,
}

/// The position at which a segment was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) frame: u64,
    pub(crate) time: Duration,
}

/// The connections.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    table: BTreeMap<Key, Stream>,
    /// The connections in the order of removal.
    order: BTreeMap<(bool, u64), Key>,
    count: u32,
}

impl Streams {
    /// Handles a segment and sets the fields that depend on earlier segments.
    pub(crate) fn take(
        &mut self,
        place: Place,
        segment: &mut Segment,
        payload: &[u8],
        mut report: impl FnMut(What),
    ) {
        let from = (place.source, segment.source_port);
        let to = (place.destination, segment.destination_port);
        let (key, side) = (Key::of(from, to), usize::from(from > to));
        self.evict_oldest(key, &mut report);
        let stream = self.table.entry(key).or_insert_with(|| {
            let number = self.count;
            self.count = self.count.wrapping_add(1);
            Stream::new(number)
        });
        self.order.remove(&stream.rank);
        if segment.is_syn() && stream.halves[side].initial().is_some_and(|initial| initial != segment.seq) {
            // The ports are reused.
            *stream = Stream::new(self.count);
            self.count = self.count.wrapping_add(1);
        }
        stream.time(segment, place.time);
        segment.stream = stream.number;

        let number = stream.number;
        let notes_about = |source: IpAddr| {
            move |trouble| match trouble {
                Trouble::Gap { octets, acknowledged } => {
                    What::Gap { stream: number, source, octets, acknowledged }
                }
                Trouble::Lost(error) => What::StreamLost { stream: number, source, error },
            }
        };
        let [first, second] = &mut stream.halves;
        let (ours, theirs) = if side == 0 { (first, second) } else { (second, first) };
        // Data of the other side that is missing from the file is given up first, because it was sent
        // earlier. Messages that become readable by that belong to the other side, not to this segment.
        if let Some(ack) = segment.ack {
            let to_note = notes_about(place.destination);
            theirs.acknowledged(ack, &mut segment.late, &mut |trouble| report(to_note(trouble)));
        }
        let to_note = notes_about(place.source);
        ours.take(segment, payload, &mut |trouble| report(to_note(trouble)));
        stream.is_control |= ours.is_control() || theirs.is_control();
        segment.is_control = stream.is_control;
        stream.rank = (stream.is_control, place.frame);
        self.order.insert(stream.rank, key);
    }

    /// Sets the connection fields of a duplicate without processing it.
    pub(crate) fn recall(&self, place: Place, segment: &mut Segment) {
        let from = (place.source, segment.source_port);
        let to = (place.destination, segment.destination_port);
        if let Some(stream) = self.table.get(&Key::of(from, to)) {
            segment.stream = stream.number;
            segment.is_control = stream.is_control;
        }
    }

    /// The number of octets that are kept.
    pub(crate) fn kept(&self) -> usize {
        self.table.values().flat_map(|stream| &stream.halves).map(Half::kept).sum()
    }

    fn evict_oldest(&mut self, key: Key, report: &mut impl FnMut(What)) {
        if self.table.len() >= STREAMS_MAX
            && !self.table.contains_key(&key)
            && let Some((_, oldest)) = self.order.pop_first()
        {
            report(What::Full { table: "TCP connections", most: STREAMS_MAX });
            self.table.remove(&oldest);
        }
    }
}

impl Stream {
    fn new(number: u32) -> Stream {
        Stream { number, halves: Default::default(), rank: (false, 0), syn: None, is_control: false }
    }

    /// Measures the duration of the handshake.
    fn time(&mut self, segment: &mut Segment, now: Duration) {
        if segment.flags & tcp::SYN != 0 {
            let since = *self.syn.get_or_insert(now);
            segment.since_syn = segment.is_syn_ack().then(|| now.saturating_sub(since));
            if segment.is_syn() {
                segment.since_syn = Some(now.saturating_sub(since));
            }
        } else if let Some(since) = self.syn.take() {
            // The third segment; later ones are not part of the handshake.
            let is_third = segment.ack.is_some() && !segment.is_reset();
            segment.since_syn = is_third.then(|| now.saturating_sub(since));
        }
    }
}
