//! Selection of an address pool that does not conflict with networks of this host.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};

/// The networks of `used` that overlap with `net`.
pub fn overlaps(net: Ipv4Net, used: &[IpNet]) -> Vec<IpNet> {
    used.iter()
        .copied()
        .filter(|other| match other {
            IpNet::V4(other) => other.contains(&net) || net.contains(other),
            IpNet::V6(_) => false,
        })
        .collect()
}

/// Suggests a private network with `prefix` bits (16 to 30) for the clients, which overlaps neither with
/// `used` nor with the defaults of home routers and other VPNs. `None` if all private addresses are in use.
///
/// The result is reproducible: the candidates have a fixed order, 10.99.0.0 first.
pub fn suggest_pool(used: &[IpNet], prefix: u8) -> Option<Ipv4Net> {
    let prefix = prefix.clamp(16, 30);
    let free = |net: &Ipv4Net| overlaps(*net, used).is_empty();
    let uncommon = |net: &Ipv4Net| COMMON.iter().all(|common| !common.contains(net) && !net.contains(common));
    candidates(prefix).filter(uncommon).find(free).or_else(|| candidates(prefix).find(free))
}

/// The candidates in order of preference: the middle of 10.0.0.0/8, where few networks begin, the rest of it,
/// then 172.16.0.0/12 and 192.168.0.0/16 from their ends.
fn candidates(prefix: u8) -> impl Iterator<Item = Ipv4Net> {
    let tens = (64..=99).rev().chain(100..=254).chain(1..64).chain([0, 255]).map(|x| (10, x));
    let others = (16..=31).rev().map(|x| (172, x)).chain([(192, 168)]);
    let third = |(a, b): (u8, u8)| {
        let descending = a == 192;
        (0..=255).map(move |y| (a, b, if descending { 255 - y } else { y }))
    };
    tens.chain(others).flat_map(third).filter_map(move |(a, b, c)| {
        let net = Ipv4Net::new(Ipv4Addr::new(a, b, c, 0), prefix).ok()?;
        // A network longer than /24 is offered once, at its own beginning.
        (net.trunc() == net).then_some(net)
    })
}

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), prefix)
}

/// Networks at the homes of clients, in which a pool would be unreachable: the defaults of home routers and
/// other VPNs.
const COMMON: &[Ipv4Net] = &[
    v4(10, 0, 0, 23),
    v4(10, 0, 2, 24),
    v4(10, 1, 0, 23),
    v4(10, 1, 10, 24),
    v4(10, 2, 0, 24),
    v4(10, 5, 5, 24),
    v4(10, 8, 0, 24),
    v4(10, 10, 0, 20),
    v4(10, 42, 0, 24),
    v4(10, 43, 0, 16),
    v4(10, 90, 90, 24),
    v4(10, 96, 0, 16),
    v4(10, 100, 0, 22),
    v4(10, 244, 0, 16),
    v4(172, 16, 0, 22),
    v4(172, 17, 0, 16),
    v4(172, 18, 0, 16),
    v4(172, 19, 0, 16),
    v4(172, 20, 10, 24),
    v4(192, 168, 0, 20),
    v4(192, 168, 16, 24),
    v4(192, 168, 18, 24),
    v4(192, 168, 31, 24),
    v4(192, 168, 40, 24),
    v4(192, 168, 43, 24),
    v4(192, 168, 49, 24),
    v4(192, 168, 50, 24),
    v4(192, 168, 68, 24),
    v4(192, 168, 86, 24),
    v4(192, 168, 88, 24),
    v4(192, 168, 100, 24),
    v4(192, 168, 122, 24),
    v4(192, 168, 123, 24),
    v4(192, 168, 137, 24),
    v4(192, 168, 178, 24),
    v4(192, 168, 254, 24),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(text: &[&str]) -> Vec<IpNet> {
        text.iter().map(|t| t.parse().unwrap()).collect()
    }

    fn suggest(used: &[&str]) -> String {
        suggest_pool(&nets(used), 24).map_or("none".to_owned(), |net| net.to_string())
    }

    #[test]
    fn a_plain_host_gets_the_first_candidate_every_time() {
        assert_eq!(suggest(&["203.0.113.0/24", "192.168.10.0/24", "fd00::/8"]), "10.99.0.0/24");
    }

    #[test]
    fn what_is_in_use_is_avoided_whatever_its_size() {
        assert_eq!(suggest(&["10.99.0.0/24"]), "10.99.1.0/24");
        assert_eq!(suggest(&["10.99.0.128/25"]), "10.99.1.0/24");
        assert_eq!(suggest(&["10.99.0.7/32", "10.99.1.0/30"]), "10.99.2.0/24");
        assert_eq!(suggest(&["10.99.0.0/16"]), "10.98.0.0/24");
        assert_eq!(suggest(&["10.64.0.0/10"]), "10.128.0.0/24");
        assert_eq!(suggest(&["10.0.0.0/8"]), "172.31.0.0/24");
        assert_eq!(suggest(&["10.0.0.0/8", "172.16.0.0/12"]), "192.168.255.0/24");
        assert_eq!(suggest(&["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]), "none");
    }

    #[test]
    fn common_home_networks_come_last() {
        let all = candidates(24).filter(|net| COMMON.iter().all(|c| !c.contains(net))).count();
        let mut used = nets(&["10.0.0.0/8", "172.16.0.0/12"]);
        // Everything of 192.168.0.0/16 but 192.168.1.0/24.
        used.extend((0..=255u8).filter(|y| *y != 1).map(|y| IpNet::V4(v4(192, 168, y, 24))));
        assert_eq!(suggest_pool(&used, 24), Some(v4(192, 168, 1, 24)));
        assert!(all > 60_000);
    }

    #[test]
    fn other_sizes_are_whole_networks() {
        for prefix in 16..=30 {
            let net = suggest_pool(&nets(&["10.99.0.0/24"]), prefix).unwrap();
            assert_eq!((net.prefix_len(), net.trunc()), (prefix, net));
            assert!(overlaps(net, &nets(&["10.99.0.0/24"])).is_empty());
        }
    }

    #[test]
    fn overlaps_returns_the_overlapping_networks() {
        let used = nets(&["10.0.0.0/8", "10.99.0.4/30", "192.168.0.0/16", "fd00::/8"]);
        assert_eq!(overlaps(v4(10, 99, 0, 24), &used), nets(&["10.0.0.0/8", "10.99.0.4/30"]));
    }
}
