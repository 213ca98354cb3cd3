//! The contents of the tunnel, if readable: packets in clear, and those that a password decrypts.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use adit_wire::{gre, icmp, tcp};

use super::names::Lookups;
use crate::beginning::Icmp;
use crate::decode::datagram;
use crate::packet::{Content, Network, Packet};
use crate::tcp::Segment;

/// The most targets; later ones are not tracked.
pub const TARGETS_MAX: usize = 48;
/// The most senders behind the server.
pub const SOURCES_MAX: usize = 16;
/// The most ICMP errors that are kept.
pub const ERRORS_MAX: usize = 16;
/// The most TCP segments that are kept to detect retransmissions.
const SEGMENTS: usize = 64;

/// A host and service that are addressed through the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The address of the host.
    pub address: IpAddr,
    /// The IP protocol.
    pub protocol: u8,
    /// The port; 0 for ICMP echo.
    pub port: u16,
    /// The sender.
    pub by: IpAddr,
    /// Whether the sender is on the client's side.
    pub from_client: bool,
    /// The number of requests: SYN, Echo-Request, UDP.
    pub requests: u64,
    /// Frame and time of the first request.
    pub first: (u64, Duration),
    /// Frame and time of the last request.
    pub last: (u64, Duration),
    /// The first answer other than a RST or an ICMP error.
    pub answered: Option<(u64, Duration)>,
    /// The frame of a RST to the SYN.
    pub refused: Option<u64>,
    /// An ICMP error about it: its frame, sender, type and code.
    pub error: Option<(u64, IpAddr, u8, u8)>,
}

/// A retransmitted TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resent {
    /// The length of the IP packet around it, inside the tunnel.
    pub len: usize,
    /// How often it was sent.
    pub times: u64,
    /// The frame of the first transmission.
    pub first: u64,
    /// The frame of the last transmission.
    pub last: u64,
    /// Whether it was sent by the client.
    pub from_client: bool,
}

/// The facts about the inside of the tunnel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Packets from the client.
    pub from_client: u64,
    /// Packets from the server.
    pub from_server: u64,
    /// The size of the largest packet from the client that was acknowledged by TCP.
    pub largest_arrived: usize,
    /// The targets.
    pub targets: Vec<Target>,
    /// DNS queries.
    pub lookups: Lookups,
    /// The greatest MSS in a SYN: its value, frame, and whether the client sent it.
    pub mss: Option<(u16, u64, bool)>,
    /// The segment that was retransmitted most often.
    pub resent: Option<Resent>,
    /// The number of retransmitted segments.
    pub resent_count: u64,
    /// TCP segments with data.
    pub segments: u64,
    /// ICMP errors: frame, sender and content.
    pub errors: Vec<(u64, IpAddr, Icmp)>,
    /// The first frame with GRE or PPTP to the server itself: the tunnel carries its own packets.
    pub nested: Option<u64>,
    /// The first packet of the client that must not be forwarded (its time to live is 1): frame and time.
    pub ends_at_server: Option<(u64, Duration)>,
    /// The client's address inside the tunnel, by the packets that it sends.
    pub client_address: Option<IpAddr>,
    /// The senders behind the server, and the server's own tunnel address; at most [`SOURCES_MAX`].
    pub sources: Vec<IpAddr>,
    recent: VecDeque<Data>,
}

/// TCP data in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Data {
    ends: (IpAddr, u16, IpAddr, u16),
    seq: u32,
    next: u32,
    len: usize,
    times: u64,
    first: u64,
    is_acked: bool,
}

impl Inside {
    /// Handles the IP packet `octets` that arrived in `packet`; `server` is the server's outer address.
    pub(super) fn take(&mut self, packet: &Packet, from_client: bool, octets: &[u8], server: IpAddr) {
        let (network, content) = datagram(octets);
        let Some(network) = network else { return };
        if from_client {
            self.from_client += 1;
            self.client_address.get_or_insert(network.source);
            if network.ttl == 1 && !is_for_many(network.destination) {
                self.ends_at_server.get_or_insert((packet.number, packet.time));
            }
        } else {
            self.from_server += 1;
            if self.sources.len() < SOURCES_MAX && !self.sources.contains(&network.source) {
                self.sources.push(network.source);
            }
        }
        let is_own = network.protocol == gre::IP_PROTOCOL
            || matches!(&content, Content::Tcp(segment) if segment.destination_port == adit_wire::pptp::PORT);
        if from_client && network.destination == server && is_own {
            self.nested.get_or_insert(packet.number);
        }
        match &content {
            Content::Tcp(segment) => self.tcp(packet, &network, segment, from_client),
            Content::Dns(dns) => self.lookups.take(packet, &network, dns),
            Content::Icmp(icmp) => self.icmp(packet, &network, icmp, from_client),
            Content::Udp { source, destination, .. } => {
                let (protocol, to) = (network.protocol, network.destination);
                if !self.answer(packet, &network, *source, *destination) && !is_for_many(to) {
                    self.request(packet, &network, (protocol, *destination), from_client);
                }
            }
            _ => {}
        }
    }

