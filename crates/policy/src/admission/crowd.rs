//! Connections grouped by address and by /24 network, to find those of the largest group.

use core::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// The /24 network of an address.
pub(super) fn network(from: Ipv4Addr) -> u32 {
    u32::from(from) >> 8
}

/// The ids of one group; ids grow with time.
type Ids = BTreeSet<u64>;

/// Size, then age of the oldest member: the last of an ordered set is the largest group, and the one with the oldest
/// member among groups of equal size.
type Rank<K> = (usize, Reverse<u64>, K);

/// Groups by key, ranked by size.
#[derive(Debug)]
struct Groups<K> {
    members: BTreeMap<K, Ids>,
    ranks: BTreeSet<Rank<K>>,
}

impl<K: Copy + Ord> Groups<K> {
    fn new() -> Groups<K> {
        Groups { members: BTreeMap::new(), ranks: BTreeSet::new() }
    }

    fn rank(key: K, ids: &Ids) -> Option<Rank<K>> {
        ids.first().map(|oldest| (ids.len(), Reverse(*oldest), key))
    }

    fn change(&mut self, key: K, change: impl FnOnce(&mut Ids) -> bool) -> bool {
        let ids = self.members.entry(key).or_default();
        if let Some(rank) = Groups::rank(key, ids) {
            self.ranks.remove(&rank);
        }
        let changed = change(ids);
        match Groups::rank(key, ids) {
            Some(rank) => {
                self.ranks.insert(rank);
            }
            None => {
                self.members.remove(&key);
            }
        }
        changed
    }

    fn count(&self, key: K) -> usize {
        self.members.get(&key).map_or(0, Ids::len)
    }

    fn largest(&self) -> Option<K> {
        self.ranks.last().map(|(.., key)| *key)
    }
}

/// Connections by address, and addresses by network.
#[derive(Debug)]
pub struct Crowd {
    len: usize,
    networks: Groups<u32>,
    addresses: BTreeMap<u32, Groups<Ipv4Addr>>,
}

impl Crowd {
    /// No connections.
    pub fn new() -> Crowd {
        Crowd { len: 0, networks: Groups::new(), addresses: BTreeMap::new() }
    }

    /// The number of connections.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no connection.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a connection. A newer connection has a greater id.
    pub fn insert(&mut self, from: Ipv4Addr, id: u64) {
        let net = network(from);
        if self.networks.change(net, |ids| ids.insert(id)) {
            self.len += 1;
            self.addresses.entry(net).or_insert_with(Groups::new).change(from, |ids| ids.insert(id));
        }
    }

    /// Removes a connection; false if it was not there.
    pub fn remove(&mut self, from: Ipv4Addr, id: u64) -> bool {
        let net = network(from);
        if !self.networks.change(net, |ids| ids.remove(&id)) {
            return false;
        }
        self.len -= 1;
        if let Some(addresses) = self.addresses.get_mut(&net) {
            addresses.change(from, |ids| ids.remove(&id));
            if addresses.members.is_empty() {
                self.addresses.remove(&net);
            }
        }
        true
    }

    /// The number of connections of the network of an address, and of the address.
    pub fn counts(&self, from: Ipv4Addr) -> (usize, usize) {
        let net = network(from);
        let addresses = self.addresses.get(&net);
        (self.networks.count(net), addresses.map_or(0, |addresses| addresses.count(from)))
    }

    /// The address with most connections of the network with most connections.
    pub fn largest(&self) -> Option<Ipv4Addr> {
        self.addresses.get(&self.networks.largest()?)?.largest()
    }

    /// The oldest connection of an address.
    pub fn oldest(&self, from: Ipv4Addr) -> Option<u64> {
        self.addresses.get(&network(from))?.members.get(&from)?.first().copied()
    }

    /// The newest connection of an address.
    pub fn newest(&self, from: Ipv4Addr) -> Option<u64> {
        self.addresses.get(&network(from))?.members.get(&from)?.last().copied()
    }
}

impl Default for Crowd {
    fn default() -> Crowd {
        Crowd::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(net: u8, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(203, 0, net, host)
    }

    proptest! {
        #[test]
        fn counts_and_the_largest_group_match_a_plain_list(
            changes in proptest::collection::vec((0u8..4, 0u8..4, 0u64..40, any::<bool>()), 0..200),
        ) {
            let mut crowd = Crowd::new();
            let mut list: Vec<(Ipv4Addr, u64)> = Vec::new();
            for (net, host, id, is_new) in changes {
                let from = address(net, host);
                let known = list.iter().position(|(_, other)| *other == id);
                match (is_new, known) {
                    (true, None) => {
                        crowd.insert(from, id);
                        list.push((from, id));
                    }
                    (false, Some(at)) => {
                        let (from, id) = list.remove(at);
                        prop_assert!(crowd.remove(from, id));
                    }
                    (false, None) => prop_assert!(!crowd.remove(from, id)),
                    (true, Some(_)) => {}
                }
            }
            prop_assert_eq!(crowd.len(), list.len());
            let of_net = |from: Ipv4Addr| list.iter().filter(|(a, _)| network(*a) == network(from)).count();
            let of_address = |from: Ipv4Addr| list.iter().filter(|(a, _)| *a == from).count();
            for (from, _) in &list {
                prop_assert_eq!(crowd.counts(*from), (of_net(*from), of_address(*from)));
                let ids = || list.iter().filter(|(a, _)| a == from).map(|(_, id)| *id);
                prop_assert_eq!(crowd.oldest(*from), ids().min());
                prop_assert_eq!(crowd.newest(*from), ids().max());
            }
            match crowd.largest() {
                None => prop_assert!(list.is_empty()),
                Some(largest) => {
                    prop_assert_eq!(Some(of_net(largest)), list.iter().map(|(a, _)| of_net(*a)).max());
                    let same = list.iter().filter(|(a, _)| network(*a) == network(largest));
                    prop_assert_eq!(Some(of_address(largest)), same.map(|(a, _)| of_address(*a)).max());
                }
            }
            if list.is_empty() {
                prop_assert!(crowd.networks.members.is_empty() && crowd.networks.ranks.is_empty());
                prop_assert!(crowd.addresses.is_empty());
            }
        }
    }

    #[test]
    fn among_groups_of_equal_size_the_one_with_the_oldest_connection_is_the_largest() {
        let mut crowd = Crowd::new();
        for (id, net) in [(1, 9), (2, 7), (3, 8)] {
            crowd.insert(address(net, 1), id);
        }
        assert_eq!(crowd.largest(), Some(address(9, 1)));
        crowd.remove(address(9, 1), 1);
        assert_eq!(crowd.largest(), Some(address(7, 1)));
    }
}
