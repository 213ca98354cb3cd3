//! Decoding of IP packets. With a [`State`], fragments are reassembled and TCP is tracked; without one, each
//! packet is decoded alone.

use std::net::IpAddr;
use std::time::Duration;

use adit_wire::{Error, Protocol, checksum, gre, ipv4, ipv6, tcp, udp};

use crate::beginning::{Icmp, Upper};
use crate::dns::{self, Dns};
use crate::gre::{Any, Gre};
use crate::ip::fragments::Fragments;
use crate::ip::{IPV4_IN_IP, IPV6_IN_IP, Ip};
use crate::note::What;
use crate::octets::Octets as _;
use crate::packet::{Content, Network};
use crate::tcp::{Place, Segment, Streams};

/// The most nested headers (such as IPv4 in IPv6).
pub const TUNNELS_MAX: usize = 4;

/// The state kept between packets.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) fragments: Fragments,
    pub(crate) streams: Streams,
}

/// A decoder for one packet.
pub(crate) struct Decoder<'a> {
    /// The state; only read for a duplicate.
    pub(crate) state: &'a mut State,
    pub(crate) is_followed: bool,
    pub(crate) frame: u64,
    pub(crate) time: Duration,
    pub(crate) report: &'a mut dyn FnMut(What),
}

/// Decodes a single IP packet, such as one from inside a tunnel.
///
/// The fields of TCP segments that depend on their connection are not set, and fragments are not reassembled.
pub fn datagram(octets: &[u8]) -> (Option<Network>, Content) {
    let mut decoder = Decoder {
        state: &mut State::default(),
        is_followed: false,
        frame: 0,
        time: Duration::ZERO,
        report: &mut |_| {},
    };
    decoder.packet(octets, octets.len())
}

impl Decoder<'_> {
    /// Decodes a packet; `octets` contains what was captured of it and of padding, which had `wire_len`
    /// octets on the wire together.
    pub(crate) fn packet(&mut self, octets: &[u8], wire_len: usize) -> (Option<Network>, Content) {
        self.ip(octets, wire_len, Vec::new())
    }

    fn ip(
        &mut self,
        octets: &[u8],
        wire_len: usize,
        via: Vec<(IpAddr, IpAddr)>,
    ) -> (Option<Network>, Content) {
        let ip = match Ip::parse(octets, wire_len) {
            Ok(ip) => ip,
            Err(error) => return (None, Content::Broken(error)),
        };
        let mut network = Network {
            source: ip.source,
            destination: ip.destination,
            ttl: ip.ttl,
            dont_fragment: ip.dont_fragment,
            protocol: ip.protocol,
            total: ip.total,
            padding: wire_len - ip.total,
            header_sum: ip.header_sum,
            via,
            fragments: Vec::new(),
        };
        let Some(fragment) = ip.fragment else { return self.upper(network, ip.payload, ip.payload_len) };
        let whole = if self.is_followed {
            self.state.fragments.take(&ip, fragment, self.time, self.frame, &mut *self.report)
        } else {
            None
        };
        match whole {
            Some(whole) => {
                network.total = network.total - ip.payload_len + whole.len;
                network.fragments = whole.frames;
                self.upper(network, &whole.octets, whole.len)
            }
            None => {
                let upper =
                    if fragment.offset == 0 { Upper::read(ip.protocol, ip.payload) } else { Upper::Unknown };
                let (offset, more, len) = (fragment.offset, fragment.more, ip.payload_len);
                (Some(network), Content::Fragment { offset, len, more, upper })
            }
        }
    }

    /// Decodes the payload of an IP packet: `octets` were captured of `len` on the wire.
    fn upper(&mut self, mut network: Network, octets: &[u8], len: usize) -> (Option<Network>, Content) {
        let is_tunnel = matches!(network.protocol, IPV4_IN_IP | IPV6_IN_IP);
        if is_tunnel && network.via.len() < TUNNELS_MAX {
            let mut via = std::mem::take(&mut network.via);
            via.push((network.source, network.destination));
            let (padding, fragments) = (network.padding, network.fragments);
            let (inner, content) = self.ip(octets, len, via);
            let inner = inner.map(|inner| {
                let fragments = if inner.fragments.is_empty() { fragments } else { inner.fragments };
                Network { padding, fragments, ..inner }
            });
            return (inner, content);
        }
        let content = match network.protocol {
            ipv4::TCP => self.tcp(&network, octets, len),
            gre::IP_PROTOCOL => match Gre::read(octets, len) {
                Some(Any::Pptp(gre)) => Content::Gre(gre),
                Some(Any::Other { version, protocol }) => Content::OtherGre { version, protocol },
                None => short(Protocol::Gre, "at least 8 octets", octets),
            },
            ipv4::ICMP | ipv6::ICMPV6 => match Icmp::read(octets, network.protocol == ipv6::ICMPV6) {
                Some(icmp) => Content::Icmp(icmp),
                None => short(Protocol::Icmp, "at least 8 octets", octets),
            },
            ipv4::UDP => datagram_of(octets, len),
            _ => Content::Other,
        };
        (Some(network), content)
    }

    fn tcp(&mut self, network: &Network, octets: &[u8], len: usize) -> Content {
        let (mut segment, payload) = match Segment::read(octets, len) {
            Ok(read) => read,
            Err(error) => return Content::Broken(error),
        };
        if octets.len() >= len {
            segment.checksum = Some(checksum_fits(network, octets.at_most(len)));
        }
        let payload = payload.at_most(segment.len);
        let place = Place {
            source: network.source,
            destination: network.destination,
            frame: self.frame,
            time: self.time,
        };
        if self.is_followed {
            self.state.streams.take(place, &mut segment, payload, &mut *self.report);
        } else {
            self.state.streams.recall(place, &mut segment);
        }
        Content::Tcp(segment)
    }
}

fn checksum_fits(network: &Network, octets: &[u8]) -> bool {
    let sum = checksum::Sum::default();
    let sum = match (network.source, network.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            sum.pseudo_v4(source, destination, ipv4::TCP, octets.len() as u16)
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            sum.pseudo_v6(source, destination, ipv4::TCP, octets.len() as u32)
        }
        _ => return false,
    };
    octets.len() > tcp::CHECKSUM_AT && sum.with(octets).finish() == 0
}

fn datagram_of(octets: &[u8], len: usize) -> Content {
    let (Some(source), Some(destination)) = (octets.be16(0), octets.be16(2)) else {
        return short(Protocol::Udp, "at least 8 octets", octets);
    };
    let data = octets.at_most(len).behind(udp::HEADER);
    if (source == dns::PORT || destination == dns::PORT)
        && let Some(dns) = Dns::read(data)
    {
        return Content::Dns(dns);
    }
    Content::Udp { source, destination, len: len.saturating_sub(udp::HEADER) }
}

fn short(protocol: Protocol, expected: &'static str, octets: &[u8]) -> Content {
    Content::Broken(Error::new(protocol, "header", 0, expected, octets.len() as u64))
}
