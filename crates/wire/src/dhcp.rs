//! The part of DHCP (RFC 2131, 2132) that a tunnel needs: a client that got its address by IPCP requests
//! further parameters (name servers, domain, routes) with DHCPINFORM and receives a DHCPACK.

mod ack;

use core::fmt;
use std::net::Ipv4Addr;

use crate::{Error, Protocol, Result};

pub use ack::{Ack, Route};

/// UDP port of servers.
pub const SERVER_PORT: u16 = 67;
/// UDP port of clients.
pub const CLIENT_PORT: u16 = 68;

/// Option codes.
pub mod option {
    /// Padding without a length.
    pub const PAD: u8 = 0;
    /// Subnet mask.
    pub const SUBNET_MASK: u8 = 1;
    /// Name servers.
    pub const DNS: u8 = 6;
    /// Domain name.
    pub const DOMAIN: u8 = 15;
    /// NetBIOS name servers (WINS).
    pub const WINS: u8 = 44;
    /// DHCP message type.
    pub const MESSAGE_TYPE: u8 = 53;
    /// Server identifier.
    pub const SERVER: u8 = 54;
    /// Parameter request list.
    pub const PARAMETERS: u8 = 55;
    /// Maximum DHCP message size.
    pub const MAX_SIZE: u8 = 57;
    /// Classless static routes (RFC 3442).
    pub const ROUTES: u8 = 121;
    /// Classless static routes, the code that older Windows requests.
    pub const ROUTES_MICROSOFT: u8 = 249;
    /// End of the options.
    pub const END: u8 = 255;
}

/// Message type DHCPACK.
pub const ACK: u8 = 5;
/// Message type DHCPINFORM.
pub const INFORM: u8 = 8;

/// Octets before the options.
const FIXED: usize = 240;
const MAGIC: [u8; 4] = [99, 130, 83, 99];

/// A DHCPINFORM: a request for all parameters but an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inform {
    /// Transaction ID, which matches the reply to the request.
    pub xid: u32,
    /// Hardware type, length and address as sent; PPP clients generate them.
    pub hardware: (u8, u8, [u8; 16]),
    /// The flags field, with the broadcast flag.
    pub flags: u16,
    /// The client's address.
    pub ciaddr: Ipv4Addr,
    /// The relay agent, if there was one.
    pub giaddr: Ipv4Addr,
    /// The requested options; `None` if there is no such list.
    pub parameters: Option<Vec<u8>>,
    /// The largest message that the client accepts, in octets; 576 if not given.
    pub max_size: u16,
}

/// Whether the UDP payload `data` is a DHCPINFORM; does not allocate.
pub fn is_inform(data: &[u8]) -> bool {
    Options::new(data).is_ok_and(|mut options| options.any(|o| o == (option::MESSAGE_TYPE, &[INFORM])))
}

impl Inform {
    /// Parses a UDP payload.
    ///
    /// # Errors
    /// If the message is truncated, not a request, or of another type.
    pub fn parse(data: &[u8]) -> Result<Inform> {
        let options = Options::new(data)?;
        if data[0] != 1 {
            return Err(Error::new(Protocol::Dhcp, "op", 0, "1", u64::from(data[0])));
        }
        let mut kind = 0;
        let mut parameters = None;
        let mut max_size = 576;
        for (code, value) in options {
            match (code, value) {
                (option::MESSAGE_TYPE, [value]) => kind = *value,
                (option::PARAMETERS, value) => parameters = Some(value.to_vec()),
                (option::MAX_SIZE, &[high, low]) => max_size = u16::from_be_bytes([high, low]).max(576),
                _ => {}
            }
        }
        if kind != INFORM {
            let found = u64::from(kind);
            return Err(Error::new(Protocol::Dhcp, "DHCP Message Type", FIXED, "8 (DHCPINFORM)", found));
        }
        let word = |at: usize| [data[at], data[at + 1], data[at + 2], data[at + 3]];
        let mut chaddr = [0; 16];
        chaddr.copy_from_slice(&data[28..44]);
        Ok(Inform {
            xid: u32::from_be_bytes(word(4)),
            hardware: (data[1], data[2], chaddr),
            flags: u16::from_be_bytes([data[10], data[11]]),
            ciaddr: Ipv4Addr::from(word(12)),
            giaddr: Ipv4Addr::from(word(24)),
            parameters,
            max_size,
        })
    }

    /// Whether the client requests this option.
    pub fn wants(&self, code: u8) -> bool {
        self.parameters.as_ref().is_none_or(|list| list.contains(&code))
    }
}

/// `DHCPINFORM from 10.0.0.2, asks for 1 6 15 121`.
impl fmt::Display for Inform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DHCPINFORM from {}", self.ciaddr)?;
        if let Some(list) = &self.parameters {
            f.write_str(", asks for")?;
            for code in list {
                write!(f, " {code}")?;
            }
        }
        Ok(())
    }
}

/// An iterator over the options of a message, up to the end mark or the first truncated one.
struct Options<'a>(&'a [u8]);

impl<'a> Options<'a> {
    fn new(data: &'a [u8]) -> Result<Options<'a>> {
        let Some((fixed, options)) = data.split_at_checked(FIXED) else {
            let found = data.len() as u64;
            return Err(Error::new(Protocol::Dhcp, "message", 0, "at least 240 octets", found));
        };
        match fixed.last_chunk::<4>() {
            Some(&MAGIC) => Ok(Options(options)),
            found => {
                let found = u64::from(u32::from_be_bytes(found.copied().unwrap_or_default()));
                Err(Error::new(Protocol::Dhcp, "magic cookie", FIXED - 4, "99.130.83.99", found))
            }
        }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        while let [option::PAD, rest @ ..] = self.0 {
            self.0 = rest;
        }
        let (&code, rest) = self.0.split_first().filter(|(code, _)| **code != option::END)?;
        let (&len, rest) = rest.split_first()?;
        let (value, rest) = rest.split_at_checked(usize::from(len))?;
        self.0 = rest;
        Some((code, value))
    }
}

#[cfg(test)]
mod tests;
