//! A set of networks that is looked up for every packet.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Networks as sorted ranges that neither overlap nor touch, for a binary search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefixes<A>(Vec<(A, A)>);

impl Prefixes<u32> {
    /// The set of these IPv4 networks.
    pub fn v4(networks: &[Ipv4Net]) -> Prefixes<u32> {
        Prefixes::new(
            networks.iter().map(|net| (u32::from(net.network()), u32::from(net.broadcast()))).collect(),
        )
    }

    /// Whether an address is in one of the networks.
    pub fn contains_v4(&self, address: Ipv4Addr) -> bool {
        self.contains(u32::from(address))
    }
}

impl Prefixes<u128> {
    /// The set of these IPv6 networks.
    pub fn v6(networks: &[Ipv6Net]) -> Prefixes<u128> {
        Prefixes::new(
            networks.iter().map(|net| (u128::from(net.network()), u128::from(net.broadcast()))).collect(),
        )
    }

    /// Whether an address is in one of the networks.
    pub fn contains_v6(&self, address: Ipv6Addr) -> bool {
        self.contains(u128::from(address))
    }
}

impl<A: Copy + Ord> Prefixes<A> {
    fn new(mut ranges: Vec<(A, A)>) -> Prefixes<A> {
        ranges.sort_unstable();
        ranges.dedup_by(|next, kept| {
            let overlaps = next.0 <= kept.1;
            if overlaps {
                kept.1 = kept.1.max(next.1);
            }
            overlaps
        });
        Prefixes(ranges)
    }

    fn contains(&self, address: A) -> bool {
        let after = self.0.partition_point(|range| range.0 <= address);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|range| address <= range.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_networks_are_one_range() {
        let networks = ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.7/32", "10.255.0.0/16", "192.0.2.8/32"]
            .map(|net| net.parse().unwrap());
        let set = Prefixes::v4(&networks);
        for (address, inside) in [
            ("9.255.255.255", false),
            ("10.0.0.0", true),
            ("10.1.2.3", true),
            ("10.200.0.0", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("192.0.2.6", false),
            ("192.0.2.7", true),
            ("192.0.2.8", true),
            ("192.0.2.9", false),
        ] {
            assert_eq!(set.contains_v4(address.parse().unwrap()), inside, "{address}");
        }
    }

    #[test]
    fn nothing_and_everything() {
        assert!(!Prefixes::v4(&[]).contains_v4(Ipv4Addr::new(10, 0, 0, 1)));
        let all = Prefixes::v4(&[Ipv4Net::default()]);
        assert!(all.contains_v4(Ipv4Addr::UNSPECIFIED) && all.contains_v4(Ipv4Addr::BROADCAST));
        let six = Prefixes::v6(&["fe80::2/128".parse().unwrap()]);
        assert!(six.contains_v6("fe80::2".parse().unwrap()) && !six.contains_v6("fe80::3".parse().unwrap()));
    }
}
