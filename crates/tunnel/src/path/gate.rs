//! Which IP packets may pass once the network phase is up.

use std::net::{Ipv4Addr, Ipv6Addr};

use adit_policy::reach::{Decider, Decision, Prefixes, Reach};
use adit_ppp::mppe::Content;
use adit_wire::{dhcp, ipv4, ipv6, tcp, udp};

use super::Network;

/// [`Network`] in a form for fast lookups.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    local: Ipv4Addr,
    mtu: u16,
    answer_dhcp: bool,
    sources: Prefixes<u32>,
    destinations: Option<Prefixes<u32>>,
    v6: Option<GateV6>,
}

#[derive(Clone, Debug)]
struct GateV6 {
    local: Ipv6Addr,
    sources: Prefixes<u128>,
}

/// The verdict on a packet from the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It passes.
    Pass,
    /// It is a DHCPINFORM for us.
    Dhcp,
    /// Its source is not the peer's.
    Spoofed,
    /// It passes by a rule.
    Allowed(Decider),
    /// Its destination is forbidden, by a rule if there are any.
    Denied(Option<Decider>),
    /// Its protocol is not up.
    NotUp,
    /// It is not an IP packet.
    Malformed,
}

impl Gate {
    pub(super) fn new(network: Network) -> Gate {
        Gate {
            local: network.local,
            mtu: network.mtu,
            answer_dhcp: network.answer_dhcp,
            sources: Prefixes::v4(&network.peer_networks),
            destinations: network.acl.as_deref().map(Prefixes::v4),
            v6: network.ipv6.map(|v6| GateV6 { local: v6.local, sources: Prefixes::v6(&v6.peer_networks) }),
        }
    }

    pub(super) fn mtu(&self) -> u16 {
        self.mtu
    }

    /// Our IPv6 address; `None` when IPv6 is not up.
    pub(super) fn local_v6(&self) -> Option<Ipv6Addr> {
        self.v6.as_ref().map(|v6| v6.local)
    }

    /// Whether decrypted octets, a protocol number and the beginning of a packet, have a source that only this peer
    /// uses. A control frame has none.
    pub(super) fn vouches(&self, content: Content, head: &[u8]) -> bool {
        let packet = head.get(if head.first().is_some_and(|first| first & 1 == 1) { 1 } else { 2 }..);
        let packet = packet.unwrap_or_default();
        match content {
            Content::Ipv4 => packet
                .get(12..16)
                .and_then(|octets| <[u8; 4]>::try_from(octets).ok())
                .is_some_and(|source| self.sources.contains_v4(source.into())),
            Content::Ipv6 => packet
                .get(8..24)
                .and_then(|octets| <[u8; 16]>::try_from(octets).ok())
                .zip(self.v6.as_ref())
                .is_some_and(|(source, v6)| v6.sources.contains_v6(source.into())),
            Content::Control => false,
        }
    }

    /// Judges a packet from the peer. The rules of `reach` replace the list of destinations.
    pub(super) fn judge_v4(&self, packet: ipv4::Packet<'_>, reach: Option<&Reach>) -> Verdict {
        if !self.sources.contains_v4(packet.src()) {
            return Verdict::Spoofed;
        }
        let for_us = packet.dst().is_broadcast() || packet.dst() == self.local;
        if self.answer_dhcp && for_us && is_dhcp_inform(packet) {
            return Verdict::Dhcp;
        }
        match (reach, &self.destinations) {
            (Some(reach), _) => Verdict::of(reach.judge_v4(packet)),
            (None, Some(allowed)) if !allowed.contains_v4(packet.dst()) => Verdict::Denied(None),
            (None, _) => Verdict::Pass,
        }
    }

    /// Judges an IPv6 packet from the peer.
    pub(super) fn judge_v6(&self, packet: ipv6::Packet<'_>, reach: Option<&Reach>) -> Verdict {
        match (&self.v6, reach) {
            (None, _) => Verdict::NotUp,
            (Some(v6), _) if !v6.sources.contains_v6(packet.src()) => Verdict::Spoofed,
            (Some(_), Some(reach)) => Verdict::of(reach.judge_v6(packet)),
            // A list of destinations contains IPv4 networks: if there is one, nothing else may be reached.
            (Some(_), None) if self.destinations.is_some() => Verdict::Denied(None),
            (Some(_), None) => Verdict::Pass,
        }
    }
}

impl Verdict {
    /// The verdict of the rules; without ports that they need the packet is damaged.
    fn of(decision: Option<Decision>) -> Verdict {
        match decision {
            Some(Decision { allowed: true, by }) => Verdict::Allowed(by),
            Some(Decision { allowed: false, by }) => Verdict::Denied(Some(by)),
            None => Verdict::Malformed,
        }
    }
}

/// Whether it is a DHCPINFORM.
fn is_dhcp_inform(packet: ipv4::Packet<'_>) -> bool {
    packet.protocol() == ipv4::UDP
        && !packet.is_fragment()
        && udp::Packet::new_checked(packet.payload())
            .is_ok_and(|udp| udp.dst_port() == dhcp::SERVER_PORT && dhcp::is_inform(udp.payload()))
}

/// Reduces the maximum segment size of a TCP SYN to what fits a tunnel of `mtu` octets, and to at most `max`
/// octets.
pub(super) fn clamp_v4(bytes: &mut [u8], mtu: u16, max: u16) {
    let Ok(packet) = ipv4::Packet::new_checked(bytes) else { return };
    if packet.protocol() != ipv4::TCP || packet.is_fragment() {
        return;
    }
    let (start, end) = (packet.header_len(), packet.as_bytes().len());
    if let Some(segment) = bytes.get_mut(start..end) {
        tcp::clamp_mss(segment, mtu.saturating_sub((ipv4::HEADER_MIN + tcp::HEADER_MIN) as u16).min(max));
    }
}

/// Reduces the maximum segment size likewise for IPv6.
pub(super) fn clamp_v6(bytes: &mut [u8], mtu: u16, max: u16) {
    let Ok(packet) = ipv6::Packet::new_checked(bytes) else { return };
    let Some((ipv4::TCP, start)) = packet.upper_layer() else { return };
    let end = packet.as_bytes().len();
    if let Some(segment) = bytes.get_mut(start..end) {
        tcp::clamp_mss(segment, mtu.saturating_sub((ipv6::HEADER + tcp::HEADER_MIN) as u16).min(max));
    }
}
