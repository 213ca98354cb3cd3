//! This host: its networks, and its way to the server.

use std::net::{IpAddr, Ipv4Addr};

use adit_doctor::Seen;
use adit_doctor::facts::{LocalNet, Name};
use adit_sys::host::{Purpose, in_use};
use adit_sys::net::Net;
use ipnet::IpNet;

/// Fills in networks and the way to `server`; without a route, the system's words.
pub(crate) fn look(server: Ipv4Addr, from: Option<Ipv4Addr>, name: &mut Name) {
    let Ok(net) = Net::open() else { return };
    for used in in_use(&net).unwrap_or_default() {
        // A route to a network of a VPN, say, counts as well as an address in it.
        if let (IpNet::V4(network), Purpose::Address | Purpose::Route) = (used.network, used.purpose) {
            name.local.push(LocalNet { net: network, interface: used.interface });
        }
    }
    match net.route_to(IpAddr::V4(server)) {
        Ok(hop) => {
            name.source = from.or_else(|| hop.source.and_then(crate::record::v4));
            name.gateway = hop.gateway.and_then(crate::record::v4);
            name.interface = Some(hop.name);
        }
        Err(error) => name.no_route = Some(Seen::new(error.answer().to_owned())),
    }
}
