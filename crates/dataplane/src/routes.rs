//! Routing from a destination address to its call.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use adit_wire::LocalCallId;
use ipnet::{IpNet, Ipv4Net};

/// A pool with more addresses than this has no array; its addresses are looked up like other networks.
const MAX_POOL: u32 = 1 << 20;

/// No call: this side never assigns Call ID 0.
const NONE: LocalCallId = LocalCallId::new(0);

/// The destinations of all calls.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    pools: Vec<Pool>,
    v4: Table<u32>,
    v6: Table<u128>,
    /// All added networks: the call of each network, and the networks of each call.
    owners: BTreeMap<IpNet, LocalCallId>,
    networks: BTreeMap<LocalCallId, Vec<IpNet>>,
}

/// An array for the addresses from `first` on: the Call ID of each, or [`NONE`].
#[derive(Debug)]
struct Pool {
    first: u32,
    calls: Vec<LocalCallId>,
}

impl Routes {
    /// Sets the pools; the routes are kept.
    pub(crate) fn set_pools(&mut self, networks: &[Ipv4Net]) {
        self.pools = networks
            .iter()
            .map(|net| (u32::from(net.network()), u32::from(net.broadcast())))
            .filter(|(first, last)| last - first < MAX_POOL)
            .map(|(first, last)| Pool { first, calls: vec![NONE; (last - first) as usize + 1] })
            .collect();
        (self.v4, self.v6) = (Table::default(), Table::default());
        let owners = std::mem::take(&mut self.owners);
        for (net, call_id) in &owners {
            self.set(*net, *call_id);
        }
        self.owners = owners;
    }

    /// Adds a route for `net` to a call, which replaces that of another call.
    pub(crate) fn add(&mut self, net: IpNet, call_id: LocalCallId) {
        self.owners.insert(net, call_id);
        let networks = self.networks.entry(call_id).or_default();
        if !networks.contains(&net) {
            networks.push(net);
        }
        self.set(net, call_id);
    }

    /// Removes all networks of a call.
    pub(crate) fn remove_call(&mut self, call_id: LocalCallId) {
        for net in self.networks.remove(&call_id).unwrap_or_default() {
            if self.owners.get(&net) == Some(&call_id) {
                self.owners.remove(&net);
                self.unset(net);
            }
        }
    }

    fn set(&mut self, net: IpNet, call_id: LocalCallId) {
        match net {
            IpNet::V4(net) => match self.pool_entry(net) {
                Some(entry) => *entry = call_id,
                None => self.v4.insert(u32::from(net.network()), net.prefix_len(), call_id),
            },
            IpNet::V6(net) => self.v6.insert(u128::from(net.network()), net.prefix_len(), call_id),
        }
    }

    fn unset(&mut self, net: IpNet) {
        match net {
            IpNet::V4(net) => match self.pool_entry(net) {
                Some(entry) => *entry = NONE,
                None => self.v4.remove(u32::from(net.network()), net.prefix_len()),
            },
            IpNet::V6(net) => self.v6.remove(u128::from(net.network()), net.prefix_len()),
        }
    }

    /// The call for a destination.
    pub(crate) fn find(&self, destination: IpAddr) -> Option<LocalCallId> {
        match destination {
            IpAddr::V4(address) => self.find_v4(address),
            IpAddr::V6(address) => self.find_v6(address),
        }
    }

    fn find_v4(&self, address: Ipv4Addr) -> Option<LocalCallId> {
        let address = u32::from(address);
        for pool in &self.pools {
            let at = address.wrapping_sub(pool.first) as usize;
            if let Some(call_id) = pool.calls.get(at).filter(|call_id| **call_id != NONE) {
                return Some(*call_id);
            }
        }
        self.v4
            .find(address, |address, bits| if bits == 0 { 0 } else { address >> (32 - bits) << (32 - bits) })
    }

    fn find_v6(&self, address: Ipv6Addr) -> Option<LocalCallId> {
        self.v6.find(
            u128::from(address),
            |address, bits| {
                if bits == 0 { 0 } else { address >> (128 - bits) << (128 - bits) }
            },
        )
    }

    fn pool_entry(&mut self, net: Ipv4Net) -> Option<&mut LocalCallId> {
        if net.prefix_len() != 32 {
            return None;
        }
        let address = u32::from(net.network());
        self.pools.iter_mut().find_map(|pool| pool.calls.get_mut(address.wrapping_sub(pool.first) as usize))
    }
}

/// Networks by prefix length, the longest first, each length sorted.
#[derive(Debug)]
struct Table<A>(Vec<(u8, Vec<(A, LocalCallId)>)>);

