//! The packet format that LCP and all network control protocols share (RFC 1661 section 5), and its list of
//! options (section 6): `code(1) identifier(1) length(2) data`, and in the data of codes 1 to 4 `type(1)
//! length(1) data` for each option.

mod hex;
mod option;
mod table;

use core::fmt;

pub use hex::Hex;
pub use option::{ConfigOption, Length, Opt, Options, UnknownOption, push_option};
pub(crate) use table::option_table;

use crate::{Error, Protocol, Result, ppp};

/// Configure-Request: the options that the sender requests for the direction towards it.
pub const CONFIGURE_REQUEST: u8 = 1;
/// Configure-Ack: accepts every option of the request, octet by octet.
pub const CONFIGURE_ACK: u8 = 2;
/// Configure-Nak: options with values that would be accepted.
pub const CONFIGURE_NAK: u8 = 3;
/// Configure-Reject: options that are not accepted with any value.
pub const CONFIGURE_REJECT: u8 = 4;
/// Terminate-Request.
pub const TERMINATE_REQUEST: u8 = 5;
/// Terminate-Ack.
pub const TERMINATE_ACK: u8 = 6;
/// Code-Reject: contains the packet with the unknown code.
pub const CODE_REJECT: u8 = 7;
/// Protocol-Reject (LCP only): contains the unknown protocol and its information.
pub const PROTOCOL_REJECT: u8 = 8;
/// Echo-Request (LCP only).
pub const ECHO_REQUEST: u8 = 9;
/// Echo-Reply (LCP only).
pub const ECHO_REPLY: u8 = 10;
/// Discard-Request (LCP only).
pub const DISCARD_REQUEST: u8 = 11;
/// Identification (LCP only, RFC 1570 section 2.1).
pub const IDENTIFICATION: u8 = 12;
/// Time-Remaining (LCP only, RFC 1570 section 2.2).
pub const TIME_REMAINING: u8 = 13;
/// Reset-Request (CCP only, RFC 1962 section 3).
pub const RESET_REQUEST: u8 = 14;
/// Reset-Ack (CCP only, RFC 1962 section 3).
pub const RESET_ACK: u8 = 15;

/// The octets before the data.
pub const HEADER_LEN: usize = 4;

/// The code's name in the RFCs; `None` for an unknown one.
pub const fn code_name(code: u8) -> Option<&'static str> {
    Some(match code {
        CONFIGURE_REQUEST => "Configure-Request",
        CONFIGURE_ACK => "Configure-Ack",
        CONFIGURE_NAK => "Configure-Nak",
        CONFIGURE_REJECT => "Configure-Reject",
        TERMINATE_REQUEST => "Terminate-Request",
        TERMINATE_ACK => "Terminate-Ack",
        CODE_REJECT => "Code-Reject",
        PROTOCOL_REJECT => "Protocol-Reject",
        ECHO_REQUEST => "Echo-Request",
        ECHO_REPLY => "Echo-Reply",
        DISCARD_REQUEST => "Discard-Request",
        IDENTIFICATION => "Identification",
        TIME_REMAINING => "Time-Remaining",
        RESET_REQUEST => "Reset-Request",
        RESET_ACK => "Reset-Ack",
        _ => return None,
    })
}

/// One packet of a control protocol. `Display` gives its name and identifier: `Configure-Request id 7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The code; see the constants of this module.
    pub code: u8,
    /// The identifier, which matches replies to requests.
    pub id: u8,
    /// The data after the Length field, without padding.
    pub data: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Parses the information field of a PPP frame. Octets beyond Length are padding and are ignored.
    ///
    /// # Errors
    /// If there are fewer than four octets, or Length is below four or exceeds the octets received.
    pub fn parse(protocol: Protocol, information: &'a [u8]) -> Result<Packet<'a>> {
        let [code, id, high, low, rest @ ..] = information else {
            return Err(Error::new(protocol, "header", 0, "4 octets", information.len() as u64));
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let data = length.checked_sub(HEADER_LEN).and_then(|n| rest.get(..n)).ok_or(Error::new(
            protocol,
            "Length",
            2,
            "4 to the octets received",
            length as u64,
        ))?;
        Ok(Packet { code: *code, id: *id, data })
    }

    /// Appends the packet; data beyond the range of Length (65,531 octets) is truncated.
    pub fn emit(&self, out: &mut Vec<u8>) {
        emit(out, self.code, self.id, self.data);
    }

    /// The data as a list of options, for codes 1 to 4.
    pub fn options(&self, protocol: Protocol) -> Options<'a> {
        Options::new(protocol, self.data)
    }
}

