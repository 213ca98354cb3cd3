//! Banned networks, each with an end.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// The most bans. When there are more, the one of those made by the server that ends first is lifted.
pub const MAX_BANS: usize = 8_192;
/// The shortest prefix that can be banned: a shorter one would be a typing error.
pub const SHORTEST_PREFIX: u8 = 8;

/// A ban of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// When it began, in milliseconds since 1970.
    pub since: u64,
    /// When it ends.
    pub until: u64,
    /// Who made it; `None` for the server itself, after failed logins.
    pub by: Option<String>,
    /// Why, in the administrator's words; may be empty.
    pub reason: String,
}

/// The bans by network.
#[derive(Clone, Debug, Default)]
pub(super) struct Bans {
    entries: BTreeMap<Ipv4Net, Ban>,
    /// How many there are of each prefix length, so that a look-up tries only those.
    lengths: BTreeMap<u8, usize>,
}

impl Bans {
    /// The bans of an address that are in force, those of the longest prefix first.
    pub(super) fn of(&self, now: u64, from: Ipv4Addr) -> impl Iterator<Item = (Ipv4Net, &Ban)> {
        self.lengths.keys().rev().filter_map(move |length| {
            let network = Ipv4Net::new(from, *length).ok()?.trunc();
            let ban = self.entries.get(&network).filter(|ban| now < ban.until)?;
            Some((network, ban))
        })
    }

    /// Adds a ban, or replaces the one of the same network; returns those that were removed for it, or `None` if the bans
    /// of administrators leave no space.
    pub(super) fn put(&mut self, now: u64, network: Ipv4Net, ban: Ban) -> Option<Vec<Ipv4Net>> {
        let mut removed = Vec::new();
        if !self.entries.contains_key(&network) && self.entries.len() >= MAX_BANS {
            let over = self.entries.iter().filter(|(_, ban)| ban.until <= now);
            removed.extend(over.map(|(network, _)| *network));
            if removed.is_empty() {
                let own = self.entries.iter().filter(|(_, ban)| ban.by.is_none());
                removed.push(own.min_by_key(|(_, ban)| ban.until).map(|(network, _)| *network)?);
            }
        }
        for network in &removed {
            self.remove(*network);
        }
        if self.entries.insert(network, ban).is_none() {
            *self.lengths.entry(network.prefix_len()).or_default() += 1;
        }
        Some(removed)
    }

    pub(super) fn remove(&mut self, network: Ipv4Net) -> Option<Ban> {
        let ban = self.entries.remove(&network)?;
        if let Some(count) = self.lengths.get_mut(&network.prefix_len()) {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&network.prefix_len());
            }
        }
        Some(ban)
    }

    pub(super) fn get(&self, network: Ipv4Net) -> Option<&Ban> {
        self.entries.get(&network)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Ipv4Net, &Ban)> {
        self.entries.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ban(until: u64, by: Option<&str>) -> Ban {
        Ban { since: 0, until, by: by.map(str::to_owned), reason: String::new() }
    }

    fn host(n: u32) -> Ipv4Net {
        Ipv4Net::from(Ipv4Addr::from(0x0b00_0000 + n))
    }

    #[test]
    fn an_address_is_banned_by_each_network_that_holds_it_until_its_end() {
        let mut bans = Bans::default();
        for (network, until) in [("203.0.113.0/24", 50), ("203.0.113.7/32", 20), ("198.51.0.0/16", 90)] {
            bans.put(0, network.parse().unwrap(), ban(until, None)).unwrap();
        }
        let of = |now, from: &str| {
            bans.of(now, from.parse().unwrap()).map(|(network, _)| network.prefix_len()).collect::<Vec<_>>()
        };
        assert_eq!(of(10, "203.0.113.7"), [32, 24]);
        assert_eq!(of(20, "203.0.113.7"), [24]);
        assert_eq!(of(50, "203.0.113.7"), [0; 0]);
        assert_eq!((of(10, "198.51.9.9"), of(10, "192.0.2.1")), (vec![16], vec![]));
    }

    #[test]
    fn bans_of_administrators_are_never_lifted_for_others() {
        let mut bans = Bans::default();
        for n in 0..MAX_BANS as u32 {
            let by = (n >= 2).then_some("root");
            assert_eq!(bans.put(0, host(n), ban(100 + u64::from(n), by)), Some(vec![]));
        }
        assert_eq!(bans.put(0, host(70_000), ban(500, None)), Some(vec![host(0)]));
        assert_eq!(bans.put(0, host(70_001), ban(500, Some("root"))), Some(vec![host(1)]));
        assert_eq!(bans.put(0, host(70_002), ban(500, Some("root"))), Some(vec![host(70_000)]));
        assert_eq!(bans.put(0, host(70_003), ban(500, Some("root"))), None);
        assert_eq!(bans.put(0, host(5), ban(900, Some("root"))), Some(vec![]), "a longer one replaces it");
        assert_eq!(bans.iter().count(), MAX_BANS);
        bans.remove(host(5));
        assert_eq!(bans.lengths.get(&32), Some(&(MAX_BANS - 1)));
    }
}
