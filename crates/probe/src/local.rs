//! This host: its networks, and its route to the server.

use std::net::{IpAddr, Ipv4Addr};

use adit_doctor::Seen;
use adit_doctor::facts::{LocalNet, Name};
use adit_sys::host::{Purpose, in_use};
use adit_sys::net::Net;
use ipnet::IpNet;

/// Fills in the networks and the route to `server`, or the system's error without one. Returns the MTU of the route.
pub(crate) fn look(server: Ipv4Addr, from: Option<Ipv4Addr>, name: &mut Name) -> Option<u32> {
    let net = Net::open().ok()?;
    for used in in_use(&net).unwrap_or_default() {
        // A route to a network, such as that of another VPN, counts as well as an address in it.
        if let (IpNet::V4(network), Purpose::Address | Purpose::Route) = (used.network, used.purpose) {
            name.local.push(LocalNet { net: network, interface: used.interface });
        }
    }
    match net.route_to(IpAddr::V4(server)) {
        Ok(hop) => {
            name.source = from.or_else(|| hop.source.and_then(crate::record::v4));
            name.gateway = hop.gateway.and_then(crate::record::v4);
            name.interface = Some(hop.name);
            Some(hop.mtu)
        }
        Err(error) => {
            name.no_route = Some(Seen::new(error.answer().to_owned()));
            None
        }
    }
}

/// Whether the route to the server leads into a tunnel while this host has a control connection to that server: the
/// tunnel's own packets are then routed into the tunnel.
pub(crate) fn is_swallowed(server: Ipv4Addr, port: u16, interface: Option<&str>) -> bool {
    let is_tunnel = |name: &str| {
        Net::open().and_then(|net| net.interface(name)).is_ok_and(|interface| interface.point_to_point)
    };
    interface.is_some_and(is_tunnel)
        && std::fs::read_to_string("/proc/net/tcp").is_ok_and(|table| has_connection(&table, server, port))
}

/// Whether a table of proc_net(5) has an established connection to this address and port.
fn has_connection(table: &str, server: Ipv4Addr, port: u16) -> bool {
    const ESTABLISHED: &str = "01";
    // Addresses in this table are in the byte order of the processor.
    let wanted = format!("{:08X}:{port:04X}", u32::from_ne_bytes(server.octets()));
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(2);
        fields.next() == Some(&wanted) && fields.next() == Some(ESTABLISHED)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_established_connection_is_found_in_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue\n   \
                     0: 1701A8C0:D6F8 0A7100CB:06BB 01 00000000:00000000\n   \
                     1: 1701A8C0:D6F9 0B7100CB:06BB 06 00000000:00000000\n";
        let has = |last: u8, port| has_connection(table, Ipv4Addr::new(203, 0, 113, last), port);
        assert!(has(10, 1723));
        assert!(!has(10, 1724) && !has(11, 1723) && !has(12, 1723));
    }
}
