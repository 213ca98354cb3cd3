//! The network configuration of this host.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;

use crate::error::Result;
use crate::net::{MAIN_TABLE, Net, RouteKind};

/// A default route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultRoute {
    /// The interface's name.
    pub interface: String,
    /// Its index.
    pub index: u32,
    /// The next-hop router; `None` on a point-to-point link.
    pub gateway: Option<IpAddr>,
    /// The interface's first address of the same family, with its network.
    pub address: Option<IpNet>,
    /// Whether that address is reachable from the Internet: not private, carrier-grade NAT or reserved.
    pub public: bool,
}

/// The IPv4 default route with the lowest metric; `None` if there is none.
///
/// # Errors
/// The error of the kernel.
pub fn default_route(net: &Net) -> Result<Option<DefaultRoute>> {
    let mut routes = net.routes()?;
    routes.retain(|r| {
        r.is_default()
            && r.destination.addr().is_ipv4()
            && r.table == MAIN_TABLE
            && r.kind == RouteKind::Unicast
    });
    routes.sort_by_key(|r| r.metric);
    let Some(route) = routes.first() else { return Ok(None) };
    let Some(index) = route.interface else { return Ok(None) };
    let interface = net.interfaces()?.into_iter().find(|i| i.index == index).map(|i| i.name);
    let addresses = net.addresses()?;
    let mut own = addresses.iter().filter(|a| a.interface == index && a.address.addr().is_ipv4());
    let address = own.clone().find(|a| Some(a.address.addr()) == route.source).or_else(|| own.next());
    let address = address.map(|a| a.address);
    let public = address.is_some_and(|a| is_public(a.addr()));
    Ok(Some(DefaultRoute {
        interface: interface.unwrap_or_default(),
        index,
        gateway: route.gateway,
        address,
        public,
    }))
}

/// Whether an address is reachable from the Internet without NAT.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let carrier = a == 100 && b & 0xc0 == 64;
            let benchmark = a == 198 && b & 0xfe == 18;
            let protocol = (a, b, c) == (192, 0, 0);
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || carrier
                || benchmark
                || protocol)
        }
        IpAddr::V6(v6) => v6.segments()[0] & 0xe000 == 0x2000,
    }
}

/// Why a network is in use on this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// An interface has an address in it.
    Address,
    /// A route leads to it.
    Route,
}

/// A network that must not be assigned to clients.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InUse {
    /// The network.
    pub network: IpNet,
    /// The reason.
    pub purpose: Purpose,
    /// The interface's name; empty for a route without an interface.
    pub interface: String,
}

/// All networks in which this host has an address or to which it has a route, of both families, except the
/// loopback, link-local networks and default routes.
///
/// # Errors
/// The error of the kernel.
pub fn in_use(net: &Net) -> Result<Vec<InUse>> {
    let interfaces = net.interfaces()?;
    let find = |index: u32| interfaces.iter().find(|i| i.index == index);
    let name = |index: Option<u32>| index.and_then(find).map(|i| i.name.clone()).unwrap_or_default();
    let mut all = Vec::new();
    for address in net.addresses()? {
        if find(address.interface).is_some_and(|i| i.loopback) || is_link_local(&address.address) {
            continue;
        }
        let interface = name(Some(address.interface));
        all.push(InUse { network: address.address.trunc(), purpose: Purpose::Address, interface });
        if let Some(peer) = address.peer {
            let interface = name(Some(address.interface));
            all.push(InUse { network: IpNet::from(peer), purpose: Purpose::Address, interface });
        }
    }
    for route in net.routes()? {
        let wanted = matches!(route.kind, RouteKind::Unicast | RouteKind::Refused);
        let loopback = route.interface.and_then(find).is_some_and(|i| i.loopback);
        let multicast = route.destination.addr().is_multicast();
        if !wanted || route.is_default() || loopback || multicast || is_link_local(&route.destination) {
            continue;
        }
        let network = route.destination.trunc();
        if !all.iter().any(|used| used.network == network) {
            all.push(InUse { network, purpose: Purpose::Route, interface: name(route.interface) });
        }
    }
    all.sort();
    all.dedup();
    Ok(all)
}

fn is_link_local(network: &IpNet) -> bool {
    match network {
        IpNet::V4(v4) => v4.addr().is_link_local(),
        IpNet::V6(v6) => v6.addr().segments()[0] & 0xffc0 == 0xfe80,
    }
}

/// The resolver configuration of this host.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Resolver {
    /// The servers, in the order in which they are queried.
    pub servers: Vec<IpAddr>,
    /// Domains that are appended to a name without dots.
    pub search: Vec<String>,
}

/// The resolver configuration of /etc/resolv.conf; for a local stub (127.0.0.53), the servers that systemd-resolved
/// queries, if its own file lists them.
pub fn nameservers() -> Resolver {
    let read = |path: &str| fs::read_to_string(Path::new(path)).map(|t| parse(&t)).unwrap_or_default();
    let resolver = read("/etc/resolv.conf");
    let stub = resolver.servers.iter().all(IpAddr::is_loopback);
    if stub && !resolver.servers.is_empty() {
        let behind = read("/run/systemd/resolve/resolv.conf");
        if !behind.servers.is_empty() {
            return behind;
        }
    }
    resolver
}

fn parse(text: &str) -> Resolver {
    let mut resolver = Resolver::default();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("nameserver") => {
                let address = words.next().and_then(|w| w.split('%').next());
                resolver.servers.extend(address.and_then(|a| a.parse::<IpAddr>().ok()));
            }
            // The last one is used (resolv.conf(5)).
            Some("search" | "domain") => resolver.search = words.map(str::to_owned).collect(),
            _ => {}
        }
    }
    resolver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_distinguished_from_the_rest() {
        for public in ["203.0.113.10", "8.8.8.8", "100.63.0.1", "100.128.0.1", "2001:db8::1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "10.1.2.3",
            "192.168.1.1",
            "172.31.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.1.1",
            "fd00::1",
            "127.0.0.1",
            "0.1.2.3",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn resolv_conf_is_read_as_the_resolver_reads_it() {
        let text = "# comment\nsearch old.example\nnameserver 192.168.10.5 ; first\nnameserver fe80::1%eth0\n\
                    nameserver nonsense\noptions edns0\nsearch corp.example.org example.org\n";
        let resolver = parse(text);
        assert_eq!(resolver.servers, ["192.168.10.5".parse::<IpAddr>().unwrap(), "fe80::1".parse().unwrap()]);
        assert_eq!(resolver.search, ["corp.example.org", "example.org"]);
        assert_eq!(parse(""), Resolver::default());
    }
}
