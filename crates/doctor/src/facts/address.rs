//! IPCP: the addresses of the tunnel.

use std::net::Ipv4Addr;
use std::time::Duration;

use ipnet::Ipv4Net;

use crate::{Seen, Side};

/// I.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// What the client asked for first, unless 0.0.0.0.
    pub wanted: Option<Ipv4Addr>,
    /// The client's address, acknowledged.
    pub assigned: Option<Seen<Ipv4Addr>>,
    /// The server's end, acknowledged.
    pub peer: Option<Seen<Ipv4Addr>>,
    /// Naks of the same address by the server, one after the other, and the client asks again.
    pub naks: u32,
    /// What the server offered in its last Nak.
    pub offered: Option<Ipv4Addr>,
    /// Who rejected option 3.
    pub rejected: Option<Seen<Side>>,
    /// Who does not take IPCP at all.
    pub protocol_rejected: Option<Seen<Side>>,
    /// No answer for so long.
    pub silent: Option<Seen<Duration>>,
    /// DNS servers that the client was given; empty: it asked, and got none.
    pub dns: Option<Seen<Vec<Ipv4Addr>>>,
    /// Where the tunnel's address meets a network that is in use.
    pub overlaps: Vec<Seen<Overlap>>,
    /// Another call holds the same address at the same time.
    pub twice: Option<Seen<Ipv4Addr>>,
    /// IPCP is open.
    pub opened: Option<Seen<()>>,
}

/// Two networks that meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// What the tunnel brings.
    pub tunnel: Ipv4Net,
    /// What is there already.
    pub local: Ipv4Net,
    /// Whose, for people: `eth0 of this host`, `the client's network (guessed from its address)`.
    pub whose: String,
    /// The network is a guess.
    pub guessed: bool,
}
