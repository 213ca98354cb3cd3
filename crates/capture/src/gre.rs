//! GRE packets as captured: invalid packets are decoded too, with a description of the defect.

use adit_wire::gre::{HEADER_MIN, PROTOCOL_PPP};
use adit_wire::{Error, Protocol};

use crate::octets::Octets as _;

const CHECKSUM_OR_ROUTING: u16 = 0xc000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGMENT: u16 = 0x0080;
/// The flags that RFC 2637 leaves to the sender.
const FREE: u16 = SEQUENCE | ACKNOWLEDGMENT;

/// A packet of PPTP's data channel (RFC 2637 section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gre {
    /// The Call ID that the receiver of the packet assigned; `None` if the Key is absent, which violates the
    /// RFC.
    pub call_id: Option<u16>,
    /// Sequence Number.
    pub seq: Option<u32>,
    /// Acknowledgment Number; 0xffffffff from some peers that have not received anything yet.
    pub ack: Option<u32>,
    /// The length of the PPP frame on the wire.
    pub payload_len: usize,
    /// The PPP frame as far as it was captured.
    pub frame: Vec<u8>,
    /// The violation of the RFC, if there is one.
    pub defect: Option<Error>,
}

/// A GRE packet of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Any {
    Pptp(Gre),
    /// Another tunnel protocol.
    Other {
        version: u8,
        protocol: u16,
    },
}

impl Gre {
    /// Parses the packet that begins with `octets` and had `len` octets on the wire; `None` if the header is
    /// incomplete.
    pub(crate) fn read(octets: &[u8], len: usize) -> Option<Any> {
        let (flags, protocol) = (octets.be16(0)?, octets.be16(2)?);
        let version = (flags & 7) as u8;
        if version != 1 || protocol != PROTOCOL_PPP {
            return Some(Any::Other { version, protocol });
        }
        let error = |field, at, expected, found| Some(Error::new(Protocol::Gre, field, at, expected, found));
        let mut defect = None;
        if flags & !FREE != KEY | 1 {
            defect = error("Flags and Version", 0, "0x2001, S and A free", flags.into());
        }
        let mut at = 4;
        if flags & CHECKSUM_OR_ROUTING != 0 {
            at += 4;
        }
        let mut word = |flag| {
            if flags & flag == 0 {
                return Some(None);
            }
            let value = octets.be32(at)?;
            at += 4;
            Some(Some(value))
        };
        let (key, seq, ack) = (word(KEY)?, word(SEQUENCE)?, word(ACKNOWLEDGMENT)?);
        let rest = len.saturating_sub(at);
        let announced = key.map_or(rest, |key| (key >> 16) as usize);
        if announced > rest {
            let expected = "no more than the packet holds";
            defect = defect.or(error("Payload Length", 4, expected, announced as u64));
        }
        if seq.is_some() && announced == 0 {
            let expected = "at least 1 with a Sequence Number";
            defect = defect.or(error("Payload Length", 4, expected, 0));
        }
        if seq.is_none() && announced > 0 {
            let expected = "present with a payload";
            defect = defect.or(error("Sequence Number", HEADER_MIN, expected, 0));
        }
        let payload_len = announced.min(rest);
        let frame = octets.behind(at).at_most(payload_len).to_vec();
        Some(Any::Pptp(Gre { call_id: key.map(|key| key as u16), seq, ack, payload_len, frame, defect }))
    }
}
