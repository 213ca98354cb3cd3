//! Networks without hosts: what no pool, no network behind a client and no client's address can be part of.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

/// Networks whose addresses no host can have on a link (RFC 6890, section 2.2.2), and what they are.
const WITHOUT_HOSTS: [(Ipv4Addr, u8, &str); 4] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// What a network has in common with one without hosts: that network, and what it is. `None` if hosts can have all its
/// addresses.
pub fn without_hosts(net: Ipv4Net) -> Option<(Ipv4Net, &'static str)> {
    WITHOUT_HOSTS.into_iter().find_map(|(address, length, what)| {
        let other = Ipv4Net::new(address, length).ok()?;
        (other.contains(&net) || net.contains(&other)).then_some((other, what))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_with_an_address_of_no_host_is_found() {
        for (net, expected) in [
            ("10.0.0.0/8", None),
            ("1.0.0.0/8", None),
            ("126.255.255.255/32", None),
            ("128.0.0.0/1", Some("multicast")),
            ("128.0.0.0/2", None),
            ("0.0.0.0/0", Some("this network")),
            ("0.1.2.3/32", Some("this network")),
            ("64.0.0.0/2", Some("loopback")),
            ("127.0.0.1/32", Some("loopback")),
            ("224.0.0.0/24", Some("multicast")),
            ("239.255.255.255/32", Some("multicast")),
            ("255.255.255.255/32", Some("reserved")),
        ] {
            assert_eq!(without_hosts(net.parse().unwrap()).map(|(_, what)| what), expected, "{net}");
        }
    }
}
