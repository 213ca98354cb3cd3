//! What the data plane needs to know.

use std::net::Ipv4Addr;
use std::time::Duration;

use ipnet::Ipv4Net;

/// What moves GRE packets between the network and this process (`link.io`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Io {
    /// What is best for this host.
    #[default]
    Auto,
    /// A raw socket.
    Socket,
    /// AF_XDP, where kernel and interface can; else a raw socket and a warning.
    Xdp,
}

/// How to run the workers.
#[derive(Clone, Debug)]
pub struct DataplaneConfig {
    /// Worker threads: 1, 2, 4 or 8; other numbers are rounded down.
    pub workers: usize,
    /// Networks from which calls get their addresses: a packet to one of them finds its call by array index.
    pub networks: Vec<Ipv4Net>,
    /// Receive GRE sent to this address only, and send from it.
    pub local: Option<Ipv4Addr>,
    /// Receive and send GRE on this interface only.
    pub interface: Option<String>,
    /// What moves GRE packets.
    pub io: Io,
    /// AF_XDP takes the interface that has this address or leads to it (a server's own, a client's server); without one
    /// the interface of the default route.
    pub near: Option<Ipv4Addr>,
    /// Set Don't Fragment on GRE packets, and believe routers that say a packet of a live call was too big.
    pub dont_fragment: bool,
    /// For so long a Call ID is not used again, so that the last packets of its old call die out.
    pub quarantine: Duration,
}

impl DataplaneConfig {
    /// For a server.
    pub fn server() -> DataplaneConfig {
        DataplaneConfig {
            workers: 1,
            networks: Vec::new(),
            local: None,
            interface: None,
            io: Io::Auto,
            near: None,
            dont_fragment: false,
            quarantine: Duration::from_secs(60),
        }
    }

    /// For a client.
    pub fn client() -> DataplaneConfig {
        DataplaneConfig::server()
    }

    /// The number of workers, as a power of two.
    pub(crate) fn worker_bits(&self) -> u32 {
        self.workers.clamp(1, 8).ilog2()
    }
}
