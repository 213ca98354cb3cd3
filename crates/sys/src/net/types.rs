//! The types of a host's network: interfaces, addresses, routes.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The index, which is not reused while the host runs.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// The MTU in octets.
    pub mtu: u32,
    /// Whether it was brought up.
    pub up: bool,
    /// Whether it has a carrier.
    pub running: bool,
    /// Whether it is the loopback interface.
    pub loopback: bool,
    /// Whether it is point-to-point, without neighbours (PPP, TUN).
    pub point_to_point: bool,
    /// The type of virtual device ("tun", "veth", "bridge"); `None` for hardware.
    pub kind: Option<String>,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The interface's index.
    pub interface: u32,
    /// The address with its prefix length.
    pub address: IpNet,
    /// The address at the other end of a point-to-point link; the prefix is the peer's.
    pub peer: Option<IpAddr>,
}

/// The routing table that the default rules consult (`main`).
pub const MAIN_TABLE: u32 = 254;

/// The protocol number of our routes (`proto 173` in `ip route`), so that only ours are removed.
pub const OWNER: u8 = 173;

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The destination.
    pub destination: IpNet,
    /// The next-hop router; `None` for a destination on the interface's own network.
    pub gateway: Option<IpAddr>,
    /// The index of the output interface.
    pub interface: Option<u32>,
    /// The preferred source address.
    pub source: Option<IpAddr>,
    /// The metric; the lowest is preferred.
    pub metric: u32,
    /// The routing table.
    pub table: u32,
    /// The MTU in octets, if the route limits it.
    pub mtu: Option<u32>,
    /// The type of the route.
    pub kind: RouteKind,
    /// The origin of the route (rtnetlink(7), `rtm_protocol`).
    pub owner: u8,
}

/// The type of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RouteKind {
    /// Packets are forwarded.
    Unicast,
    /// Packets are delivered to this host.
    Local,
    /// Packets are rejected or dropped.
    Refused,
    /// Packets are delivered to this host, and to others as well: broadcast, anycast.
    Broadcast,
    /// Another type (multicast, throw).
    Other,
}

impl Route {
    /// Creates a route of ours in the main table through `interface`.
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

    /// Sets the next-hop router.
    #[must_use]
    pub fn via(mut self, gateway: Option<IpAddr>) -> Route {
        self.gateway = gateway;
        self
    }

    /// Whether it is a default route.
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

/// The result of a route lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The index of the output interface.
    pub interface: u32,
    /// The name of the output interface.
    pub name: String,
    /// The next-hop router; `None` if the destination is on the interface's own network.
    pub gateway: Option<IpAddr>,
    /// The source address.
    pub source: Option<IpAddr>,
    /// The MTU in octets: that of the path if known, otherwise that of the interface.
    pub mtu: u32,
    /// Whether the destination is this host itself.
    pub local: bool,
}
