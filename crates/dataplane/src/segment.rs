//! Finishing what the kernel left undone: super-packets to be cut, checksums to be completed.
//!
//! With offload the TUN interface hands over up to 64 KiB of one flow at once. Each piece becomes a packet of its own,
//! as a network card would make it.

use adit_sys::tun::{Gso, VnetHeader};
use adit_wire::checksum::Sum;
use adit_wire::{ipv4, ipv6, tcp, udp};

/// Writes the checksum that `header` says is missing. False when it points outside the packet.
pub(crate) fn complete_checksum(header: VnetHeader, packet: &mut [u8]) -> bool {
    if !header.needs_checksum {
        return true;
    }
    let start = usize::from(header.checksum_start);
    let at = start + usize::from(header.checksum_offset);
    let Some(sum) = packet.get(start..).map(|octets| Sum::default().with(octets).finish()) else {
        return false;
    };
    // UDP has no zero: it means "no checksum". To TCP and ICMPv6 both forms of zero are the same.
    let sum = if sum == 0 { 0xffff } else { sum };
    match packet.get_mut(at..at + 2) {
        Some(field) => {
            field.copy_from_slice(&sum.to_be_bytes());
            true
        }
        None => false,
    }
}

/// The packets of a super-packet.
#[derive(Debug)]
pub struct Segments<'a> {
    packet: &'a [u8],
    is_v6: bool,
    is_tcp: bool,
    /// Where the transport header begins.
    transport: usize,
    /// Where the data begins.
    data: usize,
    /// Octets of data in each packet but the last.
    size: usize,
    done: usize,
    number: u16,
}

impl<'a> Segments<'a> {
    /// `None` when the packet is not what `header` says.
    pub fn new(header: VnetHeader, packet: &'a [u8]) -> Option<Segments<'a>> {
        let (is_v6, protocol, transport, packet) = match packet.first()? >> 4 {
            4 => {
                let ip = ipv4::Packet::new_checked(packet).ok()?;
                (false, ip.protocol(), ip.header_len(), ip.as_bytes())
            }
            6 => {
                let ip = ipv6::Packet::new_checked(packet).ok()?;
                let (protocol, at) = ip.upper_layer()?;
                (true, protocol, at, ip.as_bytes())
            }
            _ => return None,
        };
        let is_tcp = match header.gso {
            Gso::TcpV4 | Gso::TcpV6 => true,
            Gso::Udp => false,
            _ => return None,
        };
        let segment = packet.get(transport..)?;
        let transport_len = match (is_tcp, protocol) {
            (true, ipv4::TCP) => tcp::Packet::new_checked(segment).ok()?.header_len(),
            (false, ipv4::UDP) if segment.len() >= udp::HEADER => udp::HEADER,
            _ => return None,
        };
        let (data, size) = (transport + transport_len, usize::from(header.gso_size));
        (size > 0).then_some(Segments { packet, is_v6, is_tcp, transport, data, size, done: 0, number: 0 })
    }

    /// Writes the next packet to the start of `out` and returns its length; `None` after the last, or when `out` is
    /// too short.
    pub fn next_into(&mut self, out: &mut [u8]) -> Option<usize> {
        let rest = self.packet.get(self.data + self.done..)?;
        if rest.is_empty() && self.done > 0 {
            return None;
        }
        let data = rest.get(..self.size.min(rest.len()))?;
        let is_first = self.done == 0;
        let is_last = data.len() == rest.len();
        let total = self.data + data.len();
        let out = out.get_mut(..total)?;
        out.get_mut(..self.data)?.copy_from_slice(self.packet.get(..self.data)?);
        out.get_mut(self.data..)?.copy_from_slice(data);

        let (ip, transport) = out.split_at_mut_checked(self.transport)?;
        self.finish_ip(ip, total)?;
        if self.is_tcp {
            self.finish_tcp(transport, is_first, is_last)?;
        } else {
            let len = u16::try_from(transport.len()).ok()?;
            transport.get_mut(4..6)?.copy_from_slice(&len.to_be_bytes());
        }
        self.finish_checksum(ip, transport)?;
        // A super-packet without data is a packet all the same; then the loop ends by the mark here.
        self.done += data.len().max(1);
        self.number = self.number.wrapping_add(1);
        Some(total)
    }

    fn finish_ip(&self, ip: &mut [u8], total: usize) -> Option<()> {
        if self.is_v6 {
            let len = u16::try_from(total - ipv6::HEADER).ok()?;
            ip.get_mut(4..6)?.copy_from_slice(&len.to_be_bytes());
            return Some(());
        }
        let id = u16::from_be_bytes([*ip.get(4)?, *ip.get(5)?]).wrapping_add(self.number);
        ip.get_mut(2..4)?.copy_from_slice(&u16::try_from(total).ok()?.to_be_bytes());
        ip.get_mut(4..6)?.copy_from_slice(&id.to_be_bytes());
        ip.get_mut(10..12)?.fill(0);
        let sum = Sum::default().with(ip).finish();
        ip.get_mut(10..12)?.copy_from_slice(&sum.to_be_bytes());
        Some(())
    }

    fn finish_tcp(&self, segment: &mut [u8], is_first: bool, is_last: bool) -> Option<()> {
        let seq = segment.get_mut(4..8)?;
        let first = u32::from_be_bytes(seq.try_into().ok()?);
        seq.copy_from_slice(&first.wrapping_add(self.done as u32).to_be_bytes());
        let flags = segment.get_mut(13)?;
        if !is_last {
            *flags &= !(tcp::FIN | tcp::PSH);
        }
        if !is_first {
            *flags &= !tcp::CWR;
        }
        Some(())
    }

    fn finish_checksum(&self, ip: &[u8], transport: &mut [u8]) -> Option<()> {
        let at = if self.is_tcp { tcp::CHECKSUM_AT } else { udp::CHECKSUM_AT };
        let protocol = if self.is_tcp { ipv4::TCP } else { ipv4::UDP };
        transport.get_mut(at..at + 2)?.fill(0);
        let len = transport.len() as u32;
        let addresses = if self.is_v6 { ip.get(8..40)? } else { ip.get(12..20)? };
        let sum = Sum::default()
            .with(addresses)
            .with(&len.to_be_bytes())
            .with(&[0, protocol])
            .with(transport)
            .finish();
        let sum = if sum == 0 && !self.is_tcp { 0xffff } else { sum };
        transport.get_mut(at..at + 2)?.copy_from_slice(&sum.to_be_bytes());
        Some(())
    }
}

#[cfg(test)]
mod tests;
