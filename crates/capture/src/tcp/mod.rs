//! TCP segments, and detection of control connections by their content.

mod stream;
mod table;

use std::time::Duration;

use adit_wire::pptp::Frame;
use adit_wire::{Error, Protocol, Result, tcp};

use crate::octets::Octets as _;

pub(crate) use table::{Place, Streams};

pub use stream::HELD_MAX;
pub use table::STREAMS_MAX;

/// The octets kept of the first data in each direction, enough to recognize another protocol.
pub const FIRST_KEPT: usize = 64;

/// The position of a segment relative to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It continues the one before, or those before are unknown.
    InOrder,
    /// It contains no new data: a retransmission.
    Retransmission,
    /// A segment before it is missing or late.
    Ahead,
    /// A keep-alive: one octet back, without new data.
    KeepAlive,
}

/// One TCP segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number, when ACK is set.
    pub ack: Option<u32>,
    /// The control bits, see [`adit_wire::tcp`].
    pub flags: u8,
    /// Window, not scaled.
    pub window: u16,
    /// The maximum segment size in a SYN.
    pub mss: Option<u16>,
    /// The length of the data on the wire.
    pub len: usize,
    /// Whether the checksum is correct; `None` if the segment was truncated. A wrong one on the sending host
    /// is normal, because of checksum offload.
    pub checksum: Option<bool>,
    /// The number of the connection in this file, from 0. A reused pair of ports gets another number.
    pub stream: u32,
    /// The position relative to the segments before.
    pub arrival: Arrival,
    /// Whether the connection is a PPTP control connection, as far as known.
    pub is_control: bool,
    /// The control messages that this segment completes.
    pub messages: Vec<Frame>,
    /// The control messages of the *other* direction that become readable: this segment acknowledges octets
    /// that are not in the file, so that no message waits for them any more.
    pub late: Vec<Frame>,
    /// The beginning of the first data in this direction, at most [`FIRST_KEPT`] octets; empty for all later segments.
    pub first: Vec<u8>,
    /// In the three segments of the handshake: the time since the first one.
    pub since_syn: Option<Duration>,
}

impl Segment {
    /// SYN without ACK: a connection request.
    pub fn is_syn(&self) -> bool {
        self.flags & (tcp::SYN | tcp::ACK) == tcp::SYN
    }

    /// SYN and ACK: the connection is accepted.
    pub fn is_syn_ack(&self) -> bool {
        self.flags & (tcp::SYN | tcp::ACK) == tcp::SYN | tcp::ACK
    }

    /// RST.
    pub fn is_reset(&self) -> bool {
        self.flags & tcp::RST != 0
    }

    /// FIN.
    pub fn is_fin(&self) -> bool {
        self.flags & tcp::FIN != 0
    }

    /// Parses the segment that begins with `octets` and had `len` octets on the wire: the fields of a single
    /// segment, and the data as far as it was captured.
    pub(crate) fn read(octets: &[u8], len: usize) -> Result<(Segment, &[u8])> {
        let error = |field, at, expected, found: usize| {
            Err(Error::new(Protocol::Tcp, field, at, expected, found as u64))
        };
        let Some(header) = octets.first_chunk::<{ tcp::HEADER_MIN }>() else {
            return error("header", 0, "at least 20 octets", octets.len());
        };
        let header_len = usize::from(header[12] >> 4) * 4;
        if !(tcp::HEADER_MIN..=len).contains(&header_len) {
            return error("Data Offset", 12, "at least 5, within the segment", header_len / 4);
        }
        let flags = header[13];
        let half = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let word = |at: usize| u32::from(half(at)) << 16 | u32::from(half(at + 2));
        let segment = Segment {
            source_port: half(0),
            destination_port: half(2),
            seq: word(4),
            ack: (flags & tcp::ACK != 0).then(|| word(8)),
            flags,
            window: half(14),
            mss: tcp::Packet::new_checked(octets).ok().and_then(|packet| packet.mss()),
            len: len - header_len,
            checksum: None,
            stream: 0,
            arrival: Arrival::InOrder,
            is_control: false,
            messages: Vec::new(),
            late: Vec::new(),
            first: Vec::new(),
            since_syn: None,
        };
        Ok((segment, octets.behind(header_len)))
    }
}
