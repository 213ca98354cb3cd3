//! The error type of the RADIUS codec, in the form of [`adit_wire::Error`].

use core::fmt;

/// A packet that cannot be read, or a value that cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The field or attribute, as named in the RFCs and in dictionaries.
    pub field: &'static str,
    /// The offset from the start of the packet, in octets; 0 for a value that cannot be written.
    pub offset: usize,
    /// The value that the specification requires.
    pub expected: &'static str,
    /// The value that was found: that of the field, or a number of octets if a length is wrong.
    pub found: u64,
}

impl Error {
    /// Creates an error; see the fields.
    pub const fn new(field: &'static str, offset: usize, expected: &'static str, found: u64) -> Error {
        Error { field, offset, expected, found }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Error { field, offset, expected, found } = self;
        write!(f, "RADIUS {field} at octet {offset}: expected {expected}, found {found}")
    }
}

impl core::error::Error for Error {}

/// The result of every parser.
pub type Result<T> = core::result::Result<T, Error>;
