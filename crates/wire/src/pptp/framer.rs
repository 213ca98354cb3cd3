//! A framer that extracts messages from a TCP stream.

use core::fmt;

use super::header::{HEADER_LEN, Header, SURPLUS_MAX};
use super::{MESSAGE_MAX, Message};
use crate::{Error, Result};

/// The buffer size of a [`Framer`] in octets: the longest message with the largest surplus.
pub const BUFFER_MAX: usize = MESSAGE_MAX + SURPLUS_MAX;

/// The octets kept after a framing error, enough to recognize another protocol.
const LOST_KEPT: usize = 48;

/// A frame found by a [`Framer`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, never kept")]
pub enum Frame {
    /// One of the fifteen messages.
    Message(Message),
    /// A message of an unknown type, which is skipped; its header.
    Unknown(Header),
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Frame::Message(message) => message.fmt(f),
            Frame::Unknown(Header { length, message_type }) => write!(f, "{message_type}, {length} octets"),
        }
    }
}

/// A stream buffer of at most [`BUFFER_MAX`] octets that gives whole messages.
///
/// ```
/// use adit_wire::pptp::Framer;
///
/// let mut framer = Framer::default();
/// let mut input: &[u8] = b"\0\x10\0\x01\x1a\x2b\x3c\x4d\0\x05\0\0\0\0\0\x07 more";
/// while !input.is_empty() {
///     let taken = framer.push(input);
///     input = &input[taken..];
///     while let Some(frame) = framer.next_frame() {
///         assert_eq!(frame.unwrap().to_string(), "Echo-Request identifier 0x00000007");
///     }
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Framer {
    pub(super) buffer: Vec<u8>,
    lost: bool,
}

impl Framer {
    /// Adds octets of the stream and returns how many fit. After each call, frames must be taken until there
    /// are none; then there is space again. After a framing error, all octets are accepted and discarded.
    pub fn push(&mut self, octets: &[u8]) -> usize {
        if self.lost {
            return octets.len();
        }
        let taken = octets.len().min(BUFFER_MAX - self.buffer.len());
        self.buffer.extend_from_slice(octets.get(..taken).unwrap_or_default());
        taken
    }

    /// The next whole message. An error means that framing is lost; it is returned once.
    pub fn next_frame(&mut self) -> Option<Result<Frame>> {
        if self.lost || self.buffer.len() < HEADER_LEN {
            return None;
        }
        let header = match Header::parse(&self.buffer) {
            Ok(header) => header,
            Err(error) => return Some(Err(self.lose(error))),
        };
        let length = usize::from(header.length);
        if self.buffer.len() < length {
            return None;
        }
        let frame = match (header.message_type, Message::parse(&self.buffer)) {
            (super::MessageType::Unknown(_), _) => Frame::Unknown(header),
            (_, Ok(message)) => Frame::Message(message),
            (_, Err(error)) => return Some(Err(self.lose(error))),
        };
        self.buffer.drain(..length);
        if self.buffer.is_empty() {
            // Most connections are idle for hours: do not keep memory for the next message.
            self.buffer = Vec::new();
        }
        Some(Ok(frame))
    }

    /// The octets of an incomplete message; after a framing error, the first of the octets that caused it.
    pub fn pending(&self) -> &[u8] {
        &self.buffer
    }

    fn lose(&mut self, error: Error) -> Error {
        self.lost = true;
        self.buffer.truncate(LOST_KEPT);
        self.buffer.shrink_to_fit();
        error
    }
}
