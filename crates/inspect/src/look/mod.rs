//! Inspection of the state of this host.
//!
//! Nothing is changed on it. A few hosts are probed: the DNS servers of the clients with a query, some hosts
//! behind the server with an echo request. Every wait is bounded, and what could not be tested is reported
//! with its reason.

mod ask;
mod firewall;
mod network;
pub(crate) mod rules;
pub(crate) mod run;
mod sockets;
pub(crate) mod system;
mod wanted;

use std::net::Ipv4Addr;
use std::path::PathBuf;

use adit_doctor::facts::host::{Check, Host, NotTested};
use ipnet::Ipv4Net;

/// The purpose of the host, from its configuration and its daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purpose {
    /// The addresses on which calls are accepted.
    pub listen: Vec<Listen>,
    /// The process id of the running server.
    pub daemon: Option<u32>,
    /// The name of the tunnel interface.
    pub tunnel: String,
    /// The address pools, each with the server's address in the tunnel.
    pub pools: Vec<(Ipv4Net, Ipv4Addr)>,
    /// The networks that clients may reach; 0.0.0.0/0 for all.
    pub reach: Vec<Ipv4Net>,
    /// The DNS servers assigned to clients.
    pub dns: Vec<Ipv4Addr>,
    /// The MTU inside the tunnel.
    pub mtu: u16,
    /// Whether the server clamps the MSS.
    pub clamps: bool,
    /// The interval of keep-alives for an idle client in seconds; 0 for never.
    pub echo_seconds: u64,
    /// The session limit of the server.
    pub sessions: u64,
    /// The state directory of the server.
    pub state: Option<PathBuf>,
}

/// A listening address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The address; 0.0.0.0 for all.
    pub address: Option<Ipv4Addr>,
    /// The interface, in place of an address.
    pub interface: Option<String>,
    /// The TCP port.
    pub port: u16,
}

/// The default port (RFC 2637).
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
