//! Interfaces, addresses and routes: the paths of a call and of its packets.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;

use adit_doctor::facts::host::{Bite, Check, Forward, Host, NotTested, ReversePath, Sizes, Wan};
use ipnet::Ipv4Net;

use super::system::{sysctl, text};
use super::{Purpose, not_tested, run};
use crate::read::ip::{self, Link, Neighbour, Route, Rule, Way};
use crate::read::proc;

/// The most that the tunnel adds to an inner packet: IP 20, GRE 16, PPP 4, MPPE 4.
const OVERHEAD: u32 = 44;

/// Links, routes, rules and neighbours, from the output of `ip`.
#[derive(Debug, Default)]
pub(super) struct Network {
    pub(super) links: Vec<Link>,
    pub(super) routes: Vec<Route>,
    pub(super) rules: Vec<Rule>,
    pub(super) neighbours: Vec<Neighbour>,
}

/// An address that only a default route reaches.
pub(super) const INTERNET: Ipv4Addr = Ipv4Addr::new(192, 88, 99, 1);
/// The most addresses of a network that are tried to find one that is not our own.
const OWN_MAX: usize = 64;

/// The next hop of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leads {
    pub(super) dev: String,
    pub(super) via: Option<Ipv4Addr>,
    pub(super) source: Option<Ipv4Addr>,
    pub(super) mtu: Option<u32>,
}

impl Network {
    pub(super) fn read(host: &mut Host) -> Network {
        let mut network = Network::default();
        let links = ask(&["-j", "-4", "address"], ip::links);
        let routes = ask(&["-j", "-4", "route", "show", "table", "all"], ip::routes);
        let rules = ask(&["-j", "-4", "rule"], ip::rules);
        let neighbours = ask(&["-j", "-4", "neighbour"], ip::neighbours);
        for why in [links.as_ref().err(), routes.as_ref().err(), rules.as_ref().err()].into_iter().flatten() {
            for check in [Check::Nat, Check::Forward, Check::RpFilter, Check::Mtu] {
                not_tested(host, check, why.clone());
            }
        }
        network.links = links.unwrap_or_default();
        network.routes = routes.unwrap_or_default();
        network.rules = rules.unwrap_or_default();
        network.neighbours = neighbours.unwrap_or_default();
        network
    }

    /// Whether any information is available.
    pub(super) fn known(&self) -> bool {
        !self.links.is_empty()
    }

    pub(super) fn interface_of(&self, address: Ipv4Addr) -> Option<&Link> {
        self.links.iter().find(|link| link.addresses.iter().any(|net| net.addr() == address))
    }