    fn request(
        &mut self,
        packet: &Packet,
        network: &Network,
        (protocol, port): (u8, u16),
        from_client: bool,
    ) {
        let place = (packet.number, packet.time);
        let known = self.targets.iter_mut().find(|target| {
            (target.by, target.address) == (network.source, network.destination)
                && (target.protocol, target.port) == (protocol, port)
        });
        if let Some(target) = known {
            target.requests += 1;
            target.last = place;
        } else if self.targets.len() < TARGETS_MAX {
            self.targets.push(Target {
                address: network.destination,
                protocol,
                port,
                by: network.source,
                from_client,
                requests: 1,
                first: place,
                last: place,
                answered: None,
                refused: None,
                error: None,
            });
        }
    }

    /// The target that a packet from `port` answers.
    fn asked(&mut self, network: &Network, port: u16) -> Option<&mut Target> {
        self.targets.iter_mut().find(|target| {
            (target.address, target.by) == (network.source, network.destination)
                && (target.protocol, target.port) == (network.protocol, port)
        })
    }

    /// Whether a UDP packet is the answer to one from the other side.
    fn answer(&mut self, packet: &Packet, network: &Network, source: u16, _destination: u16) -> bool {
        let place = (packet.number, packet.time);
        self.asked(network, source).is_some_and(|target| {
            target.answered.get_or_insert(place);
            true
        })
    }

    fn tcp(&mut self, packet: &Packet, network: &Network, segment: &Segment, from_client: bool) {
        if segment.flags & tcp::SYN != 0
            && let Some(mss) = segment.mss
            && self.mss.is_none_or(|(known, ..)| mss > known)
        {
            self.mss = Some((mss, packet.number, from_client));
        }
        if segment.is_syn() {
            self.request(packet, network, (network.protocol, segment.destination_port), from_client);
        } else if let Some(target) = self.asked(network, segment.source_port) {
            if segment.is_reset() && target.answered.is_none() {
                target.refused.get_or_insert(packet.number);
            } else {
                target.answered.get_or_insert((packet.number, packet.time));
            }
        }
        let (here, there) =
            ((network.source, segment.source_port), (network.destination, segment.destination_port));
        if let Some(ack) = segment.ack {
            for data in self.recent.iter_mut().filter(|data| data.ends == (there.0, there.1, here.0, here.1))
            {
                if ack.wrapping_sub(data.next).cast_signed() >= 0 && !data.is_acked {
                    data.is_acked = true;
                    self.largest_arrived = self.largest_arrived.max(data.len);
                }
            }
        }
        if segment.len == 0 {
            return;
        }
        self.segments += 1;
        let ends = (here.0, here.1, there.0, there.1);
        if let Some(data) = self.recent.iter_mut().find(|data| data.ends == ends && data.seq == segment.seq) {
            data.times += 1;
            self.resent_count += 1;
            if self.resent.is_none_or(|resent| data.times >= resent.times) {
                let (len, times, first) = (data.len, data.times, data.first);
                self.resent = Some(Resent { len, times, first, last: packet.number, from_client });
            }
            return;
        }
        if self.recent.len() == SEGMENTS {
            self.recent.pop_front();
        }
        let next = segment.seq.wrapping_add(segment.len as u32);
        let (len, first) = (network.total, packet.number);
        self.recent.push_back(Data { ends, seq: segment.seq, next, len, times: 1, first, is_acked: false });
    }

    fn icmp(&mut self, packet: &Packet, network: &Network, icmp: &Icmp, from_client: bool) {
        if let Some(quoted) = &icmp.quoted {
            if self.errors.len() < ERRORS_MAX {
                self.errors.push((packet.number, network.source, *icmp));
            }
            self.lookups.icmp(packet, network, icmp);
            for target in &mut self.targets {
                if (target.by, target.address) == (quoted.source, quoted.destination)
                    && target.protocol == quoted.protocol
                {
                    target.error.get_or_insert((packet.number, network.source, icmp.kind, icmp.code));
                }
            }
            return;
        }
        let is_request = matches!((icmp.v6, icmp.kind), (false, icmp::ECHO_REQUEST) | (true, 128));
        let is_reply = matches!((icmp.v6, icmp.kind), (false, icmp::ECHO_REPLY) | (true, 129));
        if is_request && !is_for_many(network.destination) {
            self.request(packet, network, (network.protocol, 0), from_client);
        } else if is_reply && let Some(target) = self.asked(network, 0) {
            target.answered.get_or_insert((packet.number, packet.time));
        }
    }
}

/// Whether it is a broadcast or multicast address.
fn is_for_many(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast() || address.octets()[3] == 255,
        IpAddr::V6(address) => address.is_multicast(),
    }
}