impl<A> Default for Table<A> {
    fn default() -> Table<A> {
        Table(Vec::new())
    }
}

impl<A: Copy + Ord> Table<A> {
    fn insert(&mut self, network: A, bits: u8, call_id: LocalCallId) {
        let at = match self.0.binary_search_by(|(other, _)| bits.cmp(other)) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (bits, Vec::new()));
                at
            }
        };
        if let Some((_, networks)) = self.0.get_mut(at) {
            match networks.binary_search_by_key(&network, |(other, _)| *other) {
                Ok(at) => networks[at].1 = call_id,
                Err(at) => networks.insert(at, (network, call_id)),
            }
        }
    }

    fn remove(&mut self, network: A, bits: u8) {
        for (_, networks) in self.0.iter_mut().filter(|(other, _)| *other == bits) {
            networks.retain(|(other, _)| *other != network);
        }
        self.0.retain(|(_, networks)| !networks.is_empty());
    }

    fn find(&self, address: A, masked: impl Fn(A, u8) -> A) -> Option<LocalCallId> {
        self.0.iter().find_map(|(bits, networks)| {
            let network = masked(address, *bits);
            let at = networks.binary_search_by_key(&network, |(other, _)| *other).ok()?;
            networks.get(at).map(|(_, call_id)| *call_id)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn find(routes: &Routes, text: &str) -> Option<u16> {
        routes.find(text.parse().unwrap()).map(LocalCallId::get)
    }

    fn routes() -> Routes {
        let mut routes = Routes::default();
        routes.set_pools(&["10.0.0.0/24".parse().unwrap(), "10.8.0.0/13".parse().unwrap()]);
        for (text, call_id) in [
            ("10.0.0.2/32", 2),
            ("10.0.0.3/32", 3),
            ("10.9.9.9/32", 4), // in a pool that is too large for an array
            ("192.0.2.7/32", 5),
            ("192.0.0.0/16", 6),
            ("192.0.2.0/24", 3),
            ("fe80::2/128", 2),
            ("2001:db8::/32", 3),
        ] {
            routes.add(net(text), LocalCallId::new(call_id));
        }
        routes
    }

    #[test]
    fn the_longest_network_wins() {
        let routes = routes();
        for (address, call_id) in [
            ("10.0.0.2", Some(2)),
            ("10.0.0.3", Some(3)),
            ("10.0.0.4", None),
            ("10.9.9.9", Some(4)),
            ("192.0.2.7", Some(5)),
            ("192.0.2.8", Some(3)),
            ("192.0.3.8", Some(6)),
            ("192.1.0.0", None),
            ("fe80::2", Some(2)),
            ("fe80::3", None),
            ("2001:db8:1::1", Some(3)),
        ] {
            assert_eq!(find(&routes, address), call_id, "{address}");
        }
    }

    #[test]
    fn a_call_takes_its_networks_with_it() {
        let mut routes = routes();
        routes.remove_call(LocalCallId::new(3));
        assert_eq!(find(&routes, "10.0.0.3"), None);
        assert_eq!(find(&routes, "192.0.2.8"), Some(6));
        assert_eq!(find(&routes, "2001:db8:1::1"), None);
        for call_id in 0..10 {
            routes.remove_call(LocalCallId::new(call_id));
        }
        assert!(
            routes.v4.0.is_empty()
                && routes.v6.0.is_empty()
                && routes.owners.is_empty()
                && routes.networks.is_empty()
        );
    }

    #[test]
    fn the_newer_call_has_the_address_and_the_older_does_not_take_it_away() {
        let mut routes = routes();
        routes.add(net("10.0.0.2/32"), LocalCallId::new(9));
        assert_eq!(find(&routes, "10.0.0.2"), Some(9));
        routes.remove_call(LocalCallId::new(2));
        assert_eq!(find(&routes, "10.0.0.2"), Some(9));
    }

    #[test]
    fn new_pools_keep_the_routes() {
        let mut routes = routes();
        routes.set_pools(&["192.0.2.0/24".parse().unwrap()]);
        for (address, call_id) in [("10.0.0.2", 2), ("192.0.2.7", 5), ("192.0.2.8", 3), ("fe80::2", 2)] {
            assert_eq!(find(&routes, address), Some(call_id), "{address}");
        }
        assert!(routes.pools[0].calls.contains(&LocalCallId::new(5)));
    }

    #[test]
    fn a_default_route_is_a_route() {
        let mut routes = Routes::default();
        routes.add(net("0.0.0.0/0"), LocalCallId::new(1));
        routes.add(net("::/0"), LocalCallId::new(1));
        assert_eq!((find(&routes, "8.8.8.8"), find(&routes, "2001::1")), (Some(1), Some(1)));
    }
}
