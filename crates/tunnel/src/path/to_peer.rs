//! Processing of packets from IP to GRE.

use std::ops::Range;
use std::time::Instant;

use adit_policy::reach::Decision;
use adit_wire::ipv4::Fragments;
use adit_wire::{cp, icmp, ipv4, ipv6, mppe, ppp};

use super::gate;
use super::{Cipher, HEADROOM, Path, Prepared, Sink};

/// Octets of the protocol number inside MPPE; never compressed, as in Linux.
const PROTOCOL: usize = 2;

impl Path {
    /// Handles an IP packet for the peer: `buffer` holds [`HEADROOM`] free octets, then the packet. The
    /// packet is modified in place.
    pub fn handle_ip(&mut self, now: Instant, buffer: &mut [u8], sink: &mut dyn Sink) {
        match self.prepare(now, buffer) {
            Prepared::Packet { range, cipher } => {
                if let Some(cipher) = cipher {
                    cipher.apply(buffer);
                }
                sink.gre(buffer.get(range).unwrap_or_default());
            }
            Prepared::TooBig => self.too_big(now, buffer.get(HEADROOM..).unwrap_or_default(), sink),
            Prepared::Held | Prepared::Dropped => {}
        }
    }

    /// Prepares an IP packet for a caller that encrypts many packets in parallel and sends them in place: the
    /// first half of [`Path::handle_ip`]. The packet gets its sequence number here.
    pub fn prepare(&mut self, now: Instant, buffer: &mut [u8]) -> Prepared {
        let Some(gate) = &self.gate else {
            self.counters.not_up += 1;
            return Prepared::Dropped;
        };
        if self.never_clear && self.encryption.is_none() {
            self.counters.clear_refused += 1;
            return Prepared::Dropped;
        }
        let reach = self.reach.as_deref();
        let bytes = buffer.get_mut(HEADROOM..).unwrap_or_default();
        let (protocol, len) = match bytes.first().map(|first| first >> 4) {
            Some(4) => {
                let packet = ipv4::Packet::new_checked(bytes);
                (ppp::IP, packet.map(|packet| (packet.as_bytes().len(), reach.map(|r| r.admits_v4(packet)))))
            }
            Some(6) if gate.local_v6().is_some() => {
                let packet = ipv6::Packet::new_checked(bytes);
                (
                    ppp::IPV6,
                    packet.map(|packet| (packet.as_bytes().len(), reach.map(|r| r.admits_v6(packet)))),
                )
            }
            _ => {
                self.counters.not_up += 1;
                return Prepared::Dropped;
            }
        };
        let Ok((len, decision)) = len else {
            self.counters.malformed += 1;
            return Prepared::Dropped;
        };
        if let Some(Decision { allowed: false, by }) = decision {
            self.hits.count(by, true, None);
            return Prepared::Dropped;
        }
        let mtu = self.mtu();
        if let Some(max) = self.config.max_mss {
            let clamp = if protocol == ppp::IP { gate::clamp_v4 } else { gate::clamp_v6 };
            clamp(bytes, mtu, max);
        }
        if len > usize::from(mtu) {
            return Prepared::TooBig;
        }
        if let Some(flow) = &mut self.flow
            && flow.must_wait()
        {
            if flow.hold(bytes.get(..len).unwrap_or_default()) {
                return Prepared::Held;
            }
            self.counters.window_full += 1;
            return Prepared::Dropped;
        }
        self.count_sent(len);
        match self.wrap(now, buffer, HEADROOM..HEADROOM + len, protocol) {
            Some((range, cipher)) => Prepared::Packet { range, cipher },
            None => Prepared::Dropped,
        }
    }

    /// Sends a PPP control frame of [`adit_ppp::link::Link`].
    pub fn send_frame(&mut self, now: Instant, frame: &[u8], sink: &mut dyn Sink) {
        // A link produces no IP frames. If one were passed here, it would be sent in clear.
        if matches!(ppp::frame(frame), Ok((ppp::IP | ppp::IPV6, _)) | Err(_)) {
            self.counters.clear_refused += 1;
            return;
        }
        let Ok(payload_len) = u16::try_from(frame.len()) else { return };
        self.counters.tx_frames += 1;
        let (header, len) = self.sender.data(payload_len, self.acks.take()).emit();
        self.note_sent(now);
        // This is rare, so an allocation is cheaper than a buffer in every idle call.
        let packet = [header.get(..len).unwrap_or_default(), frame].concat();
        sink.gre(&packet);
    }

    /// Sends what is due without a data packet: an acknowledgment, a Reset-Request.
    pub(super) fn send_due(&mut self, now: Instant, sink: &mut dyn Sink) {
        if let Some(encryption) = &mut self.encryption
            && encryption.decryptor.poll_reset_request(now)
        {
            let id = encryption.reset_id.wrapping_add(1);
            encryption.reset_id = id;
            let [high, low] = ppp::CCP.to_be_bytes();
            self.send_frame(now, &[0xff, 0x03, high, low, cp::RESET_REQUEST, id, 0, 4], sink);
        }
        let ack = if self.prompt.take_due(now) {
            let highest =
                if self.encryption.is_some() { self.receiver.proven() } else { self.receiver.highest() };
            self.acks.take().or(highest)
        } else {
            self.acks.take_due(now)
        };
        if let Some(ack) = ack {
            let (header, len) = self.sender.acknowledgment(ack).emit();
            sink.gre(header.get(..len).unwrap_or_default());
        }
    }

