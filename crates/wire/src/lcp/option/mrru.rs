//! Multilink Maximum-Received-Reconstructed-Unit (RFC 1990 section 5.1.1).

use core::fmt;

use crate::Protocol;
use crate::cp::{ConfigOption, Length, Opt};

/// The largest packet that may be sent in fragments over several links, in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mrru(pub u16);

impl<'a> ConfigOption<'a> for Mrru {
    const PROTOCOL: Protocol = Protocol::Lcp;
    const KIND: u8 = 17;
    const NAME: &'static str = "mrru";
    const LENGTH: Length = Length { field: "MRRU Length", expected: "4" };

    fn read(opt: &Opt<'a>) -> Option<Mrru> {
        opt.data.try_into().ok().map(|octets| Mrru(u16::from_be_bytes(octets)))
    }

    fn data(&self) -> impl AsRef<[u8]> {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Mrru {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mrru {}", self.0)
    }
}
