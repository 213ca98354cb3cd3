//! What of the managed state is missing on the host, and putting it back.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use adit_diag::Code;
use adit_diag::event::HostPart;
use adit_sys::net::{MAIN_TABLE, Route};
use adit_sys::tun::{Tun, TunOptions};
use ipnet::{IpNet, Ipv4Net};

use super::{Host, lock};

/// A part of the state that another program has removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The tunnel interface.
    Interface,
    /// The interface is down.
    Up,
    /// An address of it.
    Address(Ipv4Net),
    /// A route to it.
    Route(Ipv4Net),
}

impl Missing {
    /// The part of the host in events and in the status.
    pub(crate) const fn part(&self) -> HostPart {
        match self {
            Missing::Interface | Missing::Up => HostPart::Interface,
            Missing::Address(_) => HostPart::Address,
            Missing::Route(_) => HostPart::Route,
        }
    }

    /// The code.
    pub(crate) const fn code(&self) -> Code {
        match self {
            Missing::Interface | Missing::Up => Code::S07,
            Missing::Address(_) | Missing::Route(_) => Code::S10,
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::Interface => f.write_str("another program has removed the tunnel interface"),
            Missing::Up => f.write_str("another program has brought the tunnel interface down"),
            Missing::Address(address) => {
                write!(f, "another program has removed the address {address} from the tunnel interface")
            }
            Missing::Route(net) => {
                write!(f, "another program has removed the route to {net} through the tunnel interface")
            }
        }
    }
}

/// The state of the host as the kernel shows it.
struct Seen {
    /// Whether the interface is up; `None` if there is none.
    up: Option<bool>,
    addresses: BTreeSet<Ipv4Net>,
    /// The destinations routed to the interface; `None` if they were not read.
    routes: Option<BTreeSet<Ipv4Net>>,
}

/// What is missing of these addresses of the interface and these networks behind clients.
fn missing(addresses: &BTreeSet<Ipv4Net>, networks: &BTreeSet<Ipv4Net>, seen: &Seen) -> Vec<Missing> {
    match seen.up {
        None => return vec![Missing::Interface],
        // Without it there are no routes either.
        Some(false) => return vec![Missing::Up],
        Some(true) => {}
    }
    let mut missing: Vec<Missing> =
        addresses.difference(&seen.addresses).copied().map(Missing::Address).collect();
    if let Some(routes) = &seen.routes {
        // The route of a missing address is missing with it.
        let connected = addresses.intersection(&seen.addresses).map(Ipv4Net::trunc);
        let wanted = connected.chain(networks.iter().copied()).collect::<BTreeSet<_>>();
        missing.extend(wanted.difference(routes).copied().map(Missing::Route));
    }
    missing
}

/// The shortest time between two readings of the routes, as a multiple of the time that one takes: a host may have
/// very many.
const ROUTES_EVERY: u32 = 50;
/// The longest time between two readings.
const ROUTES_LATEST: Duration = Duration::from_secs(60);

impl Host {
    /// What is missing now.
    ///
    /// # Errors
    /// The error of the kernel.
    pub(crate) fn missing(&self) -> adit_sys::Result<Vec<Missing>> {
        // Both are held, so that a change that is being made is not seen halfway.
        let (addresses, networks) = (lock(&self.addresses), lock(&self.routes));
        let index = self.index();
        let interface = self.net.interfaces()?.into_iter().find(|interface| interface.index == index);
        let mut seen =
            Seen { up: interface.map(|interface| interface.up), addresses: BTreeSet::new(), routes: None };
        if seen.up == Some(true) {
            let all = self.net.addresses()?.into_iter().filter(|address| address.interface == index);
            seen.addresses = all.filter_map(|address| v4(address.address)).collect();
            seen.routes = self.routes_now(index)?;
        }
        Ok(missing(&addresses, &networks, &seen))
    }

