//! The addresses of this host.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Prefixes;

/// The destinations whose packets the host's own programs may receive: every local address, and multicast and broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locals {
    v4: Prefixes<u32>,
    v6: Prefixes<u128>,
}

/// Destinations that no host forwards: "this network", loopback, multicast, reserved addresses with broadcast.
const ALWAYS_V4: [(Ipv4Addr, u8); 4] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(255, 255, 255, 255), 32),
];
/// The same of IPv6, with link-local addresses: the only link of a client is the tunnel.
const ALWAYS_V6: [(u16, u8); 3] = [(0, 16), (0xfe80, 10), (0xff00, 8)];

impl Locals {
    /// The destinations that are always local, and these addresses and networks.
    pub fn new(addresses: impl IntoIterator<Item = IpNet>) -> Locals {
        let always = ALWAYS_V4.into_iter().filter_map(|(address, length)| Ipv4Net::new(address, length).ok());
        let mut v4: Vec<Ipv4Net> = always.collect();
        let six = |(first, length)| Ipv6Net::new(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0), length).ok();
        let mut v6: Vec<Ipv6Net> = ALWAYS_V6.into_iter().filter_map(six).collect();
        for address in addresses {
            match address {
                IpNet::V4(net) => v4.push(net),
                IpNet::V6(net) => v6.push(net),
            }
        }
        Locals { v4: Prefixes::v4(&v4), v6: Prefixes::v6(&v6) }
    }

    /// Whether a packet to this address is for the host itself.
    pub fn contains_v4(&self, address: Ipv4Addr) -> bool {
        self.v4.contains_v4(address)
    }

    /// Whether a packet to this IPv6 address is for the host itself.
    pub fn contains_v6(&self, address: Ipv6Addr) -> bool {
        self.v6.contains_v6(address)
    }
}

impl Default for Locals {
    fn default() -> Locals {
        Locals::new([])
    }
}
