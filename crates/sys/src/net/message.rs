//! Conversions between rtnetlink messages and the types of this crate.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkInfo, LinkMessage};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteMetric, RouteProtocol, RouteScope, RouteType, RouteVia,
};
use rtnetlink::RouteMessageBuilder;

use super::types::{Address, Hop, Interface, Route, RouteKind};
use crate::error::{Error, Kind, Result};

pub(super) fn interface(message: &LinkMessage) -> Interface {
    let flags = message.header.flags;
    let mut interface = Interface {
        index: message.header.index,
        name: String::new(),
        mtu: 0,
        up: flags.contains(LinkFlags::Up),
        running: flags.contains(LinkFlags::LowerUp),
        loopback: flags.contains(LinkFlags::Loopback),
        point_to_point: flags.contains(LinkFlags::Pointopoint),
        kind: None,
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => interface.name.clone_from(name),
            LinkAttribute::Mtu(mtu) => interface.mtu = *mtu,
            LinkAttribute::LinkInfo(infos) => {
                interface.kind = infos.iter().find_map(|info| match info {
                    LinkInfo::Kind(kind) => Some(kind.to_string()),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    interface
}

pub(super) fn address(message: &AddressMessage) -> Option<Address> {
    let (mut local, mut far) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(address) => local = Some(*address),
            AddressAttribute::Address(address) => far = Some(*address),
            _ => {}
        }
    }
    // IPv6 gives only IFA_ADDRESS unless there is a peer.
    let own = local.or(far)?;
    let address = IpNet::new(own, message.header.prefix_len).ok()?;
    Some(Address { interface: message.header.index, address, peer: far.filter(|far| *far != own) })
}

pub(super) fn of_address(interface: u32, address: IpNet, peer: Option<IpAddr>) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = interface;
    message.header.prefix_len = address.prefix_len();
    message.header.family = if address.addr().is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    message.attributes.push(AddressAttribute::Local(address.addr()));
    message.attributes.push(AddressAttribute::Address(peer.unwrap_or(address.addr())));
    if let (IpNet::V4(v4), None) = (address, peer)
        && v4.prefix_len() < 31
    {
        message.attributes.push(AddressAttribute::Broadcast(v4.broadcast()));
    }
    message
}

/// Converts a route message: a multipath route becomes one route for each next hop.
pub(super) fn routes(message: &RouteMessage) -> Vec<Route> {
    let header = &message.header;
    let unspecified = match header.address_family {
        AddressFamily::Inet => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        AddressFamily::Inet6 => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
        _ => return Vec::new(),
    };
    let mut destination = unspecified;
    let mut route = Route {
        destination: IpNet::from(unspecified),
        gateway: None,
        interface: None,
        source: None,
        metric: 0,
        table: u32::from(header.table),
        mtu: None,
        kind: kind(header.kind),
        owner: header.protocol.into(),
    };
    let mut hops = Vec::new();
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(to) => destination = ip(to).unwrap_or(unspecified),
            RouteAttribute::PrefSource(from) => route.source = ip(from),
            RouteAttribute::Priority(metric) => route.metric = *metric,
            RouteAttribute::Table(table) => route.table = *table,
            RouteAttribute::Metrics(metrics) => route.mtu = mtu(metrics),
            RouteAttribute::MultiPath(paths) => {
                hops.extend(paths.iter().map(|p| (Some(p.interface_index), gateway(&p.attributes))));
            }
            _ => {}
        }
    }
    let Ok(destination) = IpNet::new(destination, header.destination_prefix_length) else {
        return Vec::new();
    };
    route.destination = destination;
    if hops.is_empty() {
        hops.push((out(&message.attributes), gateway(&message.attributes)));
    }
    hops.into_iter().map(|(interface, gateway)| Route { interface, gateway, ..route.clone() }).collect()
}

