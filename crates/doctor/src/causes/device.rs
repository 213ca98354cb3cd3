//! Devices that reported by ICMP that they do not forward a packet: proof instead of a guess.

use std::net::IpAddr;

use adit_diag::Code;
use ipnet::Ipv4Net;

use crate::facts::{Connect, Facts};
use crate::{Owner, Side};

/// A device that sent an ICMP error: the text of the cause, and the owner.
pub(super) struct Device {
    pub(super) owner: Owner,
    pub(super) text: String,
    pub(super) fix: String,
}

/// The device that caused `code` and reported it by ICMP.
pub(super) fn named(facts: &Facts, code: Code) -> Option<Device> {
    let connect = facts.tcp.connect.as_ref().map(|seen| &seen.what);
    match (code, connect) {
        (Code::C01, Some(Connect::Unreachable { from, .. })) => Some(Device {
            owner: outside(facts, *from, Side::Client),
            text: format!("{from} refuses TCP 1723, and says so"),
            fix: format!("on {from}, which refuses: let TCP 1723 pass between client and server"),
        }),
        (Code::N02, Some(Connect::Unreachable { from, .. })) => Some(Device {
            owner: outside(facts, *from, Side::Client),
            text: format!("{from} has no way to the server, and says so"),
            fix: format!("on {from}, which has no way to the server: its routes, or the link behind it"),
        }),
        (Code::G01, _) => {
            let error = facts.gre.unreachable()?.what;
            Some(Device {
                owner: outside(facts, error.from, error.about),
                text: format!("{} refuses GRE, and says so", error.from),
                fix: format!(
                    "on {}, which refuses: let IP protocol 47 (GRE) pass between client and server",
                    error.from
                ),
            })
        }
        (Code::R01, _) => {
            let (target, from) = facts.inside.no_route()?;
            let asked = &target.what.asked;
            let is_server = facts.address.peer.as_ref().is_some_and(|peer| IpAddr::V4(peer.what) == from);
            Some(Device {
                owner: if is_server { Owner::Server } else { Owner::ServerNetwork },
                text: format!("{from} has no route to {asked}, and says so"),
                fix: format!(
                    "on {from}: give it a route to {asked}, or ask for an address that exists there"
                ),
            })
        }
        _ => None,
    }
}

/// The prefix length of most home and office networks.
const NEIGHBOURS: u8 = 24;

/// The owner of a device outside the tunnel that answered a packet of `sender`, as far as its address shows.
fn outside(facts: &Facts, from: IpAddr, sender: Side) -> Owner {
    let server = facts.tcp.server.map(|server| server.ip());
    let client = facts.name.source.map(IpAddr::V4);
    let is_near = |end: Option<IpAddr>| match (end, from) {
        (Some(IpAddr::V4(end)), IpAddr::V4(from)) => Ipv4Net::new_assert(end, NEIGHBOURS).contains(&from),
        _ => false,
    };
    let is_private = matches!(from, IpAddr::V4(from) if from.is_private());
    if server == Some(from) {
        Owner::Server
    } else if client == Some(from) || is_near(client) {
        Owner::ClientNetwork
    } else if is_near(server) {
        Owner::ServerNetwork
    } else if sender == Side::Server || is_private {
        Owner::ClientNetwork
    } else {
        Owner::Provider
    }
}