    /// The destinations routed to the interface, unless the host has so many routes that it is too early.
    fn routes_now(&self, index: u32) -> adit_sys::Result<Option<BTreeSet<Ipv4Net>>> {
        let begun = Instant::now();
        let mut due = lock(&self.routes_due);
        if begun < *due {
            return Ok(None);
        }
        let all = self.net.routes()?.into_iter();
        let ours = all.filter(|route| route.interface == Some(index) && route.table != LOCAL_TABLE);
        let routes = ours.filter_map(|route| v4(route.destination)).collect();
        *due = begun + (begun.elapsed() * ROUTES_EVERY).min(ROUTES_LATEST);
        Ok(Some(routes))
    }

    /// Puts back what is missing; returns the interface if it had to be created again.
    ///
    /// # Errors
    /// The error of the kernel; a part may be back.
    pub(crate) fn put_back(&self, missing: &[Missing]) -> adit_sys::Result<Option<Tun>> {
        let (addresses, networks) = (lock(&self.addresses), lock(&self.routes));
        // Whatever is done, the routes are read again afterwards.
        *lock(&self.routes_due) = Instant::now();
        let is_whole = missing.iter().any(|missing| matches!(missing, Missing::Interface | Missing::Up));
        if !is_whole {
            for one in missing {
                match one {
                    Missing::Address(address) => self.add_address(*address)?,
                    Missing::Route(net) => self.add_missing_route(*net, &addresses)?,
                    Missing::Interface | Missing::Up => {}
                }
            }
            return Ok(None);
        }
        let tun = if missing.contains(&Missing::Interface) {
            let (name, multi_queue) = (self.interface.clone(), self.multi_queue);
            let tun = Tun::open(&TunOptions { name, multi_queue, ..TunOptions::default() })?;
            self.bring_up()?;
            Some(tun)
        } else {
            self.net.set_up(self.index(), true)?;
            None
        };
        for address in addresses.iter() {
            self.add_address(*address)?;
        }
        for net in networks.iter() {
            self.add_missing_route(*net, &addresses)?;
        }
        Ok(tun)
    }

    fn add_missing_route(&self, net: Ipv4Net, addresses: &BTreeSet<Ipv4Net>) -> adit_sys::Result<()> {
        let own = addresses.iter().find(|address| address.trunc() == net);
        let source = own.map(|address| address.addr().into());
        self.net.replace_route(&Route { source, ..Route::new(IpNet::V4(net), self.index()) })
    }
}

/// The table of the host's own addresses.
const LOCAL_TABLE: u32 = MAIN_TABLE + 1;

fn v4(net: IpNet) -> Option<Ipv4Net> {
    match net {
        IpNet::V4(net) => Some(net),
        IpNet::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(all: &[&str]) -> BTreeSet<Ipv4Net> {
        all.iter().map(|net| net.parse().unwrap()).collect()
    }

    fn seen(addresses: &[&str], routes: Option<&[&str]>) -> Seen {
        Seen { up: Some(true), addresses: nets(addresses), routes: routes.map(nets) }
    }

    #[test]
    fn each_missing_part_is_named_once() {
        let addresses = nets(&["10.98.0.1/24", "10.99.0.1/24"]);
        let networks = nets(&["192.168.7.0/24"]);
        let of = |seen: &Seen| missing(&addresses, &networks, seen);
        let whole = ["10.98.0.0/24", "10.99.0.0/24", "192.168.7.0/24", "192.168.9.0/24"];
        assert_eq!(of(&seen(&["10.98.0.1/24", "10.99.0.1/24", "10.1.0.1/24"], Some(&whole))), []);
        let gone = Missing::Address("10.99.0.1/24".parse().unwrap());
        let rest = ["10.98.0.0/24", "192.168.7.0/24"];
        assert_eq!(of(&seen(&["10.98.0.1/24"], Some(&rest))), [gone], "its route is not named too");
        let routes = ["10.98.0.0/24", "192.168.7.0/24"].map(|net| Missing::Route(net.parse().unwrap()));
        assert_eq!(of(&seen(&["10.98.0.1/24", "10.99.0.1/24"], Some(&["10.99.0.0/24"]))), routes);
        assert_eq!(of(&seen(&["10.98.0.1/24", "10.99.0.1/24"], None)), [], "routes that were not read");
        assert_eq!(of(&Seen { up: Some(false), ..seen(&[], None) }), [Missing::Up]);
        assert_eq!(of(&Seen { up: None, ..seen(&[], None) }), [Missing::Interface]);
    }
}
