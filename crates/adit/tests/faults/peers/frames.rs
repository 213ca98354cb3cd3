//! Frames and packets made by hand.

use std::net::Ipv4Addr;

use adit_wire::{checksum, cp, icmp, ipv4};

/// A control protocol's packet in a frame: its protocol, code, identifier and options.
pub(crate) struct Control<'a> {
    pub(crate) protocol: u16,
    pub(crate) code: u8,
    pub(crate) id: u8,
    pub(crate) data: &'a [u8],
}

impl Control<'_> {
    /// Reads a frame that is of a control protocol.
    pub(crate) fn parse(frame: &[u8]) -> Option<Control<'_>> {
        let frame = frame.strip_prefix(&[0xff, 3]).unwrap_or(frame);
        let (head, rest) = frame.split_first_chunk::<6>()?;
        let protocol = u16::from_be_bytes([head[0], head[1]]);
        let len = usize::from(u16::from_be_bytes([head[4], head[5]]));
        Some(Control { protocol, code: head[2], id: head[3], data: rest.get(..len.checked_sub(4)?)? })
    }

    /// The same packet as another code with other data: an answer.
    pub(crate) fn answer(&self, code: u8, data: &[u8]) -> Vec<u8> {
        cp::frame(self.protocol, code, self.id, data)
    }

    /// An option of this packet.
    pub(crate) fn option(&self, kind: u8) -> Option<&[u8]> {
        let mut rest = self.data;
        while let [found, len, ..] = rest {
            let option = rest.get(..usize::from(*len).max(2))?;
            if *found == kind {
                return Some(option);
            }
            rest = &rest[option.len()..];
        }
        None
    }
}

/// An ICMP Echo-Request.
pub(crate) fn ping(from: Ipv4Addr, to: Ipv4Addr) -> Vec<u8> {
    let header = ipv4::Repr { identification: 1, ..ipv4::Repr::new(from, to, ipv4::ICMP) };
    header.packet(&icmp::echo_request(0x1234, 1, &[0x55; 20]))
}

/// Turns an Echo-Request into its reply; false for anything else.
pub(crate) fn answer_ping(packet: &mut [u8]) -> bool {
    if packet.len() < 28 || packet[0] != 0x45 || packet[9] != 1 || packet[20] != 8 {
        return false;
    }
    let (from, to) = packet[12..20].split_at_mut(4);
    from.swap_with_slice(to);
    packet[20] = 0;
    put_checksums(packet);
    true
}

fn put_checksums(packet: &mut [u8]) {
    packet[10..12].fill(0);
    let header = checksum::of(&packet[..20]);
    packet[10..12].copy_from_slice(&header.to_be_bytes());
    packet[22..24].fill(0);
    let icmp = checksum::of(&packet[20..]);
    packet[22..24].copy_from_slice(&icmp.to_be_bytes());
}
