//! DHCPINFORM inside the tunnel: how a Windows client learns its DNS domain and the routes of a split tunnel.

use std::net::Ipv4Addr;

use adit_policy::{Access, PoolConfig, Tunnel};
use adit_tunnel::events::Up;
use adit_wire::dhcp::{self, Ack, Inform, Route};
use adit_wire::{ipv4, udp};

/// The IPv4 packet that answers the IPv4 packet `packet`.
///
/// # Errors
/// Where the packet is not a DHCPINFORM, what it is instead.
pub(crate) fn answer(
    packet: &[u8],
    up: &Up,
    pool: &PoolConfig,
    access: &Access,
) -> Result<Vec<u8>, adit_wire::Error> {
    let outer = ipv4::Packet::new_checked(packet)?;
    let datagram = udp::Packet::new_checked(outer.payload())?;
    let inform = Inform::parse(datagram.payload())?;
    let routes = match access.tunnel {
        Tunnel::All => Vec::new(),
        Tunnel::Split => access.routes.clone(),
    };
    let ack = Ack {
        server: Some(up.local),
        dns: pool.dns.clone(),
        domain: pool.domain.clone().unwrap_or_default(),
        wins: pool.wins.clone(),
        routes: routes
            .iter()
            .map(|net| Route {
                network: net.network(),
                prefix: net.prefix_len(),
                gateway: Ipv4Addr::UNSPECIFIED,
            })
            .collect(),
    };
    Ok(udp::datagram_v4((up.local, dhcp::SERVER_PORT), (up.peer, dhcp::CLIENT_PORT), &ack.emit(&inform)))
}
