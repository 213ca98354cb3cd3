//! Enhanced GRE, the header of every PPTP data packet (RFC 2637 section 4.1).
//!
//! Eight octets, then the Sequence Number if S is set, then the Acknowledgment Number if A is set, then the
//! payload: one PPP frame. All buffers here begin with the GRE header, without the IPv4 header.

use core::fmt;
use core::ops::Range;

use crate::{Error, Protocol, Result};

/// The IP protocol number of GRE.
pub const IP_PROTOCOL: u8 = 47;
/// The Protocol Type of PPP in GRE.
pub const PROTOCOL_PPP: u16 = 0x880b;
/// The length of the header without Sequence Number and Acknowledgment Number.
pub const HEADER_MIN: usize = 8;
/// The length of the header with both.
pub const HEADER_MAX: usize = 16;

const FLAG_SEQUENCE: u32 = 0x1000_0000;
const FLAG_ACKNOWLEDGMENT: u32 = 0x0080_0000;
/// K set, version 1, PPP: the first 32 bits once S and A are masked out.
const FIRST_WORD: u32 = 0x2001_0000 | PROTOCOL_PPP as u32;

/// A GRE packet read in place.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    buffer: &'a [u8],
    repr: Repr,
}

/// The contents of a GRE header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repr {
    /// The Call ID that the *receiver* of this packet assigned to the call.
    pub call_id: u16,
    /// Sequence Number; present exactly when there is a payload.
    pub seq: Option<u32>,
    /// Acknowledgment Number: the highest Sequence Number its sender has received.
    pub ack: Option<u32>,
    /// Payload Length: the octets after the header.
    pub payload_len: u16,
}

impl<'a> Packet<'a> {
    /// Parses the packet at the start of `buffer`; octets after its payload are padding and ignored.
    ///
    /// Standard GRE (version 0, other protocol types) is an error too: it belongs to another tunnel.
    pub fn new_checked(buffer: &'a [u8]) -> Result<Packet<'a>> {
        Ok(Packet { buffer, repr: Repr::parse(buffer)? })
    }

    /// The contents of the header.
    pub fn repr(&self) -> Repr {
        self.repr
    }

    /// The receiver's Call ID.
    pub fn call_id(&self) -> u16 {
        self.repr.call_id
    }

    /// Sequence Number.
    pub fn seq(&self) -> Option<u32> {
        self.repr.seq
    }

    /// Acknowledgment Number.
    pub fn ack(&self) -> Option<u32> {
        self.repr.ack
    }

    /// The PPP frame.
    pub fn payload(&self) -> &'a [u8] {
        self.buffer.get(self.repr.payload_range()).unwrap_or_default()
    }
}

impl fmt::Display for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repr.fmt(f)
    }
}

impl Repr {
    /// Parses the header at the start of `buffer` and checks that the whole payload is present.
    pub fn parse(buffer: &[u8]) -> Result<Repr> {
        let error =
            |field, offset, expected, found| Err(Error::new(Protocol::Gre, field, offset, expected, found));
        let Some(&[a, b, c, d, e, f, g, h]) = buffer.first_chunk::<HEADER_MIN>() else {
            return error("header", 0, "at least 8 octets", buffer.len() as u64);
        };
        let first = u32::from_be_bytes([a, b, c, d]);
        if first & !(FLAG_SEQUENCE | FLAG_ACKNOWLEDGMENT) != FIRST_WORD {
            if first & 0xffff != u32::from(PROTOCOL_PPP) {
                return error("Protocol Type", 2, "0x880b", u64::from(first & 0xffff));
            }
            return error("Flags and Version", 0, "0x2001, S and A free", u64::from(first >> 16));
        }
        let payload_len = u16::from_be_bytes([e, f]);
        let call_id = u16::from_be_bytes([g, h]);
        let word =
            |at: usize| buffer.get(at..at + 4).and_then(|w| Some(u32::from_be_bytes(w.try_into().ok()?)));
        let mut at = HEADER_MIN;
        let mut field = |flag, name| {
            if first & flag == 0 {
                return Ok(None);
            }
            let Some(value) = word(at) else {
                return Err(Error::new(Protocol::Gre, name, at, "4 octets", (buffer.len() - at) as u64));
            };
            at += 4;
            Ok(Some(value))
        };
        let seq = field(FLAG_SEQUENCE, "Sequence Number")?;
        let ack = field(FLAG_ACKNOWLEDGMENT, "Acknowledgment Number")?;
        if seq.is_some() && payload_len == 0 {
            return error("Payload Length", 4, "at least 1 with a Sequence Number", 0);
        }
        if buffer.len() - at < usize::from(payload_len) {
            return error("Payload Length", 4, "no more than the packet holds", u64::from(payload_len));
        }
        Ok(Repr { call_id, seq, ack, payload_len })
    }

    /// The length of the header in octets: 8, 12 or 16.
    pub fn header_len(&self) -> usize {
        HEADER_MIN + 4 * usize::from(self.seq.is_some()) + 4 * usize::from(self.ack.is_some())
    }

    /// The range of the payload in the buffer that [`Repr::parse`] parsed.
    pub fn payload_range(&self) -> Range<usize> {
        let start = self.header_len();
        start..start + usize::from(self.payload_len)
    }

    /// The header and its length in octets.
    pub fn emit(&self) -> ([u8; HEADER_MAX], usize) {
        let mut header = [0; HEADER_MAX];
        let mut first = FIRST_WORD;
        let mut at = HEADER_MIN;
        for (flag, number) in [(FLAG_SEQUENCE, self.seq), (FLAG_ACKNOWLEDGMENT, self.ack)] {
            if let Some(number) = number {
                first |= flag;
                header[at..at + 4].copy_from_slice(&number.to_be_bytes());
                at += 4;
            }
        }
        header[..4].copy_from_slice(&first.to_be_bytes());
        header[4..6].copy_from_slice(&self.payload_len.to_be_bytes());
        header[6..8].copy_from_slice(&self.call_id.to_be_bytes());
        (header, at)
    }

    /// Writes the header into the headroom of `buffer`, directly before octet `payload_at`, and returns the
    /// start of the packet; `None` (and nothing written) if the headroom is too small.
    pub fn prepend(&self, buffer: &mut [u8], payload_at: usize) -> Option<usize> {
        let (header, len) = self.emit();
        let start = payload_at.checked_sub(len)?;
        buffer.get_mut(start..payload_at)?.copy_from_slice(&header[..len]);
        Some(start)
    }
}

/// Builds a packet with a PPP frame, or an acknowledgment without payload; data beyond the size of a packet
/// is truncated.
pub fn packet(call_id: u16, seq: Option<u32>, ack: Option<u32>, frame: &[u8]) -> Vec<u8> {
    let frame = frame.get(..usize::from(u16::MAX)).unwrap_or(frame);
    let (header, len) = Repr { call_id, seq, ack, payload_len: frame.len() as u16 }.emit();
    [&header[..len], frame].concat()
}

impl fmt::Display for Repr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GRE call {}", self.call_id)?;
        if let Some(seq) = self.seq {
            write!(f, " seq {seq}")?;
        }
        if let Some(ack) = self.ack {
            write!(f, " ack {ack}")?;
        }
        write!(f, " payload {}", self.payload_len)
    }
}

#[cfg(test)]
mod tests;
