//! Netlink in the sending thread: looks up routes and neighbours, and receives changes.
//!
//! [`crate::net`] uses a separate thread, which is suitable for commands but too slow while a packet waits.
//! Only the few required messages are encoded and decoded here.
#![expect(unsafe_code, reason = "send and recv on a netlink socket")]

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};

use crate::socket;

/// The size of the largest answer that is read at once; the kernel sends up to 32 KiB.
const BUFFER: usize = 32 * 1024;

// Message types (linux/rtnetlink.h).
const NEW_LINK: u16 = 16;
const DEL_LINK: u16 = 17;
const GET_LINK: u16 = 18;
const NEW_ADDRESS: u16 = 20;
const DEL_ADDRESS: u16 = 21;
const NEW_ROUTE: u16 = 24;
const DEL_ROUTE: u16 = 25;
const GET_ROUTE: u16 = 26;
const NEW_NEIGHBOUR: u16 = 28;
const DEL_NEIGHBOUR: u16 = 29;
const GET_NEIGHBOUR: u16 = 30;
const NEW_RULE: u16 = 32;
const DEL_RULE: u16 = 33;
const DONE: u16 = 3;
const ERROR: u16 = 2;

const REQUEST: u16 = 1;
const DUMP: u16 = 0x300;

/// The multicast groups of links, neighbours, IPv4 addresses, routes and rules (RTMGRP_…).
const GROUPS: u32 = 0x1 | 0x4 | 0x10 | 0x40 | 0x80;

/// A change reported by a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The state of an interface changed.
    Link(Link),
    /// An interface was removed.
    NoLink { index: u32 },
    /// A neighbour was added, changed or removed.
    Neighbour { interface: u32, address: Ipv4Addr, mac: Option<[u8; 6]>, state: u16 },
    /// Routes, rules or addresses have changed.
    Routes,
    /// Messages were lost: everything may have changed.
    Lost,
}

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) index: u32,
    /// The hardware type (ARPHRD_…).
    pub(super) kind: u16,
    pub(super) up: bool,
    pub(super) mtu: u32,
    pub(super) mac: Option<[u8; 6]>,
    pub(super) carrier_losses: Option<u32>,
}

/// The answer to a route lookup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RouteAnswer {
    pub(super) unicast: bool,
    pub(super) interface: u32,
    pub(super) gateway: Option<Ipv4Addr>,
    pub(super) source: Option<Ipv4Addr>,
    pub(super) mtu: Option<u32>,
    /// Whether it needs more than a plain Ethernet frame.
    pub(super) special: bool,
}

/// A netlink connection to the kernel.
#[derive(Debug)]
pub(super) struct Netlink {
    questions: OwnedFd,
    events: OwnedFd,
    buffer: Box<[u8]>,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Address {
    family: u16,
    pad: u16,
    process: u32,
    groups: u32,
}

impl Netlink {
    /// Opens a connection for the network namespace of the calling thread.
    pub(super) fn open() -> io::Result<Netlink> {
        let open = || socket::open(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE);
        let (questions, events) = (open()?, open()?);
        let address = Address { family: libc::AF_NETLINK as u16, pad: 0, process: 0, groups: GROUPS };
        socket::bind(&events, &address)?;
        Ok(Netlink { questions, events, buffer: vec![0; BUFFER].into_boxed_slice() })
    }

    /// The interface with this name; `None` if there is none.
    pub(super) fn link(&mut self, name: &str) -> io::Result<Option<Link>> {
        const NAME: u16 = 3;
        let mut body = vec![0; 16];
        attribute(&mut body, NAME, &[name.as_bytes(), &[0]].concat());
        let mut found = None;
        let asked = self.ask(GET_LINK, 0, &body, |message| {
            if let Some(News::Link(link)) = message.news() {
                found = Some(link);
            }
        });
        match asked {
            Err(e) if e.raw_os_error() == Some(libc::ENODEV) => Ok(None),
            other => other.map(|()| found),
        }
    }

