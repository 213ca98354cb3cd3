//! CHAP (RFC 1994) with the extensions of MS-CHAP (RFC 2433, 2759).
//!
//! No `Display` or `Debug` here shows a challenge, a response or a hash, because a challenge and its response
//! allow a password search.

mod change_password;
mod outcome;
mod response;

use core::fmt;

pub use change_password::ChangePassword;
pub use outcome::{Failure, MsChapError, Success};
pub use response::{MsChapV1Response, MsChapV2Response};

use crate::text::escape;
use crate::{Error, Protocol, Result, cp};

/// Code of Challenge.
pub const CHALLENGE: u8 = 1;
/// Code of Response.
pub const RESPONSE: u8 = 2;
/// Code of Success.
pub const SUCCESS: u8 = 3;
/// Code of Failure.
pub const FAILURE: u8 = 4;
/// Change-Password of MS-CHAPv1, version 1 (RFC 2433 section 8).
pub const CHANGE_PASSWORD_1: u8 = 5;
/// Change-Password of MS-CHAPv1, version 2 (RFC 2433 section 9).
pub const CHANGE_PASSWORD_2: u8 = 6;
/// Change-Password of MS-CHAPv2 (RFC 2759 section 7).
pub const CHANGE_PASSWORD_3: u8 = 7;

/// The code's name; `None` for an unknown one.
pub const fn code_name(code: u8) -> Option<&'static str> {
    Some(match code {
        CHALLENGE => "Challenge",
        RESPONSE => "Response",
        SUCCESS => "Success",
        FAILURE => "Failure",
        CHANGE_PASSWORD_1 => "Change-Password version 1",
        CHANGE_PASSWORD_2 => "Change-Password version 2",
        CHANGE_PASSWORD_3 => "Change-Password",
        _ => return None,
    })
}

/// The contents of a CHAP packet.
#[derive(Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// Challenge: requests a proof of the secret.
    Challenge {
        /// Challenge Value, 1 to 255 octets.
        value: &'a [u8],
        /// Name of the authenticator.
        name: &'a [u8],
    },
    /// Response: the proof.
    Response {
        /// Response Value, 1 to 255 octets: 16 with CHAP-MD5, 49 with MS-CHAP.
        value: &'a [u8],
        /// Name of the peer.
        name: &'a [u8],
    },
    /// Success. With MS-CHAPv2 the text is a [`Success`].
    Success(&'a [u8]),
    /// Failure. With MS-CHAP the text is a [`Failure`].
    Failure(&'a [u8]),
    /// Change-Password (MS-CHAPv2).
    ChangePassword(Box<ChangePassword>),
}

impl<'a> Message<'a> {
    /// Parses a packet.
    ///
    /// # Errors
    /// If Value-Size is 0 or exceeds the packet, a Change-Password has a wrong length, or the code is
    /// unknown.
    pub fn parse(packet: &cp::Packet<'a>) -> Result<Message<'a>> {
        Ok(match packet.code {
            CHALLENGE => {
                let (value, name) = value_and_name(packet.data)?;
                Message::Challenge { value, name }
            }
            RESPONSE => {
                let (value, name) = value_and_name(packet.data)?;
                Message::Response { value, name }
            }
            SUCCESS => Message::Success(packet.data),
            FAILURE => Message::Failure(packet.data),
            CHANGE_PASSWORD_3 => Message::ChangePassword(Box::new(ChangePassword::parse(packet.data)?)),
            code => return Err(Error::new(Protocol::Chap, "Code", 0, "1 to 4 or 7", u64::from(code))),
        })
    }

    /// Appends the packet. A value beyond 255 octets is truncated, because its size is one octet.
    pub fn emit(&self, out: &mut Vec<u8>, id: u8) {
        let with_value = |value: &[u8], name: &[u8]| {
            let value = value.get(..255).unwrap_or(value);
            [&[value.len() as u8], value, name].concat()
        };
        match self {
            Message::Challenge { value, name } => cp::emit(out, CHALLENGE, id, &with_value(value, name)),
            Message::Response { value, name } => cp::emit(out, RESPONSE, id, &with_value(value, name)),
            Message::Success(text) => cp::emit(out, SUCCESS, id, text),
            Message::Failure(text) => cp::emit(out, FAILURE, id, text),
            Message::ChangePassword(change) => cp::emit(out, CHANGE_PASSWORD_3, id, &change.to_vec()),
        }
    }
}

fn value_and_name(data: &[u8]) -> Result<(&[u8], &[u8])> {
    let [size, rest @ ..] = data else {
        return Err(Error::new(Protocol::Chap, "Value-Size", cp::HEADER_LEN, "1 octet", 0));
    };
    rest.split_at_checked(usize::from(*size)).filter(|(value, _)| !value.is_empty()).ok_or(Error::new(
        Protocol::Chap,
        "Value-Size",
        cp::HEADER_LEN,
        "1 to the octets that are left",
        u64::from(*size),
    ))
}

impl Message<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Message::Challenge { .. } => "Challenge",
            Message::Response { .. } => "Response",
            Message::Success(_) => "Success",
            Message::Failure(_) => "Failure",
            Message::ChangePassword(_) => "Change-Password",
        }
    }

    /// Writes the part after the code's name, beginning with a colon.
    fn write_detail(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::Challenge { value, name } => {
                write!(f, ": {} octets from \"{}\"", value.len(), Short(name))
            }
            Message::Response { value, name } => {
                write!(f, ": {} octets, name \"{}\"", value.len(), Short(name))
            }
            Message::Success(text) => match Success::parse(text) {
                Success { response: None, message: None } if !hides(text, b"S=") => write_text(f, text),
                success => write!(f, ": {success}"),
            },
            Message::Failure(text) => match Failure::parse(text) {
                Failure { error: None, .. } if !hides(text, b"C=") => write_text(f, text),
                failure => write!(f, ": {failure}"),
            },
            Message::ChangePassword(_) => Ok(()),
        }
    }
}