    pub(super) fn link(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.name == name)
    }

    /// The next hop of a packet; `None` if there is none or it is unknown.
    pub(super) fn leads(&self, from: Ipv4Addr, to: Ipv4Addr, iif: Option<&str>) -> Option<Leads> {
        match ip::way(&self.rules, &self.routes, from, to, iif) {
            Way::Route(route) if route.kind == "unicast" => {
                Some(Leads { dev: route.dev.clone()?, via: route.via, source: route.source, mtu: route.mtu })
            }
            _ => None,
        }
    }

    /// The default route of the main table.
    fn default_route(&self) -> Option<&Route> {
        let mut all: Vec<&Route> = self
            .routes
            .iter()
            .filter(|route| route.to.prefix_len() == 0 && route.table == "main" && route.kind == "unicast")
            .collect();
        all.sort_by_key(|route| (route.dead, route.metric));
        all.first().copied()
    }

    /// The interface and address for clients: of several, the one on the path to the Internet, or a public
    /// one.
    pub(super) fn outside(&self, purpose: &Purpose) -> Option<(String, Ipv4Addr)> {
        let mut named: Vec<(String, Ipv4Addr)> = purpose
            .listen
            .iter()
            .filter_map(|listen| {
                if let Some(name) = &listen.interface {
                    return Some((name.clone(), self.link(name)?.addresses.first()?.addr()));
                }
                let address =
                    listen.address.filter(|address| !address.is_unspecified() && !address.is_loopback())?;
                Some((self.interface_of(address)?.name.clone(), address))
            })
            .collect();
        let default = self.default_route().and_then(|route| route.dev.clone());
        named.sort_by_key(|(name, address)| (Some(name) != default.as_ref(), address.is_private()));
        let named = named.into_iter().next();
        let by_default = || {
            let route = self.default_route()?;
            let name = route.dev.clone()?;
            let own = self.link(&name)?.addresses.first().map(|net| net.addr());
            Some((name, route.source.or(own)?))
        };
        let only = || {
            let others = |link: &&Link| !link.loopback && link.up && link.name != purpose.tunnel;
            let link = self.links.iter().filter(others).find(|link| !link.addresses.is_empty())?;
            Some((link.name.clone(), link.addresses.first()?.addr()))
        };
        named.or_else(by_default).or_else(only)
    }

    pub(super) fn wan(&self, purpose: &Purpose, host: &mut Host) {
        let Some((interface, address)) = self.outside(purpose) else {
            not_tested(host, Check::Nat, "no interface with an address is known");
            return;
        };
        let default = self.default_route();
        let elsewhere = default.is_some_and(|route| route.dev.as_ref() != Some(&interface));
        host.wan = Some(Wan {
            address: Some(address),
            router: default.filter(|_| !elsewhere).and_then(|route| route.via),
            // A private address that is not on the path to the Internet serves internal clients.
            inside_only: elsewhere || default.is_none(),
            interface,
        });
    }

    /// Adds the forwarding facts that do not depend on the packet filter; those that do must be added before.
    pub(super) fn forward(&self, purpose: &Purpose, host: &mut Host) {
        if purpose.pools.is_empty() {
            not_tested(host, Check::Forward, "no configuration: the networks for clients are not known");
        }
        if host.not_tested.contains_key(&Check::Forward) {
            return;
        }
        let mut forward = host.forward.take().unwrap_or_default();
        forward.on = sysctl("net/ipv4/ip_forward").map(|value| value != 0);
        forward.networks = self.behind(purpose);
        for (net, ours) in &purpose.pools {
            let Some(client) = net.hosts().find(|address| address != ours) else { continue };
            if purpose.daemon.is_none() {
                break;
            }
            match ip::way(&self.rules, &self.routes, Ipv4Addr::UNSPECIFIED, client, None) {
                Way::Route(route) if route.dev.as_ref() == Some(&purpose.tunnel) => {}
                Way::Route(route) if route.kind == "unicast" => {
                    let dev = route.dev.clone().unwrap_or_default();
                    forward.pool_elsewhere.push((*net, format!("through {dev}")));
                }
                Way::Nowhere => forward.pool_elsewhere.push((*net, "nowhere".to_owned())),
                _ => {}
            }
        }
        for net in &forward.networks {
            let Some((_, ours)) = purpose.pools.first() else { break };
            let refused =
                |route: &Route| matches!(route.kind.as_str(), "unreachable" | "blackhole" | "prohibit");
            let inside = self.other_host_in(*net);
            match ip::way(&self.rules, &self.routes, *ours, inside, Some(&purpose.tunnel)) {
                Way::Nowhere => forward.no_route.push(*net),
                Way::Route(route) if refused(route) => forward.no_route.push(*net),
                _ => {}
            }
        }
        host.forward = Some(forward);
    }

    /// The networks that clients may reach beyond this host.
    pub(super) fn behind(&self, purpose: &Purpose) -> Vec<Ipv4Net> {
        let own = |net: &Ipv4Net| net.prefix_len() == 32 && self.interface_of(net.addr()).is_some();
        let pool = |net: &Ipv4Net| purpose.pools.iter().any(|(pool, _)| pool.contains(net));
        let mut nets: Vec<Ipv4Net> =
            purpose.reach.iter().map(Ipv4Net::trunc).filter(|net| !own(net) && !pool(net)).collect();
        nets.sort();
        nets.dedup();
        nets
    }

    pub(super) fn sizes(&self, purpose: &Purpose, host: &mut Host) {
        let Some((interface, _)) = self.outside(purpose) else { return };
        let outer = self.link(&interface).map_or(0, |link| link.mtu);
        if purpose.mtu == 0 {
            return;
        }
        let by_rule = host.forward.as_ref().is_some_and(|forward| forward.clamped);
        host.sizes = Some(Sizes {
            outer,
            inner: u32::from(purpose.mtu),
            overhead: OVERHEAD,
            clamped: purpose.clamps || by_rule,
        });
    }

    /// Where the reverse-path filter is strict, and which packets it may drop.
    pub(super) fn reverse_path(&self, purpose: &Purpose, host: &mut Host) {
        if host.not_tested.contains_key(&Check::RpFilter) {
            return;
        }
        let all = sysctl("net/ipv4/conf/all/rp_filter").unwrap_or(0);
        let strict = |link: &&Link| {
            !link.loopback
                && all.max(sysctl(&format!("net/ipv4/conf/{}/rp_filter", link.name)).unwrap_or(0)) == 1
        };
        let strict: Vec<&Link> = self.links.iter().filter(strict).collect();
        let mut bites = Vec::new();
        for link in &strict {
            bites.extend(self.seen_elsewhere(purpose, link));
            bites.extend(self.clients_elsewhere(purpose, link));
        }
        host.reverse_path = Some(ReversePath {
            strict: strict.iter().map(|link| link.name.clone()).collect(),
            bites,
            dropped: dropped(),
            grew: None,
        });
    }

    /// Hosts behind the server that were seen on one link while the route to them uses another.
    fn seen_elsewhere(&self, purpose: &Purpose, link: &Link) -> Option<Bite> {
        let wanted = |neighbour: &&Neighbour| {
            neighbour.known
                && neighbour.dev == link.name
                && purpose.reach.iter().any(|net| net.prefix_len() > 0 && net.contains(&neighbour.address))
        };
        self.neighbours.iter().filter(wanted).find_map(|neighbour| {
            let own = link.addresses.first().map_or(Ipv4Addr::UNSPECIFIED, |net| net.addr());
            let leads = self.leads(own, neighbour.address, None)?;
            (leads.dev != link.name).then(|| Bite {
                interface: link.name.clone(),
                from: neighbour.address.to_string(),
                way_back: format!("through {}", leads.dev),
                certain: false,
            })
        })
    }

    /// Detects clients that connect to the address of one uplink while answers leave through another.
    fn clients_elsewhere(&self, purpose: &Purpose, link: &Link) -> Option<Bite> {
        let [listen] = purpose.listen.as_slice() else { return None };
        let address =
            listen.address.filter(|address| link.addresses.iter().any(|net| net.addr() == *address))?;
        let leads = self.leads(address, INTERNET, None)?;
        let public = !address.is_private();
        (leads.dev != link.name && public).then(|| Bite {
            interface: link.name.clone(),
            from: "clients outside".to_owned(),
            way_back: format!("through {}", leads.dev),
            certain: true,
        })
    }

    /// The address of this host on the path to another.
    pub(super) fn own_towards(&self, to: Ipv4Addr) -> Option<Ipv4Addr> {
        let leads = self.leads(Ipv4Addr::UNSPECIFIED, to, None)?;
        let first = || self.link(&leads.dev)?.addresses.first().map(|net| net.addr());
        leads.source.or_else(first)
    }

    /// An address in a network that does not belong to this host.
    pub(super) fn other_host_in(&self, net: Ipv4Net) -> Ipv4Addr {
        if net.prefix_len() == 0 {
            return INTERNET;
        }
        let other = |address: &Ipv4Addr| self.interface_of(*address).is_none();
        net.hosts().take(OWN_MAX).find(other).unwrap_or(net.addr())
    }

    /// The hosts behind the server to probe: DNS servers, routers, neighbours.
    pub(super) fn hosts_behind(&self, purpose: &Purpose, most: usize) -> Vec<Ipv4Addr> {
        let nets = self.behind(purpose);
        let inside =
            |address: &Ipv4Addr| nets.iter().any(|net| net.prefix_len() > 0 && net.contains(address));
        let tunnelled = |dev: &str| dev == purpose.tunnel;
        let mut found: Vec<Ipv4Addr> = purpose.dns.iter().copied().filter(inside).collect();
        let overlaps = |net: &Ipv4Net| {
            nets.iter().any(|other| other.prefix_len() > 0 && (other.contains(net) || net.contains(other)))
        };
        let routes = self.routes.iter().filter(|route| route.to.prefix_len() > 0 && overlaps(&route.to));
        found.extend(routes.filter_map(|route| route.via));
        let seen =
            self.neighbours.iter().filter(|one| one.known && !tunnelled(&one.dev) && inside(&one.address));
        found.extend(seen.map(|neighbour| neighbour.address));
        let mut once = BTreeSet::new();
        found.retain(|address| self.interface_of(*address).is_none() && once.insert(*address));
        found.truncate(most);
        found
    }
}

fn ask<T>(arguments: &[&str], read: fn(&str) -> Result<T, crate::read::ReadError>) -> Result<T, NotTested> {
    let text = run::run("ip", arguments).map_err(|silent| silent.not_tested("ip", "iproute2"))?;
    read(&text).map_err(|error| NotTested::Other(error.to_string()))
}

/// The number of packets that the reverse-path filter has dropped.
pub(super) fn dropped() -> Option<u64> {
    let text = text(Path::new("/proc/thread-self/net/netstat"), 1 << 20).ok()?;
    proc::counter(&text, "TcpExt", "IPReversePathFilter")
}

/// Adds a result of the packet filter to the facts about forwarding.
pub(super) fn put(host: &mut Host, with: impl FnOnce(&mut Forward)) {
    with(host.forward.get_or_insert_with(Forward::default));
}