    /// Reports all neighbours.
    pub(super) fn neighbours(&mut self, mut each: impl FnMut(News)) -> io::Result<()> {
        let mut body = vec![0; 12];
        set(&mut body, 0, &[libc::AF_INET as u8]);
        self.ask(GET_NEIGHBOUR, DUMP, &body, |message| {
            if let Some(news) = message.news() {
                each(news);
            }
        })
    }

    /// Looks up the route of a packet to `destination`, from `source` if given; `None` if there is no route.
    pub(super) fn route(
        &mut self,
        destination: Ipv4Addr,
        source: Option<Ipv4Addr>,
    ) -> io::Result<Option<RouteAnswer>> {
        const TO: u16 = 1;
        const FROM: u16 = 2;
        let mut body = vec![0; 12];
        set(&mut body, 0, &[libc::AF_INET as u8, 32, if source.is_some() { 32 } else { 0 }]);
        attribute(&mut body, TO, &destination.octets());
        if let Some(source) = source {
            attribute(&mut body, FROM, &source.octets());
        }
        let mut found = None;
        let asked = self.ask(GET_ROUTE, 0, &body, |message| found = found.take().or_else(|| message.route()));
        match asked {
            // A result such as "network unreachable", not an error of the socket.
            Err(e) if e.raw_os_error().is_some_and(|n| n != libc::EAGAIN && n != libc::ENOBUFS) => Ok(None),
            other => other.map(|()| found),
        }
    }

    /// Reports the changes since the last call, up to a limit; the rest is reported by the next one.
    pub(super) fn news(&mut self, mut each: impl FnMut(News)) {
        const AT_ONCE: usize = 64;
        for _ in 0..AT_ONCE {
            match receive(&self.events, &mut self.buffer) {
                Ok(n) => {
                    for message in Messages(self.buffer.get(..n).unwrap_or_default()) {
                        if let Some(news) = message.news() {
                            each(news);
                        }
                    }
                }
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => each(News::Lost),
                Err(_) => return,
            }
        }
    }

    /// Sends a request and reads its answers. The answers are available as soon as the request is sent.
    fn ask(
        &mut self,
        kind: u16,
        flags: u16,
        body: &[u8],
        mut each: impl FnMut(Message<'_>),
    ) -> io::Result<()> {
        // Discard answers that an earlier request may have left.
        while receive(&self.questions, &mut self.buffer).is_ok() {}
        let mut message = Vec::with_capacity(16 + body.len());
        message.extend_from_slice(&((16 + body.len()) as u32).to_ne_bytes());
        message.extend_from_slice(&kind.to_ne_bytes());
        message.extend_from_slice(&(REQUEST | flags).to_ne_bytes());
        message.extend_from_slice(&[0; 8]);
        message.extend_from_slice(body);
        send(&self.questions, &message)?;
        loop {
            let n = match receive(&self.questions, &mut self.buffer) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            for message in Messages(self.buffer.get(..n).unwrap_or_default()) {
                match message.kind {
                    DONE => return Ok(()),
                    ERROR => {
                        let number = message.body.first_chunk().map_or(0, |n| i32::from_ne_bytes(*n));
                        return if number == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(-number)) };
                    }
                    _ => each(message),
                }
            }
            if flags & DUMP == 0 {
                return Ok(());
            }
        }
    }
}

