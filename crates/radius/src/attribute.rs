//! Attributes: type, length and value, one after the other (RFC 2865 section 5).

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::str;

use adit_wire::text::escape;

use crate::error::{Error, Result};
use crate::number::{Form, standard, vendor_lookup};

/// The longest value of an attribute in octets.
pub const MAX_VALUE: usize = 253;

/// An attribute in a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// The vendor, for a part of a Vendor-Specific attribute.
    pub vendor: Option<u32>,
    /// The type.
    pub number: u8,
    /// The value, 0 to 253 octets.
    pub value: &'a [u8],
    /// The offset of the attribute in the packet.
    pub offset: usize,
}

impl<'a> Attribute<'a> {
    fn lookup(&self) -> (&'static str, Form) {
        match self.vendor {
            None => standard::lookup(self.number),
            Some(vendor) => {
                vendor_lookup(vendor, self.number).unwrap_or(("unknown vendor attribute", Form::Opaque))
            }
        }
    }

    /// The name in the RFCs and dictionaries.
    pub fn name(&self) -> &'static str {
        self.lookup().0
    }

    /// An error in this attribute.
    pub fn error(&self, expected: &'static str, found: u64) -> Error {
        Error::new(self.name(), self.offset, expected, found)
    }

    /// The value as an array.
    ///
    /// # Errors
    /// If the value has another length; `expected` names the right one.
    pub fn array<const N: usize>(&self, expected: &'static str) -> Result<[u8; N]> {
        self.value.try_into().map_err(|_| self.error(expected, self.value.len() as u64))
    }

    /// A number of 32 bits.
    ///
    /// # Errors
    /// If the value has not four octets.
    pub fn number(&self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.array("4 octets")?))
    }

    /// A number of 24 bits after a tag (RFC 2868 section 3.1).
    ///
    /// # Errors
    /// If the value has not four octets.
    pub fn tagged_number(&self) -> Result<u32> {
        Ok(self.number()? & 0x00ff_ffff)
    }

    /// An IPv4 address.
    ///
    /// # Errors
    /// If the value has not four octets.
    pub fn ipv4(&self) -> Result<Ipv4Addr> {
        Ok(Ipv4Addr::from(self.array("4 octets")?))
    }

    /// An IPv6 address.
    ///
    /// # Errors
    /// If the value has not 16 octets.
    pub fn ipv6(&self) -> Result<Ipv6Addr> {
        Ok(Ipv6Addr::from(self.array("16 octets")?))
    }

    /// Text.
    ///
    /// # Errors
    /// If the value is empty (RFC 2865 section 5 forbids it) or not UTF-8.
    pub fn text(&self) -> Result<&'a str> {
        if self.value.is_empty() {
            return Err(self.error("at least 1 octet", 0));
        }
        str::from_utf8(self.value).map_err(|error| {
            let found = self.value.get(error.valid_up_to()).copied().unwrap_or_default();
            self.error("UTF-8", u64::from(found))
        })
    }
}

/// Formats name and value in one line, without any secret.
impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, form) = self.lookup();
        f.write_str(name)?;
        if name.starts_with("unknown") {
            if let Some(vendor) = self.vendor {
                write!(f, " {vendor}/{}", self.number)?;
            } else {
                write!(f, " {}", self.number)?;
            }
        }
        match (form, self.number(), self.ipv4()) {
            (Form::Number, Ok(number), _) => write!(f, " {number}"),
            (Form::TaggedNumber, Ok(number), _) => write!(f, " {}", number & 0x00ff_ffff),
            (Form::Address, _, Ok(address)) => write!(f, " {address}"),
            (Form::Text, ..) => write!(f, " \"{}\"", escape(self.value).limit(100)),
            _ => write!(f, " ({} octets)", self.value.len()),
        }
    }
}

/// The same text as `Display`.
impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attribute({self})")
    }
}

/// Splits attributes; each item may be an error, after which there is no other item.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    rest: &'a [u8],
    offset: usize,
    vendor: Option<u32>,
}

impl<'a> Attributes<'a> {
    /// Attributes that begin at `offset` of a packet.
    pub fn new(octets: &'a [u8], offset: usize) -> Attributes<'a> {
        Attributes { rest: octets, offset, vendor: None }
    }

    fn error(&self, expected: &'static str, found: u64) -> Error {
        let field = if self.vendor.is_some() { "Vendor-Length" } else { "attribute Length" };
        Error::new(field, self.offset, expected, found)
    }

    fn split(&mut self) -> Result<Attribute<'a>> {
        let [number, length, ..] = *self.rest else { return Err(self.error("2 octets", 1)) };
        let length_found = u64::from(length);
        let length = usize::from(length);
        if length < 2 {
            return Err(self.error("at least 2", length_found));
        }
        let Some((attribute, rest)) = self.rest.split_at_checked(length) else {
            return Err(self.error("at most the octets that are left", length_found));
        };
        let value = attribute.get(2..).unwrap_or_default();
        let attribute = Attribute { vendor: self.vendor, number, value, offset: self.offset };
        (self.rest, self.offset) = (rest, self.offset + length);
        Ok(attribute)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>>;

    fn next(&mut self) -> Option<Result<Attribute<'a>>> {
        if self.rest.is_empty() {
            return None;
        }
        let item = self.split();
        if item.is_err() {
            self.rest = &[];
        }
        Some(item)
    }
}

/// The parts of a Vendor-Specific attribute (RFC 2865 section 5.26): several may be packed into one. `None` for a
/// vendor whose attributes are not read: their form is the vendor's.
///
/// # Errors
/// If the attribute has no complete vendor number.
pub(crate) fn vendor_parts<'a>(attribute: &Attribute<'a>) -> Result<Option<Attributes<'a>>> {
    let Some((vendor, parts)) = attribute.value.split_first_chunk::<4>() else {
        return Err(attribute.error("at least 4 octets", attribute.value.len() as u64));
    };
    let vendor = u32::from_be_bytes(*vendor);
    let parts = Attributes { rest: parts, offset: attribute.offset + 6, vendor: Some(vendor) };
    Ok(vendor_lookup(vendor, 0).map(|_| parts))
}
