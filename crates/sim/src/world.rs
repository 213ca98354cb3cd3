//! The world: a clock that advances from event to event, sites with hosts, and lines between them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;

use crate::link::{Link, Quality};
use crate::middlebox::Middlebox;
use crate::packet::Packet;
use crate::transcript::Transcript;
use crate::verdict::Verdict;
use crate::watch::Watch;

/// The most packets in flight.
pub const IN_FLIGHT_MAX: usize = 4096;
/// The most consecutive events at one instant; more is a loop.
const SAME_INSTANT_MAX: u32 = 20_000;

/// A host with an address.
pub trait Host {
    /// Its address inside its site.
    fn address(&self) -> Ipv4Addr;
    /// Handles a received packet.
    fn handle_packet(&mut self, now: Instant, packet: Packet, out: &mut Output);
    /// Handles expired timers.
    fn handle_timeout(&mut self, now: Instant, out: &mut Output);
    /// When [`Host::handle_timeout`] must be called.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// The output of a host.
#[derive(Debug, Default)]
pub struct Output {
    /// Packets to send.
    pub packets: Vec<Packet>,
    /// Lines for the transcript: source and text.
    pub notes: Vec<(&'static str, String)>,
}

/// Hosts behind the same middleboxes and the same line.
#[derive(Debug)]
struct Site {
    /// The middleboxes, from the hosts outwards.
    boxes: Vec<Middlebox>,
    up: Link,
    down: Link,
}

/// The next point on the path of a packet.
#[derive(Debug)]
enum Arrival {
    /// The core between the sites.
    Core(Packet),
    /// The outermost middlebox of a site.
    Site(usize, Packet),
}

/// A world of hosts, lines, a clock and a transcript.
pub struct World<H> {
    epoch: Instant,
    now: Instant,
    rng: Rng,
    sites: Vec<Site>,
    hosts: Vec<(usize, H)>,
    /// The site that owns a public address, and the host with an address inside a site.
    owners: BTreeMap<Ipv4Addr, usize>,
    inside: BTreeMap<(usize, Ipv4Addr), usize>,
    /// The timers of hosts by time, and by host: they change only when a host is accessed.
    wakes: BTreeSet<(Instant, usize)>,
    woken: Vec<Option<Instant>>,
    queue: BTreeMap<(Instant, u64), Arrival>,
    next: u64,
    same: u32,
    /// The transcript.
    pub transcript: Transcript,
    /// The observer of GRE packets.
    pub watch: Watch,
}

/// A limit of the simulation was exceeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck(pub String);

impl<H: Host> World<H> {
    /// Creates an empty world; the transcript has lines if `verbose`.
    pub fn new(rng: Rng, verbose: bool) -> World<H> {
        let epoch = Instant::now();
        World {
            epoch,
            now: epoch,
            rng,
            sites: Vec::new(),
            hosts: Vec::new(),
            owners: BTreeMap::new(),
            inside: BTreeMap::new(),
            wakes: BTreeSet::new(),
            woken: Vec::new(),
            queue: BTreeMap::new(),
            next: 0,
            same: 0,
            transcript: Transcript::new(epoch, verbose),
            watch: Watch::default(),
        }
    }

    /// The current virtual time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.now.saturating_duration_since(self.epoch)
    }

    /// The time of the beginning.
    pub fn epoch(&self) -> Instant {
        self.epoch
    }

    /// Adds a site behind a line of this quality; `boxes` are ordered from the hosts outwards.
    pub fn add_site(&mut self, boxes: Vec<Middlebox>, up: Quality, down: Quality) -> usize {
        let site = self.sites.len();
        for address in boxes.iter().filter_map(Middlebox::address) {
            self.owners.insert(address, site);
        }
        self.sites.push(Site { boxes, up: Link::new(up), down: Link::new(down) });
        site
    }

    /// Adds a host to a site.
    pub fn add_host(&mut self, site: usize, host: H) -> usize {
        let index = self.hosts.len();
        self.owners.entry(host.address()).or_insert(site);
        self.inside.insert((site, host.address()), index);
        self.hosts.push((site, host));
        self.woken.push(None);
        self.wake(index);
        index
    }

    /// The host with this index.
    pub fn host(&self, index: usize) -> &H {
        &self.hosts[index].1
    }

    /// All hosts.
    pub fn hosts(&self) -> impl Iterator<Item = &H> {
        self.hosts.iter().map(|(_, host)| host)
    }

    /// The middleboxes of a site.
    pub fn boxes(&mut self, site: usize) -> &mut Vec<Middlebox> {
        &mut self.sites[site].boxes
    }

