//! Magic-Number (RFC 1661 section 6.4).

use core::fmt;

use crate::Protocol;
use crate::cp::{ConfigOption, Length, Opt};

/// A random number that distinguishes this end from the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Magic(pub u32);

impl<'a> ConfigOption<'a> for Magic {
    const PROTOCOL: Protocol = Protocol::Lcp;
    const KIND: u8 = 5;
    const NAME: &'static str = "magic";
    const LENGTH: Length = Length { field: "Magic-Number Length", expected: "6" };

    fn read(opt: &Opt<'a>) -> Option<Magic> {
        opt.data.try_into().ok().map(|octets| Magic(u32::from_be_bytes(octets)))
    }

    fn data(&self) -> impl AsRef<[u8]> {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Magic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "magic {:08x}", self.0)
    }
}
