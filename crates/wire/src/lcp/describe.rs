//! The text form of LCP packets.

use core::fmt;

use super::{LcpOption, Marked, ProtocolReject, TimeRemaining};
use crate::{Protocol, cp, ppp, text};

/// Formats the packet in one line: `Configure-Request id 1: mru 1400, magic 1a2b3c4d, auth mschap-v2`.
/// Bounded, printable.
pub fn describe<'a>(packet: &'a cp::Packet<'a>) -> impl fmt::Display + 'a {
    Describe(packet)
}

/// The most octets of a text from the peer that are shown.
const SHOWN_TEXT: usize = 64;

struct Describe<'a>(&'a cp::Packet<'a>);

impl fmt::Display for Describe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packet = self.0;
        let shown = |octets: &[u8]| text::escape(octets.get(..SHOWN_TEXT).unwrap_or(octets)).to_string();
        match packet.code {
            cp::PROTOCOL_REJECT => match ProtocolReject::parse(packet) {
                Ok(reject) => write!(f, "{packet} of {}", ppp::ProtocolNumber(reject.protocol)),
                Err(error) => write!(f, "{packet} ({error})"),
            },
            cp::ECHO_REQUEST | cp::ECHO_REPLY | cp::DISCARD_REQUEST => match Marked::parse(packet) {
                Ok(Marked { magic, rest: [] }) => write!(f, "{packet}: magic {magic:08x}"),
                Ok(Marked { magic, rest }) => {
                    write!(f, "{packet}: magic {magic:08x}, {} octets", rest.len())
                }
                Err(error) => write!(f, "{packet} ({error})"),
            },
            cp::IDENTIFICATION => match Marked::parse(packet) {
                Ok(Marked { rest, .. }) => write!(f, "{packet}: \"{}\"", shown(rest)),
                Err(error) => write!(f, "{packet} ({error})"),
            },
            cp::TIME_REMAINING => match TimeRemaining::parse(packet) {
                Ok(TimeRemaining { seconds, message, .. }) => {
                    match seconds {
                        u32::MAX => write!(f, "{packet}: no limit")?,
                        _ => write!(f, "{packet}: {seconds} s")?,
                    }
                    if message.is_empty() { Ok(()) } else { write!(f, " \"{}\"", shown(message)) }
                }
                Err(error) => write!(f, "{packet} ({error})"),
            },
            _ => cp::describe(f, Protocol::Lcp, packet, |f, opt| match LcpOption::parse(opt) {
                Ok(option) => write!(f, "{option}"),
                Err(error) => write!(f, "{opt} ({error})"),
            }),
        }
    }
}
