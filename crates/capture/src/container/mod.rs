//! The file: pcap or pcapng, plain or in gzip. Gives records, one captured frame each.
//!
//! Written by hand and not taken from a library: a record too long to hold, a damaged place and the end of a file that
//! was cut are ordinary here, and each has to be named with its offset, and read past.

mod buffer;
mod gzip;
mod pcap;
pub(crate) mod pcapng;

use std::time::Duration;

use crate::link::Direction;
use crate::note::What;
use crate::octets::Octets as _;
use buffer::Buffer;
pub(crate) use buffer::CAPACITY;
use gzip::Gzip;
use pcap::Pcap;
use pcapng::Pcapng;

/// The longest captured frame: what tcpdump and Wireshark write at most.
pub const RECORD_MAX: usize = 262_144;

/// Octets shown of a file that is no capture.
const SHOWN: usize = 8;

/// One captured frame without its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Since 1970; zero where the file has no time.
    pub(crate) time: Duration,
    /// Which of the file's interfaces.
    pub(crate) interface: u32,
    /// Its link type.
    pub(crate) link: u16,
    /// Octets of frame check sequence at its end.
    pub(crate) check_len: usize,
    /// Octets the frame had on the wire.
    pub(crate) total: usize,
    /// Seen by the capturing host.
    pub(crate) direction: Option<Direction>,
}

/// The next thing that the file contains.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// At this offset, a frame.
    Record(u64, Record, &'a [u8]),
    /// About the file at this offset.
    Note(u64, What),
}

/// What a format finds in the octets at hand.
#[derive(Debug)]
pub(crate) enum Found {
    /// More octets are needed: how many in all, and for what.
    Need(usize, &'static str),
    /// A frame: skip so many octets, then so many are the frame, then skip so many.
    Record { record: Record, before: usize, len: usize, after: usize },
    /// Something else of this length, which may exceed what can be held.
    Skip(u64),
    /// The same, with a note.
    SkipWithNote(u64, What),
    /// It is not valid: the next valid place has to be found.
    Damaged(What),
}

#[derive(Debug, Default)]
enum Format {
    #[default]
    Unknown,
    Pcap(Pcap),
    Pcapng(Pcapng),
    /// Not a capture file, or one that cannot be read any further.
    Nothing,
}

/// A search for the next valid record after a damaged place.
#[derive(Debug)]
struct Search {
    from: u64,
}

/// The reader of the file: push octets, take events.
#[derive(Debug, Default)]
pub(crate) struct Container {
    buffer: Buffer,
    gzip: Option<Box<Gzip>>,
    format: Format,
    /// Octets to go past: the record that was given last, or a block that is not used.
    skip: u64,
    search: Option<Search>,
    /// The file's first octets, until they identify its format.
    is_begun: bool,
    first: Vec<u8>,
    at_end: bool,
    is_end_reported: bool,
}

impl Container {
    /// Takes octets of the file, as many as there is space for.
    pub(crate) fn push(&mut self, octets: &[u8]) -> usize {
        if !self.is_begun {
            // Two octets identify gzip.
            let taken = octets.len().min(2 - self.first.len());
            self.first.extend_from_slice(octets.get(..taken).unwrap_or_default());
            if self.first.len() == 2 {
                self.begin();
            }
            return taken;
        }
        match &mut self.gzip {
            Some(gzip) => gzip.push(octets, &mut self.buffer),
            None => self.buffer.push(octets),
        }
    }

    fn begin(&mut self) {
        self.is_begun = true;
        let first = std::mem::take(&mut self.first);
        if first == gzip::MAGIC {
            self.gzip = Some(Box::default());
        } else {
            self.buffer.push(&first);
        }
    }

    /// There are no more octets.
    pub(crate) fn finish(&mut self) {
        if !self.is_begun {
            self.begin();
        }
        self.at_end = true;
    }

    /// Octets kept.
    pub(crate) fn kept(&self) -> usize {
        self.buffer.octets().len()
    }

    /// Whether everything the file holds was given.
    pub(crate) fn is_over(&self) -> bool {
        self.at_end && self.is_end_reported
    }

