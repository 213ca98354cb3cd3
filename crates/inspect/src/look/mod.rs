//! Reads the state of this host.
//!
//! Nothing is changed on it. A few hosts are probed: the DNS servers that clients are given by a query, some hosts
//! behind by an echo request. Every wait is bounded, and what could not be tested is reported with its reason.

mod ask;
mod firewall;
mod network;
mod run;
mod sockets;
mod system;
mod wanted;

use std::net::Ipv4Addr;
use std::path::PathBuf;

use adit_doctor::facts::host::{Check, Host, NotTested};
use ipnet::Ipv4Net;

/// What the host is for, from its configuration and its daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purpose {
    /// Where calls are accepted.
    pub listen: Vec<Listen>,
    /// The process of the server that runs.
    pub daemon: Option<u32>,
    /// The tunnel's interface.
    pub tunnel: String,
    /// The address pools, each with our end of the tunnel.
    pub pools: Vec<(Ipv4Net, Ipv4Addr)>,
    /// Networks that clients may reach; 0.0.0.0/0 for all.
    pub reach: Vec<Ipv4Net>,
    /// DNS servers that clients are given.
    pub dns: Vec<Ipv4Addr>,
    /// The largest packet inside the tunnel.
    pub mtu: u16,
    /// The server lowers segment sizes.
    pub clamps: bool,
    /// Seconds between keep-alives of an idle client; 0 for never.
    pub echo_seconds: u64,
    /// Sessions that the server may have.
    pub sessions: u64,
    /// Where the server keeps its state.
    pub state: Option<PathBuf>,
}

/// Where calls are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// An address; 0.0.0.0 for all.
    pub address: Option<Ipv4Addr>,
    /// Or an interface.
    pub interface: Option<String>,
    /// The TCP port.
    pub port: u16,
}

/// The usual port (RFC 2637).
pub const PORT: u16 = 1723;

/// Collects the facts about this host.
pub fn look(purpose: &Purpose) -> Host {
    let mut host = Host::default();
    let network = network::Network::read(&mut host);
    system::look(purpose, &mut host);
    sockets::look(purpose, &network, &mut host);
    network.wan(purpose, &mut host);
    firewall::look(purpose, &network, &mut host);
    network.forward(purpose, &mut host);
    network.sizes(purpose, &mut host);
    network.reverse_path(purpose, &mut host);
    ask::look(purpose, &network, &mut host);
    host
}

fn not_tested(host: &mut Host, check: Check, why: impl Into<NotTested>) {
    host.not_tested.entry(check).or_insert_with(|| why.into());
}
