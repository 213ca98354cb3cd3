//! The server's name, and the way to its address.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use crate::Seen;

/// N.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The name asked for; `None` where an address was given.
    pub asked: Option<String>,
    /// What came of it.
    pub resolved: Option<Seen<Resolved>>,
    /// Another resolver of this host gives other addresses (split horizon): the resolver, and what it says.
    pub differs: Option<(IpAddr, Vec<Ipv4Addr>)>,
    /// The system has no route to the server: its words.
    pub no_route: Option<Seen<String>>,
    /// The address that this host calls from.
    pub source: Option<Ipv4Addr>,
    /// The next router towards the server.
    pub gateway: Option<Ipv4Addr>,
    /// The interface towards the server.
    pub interface: Option<String>,
    /// Networks of this host.
    pub local: Vec<LocalNet>,
}

/// A network that this host is in, or has a route to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalNet {
    /// The network.
    pub net: Ipv4Net,
    /// Its interface.
    pub interface: String,
}

/// The resolver's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// Addresses.
    Addresses {
        /// IPv4, in the resolver's order.
        v4: Vec<Ipv4Addr>,
        /// How many of IPv6.
        v6: usize,
    },
    /// NXDOMAIN.
    NoSuchName,
    /// Nothing, within the time given.
    NoAnswer,
    /// IPv6 addresses only.
    OnlyV6,
    /// Something else: its words.
    Failed(String),
}
