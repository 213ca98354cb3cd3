//! What people send through the tunnel: numbered datagrams whose content proves that they came through whole.

use std::net::Ipv4Addr;

use adit_wire::{ipv4, udp};

/// Octets at the start of every datagram. They must never be seen outside of a tunnel that encrypts.
pub const SECRET: &[u8; 16] = b"inner data, sim!";

const PORT: u16 = 7;

/// An IP packet with datagram `number` of this length of payload, 24 octets or more.
pub fn datagram(from: Ipv4Addr, to: Ipv4Addr, number: u32, len: usize) -> Vec<u8> {
    udp::datagram_v4((from, PORT), (to, PORT), &content(number, len))
}

fn content(number: u32, len: usize) -> Vec<u8> {
    let mut octets = SECRET.to_vec();
    octets.extend_from_slice(&number.to_be_bytes());
    octets.extend_from_slice(&(len as u32).to_be_bytes());
    octets.extend((octets.len()..len).map(|at| (at as u32).wrapping_mul(number | 1) as u8));
    octets
}

/// The number of a datagram that came through whole; an error says what is wrong with the packet.
pub fn check(packet: &[u8]) -> Result<u32, String> {
    let ip = ipv4::Packet::new_checked(packet).map_err(|error| error.to_string())?;
    if ip.protocol() != 17 {
        return Err(format!("IP protocol {}", ip.protocol()));
    }
    let datagram = udp::Packet::new_checked(ip.payload()).map_err(|error| error.to_string())?;
    let data = datagram.payload();
    let word = |at: usize| data.get(at..at + 4).and_then(|w| w.try_into().ok()).map(u32::from_be_bytes);
    match (word(16), word(20)) {
        (Some(number), Some(len)) if content(number, len as usize) == data => Ok(number),
        _ => Err("a datagram with other content".to_owned()),
    }
}
