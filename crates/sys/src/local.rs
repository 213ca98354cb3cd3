//! The addresses of this host: what the kernel delivers here instead of forwarding it, and notifications when that changes.

use std::fs::File;
use std::time::Duration;

use ipnet::IpNet;

use crate::changes::{receive, subscribe};
use crate::error::{Error, Result};
use crate::net::{Net, RouteKind};
use crate::poll::{Interest, Poller};

// Bits of the multicast groups (linux/rtnetlink.h): group N is bit N - 1.
const IPV4_ADDRESS: u32 = 1 << 4;
const IPV4_ROUTE: u32 = 1 << 6;
const IPV6_ADDRESS: u32 = 1 << 8;
const IPV6_ROUTE: u32 = 1 << 10;
/// The size of the buffer in octets; of a longer message only the beginning is read.
const BUFFER: usize = 16 * 1024;

/// The networks whose packets are delivered to this host: its addresses, broadcast addresses, and local routes.
///
/// # Errors
/// The error of the kernel.
pub fn networks(net: &Net) -> Result<Vec<IpNet>> {
    let routes = net.routes()?;
    let is_local = |kind: RouteKind| matches!(kind, RouteKind::Local | RouteKind::Broadcast);
    let routed = routes.iter().filter(|route| is_local(route.kind)).map(|route| route.destination);
    // An address of an interface that is down has no route yet.
    let addresses = net.addresses()?;
    let all = routed.chain(addresses.iter().map(|address| IpNet::from(address.address.addr())));
    let mut all: Vec<IpNet> = all.collect();
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// A subscription to changes of these networks, in the network namespace of the thread that opened it.
#[derive(Debug)]
pub struct Changes {
    socket: File,
    poller: Poller,
    buffer: Box<[u8]>,
}

impl Changes {
    /// Subscribes.
    ///
    /// # Errors
    /// The error of the kernel.
    pub fn open() -> Result<Changes> {
        let groups = IPV4_ADDRESS | IPV4_ROUTE | IPV6_ADDRESS | IPV6_ROUTE;
        let socket = subscribe(libc::NETLINK_ROUTE, groups)
            .map_err(|error| Error::io("cannot subscribe to changes of addresses", &error))?;
        let poller = Poller::new()?;
        poller.add(&socket, 0, Interest::Read)?;
        Ok(Changes { socket, poller, buffer: vec![0; BUFFER].into_boxed_slice() })
    }

    /// Waits for a change, or for `timeout`; returns whether there was one.
    ///
    /// # Errors
    /// The error of the kernel.
    pub fn wait(&mut self, timeout: Duration) -> std::io::Result<bool> {
        self.poller.wait(Some(timeout), |_| {})?;
        let mut has_changed = false;
        receive(&self.socket, &mut self.buffer, |message| {
            // Lost messages may have been about anything.
            has_changed |= message.is_none_or(concerns_this_host);
        });
        Ok(has_changed)
    }
}

/// Whether a datagram of rtnetlink is about an address, or a route that delivers packets here. A router has many others.
fn concerns_this_host(mut octets: &[u8]) -> bool {
    const HEADER: usize = 16;
    /// The type of a route (struct rtmsg).
    const ROUTE_TYPE: usize = HEADER + 7;
    let length = |octets: &[u8]| octets.first_chunk().map(|octets: &[u8; 4]| u32::from_ne_bytes(*octets));
    let kind =
        |octets: &[u8]| octets.get(4..)?.first_chunk().map(|octets: &[u8; 2]| u16::from_ne_bytes(*octets));
    while let (Some(len), Some(kind)) = (length(octets), kind(octets)) {
        match (kind, octets.get(ROUTE_TYPE)) {
            (libc::RTM_NEWADDR | libc::RTM_DELADDR, _) => return true,
            (libc::RTM_NEWROUTE | libc::RTM_DELROUTE, Some(&libc::RTN_UNICAST)) => {}
            _ => return true,
        }
        let len = usize::try_from(len).unwrap_or(usize::MAX).max(HEADER).saturating_add(3) & !3;
        octets = octets.get(len..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, route_type: u8) -> Vec<u8> {
        let mut octets = vec![0; 28];
        octets[..4].copy_from_slice(&28u32.to_ne_bytes());
        octets[4..6].copy_from_slice(&kind.to_ne_bytes());
        octets[23] = route_type;
        octets
    }

    #[test]
    fn routes_to_elsewhere_are_no_change() {
        let unicast = message(libc::RTM_NEWROUTE, libc::RTN_UNICAST);
        assert!(!concerns_this_host(&unicast));
        assert!(!concerns_this_host(&[unicast.clone(), unicast.clone()].concat()));
        let local = message(libc::RTM_DELROUTE, libc::RTN_LOCAL);
        assert!(concerns_this_host(&[unicast, local].concat()));
        assert!(concerns_this_host(&message(libc::RTM_NEWADDR, 0)));
        assert!(!concerns_this_host(&[]));
    }
}
