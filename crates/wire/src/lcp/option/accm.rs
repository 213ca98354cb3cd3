//! Async-Control-Character-Map (RFC 1662 section 7.1).

use core::fmt;

use crate::Protocol;
use crate::cp::{ConfigOption, Length, Opt};

/// Control characters to escape on an asynchronous line; meaningless in a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accm(pub u32);

impl<'a> ConfigOption<'a> for Accm {
    const PROTOCOL: Protocol = Protocol::Lcp;
    const KIND: u8 = 2;
    const NAME: &'static str = "accm";
    const LENGTH: Length = Length { field: "ACCM Length", expected: "6" };

    fn read(opt: &Opt<'a>) -> Option<Accm> {
        opt.data.try_into().ok().map(|octets| Accm(u32::from_be_bytes(octets)))
    }

    fn data(&self) -> impl AsRef<[u8]> {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Accm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "accm {:08x}", self.0)
    }
}
