//! The data packets that were sent since CCP came up: a Protocol-Reject counts only if it contains one of them.
//!
//! An attacker who is not on the path does not know the octets of an encrypted packet. So its Protocol-Rejects of MPPE
//! (0x00FD) have no effect, while those of a peer whose MPPE is not up do.

use adit_wire::lcp::ProtocolReject;
use adit_wire::{Protocol, cp, mppe, ppp};

use super::{Cipher, Path};

/// How many packets are kept. A peer rejects a packet when it arrives: on a path with many packets under way, later
/// ones are rejected too.
const KEPT: usize = 16;
/// The octets of each that are compared, after the MPPE header.
const COMPARED: usize = 8;

/// The last data packets to the peer.
#[derive(Debug, Default)]
pub(super) struct Sent {
    packets: [Option<Beginning>; KEPT],
    next: usize,
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
    /// Records an information field; `cipher` is the work that is left for what follows the header.
    pub(super) fn note(&mut self, information: &[u8], cipher: Option<&Cipher>) {
        let Some((header, rest)) = information.split_first_chunk() else { return };
        let Some(octets) = rest.first_chunk() else { return };
        let beginning = Beginning { header: *header, octets: *octets, cipher: cipher.cloned() };
        if let Some(place) = self.packets.get_mut(self.next) {
            *place = Some(beginning);
            self.next = (self.next + 1) % KEPT;
        }
    }

    /// Whether this is the beginning of a packet that was sent.
    fn contains(&self, information: &[u8]) -> bool {
        self.packets.iter().flatten().any(|sent| {
            let mut octets = sent.octets;
            if let Some(cipher) = &sent.cipher {
                cipher.apply_to(&mut octets);
            }
            information.strip_prefix(&sent.header).is_some_and(|rest| rest.starts_with(&octets))
        })
    }
}

impl Path {
    /// Whether a control frame rejects a data packet that was sent while nothing from the peer has decrypted.
    pub(super) fn is_rejected(&self, frame: &[u8]) -> bool {
        let (Some(sent), Ok((ppp::LCP, information))) = (&self.proof.sent, ppp::frame(frame)) else {
            return false;
        };
        let Ok(packet) = cp::Packet::parse(Protocol::Lcp, information) else { return false };
        packet.code == cp::PROTOCOL_REJECT
            && ProtocolReject::parse(&packet)
                .is_ok_and(|reject| reject.protocol == ppp::COMPRESSED && sent.contains(reject.information))
    }
}
