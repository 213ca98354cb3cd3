//! Derives the single steps from a plan, in pure functions, so that every special case can be tested.

use std::net::{IpAddr, Ipv4Addr};

use adit_diag::Code;
use adit_sys::host::{InUse, Purpose};
use adit_sys::net::{Hop, Route};
use adit_sys::{Error, Kind};
use ipnet::{IpNet, Ipv4Net};

/// The desired state of the host while the tunnel is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The tunnel interface, which must exist.
    pub interface: String,
    /// The server's address outside the tunnel.
    pub server: Ipv4Addr,
    /// This host's inner address.
    pub local: Ipv4Addr,
    /// The server's inner address.
    pub peer: Ipv4Addr,
    /// Largest inner packet, in bytes.
    pub mtu: u16,
    /// The networks that go through the tunnel; `None` for all traffic.
    pub routes: Option<Vec<Ipv4Net>>,
    /// Name servers; empty leaves the resolver unchanged.
    pub dns: Vec<Ipv4Addr>,
    /// Use these name servers only for names below these domains; empty for all names.
    pub domains: Vec<String>,
}

/// The steps, in this order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Steps {
    /// Route that keeps the packets of the tunnel itself out of the tunnel.
    pub(super) to_server: Option<Route>,
    /// This host's inner address.
    pub(super) address: IpNet,
    /// The server's inner address, unless it would hide an address that is needed outside the tunnel.
    pub(super) peer: Option<Ipv4Addr>,
    /// Routes through the tunnel.
    pub(super) through_tunnel: Vec<Route>,
    /// The routes as text.
    pub(super) text: String,
}

impl Steps {
    /// Derives the steps: `hop` is the present route to the server, `others` are the networks in use on this host, and
    /// `needed` are the addresses that it needs outside the tunnel.
    pub(super) fn new(
        plan: &Plan,
        index: u32,
        hop: &Hop,
        others: &[InUse],
        needed: &[(Ipv4Addr, Need)],
    ) -> Result<Steps, Error> {
        own_address(plan, needed)?;
        let networks = networks(plan);
        // A server's inner address may be its public one, or one that is already in use on a local network.
        let peer = (plan.peer != plan.server && !on_link(plan.peer, others)).then_some(plan.peer);
        if plan.routes.is_some() {
            own_network(&networks, others)?;
        }
        let swallowed = networks.iter().any(|net| net.contains(&plan.server)) || plan.peer == plan.server;
        let to_server = (swallowed && !hop.local)
            .then(|| Route::new(IpNet::from(IpAddr::V4(plan.server)), hop.interface).via(hop.gateway));
        let source = Some(IpAddr::V4(plan.local));
        let mut through: Vec<Route> =
            networks.iter().map(|net| Route { source, ..Route::new(IpNet::V4(*net), index) }).collect();
        // Name servers must be reached through the tunnel even if nothing else is routed there.
        for server in &plan.dns {
            let reached = networks.iter().any(|net| net.contains(server)) || peer == Some(*server);
            let route = Route { source, ..Route::new(IpNet::from(IpAddr::V4(*server)), index) };
            if !reached && *server != plan.server && !on_link(*server, others) && !through.contains(&route) {
                through.push(route);
            }
        }
        Ok(Steps {
            to_server,
            address: IpNet::from(IpAddr::V4(plan.local)),
            peer,
            through_tunnel: through,
            text: text(plan),
        })
    }
}

/// Why this host needs an address outside the tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// It is an address of this host, on this interface.
    Own(String),
    /// It is a router of this host.
    Router,
    /// It is a name server of this host.
    NameServer,
}

/// Refuses an inner address that this host needs outside the tunnel: it would become an address of this host itself, and
/// packets to the router, the name server or the server would never leave it.
fn own_address(plan: &Plan, needed: &[(Ipv4Addr, Need)]) -> Result<(), Error> {
    let local = plan.local;
    let why = if local == plan.server {
        "it is the server's own address".to_owned()
    } else if local == plan.peer {
        "it is the server's address inside the tunnel too".to_owned()
    } else if local.is_unspecified() || local.is_loopback() || local.is_multicast() || local.is_broadcast() {
        "it is no address of a host".to_owned()
    } else {
        match needed.iter().find(|(address, _)| *address == local) {
            None => return Ok(()),
            Some((_, Need::Own(interface))) => format!("this host has it already, on {interface}"),
            Some((_, Need::Router)) => "it is the address of this host's router".to_owned(),
            Some((_, Need::NameServer)) => "it is the address of this host's name server".to_owned(),
        }
    };
    Err(Error::new(Kind::Exists, format!("cannot use {local}, the address that the server assigned"), why)
        .with_code(Code::I03)
        .with_fix("the server's administrator has to choose another pool; or connect from another network"))
}

/// All traffic is routed as two /1 networks, so that the host's own default route stays unchanged.
fn networks(plan: &Plan) -> Vec<Ipv4Net> {
    let half = |first| Ipv4Net::new_assert(Ipv4Addr::new(first, 0, 0, 0), 1);
    match &plan.routes {
        None => vec![half(0), half(128)],
        Some(routes) => {
            let mut networks: Vec<_> = routes.iter().map(Ipv4Net::trunc).collect();
            networks.sort();
            networks.dedup();
            // A /0 in the list is all traffic too.
            match networks.iter().any(|net| net.prefix_len() == 0) {
                true => vec![half(0), half(128)],
                false => networks,
            }
        }
    }
}

/// Whether an address is in a local network of this host, outside the tunnel.
fn on_link(address: Ipv4Addr, others: &[InUse]) -> bool {
    others.iter().any(|used| used.purpose == Purpose::Address && used.network.contains(&IpAddr::V4(address)))
}

/// Refuses a network behind the tunnel that is also a local network: its hosts would be looked for on the local link.
/// A more specific prefix of it is accepted.
fn own_network(networks: &[Ipv4Net], others: &[InUse]) -> Result<(), Error> {
    for used in others.iter().filter(|used| used.purpose == Purpose::Address) {
        let IpNet::V4(own) = used.network else { continue };
        let Some(net) = networks.iter().find(|net| own == **net) else { continue };
        return Err(Error::new(
            Kind::Exists,
            format!("cannot route {net} through the tunnel"),
            format!("this host is in {own} itself, on {}", used.interface),
        )
        .with_code(Code::I03)
        .with_fix(
            "use another network at home, or route single addresses of the office (--routes 192.168.1.20/32)",
        ));
    }
    Ok(())
}

fn text(plan: &Plan) -> String {
    match &plan.routes {
        None => "all of IPv4 (IPv6 does not go through the tunnel)".to_owned(),
        Some(routes) if routes.is_empty() => format!("{} alone", plan.peer),
        Some(routes) => routes.iter().map(|net| net.trunc().to_string()).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests;
