//! Packets (RFC 2865 section 3).

use core::fmt;

use crate::attribute::{Attribute, Attributes, vendor_parts};
use crate::error::{Error, Result};
use crate::number::standard;

/// Octets before the attributes.
pub const HEADER_LEN: usize = 20;

/// The longest packet in octets.
pub const MAX_LEN: usize = 4096;

/// The purpose of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// A login.
    AccessRequest = 1,
    /// The login is accepted.
    AccessAccept = 2,
    /// The login is rejected.
    AccessReject = 3,
    /// A record of a session (RFC 2866).
    AccountingRequest = 4,
    /// The record is stored.
    AccountingResponse = 5,
    /// The login needs another round.
    AccessChallenge = 11,
    /// Is the server in service? (RFC 5997)
    StatusServer = 12,
    /// End a session (RFC 5176).
    DisconnectRequest = 40,
    /// The session ends.
    DisconnectAck = 41,
    /// The session does not end.
    DisconnectNak = 42,
    /// Change a session (RFC 5176).
    CoaRequest = 43,
    /// The session is changed.
    CoaAck = 44,
    /// The session is not changed.
    CoaNak = 45,
}

impl Code {
    /// All codes.
    pub const ALL: [Code; 13] = [
        Code::AccessRequest,
        Code::AccessAccept,
        Code::AccessReject,
        Code::AccountingRequest,
        Code::AccountingResponse,
        Code::AccessChallenge,
        Code::StatusServer,
        Code::DisconnectRequest,
        Code::DisconnectAck,
        Code::DisconnectNak,
        Code::CoaRequest,
        Code::CoaAck,
        Code::CoaNak,
    ];

    /// The code with this number.
    pub fn from_number(number: u8) -> Option<Code> {
        Code::ALL.into_iter().find(|code| code.number() == number)
    }

    /// The number on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name in the RFCs.
    pub const fn name(self) -> &'static str {
        match self {
            Code::AccessRequest => "Access-Request",
            Code::AccessAccept => "Access-Accept",
            Code::AccessReject => "Access-Reject",
            Code::AccountingRequest => "Accounting-Request",
            Code::AccountingResponse => "Accounting-Response",
            Code::AccessChallenge => "Access-Challenge",
            Code::StatusServer => "Status-Server",
            Code::DisconnectRequest => "Disconnect-Request",
            Code::DisconnectAck => "Disconnect-ACK",
            Code::DisconnectNak => "Disconnect-NAK",
            Code::CoaRequest => "CoA-Request",
            Code::CoaAck => "CoA-ACK",
            Code::CoaNak => "CoA-NAK",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A packet whose lengths are all right. Nothing in it is authenticated yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    octets: &'a [u8],
    code: Code,
    id: u8,
    authenticator: [u8; 16],
}

impl<'a> Packet<'a> {
    /// Reads the packet in a datagram. Octets beyond Length are padding.
    ///
    /// # Errors
    /// If a length is wrong, that of an attribute or of a part of a known vendor's attribute included, or if the code
    /// is unknown. Such a packet is to be dropped.
    pub fn new_checked(datagram: &'a [u8]) -> Result<Packet<'a>> {
        let short = |found: usize| Error::new("packet", 0, "at least 20 octets", found as u64);
        let Some((header, _)) = datagram.split_first_chunk::<HEADER_LEN>() else {
            return Err(short(datagram.len()));
        };
        let [number, id, high, low, authenticator @ ..] = *header;
        let code = Code::from_number(number).ok_or(Error::new(
            "Code",
            0,
            "1 to 5, 11, 12 or 40 to 45",
            u64::from(number),
        ))?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if !(HEADER_LEN..=MAX_LEN).contains(&length) {
            return Err(Error::new("Length", 2, "20 to 4096", length as u64));
        }
        let Some(octets) = datagram.get(..length) else {
            return Err(Error::new("Length", 2, "at most the octets of the datagram", length as u64));
        };
        let packet = Packet { octets, code, id, authenticator };
        for attribute in packet.attributes() {
            let attribute = attribute?;
            if attribute.number == standard::VENDOR_SPECIFIC
                && let Some(mut parts) = vendor_parts(&attribute)?
            {
                parts.try_for_each(|part| part.map(|_| ()))?;
            }
        }
        Ok(packet)
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The Identifier, by which a reply belongs to a request.
    pub fn id(&self) -> u8 {
        self.id
    }

    /// The Request Authenticator or Response Authenticator.
    pub fn authenticator(&self) -> &[u8; 16] {
        &self.authenticator
    }

    /// The octets of the packet, without padding behind it.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.octets
    }

    /// The octets of all attributes.
    pub(crate) fn attribute_octets(&self) -> &'a [u8] {
        self.octets.get(HEADER_LEN..).unwrap_or_default()
    }

    /// The attributes in order, those of vendors not split.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.attribute_octets(), HEADER_LEN)
    }

    /// The attributes in order, those of known vendors split into their parts.
    pub fn flattened(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        // Every length was checked, so nothing is left out here.
        self.attributes().filter_map(Result::ok).flat_map(|attribute| {
            let parts = (attribute.number == standard::VENDOR_SPECIFIC)
                .then(|| vendor_parts(&attribute).ok().flatten())
                .flatten();
            let whole = parts.is_none().then_some(attribute);
            whole.into_iter().chain(parts.into_iter().flatten().filter_map(Result::ok))
        })
    }
}

/// Formats the packet in one line, without any secret.
impl fmt::Display for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} id {}, {} octets", self.code, self.id, self.octets.len())?;
        for (n, attribute) in self.flattened().enumerate() {
            write!(f, "{} {attribute}", if n == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

/// The same text as `Display`.
impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packet({self})")
    }
}
