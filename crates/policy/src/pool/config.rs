//! What a pool is made from.

use core::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use ipnet::Ipv4Net;

/// The most addresses that the ranges of one pool may span, a /12.
pub const MAX_RANGE: u32 = 1 << 20;

/// One pool of client addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// The pool's name, `"default"` for the short form.
    pub name: String,
    /// The network. Fixed addresses may lie anywhere in it, dynamic ones only in `ranges`.
    pub net: Ipv4Net,
    /// First and last address for clients without a fixed address. The network, broadcast and server
    /// address are never given, even inside a range.
    pub ranges: Vec<(Ipv4Addr, Ipv4Addr)>,
    /// Our end of every tunnel of this pool.
    pub server: Ipv4Addr,
    /// How long a user's last address is remembered for that user.
    pub sticky: Duration,
    /// DNS servers told to clients, two at most (RFC 1877).
    pub dns: Vec<Ipv4Addr>,
    /// WINS servers told to clients, two at most (RFC 1877).
    pub wins: Vec<Ipv4Addr>,
    /// DNS domain, told by DHCPINFORM.
    pub domain: Option<String>,
}

impl PoolConfig {
    /// A pool with the default server address, range and times, and no DNS.
    pub fn new(name: impl Into<String>, net: Ipv4Net) -> PoolConfig {
        let server = default_server(net);
        PoolConfig {
            name: name.into(),
            net,
            ranges: vec![default_range(net, server)],
            server,
            sticky: Duration::from_secs(30 * 86_400),
            dns: Vec::new(),
            wins: Vec::new(),
            domain: None,
        }
    }

    /// Whether the pool can work at all.
    pub fn check(&self) -> Result<(), PoolError> {
        let PoolConfig { name, net, server, ranges, .. } = self;
        if net.prefix_len() > 30 {
            return Err(PoolError::TooSmall { pool: name.clone() });
        }
        if !net.contains(server) || *server == net.network() || *server == net.broadcast() {
            return Err(PoolError::Server { pool: name.clone(), server: *server });
        }
        let mut span: u64 = 0;
        for (from, to) in ranges {
            if from > to || !net.contains(from) || !net.contains(to) {
                return Err(PoolError::Range { pool: name.clone(), from: *from, to: *to });
            }
            span += u64::from(u32::from(*to) - u32::from(*from)) + 1;
        }
        if span > u64::from(MAX_RANGE) { Err(PoolError::TooBig { pool: name.clone() }) } else { Ok(()) }
    }

    /// How many addresses clients without a fixed address can have: those of the ranges, each counted once.
    pub fn size(&self) -> u64 {
        let mut ranges = self.ranges.clone();
        ranges.sort_unstable();
        let (mut size, mut next) = (0, 0_u64);
        for (from, to) in ranges {
            let (from, end) = (u64::from(u32::from(from)).max(next), u64::from(u32::from(to)) + 1);
            size += end.saturating_sub(from);
            next = next.max(end);
        }
        let never = [self.net.network(), self.net.broadcast(), self.server];
        let is_in =
            |address: &&Ipv4Addr| self.ranges.iter().any(|(from, to)| (*from..=*to).contains(*address));
        size - never.iter().filter(is_in).count() as u64
    }

    /// Whether a client can have the address: it is inside the network, and not the network, broadcast or server address.
    pub fn is_host(&self, address: Ipv4Addr) -> bool {
        let net = self.net;
        address > net.network() && address < net.broadcast() && address != self.server
    }

    /// Whether a client without a fixed address can have the address.
    pub fn assigns(&self, address: Ipv4Addr) -> bool {
        self.is_host(address) && self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&address))
    }
}

/// The first host address of the network.
pub fn default_server(net: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(net.network()).saturating_add(1))
}

/// The range when none is given. In a /24 or larger the first nine and the last four host addresses stay
/// free for fixed addresses, as .10 to .250; a smaller network is used from end to end.
pub fn default_range(net: Ipv4Net, server: Ipv4Addr) -> (Ipv4Addr, Ipv4Addr) {
    let (network, broadcast) = (u32::from(net.network()), u32::from(net.broadcast()));
    let (mut first, last) = match net.prefix_len() {
        0..=24 => (network + 10, (broadcast - 5).min(network + 10 + MAX_RANGE - 1)),
        25..=30 => (network + 1, broadcast - 1),
        _ => (network, broadcast),
    };
    if first == u32::from(server) && first < last {
        first += 1;
    }
    (Ipv4Addr::from(first), Ipv4Addr::from(last))
}

/// Why pools cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolError {
    /// A /31 or /32 has no room for a server and a client.
    TooSmall {
        /// The pool.
        pool: String,
    },
    /// The ranges span more than [`MAX_RANGE`] addresses.
    TooBig {
        /// The pool.
        pool: String,
    },
    /// The server address is outside the network, or is its network or broadcast address.
    Server {
        /// The pool.
        pool: String,
        /// The address.
        server: Ipv4Addr,
    },
    /// A range leaves the network, or ends before it begins.
    Range {
        /// The pool.
        pool: String,
        /// First address.
        from: Ipv4Addr,
        /// Last address.
        to: Ipv4Addr,
    },
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PoolError::TooSmall { pool } => write!(f, "pool {pool}: the network needs at least a /30"),
            PoolError::TooBig { pool } => {
                write!(f, "pool {pool}: the range holds more than {MAX_RANGE} addresses")
            }
            PoolError::Server { pool, server } => {
                write!(f, "pool {pool}: {server} is not a host address of its network")
            }
            PoolError::Range { pool, from, to } => {
                write!(f, "pool {pool}: range {from}-{to} is not inside its network")
            }
        }
    }
}

impl core::error::Error for PoolError {}
