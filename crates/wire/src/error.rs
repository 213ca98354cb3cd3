//! The one error of every parser.

use core::fmt;

/// The protocol whose bytes were being read.
pub use adit_diag::Protocol;

/// Why some bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The protocol.
    pub protocol: Protocol,
    /// The field, in the words of the protocol's specification.
    pub field: &'static str,
    /// Octets from the start of the buffer that was given to the parser.
    pub offset: usize,
    /// What the specification wants there.
    pub expected: &'static str,
    /// What was there: the field's value, or the number of octets where a length is wrong.
    pub found: u64,
}

impl Error {
    /// Makes an error; see the fields.
    pub const fn new(
        protocol: Protocol,
        field: &'static str,
        offset: usize,
        expected: &'static str,
        found: u64,
    ) -> Error {
        Error { protocol, field, offset, expected, found }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Error { protocol, field, offset, expected, found } = self;
        write!(f, "{protocol} {field} at octet {offset}: expected {expected}, found {found}")
    }
}

impl core::error::Error for Error {}

/// The result of every parser.
pub type Result<T> = core::result::Result<T, Error>;
