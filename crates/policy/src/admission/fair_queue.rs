//! A bounded queue that is fair between networks and addresses: they take turns, so that a crowd delays only itself.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::crowd::network;
use super::{Crowd, Standing};

/// Groups that take turns, each with its own content.
#[derive(Debug)]
struct Turns<K, V> {
    groups: BTreeMap<K, (u64, V)>,
    /// The group with the lowest number is next.
    order: BTreeSet<(u64, K)>,
    /// Those that have not had a turn yet, the newest last.
    unserved: BTreeSet<(u64, K)>,
    next: u64,
}

impl<K: Copy + Ord, V> Turns<K, V> {
    fn new() -> Turns<K, V> {
        Turns { groups: BTreeMap::new(), order: BTreeSet::new(), unserved: BTreeSet::new(), next: 0 }
    }

    /// The content of a group; a new group has its turn after all others.
    fn entry(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        let (turn, order, unserved) = (&mut self.next, &mut self.order, &mut self.unserved);
        let (_, content) = self.groups.entry(key).or_insert_with(|| {
            *turn += 1;
            order.insert((*turn, key));
            unserved.insert((*turn, key));
            (*turn, new())
        });
        content
    }

    /// The group has had its turn.
    fn had_turn(&mut self, key: K) {
        if let Some((turn, _)) = self.groups.get_mut(&key) {
            self.order.remove(&(*turn, key));
            self.unserved.remove(&(*turn, key));
            self.next += 1;
            *turn = self.next;
            self.order.insert((*turn, key));
        }
    }

    fn remove(&mut self, key: K) {
        if let Some((turn, _)) = self.groups.remove(&key) {
            self.order.remove(&(turn, key));
            self.unserved.remove(&(turn, key));
        }
    }
}

/// The ids of one address; ids grow with time.
type Line = BTreeSet<u64>;

/// The connections whose addresses have the same standing.
#[derive(Debug)]
struct Tier {
    crowd: Crowd,
    networks: Turns<u32, Turns<Ipv4Addr, Line>>,
}

impl Tier {
    fn new() -> Tier {
        Tier { crowd: Crowd::new(), networks: Turns::new() }
    }

    fn push(&mut self, from: Ipv4Addr, id: u64) {
        self.crowd.insert(from, id);
        self.networks.entry(network(from), Turns::new).entry(from, Line::new).insert(id);
    }

    fn remove(&mut self, from: Ipv4Addr, id: u64) {
        let net = network(from);
        self.crowd.remove(from, id);
        let Some((_, addresses)) = self.networks.groups.get_mut(&net) else { return };
        if let Some((_, line)) = addresses.groups.get_mut(&from) {
            line.remove(&id);
            if line.is_empty() {
                addresses.remove(from);
            }
        }
        if addresses.groups.is_empty() {
            self.networks.remove(net);
        }
    }

    /// The next connection of an address that `is_allowed`; the newest network that had no turn yet can be `first`.
    fn next(
        &self,
        first: Option<u32>,
        mut is_allowed: impl FnMut(Ipv4Addr) -> bool,
    ) -> Option<(Ipv4Addr, u64)> {
        let order = first.into_iter().chain(self.networks.order.iter().map(|(_, net)| *net));
        let networks = order.filter_map(|net| self.networks.groups.get(&net));
        let addresses = networks
            .flat_map(|(_, addresses)| addresses.order.iter().map(move |(_, from)| (addresses, *from)));
        for (addresses, from) in addresses {
            if is_allowed(from)
                && let Some((_, line)) = addresses.groups.get(&from)
                && let Some(id) = line.first()
            {
                return Some((from, *id));
            }
        }
        None
    }

    /// The address and its network have had their turn.
    fn had_turn(&mut self, from: Ipv4Addr) {
        let net = network(from);
        if let Some((_, addresses)) = self.networks.groups.get_mut(&net) {
            addresses.had_turn(from);
        }
        self.networks.had_turn(net);
    }
}

/// The standings in the order in which they are served. Every standing is served at least once in four turns, so that
/// none waits for ever; known addresses have half of the turns if they need them.
const ORDERS: [[Standing; 3]; 4] = [
    [Standing::Known, Standing::New, Standing::Failed],
    [Standing::New, Standing::Known, Standing::Failed],
    [Standing::Known, Standing::New, Standing::Failed],
    [Standing::Failed, Standing::Known, Standing::New],
];

/// Connections that wait.
#[derive(Debug)]
pub struct FairQueue {
    capacity: usize,
    per_address: usize,
    waiting: BTreeMap<u64, (Ipv4Addr, Standing)>,
    tiers: [Tier; 3],
    turns: usize,
}

impl FairQueue {
    /// Makes a queue for `capacity` connections, of which one address may have `per_address`; both at least one.
    pub fn new(capacity: usize, per_address: usize) -> FairQueue {
        FairQueue {
            capacity: capacity.max(1),
            per_address: per_address.max(1),
            waiting: BTreeMap::new(),
            tiers: [Tier::new(), Tier::new(), Tier::new()],
            turns: 0,
        }
    }

