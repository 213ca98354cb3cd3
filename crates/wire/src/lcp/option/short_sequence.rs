//! Multilink Short-Sequence-Number-Header-Format (RFC 1990 section 5.1.2).

use core::fmt;

use crate::Protocol;
use crate::cp::{ConfigOption, Length, Opt};

/// The sender can receive twelve-bit multilink sequence numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortSequence;

impl<'a> ConfigOption<'a> for ShortSequence {
    const PROTOCOL: Protocol = Protocol::Lcp;
    const KIND: u8 = 18;
    const NAME: &'static str = "short sequence numbers";
    const LENGTH: Length = Length { field: "Short-Sequence-Number Length", expected: "2" };

    fn read(opt: &Opt<'a>) -> Option<ShortSequence> {
        opt.data.is_empty().then_some(ShortSequence)
    }

    fn data(&self) -> impl AsRef<[u8]> {
        []
    }
}

impl fmt::Display for ShortSequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("short sequence numbers")
    }
}
