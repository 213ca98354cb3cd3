//! Callback (RFC 1570 section 2.3).

use core::fmt;

use crate::Protocol;
use crate::cp::{ConfigOption, Hex, Length, Opt};

/// The sender requests to be called back. Windows sends operation 6, "by CBCP".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callback<'a> {
    /// How the location is determined.
    pub operation: u8,
    /// The argument of the operation.
    pub message: &'a [u8],
}

impl<'a> ConfigOption<'a> for Callback<'a> {
    const PROTOCOL: Protocol = Protocol::Lcp;
    const KIND: u8 = 13;
    const NAME: &'static str = "callback";
    const LENGTH: Length = Length { field: "Callback Length", expected: "3 or more" };

    fn read(opt: &Opt<'a>) -> Option<Callback<'a>> {
        let (operation, message) = opt.data.split_first()?;
        Some(Callback { operation: *operation, message })
    }

    fn data(&self) -> impl AsRef<[u8]> {
        [&[self.operation], self.message].concat()
    }
}

impl fmt::Display for Callback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Callback { operation: 6, message: [] } => f.write_str("callback by CBCP"),
            Callback { operation, message: [] } => write!(f, "callback {operation}"),
            Callback { operation, message } => write!(f, "callback {operation} {}", Hex(message)),
        }
    }
}