    /// Adds protocol number, MPPE, PPP and GRE headers in front of the packet at `packet` in `buffer`.
    /// Returns the range of the GRE packet, and the cipher work left.
    pub(super) fn wrap(
        &mut self,
        now: Instant,
        buffer: &mut [u8],
        packet: Range<usize>,
        protocol: u16,
    ) -> Option<(Range<usize>, Option<Cipher>)> {
        let Range { start, end } = packet;
        let mut cipher = None;
        let (start, protocol) = match &mut self.encryption {
            Some(encryption) => {
                let inner = start.checked_sub(PROTOCOL)?;
                buffer.get_mut(inner..start)?.copy_from_slice(&protocol.to_be_bytes());
                let (header, key) = encryption.encryptor.prepare(buffer.get_mut(inner..end)?);
                cipher = key.map(|key| Cipher::new(key, inner..end));
                let start = inner.checked_sub(mppe::HEADER)?;
                buffer.get_mut(start..inner)?.copy_from_slice(&header.emit());
                if let Some(sent) = &mut self.proof.sent {
                    sent.note(buffer.get(start..end).unwrap_or_default(), cipher.as_ref());
                }
                (start, ppp::COMPRESSED)
            }
            None if self.never_clear => return None,
            None => (start, protocol),
        };
        let [high, low] = protocol.to_be_bytes();
        let header = [0xff, 0x03, high, low];
        let header = match (self.link.acfc, self.link.pfc && high == 0) {
            (true, true) => &header[3..],
            (true, false) => &header[2..],
            (false, true) => &[0xff, 0x03, low],
            (false, false) => &header[..],
        };
        let frame = start.checked_sub(header.len())?;
        buffer.get_mut(frame..start)?.copy_from_slice(header);
        let payload_len = u16::try_from(end - frame).ok()?;
        let start = self.sender.data(payload_len, self.acks.take()).prepend(buffer, frame)?;
        self.note_sent(now);
        Some((start..end, cipher))
    }

    /// Handles a packet that is too large for the tunnel: sends fragments if its sender allows them, else an
    /// ICMP error to the sender. The source of the error is the packet's destination: a host drops packets
    /// with its own address as the source, and no other address is certain to exist behind the tunnel, where
    /// the error seems to originate.
    fn too_big(&mut self, now: Instant, bytes: &[u8], sink: &mut dyn Sink) {
        let mtu = self.mtu();
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        if bytes.first().is_some_and(|first| first >> 4 == 4) {
            if let Ok(packet) = ipv4::Packet::new_checked(bytes) {
                match Fragments::new(packet, usize::from(mtu)) {
                    Some(fragments) => self.send_fragments(now, fragments, &mut scratch, sink),
                    None => {
                        self.counters.too_big += 1;
                        if icmp::fragmentation_needed(packet, mtu, packet.dst(), &mut scratch) {
                            sink.ip(&mut scratch);
                        }
                    }
                }
            }
        } else if let Ok(packet) = ipv6::Packet::new_checked(bytes) {
            self.counters.too_big += 1;
            let group = packet.dst().is_multicast();
            let local = self.gate.as_ref().and_then(|gate| gate.local_v6());
            if let Some(from) = if group { local } else { Some(packet.dst()) }
                && icmp::packet_too_big(packet, u32::from(mtu), from, &mut scratch)
            {
                sink.ip(&mut scratch);
            }
        }
        self.scratch = scratch;
    }

    fn send_fragments(
        &mut self,
        now: Instant,
        mut fragments: Fragments<'_>,
        scratch: &mut Vec<u8>,
        sink: &mut dyn Sink,
    ) {
        self.counters.fragmented += 1;
        scratch.resize(HEADROOM + usize::from(self.mtu()), 0);
        while let Some(len) = fragments.next_into(scratch.get_mut(HEADROOM..).unwrap_or_default()) {
            self.count_sent(len);
            if let Some((range, cipher)) = self.wrap(now, scratch, HEADROOM..HEADROOM + len, ppp::IP) {
                if let Some(cipher) = cipher {
                    cipher.apply(scratch);
                }
                sink.gre(scratch.get(range).unwrap_or_default());
            }
        }
    }

    /// Records that a packet with a number was sent.
    fn note_sent(&mut self, now: Instant) {
        // Whether the peer holds packets back is unknown if it never acknowledges.
        if self.acknowledged {
            self.prompt.sent(now);
        }
        if let Some(flow) = &mut self.flow {
            flow.window.sent(now);
        }
    }

    pub(super) fn count_sent(&mut self, len: usize) {
        self.counters.tx_packets += 1;
        self.counters.tx_bytes += len as u64;
    }
}
