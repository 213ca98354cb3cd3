//! Protocol-Field-Compression (RFC 1661 section 6.5).

use core::fmt;

use crate::Protocol;
use crate::cp::{ConfigOption, Length, Opt};

/// The sender can receive one-octet protocol fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pfc;

impl<'a> ConfigOption<'a> for Pfc {
    const PROTOCOL: Protocol = Protocol::Lcp;
    const KIND: u8 = 7;
    const NAME: &'static str = "pfc";
    const LENGTH: Length = Length { field: "PFC Length", expected: "2" };

    fn read(opt: &Opt<'a>) -> Option<Pfc> {
        opt.data.is_empty().then_some(Pfc)
    }

    fn data(&self) -> impl AsRef<[u8]> {
        []
    }
}

impl fmt::Display for Pfc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pfc")
    }
}