impl fmt::Display for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match code_name(self.code) {
            Some(name) => write!(f, "{name} id {}", self.id),
            None => write!(f, "code {} id {}", self.code, self.id),
        }
    }
}

/// Appends a packet; `data` beyond the range of Length (65,531 octets) is truncated.
pub fn emit(out: &mut Vec<u8>, code: u8, id: u8, data: &[u8]) {
    let data = data.get(..usize::from(u16::MAX) - HEADER_LEN).unwrap_or(data);
    out.extend_from_slice(&[code, id]);
    out.extend_from_slice(&((HEADER_LEN + data.len()) as u16).to_be_bytes());
    out.extend_from_slice(data);
}

/// Builds a packet in a PPP frame with an uncompressed header; `data` is truncated as in [`emit`].
pub fn frame(protocol: u16, code: u8, id: u8, data: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    ppp::push_header(&mut frame, protocol, false, false);
    emit(&mut frame, code, id, data);
    frame
}

/// Formats a packet of codes 1 to 7; `option` formats one option of this protocol. Other codes are shown as
/// name and octets. The text is bounded: [`SHOWN_OPTIONS`] options, 32 octets of opaque data.
pub fn describe(
    f: &mut fmt::Formatter<'_>,
    protocol: Protocol,
    packet: &Packet<'_>,
    option: impl Fn(&mut fmt::Formatter<'_>, &Opt<'_>) -> fmt::Result,
) -> fmt::Result {
    write!(f, "{packet}")?;
    match packet.code {
        CONFIGURE_REQUEST..=CONFIGURE_REJECT => {
            f.write_str(": ")?;
            if packet.data.is_empty() {
                return f.write_str("no options");
            }
            for (i, opt) in packet.options(protocol).enumerate() {
                if i > 0 {
                    f.write_str(", ")?;
                }
                match opt {
                    _ if i == SHOWN_OPTIONS => return f.write_str("..."),
                    Ok(opt) => option(f, &opt)?,
                    Err(error) => write!(f, "({error})")?,
                }
            }
            Ok(())
        }
        TERMINATE_REQUEST | TERMINATE_ACK if packet.data.is_empty() => Ok(()),
        TERMINATE_REQUEST | TERMINATE_ACK => write!(f, ": {}", TerminateData::new(packet.data)),
        CODE_REJECT => match Packet::parse(protocol, packet.data) {
            Ok(rejected) => write!(f, " of {rejected}"),
            // The rejected packet may have been truncated to the MRU.
            Err(_) => match packet.data.first().map(|code| (code, code_name(*code))) {
                Some((_, Some(name))) => write!(f, " of {name}"),
                Some((code, None)) => write!(f, " of code {code}"),
                None => f.write_str(" of nothing"),
            },
        },
        _ if packet.data.is_empty() => Ok(()),
        _ => write!(f, ": {}", Hex(packet.data)),
    }
}

/// The most options of one packet that [`describe`] shows.
pub const SHOWN_OPTIONS: usize = 16;

/// The data of a Terminate-Request: any octets (RFC 1661 section 5.5), in practice a text or a Microsoft
/// error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminateData<'a> {
    /// A reason as text, or octets without a defined meaning.
    Text(&'a [u8]),
    /// Windows: Magic-Number, the constant 00 3C CD 74, and an error number of `raserror.h`; 0 for none.
    Windows(u32),
}

impl<'a> TerminateData<'a> {
    /// Detects the form.
    pub fn new(data: &'a [u8]) -> TerminateData<'a> {
        match *data {
            [_, _, _, _, 0x00, 0x3c, 0xcd, 0x74, a, b, c, d] => {
                TerminateData::Windows(u32::from_be_bytes([a, b, c, d]))
            }
            _ => TerminateData::Text(data),
        }
    }
}

impl fmt::Display for TerminateData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// The most octets of a reason that are shown.
        const SHOWN: usize = 128;
        match self {
            TerminateData::Windows(0) => f.write_str("Windows closed it, no error given"),
            TerminateData::Windows(error) => write!(f, "Windows error {error}"),
            TerminateData::Text(text) => {
                let shown = text.get(..SHOWN).unwrap_or(text);
                write!(f, "\"{}\"{}", crate::text::escape(shown), if text.len() > SHOWN { "..." } else { "" })
            }
        }
    }
}

#[cfg(test)]
mod tests;
