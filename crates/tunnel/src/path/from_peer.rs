//! Processing of packets from GRE to IP.

use std::time::Instant;

use adit_policy::reach::Decider;
use adit_pptp::gre::Arrival;
use adit_wire::{gre, ipv4, ipv6, ppp};

use super::gate::{self, Verdict};
use super::{Origin, Path, Sink, denied};

impl Path {
    /// Handles a packet of this call from the peer, starting with the GRE header. The packet is modified in
    /// place.
    pub fn handle_gre(&mut self, now: Instant, packet: &mut [u8], sink: &mut dyn Sink) {
        let header = match gre::Repr::parse(packet) {
            Ok(header) if self.is_ours(&header) => header,
            _ => {
                self.counters.malformed += 1;
                return;
            }
        };
        self.handle_ack(now, Path::ack_alone(&header), sink);
        let (Some(seq), Some(frame)) = (header.seq, packet.get_mut(header.payload_range())) else { return };
        if self.encryption.is_some() {
            self.handle_unproven(now, (seq, header.ack), frame, sink);
            return self.send_due(now, sink);
        }
        self.handle_ack(now, header.ack, sink);
        match self.receiver.receive(now, seq, frame) {
            Arrival::Deliver => self.handle_frame(frame, sink),
            Arrival::Held => {}
            Arrival::Dropped => return,
        }
        self.deliver_held(sink);
        if let Some(highest) = self.receiver.highest() {
            self.acks.received(now, highest);
        }
        self.send_due(now, sink);
    }

    /// Processes held packets that are now in order.
    pub(super) fn deliver_held(&mut self, sink: &mut dyn Sink) {
        while let Some((_, mut frame)) = self.receiver.next_held() {
            self.handle_frame(&mut frame, sink);
        }
    }

    fn handle_frame(&mut self, frame: &mut [u8], sink: &mut dyn Sink) {
        let (protocol, start) = match ppp::frame(frame) {
            Ok((protocol, information)) => (protocol, frame.len() - information.len()),
            Err(_) => {
                self.counters.malformed += 1;
                return;
            }
        };
        match protocol {
            // The peer's first encrypted frames may arrive before CCP is up on our side; they are lost, and MPPE
            // recovers.
            ppp::COMPRESSED => self.counters.not_up += 1,
            ppp::IP | ppp::IPV6 if self.never_clear => self.counters.clear_refused += 1,
            ppp::IP | ppp::IPV6 => {
                self.deliver_inner(protocol, frame.get_mut(start..).unwrap_or_default(), sink)
            }
            _ => self.handle_control(frame, Origin::Clear, sink),
        }
    }

    /// Passes a decrypted IP packet from the peer to the host, if it is allowed.
    pub(super) fn deliver_inner(&mut self, protocol: u16, bytes: &mut [u8], sink: &mut dyn Sink) {
        if let Some(len) = self.handle_inner(protocol, bytes, sink) {
            sink.ip(bytes.get_mut(..len).unwrap_or_default());
        }
    }

    /// Checks a decrypted IP packet from the peer. Returns its length if it may pass to the host.
    pub(super) fn handle_inner(
        &mut self,
        protocol: u16,
        bytes: &mut [u8],
        sink: &mut dyn Sink,
    ) -> Option<usize> {
        let mtu = self.mtu();
        let Some(gate) = &self.gate else {
            self.counters.not_up += 1;
            return None;
        };
        let reach = self.reach.as_deref();
        let (verdict, len) = if protocol == ppp::IP {
            match ipv4::Packet::new_checked(bytes) {
                Ok(packet) => (gate.judge_v4(packet, reach), packet.as_bytes().len()),
                Err(_) => (Verdict::Malformed, 0),
            }
        } else {
            match ipv6::Packet::new_checked(bytes) {
                Ok(packet) => (gate.judge_v6(packet, reach), packet.as_bytes().len()),
                Err(_) => (Verdict::Malformed, 0),
            }
        };
        let packet = bytes.get_mut(..len).unwrap_or_default();
        match verdict {
            Verdict::Pass | Verdict::Allowed(_) => {
                if let Verdict::Allowed(by) = verdict {
                    self.hits.count(by, false, single(protocol, packet));
                }
                if let Some(max) = self.config.max_mss {
                    let clamp = if protocol == ppp::IP { gate::clamp_v4 } else { gate::clamp_v6 };
                    clamp(packet, mtu, max);
                }
                self.counters.rx_packets += 1;
                self.counters.rx_bytes += len as u64;
                return Some(len);
            }
            Verdict::Dhcp => sink.dhcp(packet),
            Verdict::Spoofed => self.counters.spoofed += 1,
            Verdict::Denied(by) => self.count_denied(by, protocol, packet),
            Verdict::NotUp => self.counters.not_up += 1,
            Verdict::Malformed => self.counters.malformed += 1,
        }
        None
    }

    fn count_denied(&mut self, by: Option<Decider>, protocol: u16, packet: &[u8]) {
        self.counters.acl_denied += 1;
        let to = single(protocol, packet);
        if let Some(to) = to {
            self.counters.acl_unicast += 1;
            self.counters.acl_last = to;
        }
        if let Some(by) = by {
            self.hits.count(by, true, to);
        }
    }
}

/// The destination of an IPv4 packet in a form that can be counted, unless it is for many hosts.
fn single(protocol: u16, packet: &[u8]) -> Option<u64> {
    let packet = (protocol == ppp::IP).then(|| ipv4::Packet::new_checked(packet).ok()).flatten()?;
    denied::destination(packet).map(denied::pack)
}
