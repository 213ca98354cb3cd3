//! The last data packets to the peer: a Protocol-Reject counts only if it contains one of them.
//!
//! An attacker who is not on the path does not know the octets of an encrypted packet. So its Protocol-Rejects of MPPE
//! (0x00FD) have no effect, while those of a peer whose MPPE is not up do.
//!
//! Packets are recorded from new keys until a frame of the peer decrypts, and again for some seconds after a
//! Protocol-Reject of MPPE: a peer may lose its keys later, or lose those of one direction.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use adit_wire::lcp::ProtocolReject;
use adit_wire::{Protocol, cp, mppe, ppp};

use super::{Cipher, Path};

/// How many packets are kept. A peer rejects a packet when it arrives: on a path with many packets under way, later
/// ones are rejected too.
const KEPT: usize = 32;
/// The octets of each that are compared, after the MPPE header. A guess of 48 bits is as good as none, and
/// a peer may cut what it rejects.
const COMPARED: usize = 6;
/// How long packets are recorded after a reject.
const AFTER_REJECT: Duration = Duration::from_secs(10);

/// The last data packets to the peer; an idle call has none, and no memory for them.
#[derive(Debug, Default)]
pub(super) struct Sent {
    packets: VecDeque<Beginning>,
    /// Until when they are recorded even if frames of the peer decrypt.
    until: Option<Instant>,
}

/// The beginning of an information field with MPPE (RFC 3078 section 3).
#[derive(Debug)]
struct Beginning {
    header: [u8; mppe::HEADER],
    /// Encrypted, or to be encrypted with the cipher.
    octets: [u8; COMPARED],
    cipher: Option<Cipher>,
}

impl Sent {
    /// Whether a frame that decrypts shows that the peer has the keys.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| until <= now)
    }

    /// Records an information field; `cipher` is the work that is left for what follows the header.
    pub(super) fn note(&mut self, information: &[u8], cipher: Option<&Cipher>) {
        let Some((header, rest)) = information.split_first_chunk() else { return };
        let Some(octets) = rest.first_chunk() else { return };
        let beginning = Beginning { header: *header, octets: *octets, cipher: cipher.cloned() };
        match self.packets.len() {
            0 => self.packets.reserve_exact(KEPT),
            KEPT => drop(self.packets.pop_front()),
            _ => {}
        }
        self.packets.push_back(beginning);
    }

    /// Whether this is the beginning of a packet that was sent.
    fn contains(&self, information: &[u8]) -> bool {
        self.packets.iter().any(|sent| {
            let Some(rest) = information.strip_prefix(&sent.header) else { return false };
            let mut octets = sent.octets;
            if let Some(cipher) = &sent.cipher {
                cipher.apply_to(&mut octets);
            }
            rest.starts_with(&octets)
        })
    }
}

/// What RFC 1661 section 5.7 wants in a Protocol-Reject is the information field of the packet; some peers put its
/// address, control and protocol fields in front.
fn information(rejected: &[u8]) -> &[u8] {
    let inner = rejected.strip_prefix(&[0xff, 0x03]).unwrap_or(rejected);
    let protocols: [&[u8]; 2] = [&[0x00, 0xfd], &[0xfd]];
    protocols.iter().find_map(|protocol| inner.strip_prefix(*protocol)).unwrap_or(inner)
}

impl Path {
    /// Whether a control frame rejects a data packet that was sent. After one that may, packets are recorded.
    pub(super) fn is_rejected(&mut self, now: Instant, frame: &[u8]) -> bool {
        let Ok((ppp::LCP, packet)) = ppp::frame(frame) else { return false };
        let Ok(packet) = cp::Packet::parse(Protocol::Lcp, packet) else { return false };
        if packet.code != cp::PROTOCOL_REJECT {
            return false;
        }
        let Ok(reject) = ProtocolReject::parse(&packet) else { return false };
        if reject.protocol != ppp::COMPRESSED {
            return false;
        }
        let sent = self.proof.sent.get_or_insert_default();
        let is_rejected = sent.contains(information(reject.information));
        if is_rejected || sent.until.is_none() {
            sent.until = Some(now + AFTER_REJECT);
        }
        is_rejected
    }
}
