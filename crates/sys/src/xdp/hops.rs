//! The next hops of packets: the Ethernet header for a destination, cached so that no lookup is needed per
//! packet.

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::header::ETHERNET;
use super::netlink::{Link, Netlink, News};

/// The most destinations that are cached; beyond that, the cache is cleared.
const MAX_DESTINATIONS: usize = 16_384;
/// The most neighbours that are cached; others are reached through the kernel.
const MAX_NEIGHBOURS: usize = 16_384;
/// The age after which a route is looked up again, because some changes cause no message (a learnt path MTU).
const ROUTE_AGE: Duration = Duration::from_secs(10);
/// The shortest interval between reads of changes.
const NEWS_EVERY: Duration = Duration::from_millis(20);
/// The interval at which a packet to an unconfirmed neighbour takes the kernel's own path, so that the kernel
/// verifies the neighbour.
const CONFIRM_EVERY: Duration = Duration::from_secs(1);

/// The next hop of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// Send with these headers on this interface.
    Direct { ethernet: [u8; ETHERNET], source: Ipv4Addr, mtu: u32 },
    /// Send through the kernel: the route is not direct, or the neighbour is not resolved yet.
    Kernel,
}

#[derive(Clone, Copy, Debug)]
struct Destination {
    /// An index of `neighbours`; `None` if the packets do not leave through our interface.
    neighbour: Option<usize>,
    source: Ipv4Addr,
    mtu: u32,
    generation: u64,
    asked: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Neighbour {
    mac: Option<[u8; 6]>,
    /// Whether it was reachable recently, or is a permanent entry.
    confirmed: bool,
    tried: Option<Instant>,
}

type Key = (Ipv4Addr, Option<Ipv4Addr>);

/// The routes and neighbours of one interface.
#[derive(Debug)]
pub(super) struct Hops {
    netlink: Netlink,
    link: Link,
    gone: bool,
    destinations: HashMap<Key, Destination>,
    /// The destination of the previous packet: most packets go to the same one.
    last: Option<(Key, Destination)>,
    neighbours: Vec<Neighbour>,
    by_address: HashMap<Ipv4Addr, usize>,
    /// Incremented by every change of routes.
    generation: u64,
    heard: Option<Instant>,
}

impl Hops {
    /// Creates an empty cache for an interface in its current state.
    pub(super) fn new(netlink: Netlink, link: Link) -> io::Result<Hops> {
        let mut hops = Hops {
            netlink,
            link,
            gone: false,
            destinations: HashMap::new(),
            last: None,
            neighbours: Vec::new(),
            by_address: HashMap::new(),
            generation: 0,
            heard: None,
        };
        hops.read_neighbours()?;
        Ok(hops)
    }

    /// Whether the interface exists and is up.
    pub(super) fn up(&self) -> bool {
        self.link.up && !self.gone
    }

    /// Records an error that shows that the interface is down, before the message about it is read.
    pub(super) fn down(&mut self) {
        self.link.up = false;
    }

    /// Reads changes from time to time. Call it once for each batch.
    pub(super) fn refresh(&mut self, now: Instant) {
        if self.heard.is_some_and(|heard| now.saturating_duration_since(heard) < NEWS_EVERY) {
            return;
        }
        self.heard = Some(now);
        let mut all = Vec::new();
        self.netlink.news(|news| all.push(news));
        if all.contains(&News::Lost) {
            self.forget_routes();
            for neighbour in &mut self.neighbours {
                neighbour.mac = None;
            }
            // If this fails, the neighbours are unknown, and packets are sent through the kernel.
            let _ = self.read_neighbours();
        }
        for news in all {
            self.learn(news);
        }
    }

