//! IPCP: the addresses of the tunnel.

use std::net::Ipv4Addr;
use std::time::Duration;

use ipnet::Ipv4Net;

use crate::{Seen, Side};

/// Facts of layer I.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The address that the client requested first, unless 0.0.0.0.
    pub wanted: Option<Ipv4Addr>,
    /// The client's address, as acknowledged.
    pub assigned: Option<Seen<Ipv4Addr>>,
    /// The server's address, as acknowledged.
    pub peer: Option<Seen<Ipv4Addr>>,
    /// Consecutive Naks of the same address by the server, after which the client asks again.
    pub naks: u32,
    /// The address in the server's last Nak.
    pub offered: Option<Ipv4Addr>,
    /// The side that rejected option 3 (IP-Address).
    pub rejected: Option<Seen<Side>>,
    /// The side that rejected IPCP as a whole.
    pub protocol_rejected: Option<Seen<Side>>,
    /// How long IPCP remained unanswered.
    pub silent: Option<Seen<Duration>>,
    /// The DNS servers that the client was given; empty: it asked, and got none.
    pub dns: Option<Seen<Vec<Ipv4Addr>>>,
    /// Networks in use that overlap with the tunnel's address.
    pub overlaps: Vec<Seen<Overlap>>,
    /// An address that another call holds at the same time.
    pub twice: Option<Seen<Ipv4Addr>>,
    /// IPCP is Opened.
    pub opened: Option<Seen<()>>,
}

/// Two overlapping networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The network of the tunnel.
    pub tunnel: Ipv4Net,
    /// The network in use.
    pub local: Ipv4Net,
    /// The owner, for display: `eth0 of this host`, `the client's network (guessed from its address)`.
    pub whose: String,
    /// Whether the network is a guess.
    pub guessed: bool,
}
