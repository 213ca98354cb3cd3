//! Connections whose first message is not complete. They have bounds of their own and delay no other connection.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::Crowd;

/// Connections that have not sent their first message. When there are too many, the oldest one of the largest group
/// gives way: a client sends its first message as soon as it is connected.
#[derive(Debug)]
pub struct Arrivals {
    capacity: usize,
    from: BTreeMap<u64, Ipv4Addr>,
    crowd: Crowd,
}

impl Arrivals {
    /// Space for `capacity` connections, at least one.
    pub fn new(capacity: usize) -> Arrivals {
        Arrivals { capacity: capacity.max(1), from: BTreeMap::new(), crowd: Crowd::new() }
    }

    /// The number of connections.
    pub fn len(&self) -> usize {
        self.from.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.from.is_empty()
    }

    /// Adds a connection; returns the one that has to end for it.
    pub fn insert(&mut self, id: u64, from: Ipv4Addr) -> Option<u64> {
        self.from.insert(id, from);
        self.crowd.insert(from, id);
        if self.len() <= self.capacity {
            return None;
        }
        self.evict()
    }

    /// Removes a connection; false if it is not here.
    pub fn remove(&mut self, id: u64) -> bool {
        self.from.remove(&id).is_some_and(|from| self.crowd.remove(from, id))
    }

    /// Removes and returns the oldest connection of the largest group.
    pub fn evict(&mut self) -> Option<u64> {
        let id = self.crowd.oldest(self.crowd.largest()?)?;
        self.remove(id).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_the_largest_network_gives_way_and_a_newcomer_stays() {
        let mut arrivals = Arrivals::new(100);
        for id in 0..100 {
            assert_eq!(arrivals.insert(id, Ipv4Addr::new(203, 0, 113, id as u8)), None);
        }
        let user = Ipv4Addr::new(198, 51, 100, 7);
        assert_eq!(arrivals.insert(100, user), Some(0), "the flood gives way");
        for id in 101..1_000 {
            let gone = arrivals.insert(id, Ipv4Addr::new(203, 0, 113, (id % 100) as u8));
            assert!(gone.is_some_and(|gone| gone != 100 && gone != id), "{id}: {gone:?}");
        }
        assert_eq!(arrivals.len(), 100);
        assert!(arrivals.remove(100) && !arrivals.remove(100));
    }

    #[test]
    fn with_one_connection_from_each_network_the_oldest_gives_way() {
        let mut arrivals = Arrivals::new(64);
        for id in 0..5_000u64 {
            let from = Ipv4Addr::from(0x0b00_0000 + (((5_000 - id) as u32) << 8));
            let gone = arrivals.insert(id, from);
            assert_eq!(gone, id.checked_sub(64), "{id}");
        }
    }
}