/// Formats the packet in one line, bounded and printable.
impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.write_detail(f)
    }
}

/// The same text as `Display`.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({self})")
    }
}

/// Whether the text contains a field of MS-CHAP.
pub(crate) fn hides(text: &[u8], key: &[u8]) -> bool {
    text.windows(key.len()).any(|window| window == key)
}

/// Formats the packet in one line: `Challenge id 69: 16 octets from "vpn"`. Bounded, printable.
pub fn describe<'a>(packet: &'a cp::Packet<'a>) -> impl fmt::Display + 'a {
    struct Describe<'a>(&'a cp::Packet<'a>);
    impl fmt::Display for Describe<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let cp::Packet { code, id, .. } = self.0;
            match (Message::parse(self.0), code_name(*code)) {
                (Ok(message), _) => {
                    write!(f, "{} id {id}", message.name())?;
                    message.write_detail(f)
                }
                (Err(error), Some(name)) => write!(f, "{name} id {id} ({error})"),
                (Err(error), None) => write!(f, "code {code} id {id} ({error})"),
            }
        }
    }
    Describe(packet)
}

/// Writes a text without fields.
fn write_text(f: &mut fmt::Formatter<'_>, text: &[u8]) -> fmt::Result {
    if text.is_empty() { Ok(()) } else { write!(f, ": \"{}\"", Short(text)) }
}

/// A text from the network, escaped and truncated.
struct Short<'a>(&'a [u8]);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Names have up to 256 octets (RFC 2759 section 4); more is not useful in a log.
        const SHOWN: usize = 256;
        match self.0.get(..SHOWN) {
            Some(head) if self.0.len() > SHOWN => write!(f, "{}...", escape(head)),
            _ => write!(f, "{}", escape(self.0)),
        }
    }
}

#[cfg(test)]
mod tests;
