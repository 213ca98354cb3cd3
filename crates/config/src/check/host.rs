//! The configuration compared with the host that it is to run on.

use std::net::Ipv4Addr;

use adit_diag::Code;
use adit_policy::{PoolConfig, Tunnel};
use ipnet::Ipv4Net;

use crate::check::{below, pool_path, reach};
use crate::finding::Level;
use crate::model::{Config, Listen};
use crate::report::Report;
use crate::tree::Value;

/// The network state of a host, supplied by a caller that can query it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// The names of its interfaces.
    pub interfaces: Vec<String>,
    /// Its IPv4 addresses, each with the prefix length of its network.
    pub addresses: Vec<HostNet>,
    /// Its IPv4 routes; default routes have no effect and may be left out.
    pub routes: Vec<HostNet>,
}

/// An address or a route of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostNet {
    /// For an address: the address and its prefix length. For a route: the destination.
    pub net: Ipv4Net,
    /// Its interface.
    pub interface: String,
    /// Whether it belongs to adit: the tunnel device, and routes into it. Never a conflict.
    pub ours: bool,
}

/// Adds the conflicts with the host.
pub(crate) fn run(report: &mut Report<'_>, config: &Config, host: &HostFacts) {
    listens(report, config, host);
    reach::run_host(report, config, host.addresses.iter().map(|address| address.net.addr()));
    if let Some(interface) = &config.server.interface
        && !host.interfaces.contains(interface)
    {
        let message = format!("server.interface {interface:?} is not on this host");
        let finding = report.on(&["server", "interface"], Code::S10, Level::Error, message);
        report.push(finding.label("no such interface").advice(have(&host.interfaces)));
    }
    for pool in config.pools.values() {
        networks(report, pool, host);
        server(report, pool, host);
        class_route(report, config, pool, host);
    }
}

fn have(names: &[String]) -> String {
    format!("this host has: {}", names.join(", "))
}

fn listens(report: &mut Report<'_>, config: &Config, host: &HostFacts) {
    let addresses: Vec<String> =
        host.addresses.iter().filter(|net| !net.ours).map(|net| net.net.addr().to_string()).collect();
    for (index, listen) in config.server.listen.iter().enumerate() {
        let (missing, there) = match listen {
            Listen::Address { address, .. } => {
                let any = address.is_unspecified() || address.is_loopback();
                (!any && !addresses.contains(&address.to_string()), have(&addresses))
            }
            Listen::Interface { name, .. } => (!host.interfaces.contains(name), have(&host.interfaces)),
        };
        if !missing {
            continue;
        }
        let message = match listen {
            Listen::Address { address, .. } => {
                format!("server.listen {address} is not an address of this host")
            }
            Listen::Interface { name, .. } => {
                format!("server.listen {name:?} is not an interface of this host")
            }
        };
        let path = ["server", "listen"];
        let item = report.entry(&path).and_then(|entry| match &entry.node.value {
            Value::List(items) => items.get(index).map(|item| &item.spot),
            _ => None,
        });
        let finding = match item {
            Some(spot) => report.at(spot, Code::S10, Level::Error, path.join("."), message),
            None => report.on(&path, Code::S10, Level::Error, message),
        };
        report.push(finding.label("calls cannot arrive here").advice(there));
    }
}

/// Compares the pool with networks and routes of the host; reports the first conflict of each pool.
fn networks(report: &mut Report<'_>, pool: &PoolConfig, host: &HostFacts) {
    let foreign =
        host.addresses.iter().chain(&host.routes).filter(|net| !net.ours && net.net.prefix_len() > 0);
    for other in foreign {
        let net = other.net.trunc();
        if net == Ipv4Net::from(pool.server) {
            continue; // reported as P04
        }
        let path = below(&pool_path(report, &pool.name), "net");
        let (key, interface) = (path.join("."), &other.interface);
        let finding = if net == pool.net {
            let message = format!("{key} {net} is the same as a network of this host, on {interface}");
            report.on(&path, Code::P02, Level::Error, message).label("packets would go there")
        } else if net.contains(&pool.net) {
            let message = format!("{key} {} lies inside {net} on {interface}", pool.net);
            report.on(&path, Code::P01, Level::Error, message).label("hosts there will not send answers here")
        } else if pool.net.contains(&net) {
            let message = format!("{key} {} has {net} on {interface} inside it", pool.net);
            report.on(&path, Code::P01, Level::Error, message).label("part of the pool is elsewhere")
        } else {
            continue;
        };
        let finding = match free_net(host) {
            Some(free) => finding.advice(format!("net = \"{free}\"")),
            None => finding,
        };
        report.push(finding);
        return;
    }
}

/// A private /24 that is not in use on this host.
fn free_net(host: &HostFacts) -> Option<Ipv4Net> {
    let taken = |net: &Ipv4Net| {
        let known = host.addresses.iter().chain(&host.routes).map(|other| other.net.trunc());
        known.filter(|other| other.prefix_len() > 0).any(|other| other.contains(net) || net.contains(&other))
    };
    let candidates =
        (99..=127).chain(64..99).filter_map(|n| Ipv4Net::new(Ipv4Addr::new(10, n, 0, 0), 24).ok());
    candidates.into_iter().find(|net| !taken(net))
}

fn server(report: &mut Report<'_>, pool: &PoolConfig, host: &HostFacts) {
    let same = |net: &&HostNet| !net.ours && net.net.addr() == pool.server;
    let Some(other) = host.addresses.iter().find(same) else { return };
    let path = below(&pool_path(report, &pool.name), "server");
    let message = format!("{} {} is already an address of {}", path.join("."), pool.server, other.interface);
    let finding = report.on(&path, Code::P04, Level::Error, message);
    report.push(finding.label("our end of the tunnel needs one of its own"));
}

/// Windows clients of a split tunnel route the classful network of their address, not the pool's.
fn class_route(report: &mut Report<'_>, config: &Config, pool: &PoolConfig, host: &HostFacts) {
    let split = std::iter::once(&config.access)
        .chain(config.groups.values())
        .any(|access| access.tunnel == Tunnel::Split && access.pool == pool.name);
    let first = pool.net.network().octets()[0];
    let length = match first {
        0..=127 => 8,
        128..=191 => 16,
        _ => 24,
    };
    let Ok(class) = Ipv4Net::new(pool.net.network(), length).map(|net| net.trunc()) else { return };
    if !split || class == pool.net || !class.contains(&pool.net) {
        return;
    }
    let others = host.addresses.iter().chain(&host.routes).filter(|net| !net.ours).map(|net| net.net.trunc());
    let mut hit =
        others.filter(|net| class.contains(net) && !pool.net.contains(net) && !net.contains(&pool.net));
    let Some(other) = hit.next() else { return };
    let path = below(&pool_path(report, &pool.name), "net");
    let message =
        format!("Windows clients will send all of {class} here, {other} too, not only {}", pool.net);
    let finding = report.on(&path, Code::P05, Level::Note, message);
    report.push(finding);
}
