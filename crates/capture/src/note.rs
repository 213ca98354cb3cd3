//! Notes about the file itself: where it is truncated or damaged, and what is missing.

use std::fmt;
use std::net::IpAddr;

use adit_wire::text::escape;

use crate::beginning::Beginning;

/// A note about the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The frame that caused it; between frames, the one before; 0 if there is none.
    pub frame: u64,
    /// The offset in the file in octets; for gzip, after decompression.
    pub offset: u64,
    /// The description.
    pub what: What,
}

/// The missing fragments of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The first one: ports or Call ID are unknown.
    First,
    /// One or more between the first and the last.
    Middle,
    /// The last one: the length of the packet is unknown.
    Last,
    /// The first and the last one.
    FirstAndLast,
}

/// The description of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The file is empty, or too short to identify.
    Empty {
        /// The number of octets.
        octets: u64,
    },
    /// Neither pcap nor pcapng.
    NotACapture {
        /// Its first octets, at most 8.
        begins: Vec<u8>,
    },
    /// The file ends within a structure.
    Cut {
        /// The structure.
        within: &'static str,
        /// The octets of it that are there.
        left: u64,
    },
    /// The compressed data cannot be decompressed any further.
    BadCompression,
    /// The value here is invalid.
    Damaged {
        /// The expected value.
        expected: &'static str,
        /// The value that was found.
        found: u64,
    },
    /// Frames are decoded again after a damaged place.
    Resumed {
        /// The number of octets that were skipped.
        skipped: u64,
    },
    /// No frame was found after a damaged place.
    NeverResumed {
        /// The number of octets that were skipped.
        skipped: u64,
    },
    /// A frame of an interface that the file does not describe.
    NoInterface {
        /// Its number.
        id: u32,
    },
    /// Frames of an unsupported link type; reported once for each type.
    UnknownLink {
        /// Its number (tcpdump.org/linktypes).
        link: u16,
    },
    /// A frame is more than a second earlier than the one before; reported once.
    TimeGoesBack,
    /// A packet in fragments, not all of which are in the file.
    Fragments {
        /// The frames of those that are, in order of arrival; at most [`crate::PIECES_MAX`].
        frames: Vec<u64>,
        /// The missing fragments.
        missing: Missing,
        /// Source.
        source: IpAddr,
        /// Destination.
        destination: IpAddr,
        /// IP protocol.
        protocol: u8,
        /// The beginning of the packet, if the first fragment is there.
        beginning: Option<Beginning>,
    },
    /// Octets of a control connection are not in the file.
    Gap {
        /// See [`crate::Segment::stream`].
        stream: u32,
        /// The sender.
        source: IpAddr,
        /// The number of octets; 0 if unknown.
        octets: u64,
        /// Whether the other side acknowledged them: they arrived, and only the file lacks them.
        acknowledged: bool,
    },
    /// Framing was lost in a control connection; decoding resumes at the next message that can be recognized.
    StreamLost {
        /// See [`crate::Segment::stream`].
        stream: u32,
        /// The sender.
        source: IpAddr,
        /// The error; offsets count within the message.
        error: adit_wire::Error,
    },
    /// A table is full: the oldest entry was removed. Reported once for each table.
    Full {
        /// The table.
        table: &'static str,
        /// The number of entries that are kept.
        most: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.frame > 0 {
            write!(f, "frame {}, ", self.frame)?;
        }
        write!(f, "octet {}: {}", self.offset, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Empty { octets } => write!(f, "no capture: the file has {octets} octets"),
            What::NotACapture { begins } => {
                write!(f, "no capture file: neither pcap nor pcapng, it begins with \"{}\"", escape(begins))
            }
            What::Cut { within, left: 0 } => write!(f, "the file ends within {within}"),
            What::Cut { within, left } => {
                write!(f, "the file ends within {within}, {left} octets of which are there")
            }
            What::BadCompression => f.write_str("the compressed data (gzip) is damaged; the rest is lost"),
            What::Damaged { expected, found } => write!(f, "damaged: expected {expected}, found {found}"),
            What::Resumed { skipped } => write!(f, "readable again, {skipped} octets passed over"),
            What::NeverResumed { skipped } => write!(f, "nothing readable in the last {skipped} octets"),
            What::NoInterface { id } => write!(f, "frame of interface {id}, which is not described"),
            What::UnknownLink { link } => write!(f, "frames of link type {link} cannot be read"),
            What::TimeGoesBack => f.write_str("frames are not in the order of their time"),
            What::Fragments { frames, missing, source, destination, protocol, .. } => {
                let missing = match missing {
                    Missing::First => "the first fragment",
                    Missing::Middle => "a fragment in the middle",
                    Missing::Last => "the last fragment",
                    Missing::FirstAndLast => "the first and the last fragment",
                };
                let first = frames.first().copied().unwrap_or_default();
                write!(f, "{missing} of the packet in frame {first} is missing: {source} > {destination} ")?;
                write!(f, "protocol {protocol}")
            }
            What::Gap { source, octets, acknowledged, .. } => {
                write!(f, "{octets} octets of the control connection from {source} are not in the file")?;
                f.write_str(if *acknowledged { ", though they arrived" } else { "" })
            }
            What::StreamLost { source, error, .. } => write!(f, "control connection from {source}: {error}"),
            What::Full { table, most } => write!(f, "more than {most} {table}: the oldest are forgotten"),
        }
    }
}
