//! gzip (RFC 1952) around a capture file: one or more members, decompressed as a stream.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::buffer::Buffer;
use crate::note::What;

/// The first two octets.
pub(crate) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The size of the ring of recent output: later data may refer back 32 KiB.
const WINDOW: usize = 64 * 1024;
/// The checksum and length after each member. They are not verified: the lengths in the capture file detect
/// more.
const TRAILER: usize = 8;

const FLAG_CHECK: u8 = 0x02;
const FLAG_EXTRA: u8 = 0x04;
const FLAG_NAME: u8 = 0x08;
const FLAG_COMMENT: u8 = 0x10;

/// The position of the next octet in a member.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In the fixed header, after this many octets.
    Header(usize),
    /// In the length of the extra field, whose first octet may be known.
    ExtraLen(Option<u8>),
    Extra(u16),
    Name,
    Comment,
    HeaderCheck(u8),
    Body,
    Trailer(usize),
    /// After the last member, or at an error.
    Over,
}

/// The decompressor.
pub(crate) struct Gzip {
    place: Place,
    flags: u8,
    state: DecompressorOxide,
    window: Box<[u8]>,
    /// The position of the next octet in the window.
    at: usize,
    /// Whether the consumed octets have more output than fits into the buffer.
    is_held_back: bool,
    note: Option<What>,
}

impl std::fmt::Debug for Gzip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gzip").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Default for Gzip {
    fn default() -> Gzip {
        Gzip {
            place: Place::Header(MAGIC.len()),
            flags: 0,
            state: DecompressorOxide::new(),
            window: vec![0; WINDOW].into(),
            at: 0,
            is_held_back: false,
            note: None,
        }
    }
}

impl Gzip {
    /// Consumes compressed octets while there is space for their output; returns how many.
    pub(crate) fn push(&mut self, octets: &[u8], buffer: &mut Buffer) -> usize {
        self.pump(buffer);
        let mut taken = 0;
        while let Some(rest) = octets.get(taken..).filter(|rest| !rest.is_empty()) {
            taken += match self.place {
                Place::Over => rest.len(),
                Place::Body if !self.has_space(buffer) => break,
                Place::Body => self.inflate(rest, buffer),
                _ => {
                    self.header(rest[0]);
                    1
                }
            };
        }
        taken
    }

    /// Continues with the output that did not fit.
    pub(crate) fn pump(&mut self, buffer: &mut Buffer) {
        while self.is_held_back && self.has_space(buffer) {
            self.inflate(&[], buffer);
        }
    }

    /// Whether the buffer has space for the largest output of one step, so that nothing is lost when the data is
    /// damaged.
    fn has_space(&self, buffer: &Buffer) -> bool {
        buffer.space() >= self.window.len() - self.at
    }

    fn inflate(&mut self, octets: &[u8], buffer: &mut Buffer) -> usize {
        let flags = TINFL_FLAG_HAS_MORE_INPUT;
        let (status, taken, given) = decompress(&mut self.state, octets, &mut self.window, self.at, flags);
        buffer.push(self.window.get(self.at..self.at + given).unwrap_or_default());
        self.at = (self.at + given) % self.window.len();
        self.is_held_back = status == TINFLStatus::HasMoreOutput;
        match status {
            TINFLStatus::Done => self.place = Place::Trailer(TRAILER),
            TINFLStatus::NeedsMoreInput | TINFLStatus::HasMoreOutput => {}
            _ => self.stop(),
        }
        taken
    }

    /// Reports, once, that the data is damaged, or that the file ends within a member.
    pub(crate) fn take_note(&mut self, at_end: bool) -> Option<What> {
        if at_end && !matches!(self.place, Place::Over | Place::Header(0)) {
            self.place = Place::Over;
            return Some(What::Cut { within: "the compressed data (gzip)", left: 0 });
        }
        self.note.take()
    }

    fn stop(&mut self) {
        self.note = Some(What::BadCompression);
        self.place = Place::Over;
    }

    /// Handles one octet of a header or trailer.
    fn header(&mut self, octet: u8) {
        self.place = match self.place {
            Place::Header(at) => {
                let is_right = match at {
                    0 | 1 => octet == MAGIC[at],
                    2 => octet == 8,
                    _ => true,
                };
                if !is_right {
                    // Zeros after the last member are padding (tapes, block devices).
                    return if at == 0 { self.place = Place::Over } else { self.stop() };
                }
                if at == 3 {
                    self.flags = octet;
                }
                if at < 9 { Place::Header(at + 1) } else { self.after(0) }
            }
            Place::ExtraLen(None) => Place::ExtraLen(Some(octet)),
            Place::ExtraLen(Some(low)) => match u16::from_le_bytes([low, octet]) {
                0 => self.after(FLAG_EXTRA),
                len => Place::Extra(len),
            },
            Place::Extra(1) => self.after(FLAG_EXTRA),
            Place::Extra(len) => Place::Extra(len - 1),
            Place::Name if octet == 0 => self.after(FLAG_NAME),
            Place::Comment if octet == 0 => self.after(FLAG_COMMENT),
            Place::HeaderCheck(1) => Place::Body,
            Place::HeaderCheck(left) => Place::HeaderCheck(left - 1),
            Place::Trailer(1) => {
                self.state.init();
                Place::Header(0)
            }
            Place::Trailer(left) => Place::Trailer(left - 1),
            place @ (Place::Name | Place::Comment | Place::Body | Place::Over) => place,
        };
    }

    /// The place after the optional header field `done`.
    fn after(&self, done: u8) -> Place {
        let next = [
            (FLAG_EXTRA, Place::ExtraLen(None)),
            (FLAG_NAME, Place::Name),
            (FLAG_COMMENT, Place::Comment),
            (FLAG_CHECK, Place::HeaderCheck(2)),
        ];
        let from = next.iter().position(|(flag, _)| *flag == done).map_or(0, |at| at + 1);
        let found = next.iter().skip(from).find(|(flag, _)| self.flags & flag != 0);
        found.map_or(Place::Body, |(_, place)| *place)
    }
}