    /// The next event; `None` when more octets are needed, or when there is nothing more.
    pub(crate) fn next(&mut self) -> Option<Event<'_>> {
        loop {
            if let Some(gzip) = &mut self.gzip {
                gzip.pump(&mut self.buffer);
            }
            self.go_past();
            if self.skip > 0 {
                return self.wait("a block");
            }
            if let Some(search) = &self.search {
                let from = search.from;
                if !self.find_sense() {
                    return self.wait("a readable record");
                }
                self.search = None;
                let skipped = self.buffer.offset() - from;
                return Some(Event::Note(self.buffer.offset(), What::Resumed { skipped }));
            }
            let octets = self.buffer.octets();
            if octets.is_empty() && !matches!(self.format, Format::Unknown) {
                return self.wait("");
            }
            let found = match &mut self.format {
                Format::Unknown => {
                    let Some(magic) = octets.first_chunk() else { return self.wait("the file's header") };
                    let format = Container::recognise(*magic);
                    if let Format::Nothing = format {
                        if octets.len() < SHOWN && !self.at_end {
                            return None;
                        }
                        self.format = format;
                        let begins = octets.at_most(SHOWN).to_vec();
                        return Some(Event::Note(0, What::NotACapture { begins }));
                    }
                    self.format = format;
                    continue;
                }
                Format::Nothing => {
                    self.buffer.skip(usize::MAX);
                    return self.wait("");
                }
                Format::Pcap(pcap) => pcap.read(octets),
                Format::Pcapng(pcapng) => pcapng.read(octets),
            };
            let offset = self.buffer.offset();
            match found {
                Found::Need(len, _) if octets.len() >= len => {
                    // A format that asks for octets it already has would never advance.
                    self.search = Some(Search { from: offset });
                    self.buffer.skip(1);
                }
                Found::Need(_, what) => return self.wait(what),
                Found::Skip(len) => self.skip = len,
                Found::SkipWithNote(len, what) => {
                    self.skip = len;
                    return Some(Event::Note(offset, what));
                }
                Found::Damaged(what) => {
                    self.search = Some(Search { from: offset });
                    self.buffer.skip(1);
                    return Some(Event::Note(offset, what));
                }
                Found::Record { record, before, len, after } => {
                    self.skip = (before + len + after) as u64;
                    let octets = self.buffer.octets().get(before..before + len).unwrap_or_default();
                    return Some(Event::Record(offset, record, octets));
                }
            }
        }
    }

    fn recognise(magic: [u8; 4]) -> Format {
        if let Some(pcap) = Pcap::new(magic) {
            Format::Pcap(pcap)
        } else if magic == pcapng::MAGIC {
            Format::Pcapng(Pcapng::default())
        } else {
            Format::Nothing
        }
    }

    fn go_past(&mut self) {
        let step = usize::try_from(self.skip).unwrap_or(usize::MAX);
        self.skip -= self.buffer.skip(step) as u64;
    }

    /// Goes forward to where a record may begin; false when more octets are needed to know.
    fn find_sense(&mut self) -> bool {
        loop {
            let octets = self.buffer.octets();
            let sense = match &self.format {
                Format::Pcap(pcap) => pcap.makes_sense(octets, self.at_end),
                Format::Pcapng(pcapng) => pcapng.makes_sense(octets, self.at_end),
                Format::Unknown | Format::Nothing => None,
            };
            match sense {
                Some(true) => return true,
                Some(false) => self.buffer.skip(1),
                None => return false,
            };
        }
    }

    /// Nothing can be read now. At the end of the file, what is left over is reported, once.
    fn wait(&mut self, what: &'static str) -> Option<Event<'_>> {
        if let Some(what) = self.gzip.as_mut().and_then(|gzip| gzip.take_note(self.at_end)) {
            return Some(Event::Note(self.buffer.offset(), what));
        }
        if !self.at_end || self.is_end_reported {
            return None;
        }
        self.is_end_reported = true;
        let (left, offset) = (self.buffer.octets().len() as u64, self.buffer.offset());
        self.buffer.skip(usize::MAX);
        if let Format::Unknown = self.format {
            return Some(Event::Note(offset, What::Empty { octets: left }));
        }
        let search = self.search.take();
        if self.skip > 0 {
            return Some(Event::Note(offset, What::Cut { within: what, left: 0 }));
        }
        match search {
            Some(search) => {
                Some(Event::Note(search.from, What::NeverResumed { skipped: offset + left - search.from }))
            }
            None if left > 0 => Some(Event::Note(offset, What::Cut { within: what, left })),
            None => None,
        }
    }
}