    /// Runs an operation on a host, and sends the packets that result.
    pub fn act<T>(&mut self, index: usize, act: impl FnOnce(&mut H, Instant, &mut Output) -> T) -> T {
        let mut out = Output::default();
        let result = act(&mut self.hosts[index].1, self.now, &mut out);
        self.wake(index);
        self.emit(index, out);
        result
    }

    /// Delivers a packet that no host of this world has sent to the host with this index.
    pub fn inject(&mut self, index: usize, packet: Packet) {
        self.transcript.packet(self.now, "forged", &packet);
        self.act(index, |host, now, out| host.handle_packet(now, packet, out));
    }

    /// Updates the timer of a host.
    fn wake(&mut self, index: usize) {
        let at = self.hosts[index].1.poll_timeout();
        if let Some(before) = core::mem::replace(&mut self.woken[index], at) {
            self.wakes.remove(&(before, index));
        }
        if let Some(at) = at {
            self.wakes.insert((at, index));
        }
    }

    /// Runs until `done` is true, time reaches `until`, or nothing is left to do.
    ///
    /// # Errors
    /// If a limit is exceeded: a loop at one instant, or too many packets in flight.
    pub fn run(&mut self, until: Instant, mut done: impl FnMut(&World<H>) -> bool) -> Result<(), Stuck> {
        while !done(self) {
            let packet = self.queue.keys().next().map(|(at, _)| *at);
            let timer = self.wakes.first().copied();
            let Some(at) = [packet, timer.map(|(at, _)| at)].into_iter().flatten().min() else { break };
            if at > until {
                break;
            }
            self.advance(at)?;
            // Packets come before timers: a packet that arrives on time counts.
            if packet.is_some_and(|packet| packet <= at) {
                if let Some((_, arrival)) = self.queue.pop_first() {
                    self.arrive(arrival);
                }
            } else if let Some((_, index)) = timer {
                self.act(index, |host, now, out| host.handle_timeout(now, out));
            }
            if self.queue.len() > IN_FLIGHT_MAX {
                return Err(Stuck(format!("{} packets in flight", self.queue.len())));
            }
        }
        if !done(self) {
            self.now = self.now.max(until);
        }
        Ok(())
    }

    fn advance(&mut self, at: Instant) -> Result<(), Stuck> {
        if at > self.now {
            self.now = at;
            self.same = 0;
        }
        self.same += 1;
        if self.same > SAME_INSTANT_MAX {
            return Err(Stuck("time does not pass".to_owned()));
        }
        Ok(())
    }

    fn emit(&mut self, index: usize, out: Output) {
        for (who, text) in out.notes {
            self.transcript.note(self.now, who, &text);
        }
        let site = self.hosts[index].0;
        for packet in out.packets {
            self.transcript.packet(self.now, "sent", &packet);
            self.watch.sent(&packet);
            self.outward(site, 0, packet);
        }
    }

    /// Moves a packet outwards, from the middlebox with this index on.
    fn outward(&mut self, site: usize, from: usize, mut packet: Packet) {
        for at in from..self.sites[site].boxes.len() {
            match self.sites[site].boxes[at].outward(self.now, packet) {
                Verdict::Pass(changed) => packet = changed,
                Verdict::Drop(why) => return self.transcript.note(self.now, "dropped", why),
                Verdict::Answer(answer) => return self.inward(site, at, answer),
            }
        }
        let Site { up, .. } = &mut self.sites[site];
        for at in up.carry(self.now, &mut self.rng, &packet) {
            self.schedule(at, Arrival::Core(packet.clone()));
        }
    }

    /// Moves a packet inwards, from the middlebox before this index to the host.
    fn inward(&mut self, site: usize, before: usize, mut packet: Packet) {
        for at in (0..before).rev() {
            match self.sites[site].boxes[at].inward(self.now, packet) {
                Verdict::Pass(changed) => packet = changed,
                Verdict::Drop(why) => return self.transcript.note(self.now, "dropped", why),
                Verdict::Answer(answer) => return self.outward(site, at + 1, answer),
            }
        }
        let host = self.inside.get(&(site, packet.dst)).copied();
        if let Some(index) = host {
            self.transcript.packet(self.now, "received", &packet);
            self.act(index, |host, now, out| host.handle_packet(now, packet, out));
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Core(packet) => {
                let Some(site) = self.owners.get(&packet.dst).copied() else { return };
                let Site { down, .. } = &mut self.sites[site];
                for at in down.carry(self.now, &mut self.rng, &packet) {
                    self.schedule(at, Arrival::Site(site, packet.clone()));
                }
            }
            Arrival::Site(site, packet) => self.inward(site, self.sites[site].boxes.len(), packet),
        }
    }

    fn schedule(&mut self, at: Instant, arrival: Arrival) {
        self.queue.insert((at, self.next), arrival);
        self.next += 1;
    }
}
