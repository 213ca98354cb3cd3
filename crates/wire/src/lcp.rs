//! LCP (RFC 1661, 1570): the configuration options and the codes from 8 on.

mod describe;
mod option;

pub use describe::describe;
pub use option::{
    Accm, Acfc, Auth, AuthProtocol, Callback, Endpoint, LcpOption, Magic, Mrru, Mru, Pfc, ShortSequence,
};

use crate::{Error, Protocol, Result, cp};

/// Data of Echo-Request, Echo-Reply, Discard-Request and Identification: a Magic-Number and more octets
/// (RFC 1661 section 5.8, RFC 1570 section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked<'a> {
    /// The sender's Magic-Number, 0 if it negotiated none.
    pub magic: u32,
    /// The rest of the data: returned unchanged by an Echo-Reply; the message of an Identification.
    pub rest: &'a [u8],
}

impl<'a> Marked<'a> {
    /// Parses the data of such a packet.
    ///
    /// # Errors
    /// If there are fewer than four octets.
    pub fn parse(packet: &cp::Packet<'a>) -> Result<Marked<'a>> {
        match packet.data {
            [a, b, c, d, rest @ ..] => Ok(Marked { magic: u32::from_be_bytes([*a, *b, *c, *d]), rest }),
            data => {
                Err(Error::new(Protocol::Lcp, "Magic-Number", cp::HEADER_LEN, "4 octets", data.len() as u64))
            }
        }
    }

    /// The data, for [`cp::emit`].
    pub fn to_vec(&self) -> Vec<u8> {
        [&self.magic.to_be_bytes()[..], self.rest].concat()
    }
}

/// Data of Time-Remaining (RFC 1570 section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRemaining<'a> {
    /// The sender's Magic-Number.
    pub magic: u32,
    /// Seconds until the session ends; `u32::MAX` for no limit.
    pub seconds: u32,
    /// A message for the user.
    pub message: &'a [u8],
}

impl<'a> TimeRemaining<'a> {
    /// Parses the data of such a packet.
    ///
    /// # Errors
    /// If there are fewer than eight octets.
    pub fn parse(packet: &cp::Packet<'a>) -> Result<TimeRemaining<'a>> {
        let Marked { magic, rest } = Marked::parse(packet)?;
        match rest {
            [a, b, c, d, message @ ..] => {
                Ok(TimeRemaining { magic, seconds: u32::from_be_bytes([*a, *b, *c, *d]), message })
            }
            _ => Err(Error::new(Protocol::Lcp, "Seconds-Remaining", 8, "4 octets", rest.len() as u64)),
        }
    }

    /// The data, for [`cp::emit`].
    pub fn to_vec(&self) -> Vec<u8> {
        [&self.magic.to_be_bytes()[..], &self.seconds.to_be_bytes(), self.message].concat()
    }
}

/// Data of Protocol-Reject (RFC 1661 section 5.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolReject<'a> {
    /// The protocol that is not supported.
    pub protocol: u16,
    /// The information field of the rejected frame, possibly truncated.
    pub information: &'a [u8],
}

impl<'a> ProtocolReject<'a> {
    /// Parses the data of such a packet.
    ///
    /// # Errors
    /// If there are fewer than two octets.
    pub fn parse(packet: &cp::Packet<'a>) -> Result<ProtocolReject<'a>> {
        match packet.data {
            [a, b, information @ ..] => {
                Ok(ProtocolReject { protocol: u16::from_be_bytes([*a, *b]), information })
            }
            data => {
                let found = data.len() as u64;
                Err(Error::new(Protocol::Lcp, "Rejected-Protocol", cp::HEADER_LEN, "2 octets", found))
            }
        }
    }

    /// The data, for [`cp::emit`], truncated so that the packet fits into `mru` octets (RFC 1661 section
    /// 5.7).
    pub fn to_vec(&self, mru: u16) -> Vec<u8> {
        let capacity = usize::from(mru).saturating_sub(cp::HEADER_LEN + 2);
        let information = self.information.get(..capacity).unwrap_or(self.information);
        [&self.protocol.to_be_bytes()[..], information].concat()
    }
}

#[cfg(test)]
mod tests;
