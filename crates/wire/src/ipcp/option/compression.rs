//! IP-Compression-Protocol (RFC 1332 section 3.2).

use core::fmt;

use crate::Protocol;
use crate::cp::{ConfigOption, Hex, Length, Opt};

/// Van Jacobson TCP/IP header compression (RFC 1144).
const VAN_JACOBSON: u16 = 0x002d;

/// The compression protocol that the sender can receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression<'a> {
    /// The protocol: 0x002d for Van Jacobson.
    pub protocol: u16,
    /// Max-Slot-Id and Comp-Slot-Id for Van Jacobson.
    pub parameters: &'a [u8],
}

impl<'a> ConfigOption<'a> for Compression<'a> {
    const PROTOCOL: Protocol = Protocol::Ipcp;
    const KIND: u8 = 2;
    const NAME: &'static str = "compression";
    const LENGTH: Length = Length { field: "IP-Compression-Protocol Length", expected: "4 or more" };

    fn read(opt: &Opt<'a>) -> Option<Compression<'a>> {
        let (protocol, parameters) = opt.data.split_first_chunk()?;
        Some(Compression { protocol: u16::from_be_bytes(*protocol), parameters })
    }

    fn data(&self) -> impl AsRef<[u8]> {
        [&self.protocol.to_be_bytes()[..], self.parameters].concat()
    }
}

impl fmt::Display for Compression<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Compression { protocol: VAN_JACOBSON, .. } => f.write_str("VJ compression"),
            Compression { protocol, parameters } => {
                write!(f, "compression {protocol:#06x} {}", Hex(parameters))
            }
        }
    }
}
