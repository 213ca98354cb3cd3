//! Types of a host's network: interfaces, addresses, routes.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its number, never used again while the host runs.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Largest packet, in octets.
    pub mtu: u32,
    /// It was brought up.
    pub up: bool,
    /// It has a carrier.
    pub running: bool,
    /// It is the loopback.
    pub loopback: bool,
    /// It has one other end and no neighbours (PPP, TUN).
    pub point_to_point: bool,
    /// The type of virtual device ("tun", "veth", "bridge"); `None` for hardware.
    pub kind: Option<String>,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The interface's index.
    pub interface: u32,
    /// The address, with the length of its network's prefix.
    pub address: IpNet,
    /// The address at the other end of a point-to-point link; the prefix is the peer's.
    pub peer: Option<IpAddr>,
}

/// The routing table that the default rules consult (`main`).
pub const MAIN_TABLE: u32 = 254;

/// Marks routes as ours (`proto 173` in `ip route`), so that only ours are removed.
pub const OWNER: u8 = 173;

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Where to.
    pub destination: IpNet,
    /// Through which router; `None` for what is on the interface's own network.
    pub gateway: Option<IpAddr>,
    /// Out of which interface, by index.
    pub interface: Option<u32>,
    /// The address that this host uses as its own there.
    pub source: Option<IpAddr>,
    /// Among routes to the same destination the lowest wins.
    pub metric: u32,
    /// The routing table.
    pub table: u32,
    /// Largest packet, in octets, when the route limits it.
    pub mtu: Option<u32>,
    /// What happens to the packets.
    pub kind: RouteKind,
    /// The origin of the route (rtnetlink(7), `rtm_protocol`).
    pub owner: u8,
}

/// What happens to packets that a route matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RouteKind {
    /// They are forwarded.
    Unicast,
    /// They are for this host.
    Local,
    /// They are refused or dropped.
    Refused,
    /// Anything else (broadcast, multicast).
    Other,
}

impl Route {
    /// A route of ours in the main table, out of `interface`.
    pub fn new(destination: IpNet, interface: u32) -> Route {
        Route {
            destination,
            gateway: None,
            interface: Some(interface),
            source: None,
            metric: 0,
            table: MAIN_TABLE,
            mtu: None,
            kind: RouteKind::Unicast,
            owner: OWNER,
        }
    }

    /// The same through a router.
    #[must_use]
    pub fn via(mut self, gateway: Option<IpAddr>) -> Route {
        self.gateway = gateway;
        self
    }

    /// Whether it takes everything.
    pub fn is_default(&self) -> bool {
        self.destination.prefix_len() == 0
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_default() {
            true => f.write_str("default")?,
            false => write!(f, "{}", self.destination)?,
        }
        if let Some(gateway) = self.gateway {
            write!(f, " via {gateway}")?;
        }
        if let Some(interface) = self.interface {
            write!(f, " on interface {interface}")?;
        }
        if self.metric != 0 {
            write!(f, " metric {}", self.metric)?;
        }
        Ok(())
    }
}

/// How a packet leaves this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Out of which interface, by index.
    pub interface: u32,
    /// That interface's name.
    pub name: String,
    /// Through which router; `None` when the destination is on the interface's own network.
    pub gateway: Option<IpAddr>,
    /// With which address as its source.
    pub source: Option<IpAddr>,
    /// Largest packet, in octets: what is known of the path, else what the interface takes.
    pub mtu: u32,
    /// The destination is this host itself.
    pub local: bool,
}
