//! The common error type of all parsers.

use core::fmt;

/// The protocol that was being parsed.
pub use adit_diag::Protocol;

/// A parse error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The protocol.
    pub protocol: Protocol,
    /// The field, as named in the protocol's specification.
    pub field: &'static str,
    /// The offset from the start of the parsed buffer, in octets.
    pub offset: usize,
    /// The value that the specification requires.
    pub expected: &'static str,
    /// The value that was found: that of the field, or a number of octets if a length is wrong.
    pub found: u64,
}

impl Error {
    /// Creates an error; see the fields.
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