    /// The next hop for `destination`, from `source`, or from the address that the route selects.
    pub(super) fn find(&mut self, now: Instant, destination: Ipv4Addr, source: Option<Ipv4Addr>) -> Hop {
        if !self.up() {
            return Hop::Kernel;
        }
        let key = (destination, source.filter(|source| !source.is_unspecified()));
        let known = match self.last {
            Some((last, known)) if last == key => Some(known),
            _ => self.destinations.get(&key).copied(),
        };
        let fresh = |d: &Destination| {
            d.generation == self.generation && now.saturating_duration_since(d.asked) < ROUTE_AGE
        };
        let known = match known.filter(fresh) {
            Some(known) => known,
            None => {
                let known = self.ask(now, key);
                if self.destinations.len() >= MAX_DESTINATIONS {
                    self.destinations.clear();
                }
                self.destinations.insert(key, known);
                known
            }
        };
        self.last = Some((key, known));
        let Some(neighbour) = known.neighbour.and_then(|index| self.neighbours.get_mut(index)) else {
            return Hop::Kernel;
        };
        let (Some(to), Some(from)) = (neighbour.mac, self.link.mac) else { return Hop::Kernel };
        if !neighbour.confirmed {
            let due =
                neighbour.tried.is_none_or(|tried| now.saturating_duration_since(tried) >= CONFIRM_EVERY);
            if due {
                neighbour.tried = Some(now);
                return Hop::Kernel;
            }
        }
        let [a, b, c, d, e, f] = to;
        let [g, h, i, j, k, l] = from;
        let ethernet = [a, b, c, d, e, f, g, h, i, j, k, l, 0x08, 0x00];
        Hop::Direct { ethernet, source: known.source, mtu: known.mtu.min(self.link.mtu) }
    }

    fn ask(&mut self, now: Instant, (destination, source): Key) -> Destination {
        let mut known = Destination {
            neighbour: None,
            source: Ipv4Addr::UNSPECIFIED,
            mtu: u32::MAX,
            generation: self.generation,
            asked: now,
        };
        let Ok(Some(route)) = self.netlink.route(destination, source) else { return known };
        let direct = route.unicast && !route.special && route.interface == self.link.index;
        if let (true, Some(source)) = (direct, source.or(route.source)) {
            known.source = source;
            known.mtu = route.mtu.filter(|mtu| *mtu > 0).unwrap_or(u32::MAX);
            known.neighbour = self.neighbour(route.gateway.unwrap_or(destination));
        }
        known
    }

    /// The index of a neighbour, resolved or not.
    fn neighbour(&mut self, address: Ipv4Addr) -> Option<usize> {
        if let Some(index) = self.by_address.get(&address) {
            return Some(*index);
        }
        let index = self.neighbours.len();
        if index >= MAX_NEIGHBOURS {
            return None;
        }
        self.neighbours.push(Neighbour { mac: None, confirmed: false, tried: None });
        self.by_address.insert(address, index);
        Some(index)
    }

    fn read_neighbours(&mut self) -> io::Result<()> {
        let mut all = Vec::new();
        self.netlink.neighbours(|news| all.push(news))?;
        for news in all {
            self.learn(news);
        }
        Ok(())
    }

    fn learn(&mut self, news: News) {
        match news {
            News::Link(link) if link.index == self.link.index => {
                if link != self.link {
                    self.forget_routes();
                }
                self.link = link;
            }
            News::NoLink { index } if index == self.link.index => self.gone = true,
            News::Neighbour { interface, address, mac, state } if interface == self.link.index => {
                const USABLE: u16 = libc::NUD_REACHABLE
                    | libc::NUD_STALE
                    | libc::NUD_DELAY
                    | libc::NUD_PROBE
                    | libc::NUD_PERMANENT
                    | libc::NUD_NOARP;
                const CONFIRMED: u16 = libc::NUD_REACHABLE | libc::NUD_PERMANENT | libc::NUD_NOARP;
                let index = self.neighbour(address);
                if let Some(known) = index.and_then(|index| self.neighbours.get_mut(index)) {
                    known.mac = mac.filter(|_| state & USABLE != 0);
                    known.confirmed = state & CONFIRMED != 0;
                }
            }
            News::Routes => self.forget_routes(),
            News::Link(_) | News::NoLink { .. } | News::Neighbour { .. } | News::Lost => {}
        }
    }

    fn forget_routes(&mut self) {
        self.generation += 1;
    }
}
