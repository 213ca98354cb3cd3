//! The record of a session: its notes with their times, limited in octets, kept for failed calls.

use std::collections::VecDeque;
use std::time::Duration;

use adit_diag::Note;

/// The most notes kept from the beginning: a whole set-up with retransmissions.
pub const FIRST: usize = 160;
/// The most notes kept from the end, which show the cause.
pub const LAST: usize = 96;
/// The most octets of the notes from the beginning. A set-up takes about three thousand.
pub const FIRST_OCTETS: usize = 32 << 10;
/// The most octets of the notes from the end.
pub const LAST_OCTETS: usize = 16 << 10;
/// The most octets of one encoded note; a longer one is left out.
pub const NOTE_MAX: usize = 2048;
/// The step in octets by which memory for notes grows.
const GROW: usize = 256;
/// The most octets of an encoded time.
const TIME: usize = 10;
/// The most octets of all notes, whatever the peer sends.
pub const MAX: usize = FIRST_OCTETS + GROW + LAST_OCTETS;

/// A bounded list of notes with their time since the control connection was accepted.
///
/// Every session has one until its end, so it is a single allocation: each note in a compact binary form,
/// after the time since the one before.
#[derive(Clone, Debug, Default)]
pub struct Record {
    first: Vec<u8>,
    count: usize,
    /// The time of the last note in `first`.
    at: Duration,
    last: VecDeque<(Duration, Box<[u8]>)>,
    /// The number of octets in `last`.
    last_octets: usize,
    omitted: u64,
}

impl Record {
    /// Adds a note; the middle of a very long record is left out and counted.
    pub fn push(&mut self, at: Duration, note: &Note) {
        // Every note can be encoded in this form; one that could not would be left out and counted.
        let Some(octets) = postcard::to_allocvec(note).ok().filter(|octets| octets.len() <= NOTE_MAX) else {
            self.omitted += 1;
            return;
        };
        if self.last.is_empty()
            && self.count < FIRST
            && self.first.len() + octets.len() + TIME <= FIRST_OCTETS
        {
            self.push_first(at, &octets);
            return;
        }
        self.last_octets += octets.len();
        self.last.push_back((at, octets.into()));
        while self.last.len() > LAST || self.last_octets > LAST_OCTETS {
            let Some((_, octets)) = self.last.pop_front() else { break };
            self.last_octets -= octets.len();
            self.omitted += 1;
        }
    }

    fn push_first(&mut self, at: Duration, octets: &[u8]) {
        let since = at.saturating_sub(self.at);
        let micros = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        let mut buffer = [0; TIME];
        let since: &[u8] = postcard::to_slice(&micros, &mut buffer).unwrap_or_default();
        let len = since.len() + octets.len();
        if self.first.capacity() - self.first.len() < len {
            self.first.reserve_exact(len.next_multiple_of(GROW));
        }
        self.first.extend_from_slice(since);
        self.first.extend_from_slice(octets);
        self.count += 1;
        self.at = self.at.saturating_add(Duration::from_micros(micros));
    }

    /// The notes in order; [`Record::omitted`] are missing after the first [`FIRST`].
    pub fn notes(&self) -> impl Iterator<Item = (Duration, Note)> {
        let mut rest = self.first.as_slice();
        let mut at = Duration::ZERO;
        let first = std::iter::from_fn(move || {
            let (micros, behind): (u64, _) = postcard::take_from_bytes(rest).ok()?;
            let (note, behind) = postcard::take_from_bytes(behind).ok()?;
            rest = behind;
            at += Duration::from_micros(micros);
            Some((at, note))
        });
        let last =
            self.last.iter().filter_map(|(at, octets)| Some((*at, postcard::from_bytes(octets).ok()?)));
        first.chain(last)
    }

    /// How many notes were left out.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// The number of notes held.
    pub fn len(&self) -> usize {
        self.count + self.last.len()
    }

    /// Whether the record is empty.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The number of octets that the notes take.
    pub fn octets(&self) -> usize {
        self.first.capacity() + self.last_octets
    }

