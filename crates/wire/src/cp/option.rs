//! Configuration options (RFC 1661 section 6): `type(1) length(1) data`, one after the other.

use core::fmt;

use super::hex::Hex;
use crate::{Error, Protocol, Result};

/// An option that adit understands. It has a file of its own with what this trait asks for, and a row in its protocol's
/// table (`option_table`).
///
/// `Display` shows it with its value, as in `mru 1400`: bounded and printable.
pub trait ConfigOption<'a>: fmt::Display + Sized {
    /// The control protocol that has it.
    const PROTOCOL: Protocol;

    /// Its Type octet, as IANA assigned it. Where several options differ in nothing but the Type, that of the first.
    const KIND: u8;

    /// Its name for people, without a value.
    const NAME: &'static str;

    /// What its Length must be, for the error if it is not.
    const LENGTH: Length;

    /// Gives an option of this kind its meaning; `None` if its Length is wrong.
    fn read(opt: &Opt<'a>) -> Option<Self>;

    /// What follows Type and Length.
    fn data(&self) -> impl AsRef<[u8]>;

    /// Whether options of a Type are of this kind.
    fn is_kind(kind: u8) -> bool {
        kind == Self::KIND
    }

    /// The Type octet of this one.
    fn kind(&self) -> u8 {
        Self::KIND
    }

    /// Gives an option its meaning; `None` if it is of another kind.
    ///
    /// # Errors
    /// A Length that is not right for the kind.
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

/// What the Length octet of an option must be.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// The field's name: `MRU Length`.
    pub field: &'static str,
    /// The right values in octets, Type and Length included: `4`, `4 or more`.
    pub expected: &'static str,
}

/// An option without a meaning here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownOption<'a> {
    /// Its Type octet.
    pub kind: u8,
    /// Its data.
    pub data: &'a [u8],
}

impl UnknownOption<'_> {
    /// Shows it under a name, or by its type: `deflate 7800`, `option 29`.
    pub(crate) fn show(&self, f: &mut fmt::Formatter<'_>, name: Option<&str>) -> fmt::Result {
        match name {
            Some(name) => f.write_str(name)?,
            None => write!(f, "option {}", self.kind)?,
        }
        if self.data.is_empty() { Ok(()) } else { write!(f, " {}", Hex(self.data)) }
    }
}

/// One configuration option as it stands in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opt<'a> {
    /// The Type octet.
    pub kind: u8,
    /// What follows the Length octet.
    pub data: &'a [u8],
    /// The whole option, Type and Length included.
    pub raw: &'a [u8],
}

/// An option that is shown by its type and octets alone.
impl fmt::Display for Opt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        UnknownOption { kind: self.kind, data: self.data }.show(f, None)
    }
}

/// Appends one option; `data` beyond 253 octets is cut, since its Length is one octet.
pub fn push_option(out: &mut Vec<u8>, kind: u8, data: &[u8]) {
    let data = data.get(..253).unwrap_or(data);
    out.extend_from_slice(&[kind, data.len() as u8 + 2]);
    out.extend_from_slice(data);
}

/// Walks a list of options. It ends after the last one or after the first error.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    protocol: Protocol,
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Options<'a> {
    /// The options in `data`, which is the data of a packet with code 1 to 4.
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
