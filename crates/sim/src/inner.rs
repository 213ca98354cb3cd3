//! The traffic inside the tunnel: numbered datagrams whose content proves that they arrived intact.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use adit_wire::checksum::Sum;
use adit_wire::{ipv4, udp};

/// The octets at the start of every datagram. They must not be visible outside of an encrypted tunnel.
pub const SECRET: &[u8; 16] = b"inner data, sim!";
/// The shortest payload of a datagram.
pub const SHORTEST: usize = 24;

const PORT: u16 = 7;
/// The most packets that are reassembled at once.
const PIECES_MAX: usize = 64;

/// Builds an IP packet with datagram `number` and this payload length, [`SHORTEST`] octets or more.
pub fn datagram(from: Ipv4Addr, to: Ipv4Addr, number: u32, len: usize) -> Vec<u8> {
    let mut packet = udp::datagram_v4((from, PORT), (to, PORT), &content(number, len));
    // Identifies the fragments of a packet.
    let header = ipv4::Repr {
        identification: number as u16,
        payload_len: (packet.len() - ipv4::HEADER_MIN) as u16,
        ..ipv4::Repr::new(from, to, ipv4::UDP)
    };
    if let Some(front) = packet.first_chunk_mut() {
        *front = header.emit();
    }
    packet
}

fn content(number: u32, len: usize) -> Vec<u8> {
    let mut octets = SECRET.to_vec();
    octets.extend_from_slice(&number.to_be_bytes());
    octets.extend_from_slice(&(len as u32).to_be_bytes());
    octets.extend((octets.len()..len).map(|at| (at as u32).wrapping_mul(number | 1) as u8));
    octets
}

/// The result of an inner packet at a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// The complete datagram of this number.
    Datagram(u32),
    /// A fragment of a datagram, whose other fragments are missing yet.
    Piece,
    /// A packet that a host drops, and the reason.
    Damaged(String),
}

/// The receiving host: reassembles fragments and verifies checksums.
#[derive(Debug, Default)]
pub struct Receiver {
    pieces: BTreeMap<u16, Pieces>,
}

/// The fragments of a packet by offset, and its length if the last fragment was received.
#[derive(Debug, Default)]
struct Pieces {
    parts: BTreeMap<usize, Vec<u8>>,
    end: Option<usize>,
}

impl Receiver {
    /// Handles a packet.
    pub fn receive(&mut self, packet: &[u8]) -> Arrived {
        let ip = match ipv4::Packet::new_checked(packet) {
            Ok(ip) => ip,
            Err(error) => return Arrived::Damaged(error.to_string()),
        };
        if !ip.checksum_is_right() || ip.protocol() != ipv4::UDP {
            return Arrived::Damaged("the IP header is damaged".to_owned());
        }
        let whole = if ip.is_fragment() {
            match self.piece(&ip) {
                Some(whole) => whole,
                None => return Arrived::Piece,
            }
        } else {
            ip.payload().to_vec()
        };
        check(ip.src(), ip.dst(), &whole).map_or_else(Arrived::Damaged, Arrived::Datagram)
    }

    fn piece(&mut self, ip: &ipv4::Packet<'_>) -> Option<Vec<u8>> {
        let id = ip.identification();
        if self.pieces.len() >= PIECES_MAX && !self.pieces.contains_key(&id) {
            self.pieces.pop_first();
        }
        let pieces = self.pieces.entry(id).or_default();
        let (offset, part) = (ip.fragment_offset(), ip.payload());
        pieces.parts.insert(offset, part.to_vec());
        if !ip.more_fragments() {
            pieces.end = Some(offset + part.len());
        }
        let mut whole = Vec::new();
        for (offset, part) in &pieces.parts {
            if *offset != whole.len() {
                return None;
            }
            whole.extend_from_slice(part);
        }
        (pieces.end? == whole.len()).then(|| {
            self.pieces.remove(&id);
            whole
        })
    }
}

fn check(src: Ipv4Addr, dst: Ipv4Addr, datagram: &[u8]) -> Result<u32, String> {
    let len = u16::try_from(datagram.len()).map_err(|_| "too long".to_owned())?;
    if Sum::default().pseudo_v4(src, dst, ipv4::UDP, len).with(datagram).finish() != 0 {
        return Err("the UDP checksum is wrong".to_owned());
    }
    let datagram = udp::Packet::new_checked(datagram).map_err(|error| error.to_string())?;
    let data = datagram.payload();
    let word = |at: usize| data.get(at..at + 4).and_then(|w| w.try_into().ok()).map(u32::from_be_bytes);
    match (word(16), word(20)) {
        (Some(number), Some(len)) if content(number, len as usize) == data => Ok(number),
        _ => Err("a datagram with other content".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const TO: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

    #[test]
    fn whole_datagrams_arrive_and_damaged_ones_do_not() {
        for len in [SHORTEST, 25, 1300] {
            let packet = datagram(FROM, TO, 7, len);
            assert_eq!(packet.len(), len + 28);
            assert_eq!(Receiver::default().receive(&packet), Arrived::Datagram(7));
            for at in 0..packet.len() {
                let mut damaged = packet.clone();
                damaged[at] ^= 0x10;
                let arrived = Receiver::default().receive(&damaged);
                assert!(matches!(arrived, Arrived::Damaged(_)), "octet {at}: {arrived:?}");
            }
        }
    }

    #[test]
    fn pieces_are_put_together_in_any_order() {
        let packet = datagram(FROM, TO, 7, 1300);
        let mut fragments = ipv4::Fragments::new(ipv4::Packet::new_checked(&packet).unwrap(), 576).unwrap();
        let mut buffer = vec![0; 576];
        let mut pieces = Vec::new();
        while let Some(len) = fragments.next_into(&mut buffer) {
            pieces.push(buffer[..len].to_vec());
        }
        assert!(pieces.len() > 2);
        let mut receiver = Receiver::default();
        for (n, piece) in pieces.iter().rev().enumerate() {
            let last = n + 1 == pieces.len();
            let expected = if last { Arrived::Datagram(7) } else { Arrived::Piece };
            assert_eq!(receiver.receive(piece), expected);
        }
        assert!(receiver.pieces.is_empty());
    }
}
