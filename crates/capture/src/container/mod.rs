//! The container format: pcap or pcapng, plain or in gzip. Returns records of one captured frame each.
//!
//! This is not a library because records that are too long, damaged places and truncated files are common,
//! and must be reported with their offset and skipped.

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

/// The longest captured frame that tcpdump and Wireshark write.
pub const RECORD_MAX: usize = 262_144;

/// The octets shown of a file that is not a capture.
const SHOWN: usize = 8;

/// The header of a captured frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The time since 1970; zero if the file has none.
    pub(crate) time: Duration,
    /// The number of the interface in the file.
    pub(crate) interface: u32,
    /// The link type of the interface.
    pub(crate) link: u16,
    /// The length of the frame check sequence in octets.
    pub(crate) check_len: usize,
    /// The length of the frame on the wire in octets.
    pub(crate) total: usize,
    /// The direction relative to the capturing host.
    pub(crate) direction: Option<Direction>,
}

/// An event of the container.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// A frame at this offset.
    Record(u64, Record, &'a [u8]),
    /// A note about the file at this offset.
    Note(u64, What),
}

/// The result of parsing the available octets.
#[derive(Debug)]
pub(crate) enum Found {
    /// More octets are needed: the total number, and their purpose.
    Need(usize, &'static str),
    /// A frame: skip `before` octets, then `len` octets are the frame, then skip `after`.
    Record { record: Record, before: usize, len: usize, after: usize },
    /// Something else of this length, which may exceed the buffer.
    Skip(u64),
    /// Something else of this length, with a note.
    SkipWithNote(u64, What),
    /// The data is invalid: search for the next valid record.
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

/// The reader of a container: push octets, poll events.
#[derive(Debug, Default)]
pub(crate) struct Container {
    buffer: Buffer,
    gzip: Option<Box<Gzip>>,
    format: Format,
    /// The octets to skip: the last returned record, or a block that is not used.
    skip: u64,
    search: Option<Search>,
    /// The file's first octets, until they identify its format.
    is_begun: bool,
    first: Vec<u8>,
    at_end: bool,
    is_end_reported: bool,
}

impl Container {
    /// Adds octets of the file, as many as fit.
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

    /// Reports the end of the file.
    pub(crate) fn finish(&mut self) {
        if !self.is_begun {
            self.begin();
        }
        self.at_end = true;
    }

    /// The number of octets that are kept.
    pub(crate) fn kept(&self) -> usize {
        self.buffer.octets().len()
    }

    /// Whether everything in the file was returned.
    pub(crate) fn is_over(&self) -> bool {
        self.at_end && self.is_end_reported
    }

    /// The next event; `None` if more octets are needed, or there are no more events.
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
                    // A format that requests octets that are already there would never advance.
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

    /// Skips to the next place where a record may begin; false if more octets are needed.
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

    /// Handles a lack of octets. At the end of the file, the rest is reported, once.
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
