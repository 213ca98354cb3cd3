//! The configuration of the dataplane.

use std::net::Ipv4Addr;
use std::time::Duration;

use adit_crypto::rc4::Form;
use ipnet::Ipv4Net;

/// The method by which GRE packets are received and sent (`link.io`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Io {
    /// The best method for this host.
    #[default]
    Auto,
    /// A raw socket.
    Socket,
    /// AF_XDP if kernel and interface support it; otherwise a raw socket, with a warning.
    Xdp,
}

/// The configuration of the workers.
#[derive(Clone, Debug)]
pub struct DataplaneConfig {
    /// Worker threads: 1, 2, 4 or 8; other numbers are rounded down.
    pub workers: usize,
    /// Networks from which calls get their addresses: a packet to one of them finds its call by an array
    /// index.
    pub networks: Vec<Ipv4Net>,
    /// The only local address to receive GRE on, and the source to send from.
    pub local: Option<Ipv4Addr>,
    /// The only interface to receive and send GRE on.
    pub interface: Option<String>,
    /// The method for GRE packets.
    pub io: Io,
    /// The form of RC4; `None`: the faster one on this processor.
    pub cipher: Option<Form>,
    /// An address that selects the interface for AF_XDP: the interface has this address or leads to it (a
    /// server's own address, a client's server). Without it, the interface of the default route.
    pub near: Option<Ipv4Addr>,
    /// Set Don't Fragment on GRE packets, and accept ICMP errors that report a packet of an active call as
    /// too big.
    pub dont_fragment: bool,
    /// How long a Call ID is not reused, so that late packets of its old call are not delivered to a new one.
    pub quarantine: Duration,
}

impl DataplaneConfig {
    /// Returns the configuration of a server.
    pub fn server() -> DataplaneConfig {
        DataplaneConfig {
            workers: 1,
            networks: Vec::new(),
            local: None,
            interface: None,
            io: Io::Auto,
            cipher: None,
            near: None,
            dont_fragment: false,
            quarantine: Duration::from_secs(60),
        }
    }

    /// Returns the configuration of a client.
    pub fn client() -> DataplaneConfig {
        DataplaneConfig::server()
    }

    /// The number of workers, as a power of two.
    pub(crate) fn worker_bits(&self) -> u32 {
        self.workers.clamp(1, 8).ilog2()
    }
}