    /// Frees memory reserved for further notes: the session is up, and few will follow.
    pub fn shrink(&mut self) {
        self.first.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use adit_diag::note::{LayerUp, Message, MessageKind, Octets, Packet, Treatment, Why};
    use adit_wire::Protocol;

    use super::*;

    fn mru(mru: u16) -> Note {
        Note::LayerUp(LayerUp::Lcp { mru })
    }

    #[test]
    fn keeps_the_beginning_and_the_end() {
        let mut record = Record::default();
        for n in 0..1000u16 {
            record.push(Duration::from_millis(n.into()), &mru(n));
        }
        assert_eq!(record.len(), FIRST + LAST);
        assert_eq!(record.omitted(), 1000 - (FIRST + LAST) as u64);
        let notes: Vec<_> = record.notes().collect();
        assert_eq!(notes.len(), record.len());
        assert_eq!(notes[0], (Duration::ZERO, mru(0)));
        assert_eq!(notes[FIRST - 1], (Duration::from_millis(159), mru(159)));
        assert_eq!(notes.last().unwrap(), &(Duration::from_millis(999), mru(999)));
    }

    #[test]
    fn what_goes_in_comes_out() {
        let mut record = Record::default();
        let mut notes = Vec::new();
        for n in 0..120u8 {
            let message = Message {
                protocol: Protocol::Pptp,
                kind: MessageKind::Unknown(n.into()),
                id: (n % 2 == 0).then_some(n),
                length: 500,
                octets: Octets([vec![0; n.into()], vec![n]].concat()),
            };
            let packet = Packet { sent: n % 3 == 0, message, treatment: Treatment::Handled };
            let at = Duration::from_micros(u64::from(n) * 1_000_003);
            record.push(at, &Note::Packet(packet.clone()));
            notes.push((at, Note::Packet(packet)));
        }
        assert_eq!(record.notes().collect::<Vec<_>>(), notes);
        record.shrink();
        assert_eq!(record.notes().count(), notes.len());
    }

    #[test]
    fn a_note_of_any_length_is_kept_or_counted() {
        let mut record = Record::default();
        let reason = "\u{e4}".repeat(40_000).as_str().into();
        record.push(Duration::ZERO, &Note::EndOrdered { why: Why::AdminReset, reason });
        record.push(Duration::ZERO, &mru(1));
        assert_eq!(record.notes().map(|(_, note)| note).last(), Some(mru(1)));
        assert_eq!(record.len() as u64 + record.omitted(), 2);
        let many = Message {
            protocol: Protocol::Lcp,
            kind: MessageKind::ConfigureRequest,
            id: Some(1),
            length: 40_000,
            octets: Octets(vec![7; 40_000]),
        };
        let packet = Packet { sent: false, message: many, treatment: Treatment::Handled };
        record.push(Duration::ZERO, &Note::Packet(packet));
        assert_eq!(record.omitted(), 1);
        assert!(record.octets() <= 2 * NOTE_MAX);
    }

    #[test]
    fn a_record_of_long_notes_is_bounded_in_octets_and_keeps_its_end() {
        for len in [0, 1, 100, 500, 2000] {
            let mut record = Record::default();
            for n in 0..2000u16 {
                let message = Message {
                    protocol: Protocol::Lcp,
                    kind: MessageKind::Unknown(n),
                    id: None,
                    length: 2000,
                    octets: Octets(vec![7; len]),
                };
                let packet = Packet { sent: false, message, treatment: Treatment::Handled };
                record.push(Duration::from_secs(n.into()), &Note::Packet(packet));
                assert!(record.octets() <= MAX, "{len}: {}", record.octets());
            }
            assert_eq!(record.len() as u64 + record.omitted(), 2000);
            let notes: Vec<(Duration, Note)> = record.notes().collect();
            assert_eq!(notes.len(), record.len());
            assert!(notes.is_sorted_by_key(|(at, _)| *at), "in order");
            assert_eq!((notes[0].0.as_secs(), notes.last().unwrap().0.as_secs()), (0, 1999));
        }
    }
}
