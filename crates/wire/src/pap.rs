//! PAP (RFC 1334 section 2): a name and a password in clear, and the result.

use core::fmt;

use crate::text::escape;
use crate::{Error, Protocol, Result, cp};

/// Authenticate-Request.
pub const REQUEST: u8 = 1;
/// Authenticate-Ack.
pub const ACK: u8 = 2;
/// Authenticate-Nak.
pub const NAK: u8 = 3;

/// The contents of a PAP packet. `Display` shows no password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// Authenticate-Request.
    Request {
        /// Peer-ID, 0 to 255 octets.
        name: &'a [u8],
        /// Password, 0 to 255 octets.
        password: &'a [u8],
    },
    /// Authenticate-Ack: the peer is authenticated.
    Ack {
        /// Message for the user, 0 to 255 octets.
        message: &'a [u8],
    },
    /// Authenticate-Nak: authentication has failed.
    Nak {
        /// Message for the user, 0 to 255 octets.
        message: &'a [u8],
    },
}

impl<'a> Message<'a> {
    /// Parses a packet. Octets after the last field are ignored; an Ack or Nak without the Msg-Length octet,
    /// as Windows sends it, has an empty message.
    ///
    /// # Errors
    /// If a field is longer than the packet, or the code is unknown.
    pub fn parse(packet: &cp::Packet<'a>) -> Result<Message<'a>> {
        let mut fields = Fields { data: packet.data, offset: cp::HEADER_LEN };
        Ok(match packet.code {
            REQUEST => Message::Request {
                name: fields.next("Peer-ID Length")?,
                password: fields.next("Passwd-Length")?,
            },
            ACK | NAK => {
                let message = if packet.data.is_empty() { &[] } else { fields.next("Msg-Length")? };
                if packet.code == ACK { Message::Ack { message } } else { Message::Nak { message } }
            }
            code => return Err(Error::new(Protocol::Pap, "Code", 0, "1 to 3", u64::from(code))),
        })
    }

    /// Appends the packet. A field beyond 255 octets is truncated, because its length is one octet.
    pub fn emit(&self, out: &mut Vec<u8>, id: u8) {
        let mut data = Vec::new();
        let code = match self {
            Message::Request { name, password } => {
                push(&mut data, name);
                push(&mut data, password);
                REQUEST
            }
            Message::Ack { message } => {
                push(&mut data, message);
                ACK
            }
            Message::Nak { message } => {
                push(&mut data, message);
                NAK
            }
        };
        cp::emit(out, code, id, &data);
    }
}

fn push(data: &mut Vec<u8>, field: &[u8]) {
    let field = field.get(..255).unwrap_or(field);
    data.push(field.len() as u8);
    data.extend_from_slice(field);
}

/// A reader for fields that begin with a length octet.
struct Fields<'a> {
    data: &'a [u8],
    offset: usize,
}

impl<'a> Fields<'a> {
    fn next(&mut self, name: &'static str) -> Result<&'a [u8]> {
        let [length, rest @ ..] = self.data else {
            return Err(Error::new(Protocol::Pap, name, self.offset, "1 octet", 0));
        };
        let length = usize::from(*length);
        let Some((field, rest)) = rest.split_at_checked(length) else {
            let expected = "at most the octets that are left";
            return Err(Error::new(Protocol::Pap, name, self.offset, expected, length as u64));
        };
        self.data = rest;
        self.offset += 1 + length;
        Ok(field)
    }
}

impl Message<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Message::Request { .. } => "Authenticate-Request",
            Message::Ack { .. } => "Authenticate-Ack",
            Message::Nak { .. } => "Authenticate-Nak",
        }
    }

    /// Writes the part after the code's name, beginning with a colon.
    fn write_detail(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::Request { name, .. } => write!(f, ": name \"{}\"", escape(name)),
            Message::Ack { message: [] } | Message::Nak { message: [] } => Ok(()),
            Message::Ack { message } | Message::Nak { message } => write!(f, ": \"{}\"", escape(message)),
        }
    }
}

/// Formats the packet in one line, printable.
impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.write_detail(f)
    }
}

/// Formats the packet in one line: `Authenticate-Request id 1: name "bob"`. Bounded, printable, without the
/// password.
pub fn describe<'a>(packet: &'a cp::Packet<'a>) -> impl fmt::Display + 'a {
    struct Describe<'a>(&'a cp::Packet<'a>);
    impl fmt::Display for Describe<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let cp::Packet { code, id, .. } = self.0;
            match Message::parse(self.0) {
                Ok(message) => {
                    write!(f, "{} id {id}", message.name())?;
                    message.write_detail(f)
                }
                Err(error) => write!(f, "code {code} id {id} ({error})"),
            }
        }
    }
    Describe(packet)
}

/// The same text as `Display`, without a password.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({self})")
    }
}

#[cfg(test)]
mod tests;
