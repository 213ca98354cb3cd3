//! Maximum-Receive-Unit (RFC 1661 section 6.1).

use core::fmt;

use crate::Protocol;
use crate::cp::{ConfigOption, Length, Opt};

/// The longest information field that its sender wants to receive, in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mru(pub u16);

impl<'a> ConfigOption<'a> for Mru {
    const PROTOCOL: Protocol = Protocol::Lcp;
    const KIND: u8 = 1;
    const NAME: &'static str = "mru";
    const LENGTH: Length = Length { field: "MRU Length", expected: "4" };

    fn read(opt: &Opt<'a>) -> Option<Mru> {
        opt.data.try_into().ok().map(|octets| Mru(u16::from_be_bytes(octets)))
    }

    fn data(&self) -> impl AsRef<[u8]> {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Mru {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mru {}", self.0)
    }
}
