//! Configuration options (RFC 1661 section 6): a sequence of `type(1) length(1) data`.

use core::fmt;

use super::hex::Hex;
use crate::{Error, Protocol, Result};

/// An option that adit supports. It has a file of its own with an implementation of this trait, and a row in
/// the table of its protocol (`option_table`).
///
/// `Display` shows it with its value, as in `mru 1400`: bounded and printable.
pub trait ConfigOption<'a>: fmt::Display + Sized {
    /// The control protocol of the option.
    const PROTOCOL: Protocol;

    /// The Type octet assigned by IANA. If several options differ only in the Type, that of the first one.
    const KIND: u8;

    /// The name for display, without a value.
    const NAME: &'static str;

    /// The required Length, for the error if it is wrong.
    const LENGTH: Length;

    /// Parses an option of this kind; `None` if its Length is wrong.
    fn read(opt: &Opt<'a>) -> Option<Self>;

    /// The data after Type and Length.
    fn data(&self) -> impl AsRef<[u8]>;

    /// Whether options of a Type are of this kind.
    fn is_kind(kind: u8) -> bool {
        kind == Self::KIND
    }

    /// The Type octet of this option.
    fn kind(&self) -> u8 {
        Self::KIND
    }

    /// Parses an option; `None` if it is of another kind.
    ///
    /// # Errors
    /// If the Length is wrong for the kind.
    fn parse(opt: &Opt<'a>) -> Option<Result<Self>> {
        if !Self::is_kind(opt.kind) {
            return None;
        }
        let Length { field, expected } = Self::LENGTH;
        let wrong = || Error::new(Self::PROTOCOL, field, 1, expected, opt.raw.len() as u64);
        Some(Self::read(opt).ok_or_else(wrong))
    }

    /// Appends the option: Type, Length and data.
    fn emit(&self, out: &mut Vec<u8>) {
        push_option(out, self.kind(), self.data().as_ref());
    }
}

/// The valid values of an option's Length octet.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// The name of the field: `MRU Length`.
    pub field: &'static str,
    /// The valid values in octets, including Type and Length: `4`, `4 or more`.
    pub expected: &'static str,
}

/// An option that is not supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownOption<'a> {
    /// Its Type octet.
    pub kind: u8,
    /// Its data.
    pub data: &'a [u8],
}

impl UnknownOption<'_> {
    /// Shows it with a name, or by its type: `deflate 7800`, `option 29`.
    pub(crate) fn show(&self, f: &mut fmt::Formatter<'_>, name: Option<&str>) -> fmt::Result {
        match name {
            Some(name) => f.write_str(name)?,
            None => write!(f, "option {}", self.kind)?,
        }
        if self.data.is_empty() { Ok(()) } else { write!(f, " {}", Hex(self.data)) }
    }
}

/// A configuration option as in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opt<'a> {
    /// The Type octet.
    pub kind: u8,
    /// The data after the Length octet.
    pub data: &'a [u8],
    /// The whole option, including Type and Length.
    pub raw: &'a [u8],
}

/// Formats an option by its type and octets.
impl fmt::Display for Opt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        UnknownOption { kind: self.kind, data: self.data }.show(f, None)
    }
}

/// Appends one option; `data` beyond 253 octets is truncated, because its Length is one octet.
pub fn push_option(out: &mut Vec<u8>, kind: u8, data: &[u8]) {
    let data = data.get(..253).unwrap_or(data);
    out.extend_from_slice(&[kind, data.len() as u8 + 2]);
    out.extend_from_slice(data);
}

/// An iterator over a list of options. It ends after the last option or after the first error.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    protocol: Protocol,
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Options<'a> {
    /// Creates an iterator over the options in `data`, the data of a packet with code 1 to 4.
    pub fn new(protocol: Protocol, data: &'a [u8]) -> Options<'a> {
        Options { protocol, rest: data, offset: 0 }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<Opt<'a>>;

    fn next(&mut self) -> Option<Result<Opt<'a>>> {
        let rest = self.rest;
        let [kind, tail @ ..] = rest else { return None };
        let length = tail.first().map_or(0, |l| usize::from(*l));
        match rest.get(..length).filter(|raw| raw.len() >= 2) {
            Some(raw) => {
                self.rest = rest.get(length..).unwrap_or_default();
                self.offset += length;
                Some(Ok(Opt { kind: *kind, data: raw.get(2..).unwrap_or_default(), raw }))
            }
            None => {
                self.rest = &[];
                let expected = "2 to the octets that are left";
                Some(Err(Error::new(
                    self.protocol,
                    "option Length",
                    self.offset + 1,
                    expected,
                    length as u64,
                )))
            }
        }
    }
}
