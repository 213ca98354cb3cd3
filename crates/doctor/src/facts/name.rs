//! The facts of the server's name and the path to its address.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use crate::Seen;

/// Facts of layer N.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The name to resolve; `None` if an address was given.
    pub asked: Option<String>,
    /// The result of the resolution.
    pub resolved: Option<Seen<Resolved>>,
    /// Another resolver of this host with different addresses (split horizon), and these addresses.
    pub differs: Option<(IpAddr, Vec<Ipv4Addr>)>,
    /// The error text of the operating system, if it has no route to the server.
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
        /// The number of IPv6 addresses.
        v6: usize,
    },
    /// NXDOMAIN.
    NoSuchName,
    /// No answer within the time limit.
    NoAnswer,
    /// IPv6 addresses only.
    OnlyV6,
    /// Another failure; its error text.
    Failed(String),
}
