//! The configuration of the dataplane.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use adit_crypto::rc4::Form;
use ipnet::Ipv4Net;

/// The method by which GRE packets are received and sent (`link.io`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Io {
    /// AF_XDP where it changes nothing for any packet, otherwise a raw socket.
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
    /// Worker threads: 1, 2, 4 or 8; other numbers are rounded down. `None`: by the number of cores.
    pub workers: Option<usize>,
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
    /// The file that lists interfaces which lose their carrier when an XDP program is attached; `None`: they are not
    /// remembered.
    pub remember: Option<PathBuf>,
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
            workers: None,
            networks: Vec::new(),
            local: None,
            interface: None,
            io: Io::Auto,
            cipher: None,
            near: None,
            remember: None,
            dont_fragment: false,
            quarantine: Duration::from_secs(60),
        }
    }

    /// Returns the configuration of a client.
    pub fn client() -> DataplaneConfig {
        // One call, which one worker serves.
        DataplaneConfig { workers: Some(1), ..DataplaneConfig::server() }
    }

    /// The number of workers, a power of two.
    ///
    /// Unless it is configured: one for up to three cores, because the rest of the host needs time too, and at most four.
    /// AF_XDP has one: the kernel delivers a packet only to a worker that owns the receive queue, so that with several
    /// workers a part of the packets passes through the socket.
    pub fn worker_count(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = match (self.workers, self.io) {
            (Some(workers), _) => workers.clamp(1, 8),
            (None, Io::Xdp) => 1,
            (None, Io::Auto | Io::Socket) => (cores() / 2).clamp(1, 4),
        };
        1 << wanted.ilog2()
    }
}