    /// The number of connections that wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether no connection waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn tier(&mut self, standing: Standing) -> &mut Tier {
        let [known, new, failed] = &mut self.tiers;
        match standing {
            Standing::Known => known,
            Standing::New => new,
            Standing::Failed => failed,
        }
    }

    /// Adds a connection. Returns the one that is removed because there is no space: it may be the same.
    pub fn push(&mut self, id: u64, from: Ipv4Addr, standing: Standing) -> Option<u64> {
        if self.tiers.iter().map(|tier| tier.crowd.counts(from).1).sum::<usize>() >= self.per_address {
            return Some(id);
        }
        self.waiting.insert(id, (from, standing));
        self.tier(standing).push(from, id);
        if self.len() <= self.capacity {
            return None;
        }
        let removed = self.least_worthy(from, standing).unwrap_or(id);
        self.remove(removed);
        Some(removed)
    }

    /// Removes the newest connection of the largest group of the worst standing, to make space for other connections.
    pub fn evict(&mut self) -> Option<u64> {
        let tier = self.tiers.iter().rev().find(|tier| !tier.crowd.is_empty())?;
        let id = tier.crowd.newest(tier.crowd.largest()?)?;
        self.remove(id).then_some(id)
    }

    /// The connection that gives way to a new one: the newest of the largest group of the worst standing. Among groups
    /// of equal size the new connection itself gives way, because no address makes space for an equal crowd.
    fn least_worthy(&self, from: Ipv4Addr, standing: Standing) -> Option<u64> {
        let (worst, tier) =
            Standing::ALL.into_iter().zip(&self.tiers).rev().find(|(_, tier)| !tier.crowd.is_empty())?;
        let largest = tier.crowd.largest()?;
        if worst == standing && tier.crowd.counts(largest) <= tier.crowd.counts(from) {
            return None;
        }
        tier.crowd.newest(largest)
    }

    /// Removes the next connection of a standing that `has_slot` and an address that `is_allowed` now; that address then
    /// waits for its next turn.
    pub fn pop(
        &mut self,
        has_slot: impl Fn(Standing) -> bool,
        mut is_allowed: impl FnMut(Ipv4Addr) -> bool,
    ) -> Option<(u64, Ipv4Addr)> {
        let order = ORDERS.get(self.turns % ORDERS.len()).copied().unwrap_or(Standing::ALL);
        // A flood from many networks that were never seen is a long line of new ones. In half of the turns the newest of them
        // is first: a user who arrives later need not wait until each of the others has had its turn.
        let is_newest_first = (self.turns / ORDERS.len()) % 2 == 1;
        for standing in order.into_iter().filter(|standing| has_slot(*standing)) {
            let tier = self.tier(standing);
            let newest = tier.networks.unserved.last().map(|(_, net)| *net);
            let first = newest.filter(|_| is_newest_first && standing == Standing::New);
            if let Some((from, id)) = tier.next(first, &mut is_allowed) {
                tier.had_turn(from);
                self.turns = self.turns.wrapping_add(1);
                self.remove(id);
                return Some((id, from));
            }
        }
        None
    }

    /// Removes a connection; false if it does not wait.
    pub fn remove(&mut self, id: u64) -> bool {
        let Some((from, standing)) = self.waiting.remove(&id) else { return false };
        self.tier(standing).remove(from, id);
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(net: u8, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(203, 0, net, host)
    }

    fn drain(queue: &mut FairQueue) -> Vec<u64> {
        std::iter::from_fn(|| queue.pop(|_| true, |_| true)).map(|(id, _)| id).collect()
    }

    #[test]
    fn addresses_take_turns_and_each_line_keeps_its_order() {
        let mut queue = FairQueue::new(100, 100);
        for id in 0..50 {
            assert_eq!(queue.push(id, at(1, 1), Standing::New), None);
        }
        for id in 50..53 {
            assert_eq!(queue.push(id, at(1, 2), Standing::New), None);
        }
        let order = drain(&mut queue);
        assert_eq!(order[..8], [0, 50, 1, 51, 2, 52, 3, 4]);
        assert_eq!(order.len(), 53);
    }

    #[test]
    fn networks_take_turns_however_many_addresses_they_have() {
        let mut queue = FairQueue::new(1_000, 100);
        for id in 0..256 {
            queue.push(id, at(1, id as u8), Standing::Failed);
        }
        queue.push(300, at(2, 1), Standing::Failed);
        queue.push(301, at(3, 1), Standing::Failed);
        assert_eq!(drain(&mut queue)[..5], [0, 300, 301, 1, 2]);
    }

    #[test]
    fn a_new_network_does_not_wait_for_a_long_line_of_new_networks() {
        let mut queue = FairQueue::new(10_000, 100);
        for id in 0..1_000 {
            queue.push(id, Ipv4Addr::from(0x0b00_0000 + ((id as u32) << 8)), Standing::New);
        }
        let mut waited = Vec::new();
        for user in 0..10 {
            let id = 5_000 + u64::from(user);
            queue.push(id, at(user, 1), Standing::New);
            let pops =
                std::iter::from_fn(|| queue.pop(|_| true, |_| true)).take_while(|(next, _)| *next != id);
            waited.push(pops.count());
        }
        assert!(waited.iter().all(|waited| *waited < 8), "{waited:?}");
        let rest = drain(&mut queue);
        assert!(rest.iter().filter(|id| **id < 500).count() < 500, "the first in the line have turns too");
        assert!(rest.len() < 1_000);
    }

    #[test]
    fn known_addresses_are_served_first_and_no_standing_waits_for_ever() {
        let mut queue = FairQueue::new(1_000, 1_000);
        for id in 0..90 {
            queue.push(id, at(id as u8, 1), Standing::ALL[id as usize % 3]);
        }
        let order: Vec<Standing> =
            drain(&mut queue).iter().map(|id| Standing::ALL[*id as usize % 3]).collect();
        assert_eq!(order[0], Standing::Known);
        for standing in Standing::ALL {
            let served = order[..40].iter().filter(|of| **of == standing).count();
            assert!(served >= 10, "{standing:?}: {served}");
        }
    }

    #[test]
    fn a_full_queue_drops_the_newest_of_the_largest_group() {
        let mut queue = FairQueue::new(4, 4);
        for id in 0..4 {
            assert_eq!(queue.push(id, at(1, 1), Standing::New), None);
        }
        assert_eq!(queue.push(4, at(1, 1), Standing::New), Some(4), "a crowd displaces only itself");
        assert_eq!(queue.push(5, at(2, 1), Standing::New), Some(3));
        assert_eq!(queue.push(6, at(2, 1), Standing::New), Some(2));
        assert_eq!(queue.push(7, at(2, 1), Standing::New), Some(7), "two and two: the newcomer gives way");
        assert_eq!(queue.push(8, at(3, 1), Standing::Known), Some(1), "a known address does not give way");
        assert_eq!(queue.push(9, at(9, 1), Standing::Failed), Some(9), "failures displace no other");
        assert_eq!(queue.len(), 4);
        assert_eq!(queue.evict(), Some(6));
    }

    #[test]
    fn one_address_has_a_bounded_number() {
        let mut queue = FairQueue::new(100, 3);
        for id in 0..3 {
            assert_eq!(queue.push(id, at(1, 1), Standing::ALL[id as usize]), None);
        }
        assert_eq!(queue.push(3, at(1, 1), Standing::Known), Some(3));
        assert!(queue.remove(1) && !queue.remove(1));
        assert_eq!(queue.push(4, at(1, 1), Standing::Known), None, "one that left has freed its place");
    }

    #[test]
    fn an_address_that_is_not_allowed_is_passed_over_and_loses_nothing() {
        let mut queue = FairQueue::new(10, 10);
        for id in 0..3 {
            queue.push(id, at(1, 1), Standing::New);
        }
        queue.push(9, at(1, 2), Standing::New);
        assert_eq!(queue.pop(|_| true, |address| address == at(1, 2)), Some((9, at(1, 2))));
        assert_eq!(queue.pop(|_| true, |address| address == at(1, 2)), None);
        assert_eq!(queue.pop(|_| true, |_| true), Some((0, at(1, 1))));
        assert_eq!(queue.len(), 2);
    }

    proptest! {
        #[test]
        fn every_connection_leaves_once_and_nothing_is_left_behind(
            steps in proptest::collection::vec((0u8..4, 0u8..3, 0u8..3, 0usize..3), 0..300),
        ) {
            let mut queue = FairQueue::new(20, 8);
            let mut inside = BTreeSet::new();
            for (id, (kind, net, host, standing)) in (0u64..).zip(steps) {
                match kind {
                    0 => {
                        if let Some((id, _)) = queue.pop(|_| true, |_| true) {
                            prop_assert!(inside.remove(&id));
                        } else {
                            prop_assert!(inside.is_empty());
                        }
                    }
                    1 => {
                        let left = inside.iter().nth(usize::from(net)).copied();
                        if let Some(left) = left {
                            prop_assert!(queue.remove(left) && inside.remove(&left));
                        }
                    }
                    _ => {
                        inside.insert(id);
                        if let Some(removed) = queue.push(id, at(net, host), Standing::ALL[standing]) {
                            prop_assert!(inside.remove(&removed));
                        }
                    }
                }
                prop_assert_eq!(queue.len(), inside.len());
                prop_assert!(queue.len() <= 20);
            }
            prop_assert_eq!(drain(&mut queue).len(), inside.len());
            for tier in &queue.tiers {
                prop_assert!(tier.crowd.is_empty() && tier.networks.groups.is_empty());
                prop_assert!(tier.networks.order.is_empty() && tier.networks.unserved.is_empty());
            }
        }
    }
}
