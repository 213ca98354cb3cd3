//! IPCP: the configuration options (RFC 1332 section 3, RFC 1877).

use core::fmt;
use core::net::Ipv4Addr;

use crate::cp::{self, Hex, Opt};
use crate::{Protocol, Result};

/// Type octets of IPCP's options.
pub mod kind {
    /// IP-Addresses, the deprecated pair (RFC 1172).
    pub const ADDRESSES: u8 = 1;
    /// IP-Compression-Protocol.
    pub const COMPRESSION: u8 = 2;
    /// IP-Address.
    pub const ADDRESS: u8 = 3;
    /// Mobile-IPv4 (RFC 2290).
    pub const MOBILE: u8 = 4;
    /// Primary DNS server address.
    pub const PRIMARY_DNS: u8 = 129;
    /// Primary NBNS (WINS) server address.
    pub const PRIMARY_NBNS: u8 = 130;
    /// Secondary DNS server address.
    pub const SECONDARY_DNS: u8 = 131;
    /// Secondary NBNS (WINS) server address.
    pub const SECONDARY_NBNS: u8 = 132;
}

/// The four name-server options of RFC 1877, in the order of their types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameServer {
    /// First DNS server.
    PrimaryDns,
    /// First WINS server.
    PrimaryNbns,
    /// Second DNS server.
    SecondaryDns,
    /// Second WINS server.
    SecondaryNbns,
}

impl NameServer {
    /// All four, in the order in which Windows asks for them.
    pub const ALL: [NameServer; 4] = [
        NameServer::PrimaryDns,
        NameServer::PrimaryNbns,
        NameServer::SecondaryDns,
        NameServer::SecondaryNbns,
    ];

    /// The Type octet.
    pub const fn kind(self) -> u8 {
        match self {
            NameServer::PrimaryDns => kind::PRIMARY_DNS,
            NameServer::PrimaryNbns => kind::PRIMARY_NBNS,
            NameServer::SecondaryDns => kind::SECONDARY_DNS,
            NameServer::SecondaryNbns => kind::SECONDARY_NBNS,
        }
    }

    /// The name server that a Type octet stands for.
    pub fn from_kind(kind: u8) -> Option<NameServer> {
        NameServer::ALL.into_iter().find(|server| server.kind() == kind)
    }
}

impl fmt::Display for NameServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameServer::PrimaryDns => "dns1",
            NameServer::PrimaryNbns => "wins1",
            NameServer::SecondaryDns => "dns2",
            NameServer::SecondaryNbns => "wins2",
        })
    }
}

/// One option of IPCP that adit understands; all others are [`IpcpOption::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpcpOption<'a> {
    /// The sender's own address; 0.0.0.0 asks for one.
    Address(Ipv4Addr),
    /// The address of a name server; 0.0.0.0 asks for it.
    NameServer(NameServer, Ipv4Addr),
    /// Header compression: the protocol and its parameters.
    Compression {
        /// 0x002d for Van Jacobson.
        protocol: u16,
        /// Max-Slot-Id and Comp-Slot-Id for Van Jacobson.
        parameters: &'a [u8],
    },
    /// An option without a meaning here.
    Other {
        /// Its Type octet.
        kind: u8,
        /// Its data.
        data: &'a [u8],
    },
}

impl<'a> IpcpOption<'a> {
    /// Gives an option its meaning.
    ///
    /// # Errors
    /// An option whose Length is not right for its type.
    pub fn parse(opt: &Opt<'a>) -> Result<IpcpOption<'a>> {
        let wrong = |field, expected| Err(opt.wrong_length(Protocol::Ipcp, field, expected));
        match (opt.kind, opt.data, NameServer::from_kind(opt.kind)) {
            (kind::ADDRESS, [a, b, c, d], _) => Ok(IpcpOption::Address(Ipv4Addr::new(*a, *b, *c, *d))),
            (kind::ADDRESS, _, _) => wrong("IP-Address Length", "6"),
            (_, [a, b, c, d], Some(server)) => {
                Ok(IpcpOption::NameServer(server, Ipv4Addr::new(*a, *b, *c, *d)))
            }
            (_, _, Some(_)) => wrong("name server Length", "6"),
            (kind::COMPRESSION, [a, b, parameters @ ..], _) => {
                Ok(IpcpOption::Compression { protocol: u16::from_be_bytes([*a, *b]), parameters })
            }
            (kind::COMPRESSION, _, _) => wrong("IP-Compression-Protocol Length", "4 or more"),
            (kind, data, None) => Ok(IpcpOption::Other { kind, data }),
        }
    }

    /// Appends the option.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match *self {
            IpcpOption::Address(address) => cp::push_option(out, kind::ADDRESS, &address.octets()),
            IpcpOption::NameServer(server, address) => {
                cp::push_option(out, server.kind(), &address.octets());
            }
            IpcpOption::Compression { protocol, parameters } => {
                cp::push_option(out, kind::COMPRESSION, &[&protocol.to_be_bytes()[..], parameters].concat());
            }
            IpcpOption::Other { kind, data } => cp::push_option(out, kind, data),
        }
    }
}

impl fmt::Display for IpcpOption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IpcpOption::Address(address) => write!(f, "address {address}"),
            IpcpOption::NameServer(server, address) => write!(f, "{server} {address}"),
            IpcpOption::Compression { protocol: 0x002d, .. } => f.write_str("VJ compression"),
            IpcpOption::Compression { protocol, parameters } => {
                write!(f, "compression {protocol:#06x} {}", Hex(parameters))
            }
            IpcpOption::Other { kind: kind::ADDRESSES, data: [a, b, c, d, e, g, h, i] } => {
                let (own, peer) = (Ipv4Addr::new(*a, *b, *c, *d), Ipv4Addr::new(*e, *g, *h, *i));
                write!(f, "old addresses {own} {peer}")
            }
            IpcpOption::Other { kind: kind::MOBILE, data } => write!(f, "mobile address {}", Hex(data)),
            IpcpOption::Other { kind, data } => write!(f, "option {kind} {}", Hex(data)),
        }
    }
}

/// The packet in one line: `Configure-Request id 7: address 0.0.0.0, dns1 0.0.0.0`. Bounded, printable.
pub fn describe<'a>(packet: &'a cp::Packet<'a>) -> impl fmt::Display + 'a {
    struct Describe<'a>(&'a cp::Packet<'a>);
    impl fmt::Display for Describe<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            cp::describe(f, Protocol::Ipcp, self.0, |f, opt| match IpcpOption::parse(opt) {
                Ok(option) => write!(f, "{option}"),
                Err(error) => write!(f, "{opt} ({error})"),
            })
        }
    }
    Describe(packet)
}

#[cfg(test)]
mod tests;
