//! Notes about the file itself: where it is cut or damaged, what is missing from it.

use std::fmt;
use std::net::IpAddr;

use adit_wire::text::escape;

use crate::beginning::Beginning;

/// A remark about the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The frame that caused it; between frames, the last one before; 0 when there was none.
    pub frame: u64,
    /// The offset in the file in octets; for gzip, after decompression.
    pub offset: u64,
    /// What.
    pub what: What,
}

/// Which fragments of a packet are not in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The first: ports or Call ID are unknown.
    First,
    /// One or several between the first and the last.
    Middle,
    /// The last: how long the packet was is unknown.
    Last,
    /// Both the first and the last.
    FirstAndLast,
}

/// What happened to the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The file is empty, or too short to identify.
    Empty {
        /// Octets it has.
        octets: u64,
    },
    /// Neither pcap nor pcapng.
    NotACapture {
        /// How it begins, at most 8 octets.
        begins: Vec<u8>,
    },
    /// The file ends in the middle of something.
    Cut {
        /// Of what.
        within: &'static str,
        /// Octets of it that are there.
        left: u64,
    },
    /// The compressed data cannot be read any further.
    BadCompression,
    /// The value here is invalid.
    Damaged {
        /// What should.
        expected: &'static str,
        /// The value that does.
        found: u64,
    },
    /// Behind a damaged place frames can be read again.
    Resumed {
        /// Octets that were passed over.
        skipped: u64,
    },
    /// Behind a damaged place nothing could be read any more.
    NeverResumed {
        /// Octets that were passed over.
        skipped: u64,
    },
    /// A frame of an interface that the file does not describe.
    NoInterface {
        /// Its number.
        id: u32,
    },
    /// Frames of a link type that cannot be read; reported once for each.
    UnknownLink {
        /// Its number (tcpdump.org/linktypes).
        link: u16,
    },
    /// A frame is earlier than the one before by more than a second; reported once.
    TimeGoesBack,
    /// A packet arrived in fragments, and not all of them are in the file.
    Fragments {
        /// Frames of those that are, in order of arrival; at most [`crate::PIECES_MAX`].
        frames: Vec<u64>,
        /// Which are not.
        missing: Missing,
        /// Source.
        source: IpAddr,
        /// Destination.
        destination: IpAddr,
        /// IP protocol.
        protocol: u8,
        /// The beginning of the packet, when the first fragment is there.
        beginning: Option<Beginning>,
    },
    /// Octets of a control connection are not in the file.
    Gap {
        /// See [`crate::Segment::stream`].
        stream: u32,
        /// Who sent them.
        source: IpAddr,
        /// How many; 0 when unknown.
        octets: u64,
        /// The other side acknowledged them: they arrived, and only the file lacks them.
        acknowledged: bool,
    },
    /// A control connection broke the format; it is read again from the next message that can be recognised.
    StreamLost {
        /// See [`crate::Segment::stream`].
        stream: u32,
        /// Who sent it.
        source: IpAddr,
        /// What was wrong; offsets count within the message.
        error: adit_wire::Error,
    },
    /// More of something than is kept at a time: the oldest was forgotten. Told once for each table.
    Full {
        /// Of what.
        table: &'static str,
        /// How many are kept.
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
