//! The name-server options (RFC 1877): four options that differ only in their Type.

use core::fmt;
use core::net::Ipv4Addr;

use crate::Protocol;
use crate::cp::{ConfigOption, Length, Opt};

/// The address of a name server; 0.0.0.0 requests it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameServerAddress {
    /// The kind of server.
    pub server: NameServer,
    /// Its address.
    pub address: Ipv4Addr,
}

impl<'a> ConfigOption<'a> for NameServerAddress {
    const PROTOCOL: Protocol = Protocol::Ipcp;
    const KIND: u8 = NameServer::PrimaryDns.kind();
    const NAME: &'static str = "name server";
    const LENGTH: Length = Length { field: "name server Length", expected: "6" };

    fn read(opt: &Opt<'a>) -> Option<NameServerAddress> {
        let octets: [u8; 4] = opt.data.try_into().ok()?;
        Some(NameServerAddress { server: NameServer::from_kind(opt.kind)?, address: octets.into() })
    }

    fn data(&self) -> impl AsRef<[u8]> {
        self.address.octets()
    }

    fn is_kind(kind: u8) -> bool {
        NameServer::from_kind(kind).is_some()
    }

    fn kind(&self) -> u8 {
        self.server.kind()
    }
}

impl fmt::Display for NameServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.server, self.address)
    }
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
            NameServer::PrimaryDns => 129,
            NameServer::PrimaryNbns => 130,
            NameServer::SecondaryDns => 131,
            NameServer::SecondaryNbns => 132,
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