fn send(fd: &OwnedFd, octets: &[u8]) -> io::Result<()> {
    // SAFETY: `octets` is readable for its length. An unconnected netlink socket sends to the kernel.
    let n = unsafe { libc::send(fd.as_raw_fd(), octets.as_ptr().cast(), octets.len(), libc::MSG_DONTWAIT) };
    if n < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn receive(fd: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: `room` is writable for its length.
    let n =
        unsafe { libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_DONTWAIT) };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

fn set(body: &mut [u8], at: usize, octets: &[u8]) {
    if let Some(place) = body.get_mut(at..at + octets.len()) {
        place.copy_from_slice(octets);
    }
}

fn attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    body.extend_from_slice(&((4 + value.len()) as u16).to_ne_bytes());
    body.extend_from_slice(&kind.to_ne_bytes());
    body.extend_from_slice(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

/// A netlink message.
#[derive(Clone, Copy)]
struct Message<'a> {
    kind: u16,
    body: &'a [u8],
}

impl Message<'_> {
    fn news(self) -> Option<News> {
        match self.kind {
            NEW_LINK => self.link().map(News::Link),
            DEL_LINK => Some(News::NoLink { index: self.u32(4)? }),
            NEW_NEIGHBOUR | DEL_NEIGHBOUR => self.neighbour(),
            NEW_ADDRESS | DEL_ADDRESS | NEW_ROUTE | DEL_ROUTE | NEW_RULE | DEL_RULE => Some(News::Routes),
            _ => None,
        }
    }

    /// Parses `struct ifinfomsg` and its attributes.
    fn link(self) -> Option<Link> {
        let mut link = Link {
            index: self.u32(4)?,
            kind: self.u16(2)?,
            up: self.u32(8)? & libc::IFF_UP as u32 != 0,
            ..Link::default()
        };
        for (kind, value) in self.attributes(16) {
            match kind {
                libc::IFLA_ADDRESS => link.mac = value.try_into().ok(),
                libc::IFLA_MTU => link.mtu = number(value)?,
                libc::IFLA_CARRIER_DOWN_COUNT => link.carrier_losses = number(value),
                _ => {}
            }
        }
        Some(link)
    }

    /// Parses `struct ndmsg` and its attributes.
    fn neighbour(self) -> Option<News> {
        let interface = self.u32(4)?;
        let state = if self.kind == DEL_NEIGHBOUR { libc::NUD_NONE } else { self.u16(8)? };
        if self.body.first() != Some(&(libc::AF_INET as u8)) {
            return None;
        }
        let (mut address, mut mac) = (None, None);
        for (kind, value) in self.attributes(12) {
            match kind {
                libc::NDA_DST => address = ip(value),
                libc::NDA_LLADDR => mac = value.try_into().ok(),
                _ => {}
            }
        }
        Some(News::Neighbour { interface, address: address?, mac, state })
    }

    /// Parses `struct rtmsg` and its attributes.
    fn route(self) -> Option<RouteAnswer> {
        if self.kind != NEW_ROUTE {
            return None;
        }
        let mut route =
            RouteAnswer { unicast: self.body.get(7) == Some(&libc::RTN_UNICAST), ..RouteAnswer::default() };
        for (kind, value) in self.attributes(12) {
            match kind {
                libc::RTA_OIF => route.interface = number(value)?,
                libc::RTA_GATEWAY => route.gateway = ip(value),
                libc::RTA_PREFSRC => route.source = ip(value),
                libc::RTA_METRICS => {
                    const MTU: u16 = 2;
                    route.mtu = Attributes(value).find(|(kind, _)| *kind == MTU).and_then(|(_, v)| number(v));
                }
                // A gateway of another family (RTA_VIA), or encapsulation (RTA_ENCAP).
                18 | 21 | 22 => route.special = true,
                _ => {}
            }
        }
        Some(route)
    }
}

impl<'a> Message<'a> {
    fn u16(self, at: usize) -> Option<u16> {
        self.body.get(at..)?.first_chunk().map(|n| u16::from_ne_bytes(*n))
    }

    fn u32(self, at: usize) -> Option<u32> {
        number(self.body.get(at..)?)
    }

    fn attributes(self, from: usize) -> Attributes<'a> {
        Attributes(self.body.get(from..).unwrap_or_default())
    }
}

fn number(value: &[u8]) -> Option<u32> {
    value.first_chunk().map(|n| u32::from_ne_bytes(*n))
}

fn ip(value: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from)
}

/// An iterator over received messages.
struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let len = number(self.0)? as usize;
        let message = self.0.get(..len)?;
        let kind = message.get(4..)?.first_chunk().map(|n| u16::from_ne_bytes(*n))?;
        let body = message.get(16..)?;
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(Message { kind, body })
    }
}

/// An iterator over the attributes of a message, or those nested in an attribute.
struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        const NESTED: u16 = 0x8000;
        let len = self.0.first_chunk().map(|n| usize::from(u16::from_ne_bytes(*n)))?;
        let kind = self.0.get(2..)?.first_chunk().map(|n| u16::from_ne_bytes(*n))?;
        let value = self.0.get(4..len)?;
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & !NESTED, value))
    }
}
