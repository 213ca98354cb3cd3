//! Interfaces, addresses and routes (rtnetlink).
//!
//! Every call is one exchange with the kernel and takes well under a millisecond, so it blocks: it can be
//! used in a destructor, a command and an async task.

mod drive;
mod message;
mod types;

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_route::link::LinkFlags;
use rtnetlink::{LinkMessageBuilder, LinkUnspec, RouteMessageBuilder};

pub use types::{Address, Hop, Interface, MAIN_TABLE, OWNER, Route, RouteKind};

use crate::error::{Error, Kind, Result};
use drive::Driver;

/// A netlink connection to the kernel, for the network namespace in which it was opened.
#[derive(Debug)]
pub struct Net {
    driver: Driver,
}

impl Net {
    /// Opens a connection for the namespace of the calling thread.
    ///
    /// # Errors
    /// If the kernel returns no netlink socket.
    pub fn open() -> Result<Net> {
        Ok(Net { driver: Driver::start()? })
    }

    /// All interfaces, by index.
    ///
    /// # Errors
    /// The error of the kernel.
    pub fn interfaces(&self) -> Result<Vec<Interface>> {
        let links = self.driver.collect("list interfaces", |h| h.link().get().execute())?;
        let mut interfaces: Vec<_> = links.iter().map(message::interface).collect();
        interfaces.sort_by_key(|i| i.index);
        Ok(interfaces)
    }

    /// The interface with this name.
    ///
    /// # Errors
    /// `Kind::NotFound` if there is none.
    pub fn interface(&self, name: &str) -> Result<Interface> {
        self.interfaces()?.into_iter().find(|i| i.name == name).ok_or_else(|| {
            Error::new(Kind::NotFound, format!("cannot use interface {name:?}"), "no such interface")
                .with_fix("see `ip link` for the names")
        })
    }

    /// All addresses of all interfaces.
    ///
    /// # Errors
    /// The error of the kernel.
    pub fn addresses(&self) -> Result<Vec<Address>> {
        let messages = self.driver.collect("list addresses", |h| h.address().get().execute())?;
        Ok(messages.iter().filter_map(message::address).collect())
    }

    /// All routes of all tables, IPv4 and IPv6.
    ///
    /// # Errors
    /// The error of the kernel.
    pub fn routes(&self) -> Result<Vec<Route>> {
        let v4 = RouteMessageBuilder::<std::net::Ipv4Addr>::new().build();
        let v6 = RouteMessageBuilder::<std::net::Ipv6Addr>::new().build();
        let mut messages = self.driver.collect("list routes", |h| h.route().get(v4).execute())?;
        // A kernel without IPv6 has no such routes.
        messages
            .extend(self.driver.collect("list routes", |h| h.route().get(v6).execute()).unwrap_or_default());
        Ok(messages.iter().flat_map(message::routes).collect())
    }

    /// Looks up the route of a packet from this host to `destination`.
    ///
    /// # Errors
    /// `Kind::NotFound` if there is no route.
    pub fn route_to(&self, destination: IpAddr) -> Result<Hop> {
        let tried = format!("find a route to {destination}");
        let prefix = if destination.is_ipv4() { 32 } else { 128 };
        let question = RouteMessageBuilder::<IpAddr>::new()
            .destination_prefix(destination, prefix)
            .map_err(|e| Error::new(Kind::Other, format!("cannot {tried}"), e.to_string()))?
            .build();
        let answer = self.driver.first(&tried, |h| h.route().get(question).execute())?.ok_or_else(|| {
            Error::new(Kind::NotFound, format!("cannot {tried}"), "the kernel did not answer")
        })?;
        let hop = message::hop(&answer)
            .ok_or_else(|| Error::new(Kind::NotFound, format!("cannot {tried}"), "Network is unreachable"))?;
        let interface = self.interfaces()?.into_iter().find(|i| i.index == hop.interface);
        let name = interface.as_ref().map(|i| i.name.clone()).unwrap_or_default();
        let mtu = hop.mtu.or(interface.map(|i| i.mtu)).unwrap_or(0);
        Ok(Hop { name, mtu, ..hop.into() })
    }

    /// Adds an address to an interface; with `peer` the interface is one end of a point-to-point link.
    ///
    /// # Errors
    /// `Kind::Exists` if the interface already has it; S08 without CAP_NET_ADMIN.
    pub fn add_address(&self, interface: u32, address: IpNet, peer: Option<IpAddr>) -> Result<()> {
        let tried = format!("add address {address} to interface {interface}");
        let mut message = message::of_address(interface, address, peer);
        self.driver.run(&tried, |h| {
            let mut request = h.address().add(interface, address.addr(), address.prefix_len());
            std::mem::swap(request.message_mut(), &mut message);
            request.execute()
        })
    }

    /// Removes an address from an interface.
    ///
    /// # Errors
    /// `Kind::NotFound` if the interface does not have it; S08 without CAP_NET_ADMIN.
    pub fn del_address(&self, interface: u32, address: IpNet, peer: Option<IpAddr>) -> Result<()> {
        let tried = format!("remove address {address} from interface {interface}");
        let message = message::of_address(interface, address, peer);
        self.driver.run(&tried, |h| h.address().del(message).execute())
    }

    /// Brings an interface up or down.
    ///
    /// # Errors
    /// `Kind::NotFound` if there is none; S08 without CAP_NET_ADMIN.
    pub fn set_up(&self, interface: u32, up: bool) -> Result<()> {
        let tried = format!("bring interface {interface} {}", if up { "up" } else { "down" });
        let builder = LinkMessageBuilder::<LinkUnspec>::default().index(interface);
        let message = if up { builder.up() } else { builder.down() }.build();
        debug_assert!(message.header.change_mask.contains(LinkFlags::Up));
        self.driver.run(&tried, |h| h.link().change(message).execute())
    }

    /// Sets the MTU of an interface, in octets.
    ///
    /// # Errors
    /// `Kind::NotFound` if there is none; `Kind::Other` if the device does not accept it.
    pub fn set_mtu(&self, interface: u32, mtu: u32) -> Result<()> {
        let tried = format!("set the MTU of interface {interface} to {mtu}");
        let message = LinkMessageBuilder::<LinkUnspec>::default().index(interface).mtu(mtu).build();
        self.driver.run(&tried, |h| h.link().change(message).execute())
    }

    /// Adds a route, with the protocol [`OWNER`] unless it has another one.
    ///
    /// # Errors
    /// `Kind::Exists` if there is one with the same destination, metric and table; S08 without CAP_NET_ADMIN.
    pub fn add_route(&self, route: &Route) -> Result<()> {
        let message = message::of_route(route)?;
        self.driver.run(&format!("add route {route}"), |h| h.route().add(message).execute())
    }

    /// Adds a route, replacing one with the same destination, metric and table.
    ///
    /// # Errors
    /// S08 without CAP_NET_ADMIN; otherwise the error of the kernel.
    pub fn replace_route(&self, route: &Route) -> Result<()> {
        let message = message::of_route(route)?;
        self.driver.run(&format!("replace route {route}"), |h| h.route().add(message).replace().execute())
    }

    /// Removes a route. A route of another owner to the same destination is not removed.
    ///
    /// # Errors
    /// `Kind::NotFound` if there is none; S08 without CAP_NET_ADMIN.
    pub fn del_route(&self, route: &Route) -> Result<()> {
        let message = message::of_route(route)?;
        self.driver.run(&format!("remove route {route}"), |h| h.route().del(message).execute())
    }
}