pub(super) fn of_route(route: &Route) -> Result<RouteMessage> {
    let wrong = || {
        let answer = "its addresses are of different families";
        Error::new(Kind::Other, format!("cannot use route {route}"), answer)
    };
    let destination = route.destination.trunc();
    let mut builder = RouteMessageBuilder::<IpAddr>::new()
        .destination_prefix(destination.addr(), destination.prefix_len())
        .map_err(|_| wrong())?
        .protocol(RouteProtocol::from(route.owner))
        .priority(route.metric)
        .table_id(route.table);
    if let Some(interface) = route.interface {
        builder = builder.output_interface(interface);
    }
    if let Some(source) = route.source {
        builder = builder.pref_source(source).map_err(|_| wrong())?;
    }
    if let Some(gateway) = route.gateway {
        builder = builder.gateway(gateway).map_err(|_| wrong())?;
    } else if destination.addr().is_ipv4() && route.kind == RouteKind::Unicast {
        builder = builder.scope(RouteScope::Link);
    }
    builder = builder.kind(match route.kind {
        RouteKind::Refused => RouteType::Unreachable,
        RouteKind::Local => RouteType::Local,
        RouteKind::Broadcast => RouteType::Broadcast,
        RouteKind::Unicast | RouteKind::Other => RouteType::Unicast,
    });
    let mut message = builder.build();
    if let Some(mtu) = route.mtu {
        message.attributes.push(RouteAttribute::Metrics(vec![RouteMetric::Mtu(mtu)]));
    }
    Ok(message)
}

/// The kernel's answer to a route lookup, without the name of the interface.
pub(super) struct BareHop {
    pub(super) interface: u32,
    gateway: Option<IpAddr>,
    source: Option<IpAddr>,
    pub(super) mtu: Option<u32>,
    local: bool,
}

impl From<BareHop> for Hop {
    fn from(hop: BareHop) -> Hop {
        Hop {
            interface: hop.interface,
            name: String::new(),
            gateway: hop.gateway,
            source: hop.source,
            mtu: hop.mtu.unwrap_or(0),
            local: hop.local,
        }
    }
}

pub(super) fn hop(message: &RouteMessage) -> Option<BareHop> {
    let attributes = &message.attributes;
    Some(BareHop {
        interface: out(attributes)?,
        gateway: gateway(attributes),
        source: attributes.iter().find_map(|a| match a {
            RouteAttribute::PrefSource(from) => ip(from),
            _ => None,
        }),
        mtu: attributes.iter().find_map(|a| match a {
            RouteAttribute::Metrics(metrics) => mtu(metrics),
            _ => None,
        }),
        local: message.header.kind == RouteType::Local,
    })
}

fn out(attributes: &[RouteAttribute]) -> Option<u32> {
    attributes.iter().find_map(|a| if let RouteAttribute::Oif(index) = a { Some(*index) } else { None })
}

fn gateway(attributes: &[RouteAttribute]) -> Option<IpAddr> {
    attributes.iter().find_map(|a| match a {
        RouteAttribute::Gateway(address) => ip(address),
        RouteAttribute::Via(RouteVia::Inet6(address)) => Some(IpAddr::V6(*address)),
        RouteAttribute::Via(RouteVia::Inet(address)) => Some(IpAddr::V4(*address)),
        _ => None,
    })
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(v4) => Some(IpAddr::V4(*v4)),
        RouteAddress::Inet6(v6) => Some(IpAddr::V6(*v6)),
        _ => None,
    }
}

fn mtu(metrics: &[RouteMetric]) -> Option<u32> {
    metrics.iter().find_map(|m| if let RouteMetric::Mtu(mtu) = m { Some(*mtu) } else { None })
}

fn kind(kind: RouteType) -> RouteKind {
    match kind {
        RouteType::Unicast => RouteKind::Unicast,
        RouteType::Local => RouteKind::Local,
        RouteType::Broadcast | RouteType::Anycast => RouteKind::Broadcast,
        RouteType::BlackHole | RouteType::Unreachable | RouteType::Prohibit => RouteKind::Refused,
        _ => RouteKind::Other,
    }
}
