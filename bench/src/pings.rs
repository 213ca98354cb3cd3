//! Echo requests through a tunnel, and the check of their replies.

use std::net::Ipv4Addr;
use std::time::Instant;

use adit_tunnel::path::HEADROOM;
use adit_wire::checksum;

/// The echo requests of one client and their replies.
#[derive(Clone, Debug, Default)]
pub struct Pings {
    /// Requests.
    pub sent: u64,
    /// Replies with the data that was sent.
    pub answered: u64,
    /// Replies whose data differs from the request.
    pub damaged: u64,
    /// When the last reply with the right data arrived.
    pub last: Option<Instant>,
}

/// An IPv4 packet with an ICMP echo request, with [`HEADROOM`] free octets in front.
pub(crate) fn echo_request(from: Ipv4Addr, to: Ipv4Addr, id: u16, sequence: u16, size: u16) -> Vec<u8> {
    let total = 28 + size;
    let mut packet = vec![0u8; HEADROOM];
    packet.extend([0x45, 0]);
    packet.extend(total.to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 1, 0, 0]);
    packet.extend(from.octets());
    packet.extend(to.octets());
    packet.extend([8, 0, 0, 0]);
    packet.extend(id.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend((0..size).map(|n| pattern(id, sequence, n)));
    let header = HEADROOM..HEADROOM + 20;
    let sum = checksum::of(&packet[header.clone()]).to_be_bytes();
    packet[HEADROOM + 10..HEADROOM + 12].copy_from_slice(&sum);
    let sum = checksum::of(&packet[header.end..]).to_be_bytes();
    packet[header.end + 2..header.end + 4].copy_from_slice(&sum);
    packet
}

/// The data depends on the client and the time, so that a packet in the wrong tunnel is detected.
fn pattern(id: u16, sequence: u16, n: u16) -> u8 {
    id.wrapping_mul(31).wrapping_add(sequence.wrapping_mul(17)).wrapping_add(n) as u8
}

impl Pings {
    /// Reads a packet that arrived through the tunnel; its data is compared where `compare` is set.
    pub(crate) fn received(&mut self, packet: &[u8], id: u16, compare: bool) {
        let header = usize::from(packet.first().copied().unwrap_or(0) & 15) * 4;
        let Some(icmp) = packet.get(header..) else { return };
        if packet.get(9) != Some(&1) || icmp.len() < 8 || icmp[0] != 0 {
            return;
        }
        let (from, sequence) =
            (u16::from_be_bytes([icmp[4], icmp[5]]), u16::from_be_bytes([icmp[6], icmp[7]]));
        let same = || icmp[8..].iter().zip(0u16..).all(|(octet, n)| *octet == pattern(id, sequence, n));
        if from == id && (!compare || same()) {
            self.answered += 1;
            self.last = Some(Instant::now());
        } else {
            self.damaged += 1;
        }
    }
}
