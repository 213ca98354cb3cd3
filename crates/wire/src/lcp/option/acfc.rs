//! Address-and-Control-Field-Compression (RFC 1661 section 6.6).

use core::fmt;

use crate::Protocol;
use crate::cp::{ConfigOption, Length, Opt};

/// The sender can receive frames without Address and Control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acfc;

impl<'a> ConfigOption<'a> for Acfc {
    const PROTOCOL: Protocol = Protocol::Lcp;
    const KIND: u8 = 8;
    const NAME: &'static str = "acfc";
    const LENGTH: Length = Length { field: "ACFC Length", expected: "2" };

    fn read(opt: &Opt<'a>) -> Option<Acfc> {
        opt.data.is_empty().then_some(Acfc)
    }

    fn data(&self) -> impl AsRef<[u8]> {
        []
    }
}

impl fmt::Display for Acfc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("acfc")
    }
}
