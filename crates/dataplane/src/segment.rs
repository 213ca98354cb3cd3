//! Segmentation and checksum offload in software: segments super-packets, completes checksums.
//!
//! With offload, the TUN interface returns up to 64 KiB of one flow at once. Each segment becomes a packet of
//! its own, as on a network card.

use adit_sys::tun::{Gso, VnetHeader};
use adit_wire::checksum::Sum;
use adit_wire::{ipv4, ipv6, tcp, udp};

/// Computes the checksum that `header` marks as missing. False if it points outside the packet.
pub(crate) fn complete_checksum(header: VnetHeader, packet: &mut [u8]) -> bool {
    if !header.needs_checksum {
        return true;
    }
    let start = usize::from(header.checksum_start);
    let at = start + usize::from(header.checksum_offset);
    let Some(sum) = packet.get(start..).map(|octets| Sum::default().with(octets).finish()) else {
        return false;
    };
    // In UDP zero means "no checksum". For TCP and ICMPv6 both forms of zero are equivalent.
    let sum = if sum == 0 { 0xffff } else { sum };
    match packet.get_mut(at..at + 2) {
        Some(field) => {
            field.copy_from_slice(&sum.to_be_bytes());
            true
        }
        None => false,
    }
}

/// The packets of a super-packet, segmented one by one.
///
/// Their headers differ little. The common parts are summed once; each packet costs one copy, which also sums
/// its data, and a few additions.
#[derive(Debug)]
pub struct Segments<'a> {
    headers: &'a [u8],
    /// The data that is not segmented yet.
    rest: &'a [u8],
    is_v6: bool,
    is_tcp: bool,
    /// The offset of the transport header.
    transport: usize,
    /// The length of the data in each packet but the last, in octets.
    size: usize,
    /// Identification and sequence number of the next packet; unused with IPv6 and UDP.
    seq: u32,
    id: u16,
    flags: u8,
    /// The IPv4 header, without lengths, identification and checksum.
    ip_sum: Sum,
    /// Pseudo-header and transport header, without lengths, sequence number, flags and checksum.
    transport_sum: Sum,
    is_done: bool,
}

impl<'a> Segments<'a> {
    /// Creates the segmentation; `None` if the packet does not match `header`.
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
        let size = usize::from(header.gso_size);
        if size == 0 {
            return None;
        }
        let (headers, rest) = packet.split_at_checked(transport + transport_len)?;
        let (ip, transport_header) = headers.split_at_checked(transport)?;
        let addresses = ip.get(if is_v6 { 8..40 } else { 12..20 })?;
        let pseudo = Sum::default().with(addresses).with_field(protocol.into());
        let segments = Segments {
            headers,
            rest,
            is_v6,
            is_tcp,
            transport,
            size,
            seq: 0,
            id: 0,
            flags: 0,
            ip_sum: Sum::default(),
            transport_sum: pseudo.with(transport_header.get(..4)?),
            is_done: false,
        };
        let segments = if is_v6 { segments } else { segments.with_v4(ip)? };
        if is_tcp { segments.with_tcp(transport_header) } else { Some(segments) }
    }

    fn with_v4(self, ip: &[u8]) -> Option<Self> {
        let id = u16::from_be_bytes([*ip.get(4)?, *ip.get(5)?]);
        let ip_sum = Sum::default().with(ip.get(..2)?).with(ip.get(6..10)?).with(ip.get(12..)?);
        Some(Segments { id, ip_sum, ..self })
    }

    fn with_tcp(self, header: &[u8]) -> Option<Self> {
        let fixed = header.first_chunk::<{ tcp::HEADER_MIN }>()?;
        let transport_sum = self
            .transport_sum
            .with(&fixed[8..12])
            .with(&[fixed[12], 0])
            .with(&fixed[14..16])
            .with(header.get(18..)?);
        let seq = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
        Some(Segments { seq, flags: fixed[13], transport_sum, ..self })
    }

    /// Whether all packets were written.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// Writes the next packet to the start of `out` and returns its length; `None` after the last, or when `out` is
    /// too short.
    pub fn next_into(&mut self, out: &mut [u8]) -> Option<usize> {
        if self.is_done {
            return None;
        }
        let (data, rest) = self.rest.split_at_checked(self.size).unwrap_or((self.rest, &[]));
        let total = self.headers.len() + data.len();
        let (headers, out) = out.get_mut(..total)?.split_at_mut_checked(self.headers.len())?;
        headers.copy_from_slice(self.headers);
        let sum = self.transport_sum.with_copy(data, out);

        let (ip, transport) = headers.split_at_mut_checked(self.transport)?;
        self.finish_ip(ip, total)?;
        let len = u16::try_from(total - self.transport).ok()?;
        let sum = sum.with_field(len);
        if self.is_tcp {
            self.finish_tcp(transport.first_chunk_mut()?, sum, rest.is_empty());
        } else {
            finish_udp(transport.first_chunk_mut()?, sum, len);
        }
        self.rest = rest;
        // A super-packet without data still yields a packet.
        self.is_done = rest.is_empty();
        self.seq = self.seq.wrapping_add(data.len() as u32);
        self.id = self.id.wrapping_add(1);
        // CWR is set in the first packet only.
        self.flags &= !tcp::CWR;
        Some(total)
    }

    fn finish_ip(&self, ip: &mut [u8], total: usize) -> Option<()> {
        if self.is_v6 {
            let len = u16::try_from(total - ipv6::HEADER).ok()?;
            ip.get_mut(4..6)?.copy_from_slice(&len.to_be_bytes());
            return Some(());
        }
        let total = u16::try_from(total).ok()?;
        let ip = ip.first_chunk_mut::<{ ipv4::HEADER_MIN }>()?;
        ip[2..4].copy_from_slice(&total.to_be_bytes());
        ip[4..6].copy_from_slice(&self.id.to_be_bytes());
        let sum = self.ip_sum.with_field(total).with_field(self.id).finish();
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        Some(())
    }

    fn finish_tcp(&self, header: &mut [u8; tcp::HEADER_MIN], sum: Sum, is_last: bool) {
        // FIN and PSH are set in the last packet only.
        let flags = if is_last { self.flags } else { self.flags & !(tcp::FIN | tcp::PSH) };
        let [high, low] = [self.seq >> 16, self.seq & 0xffff].map(|half| half as u16);
        let sum = sum.with_field(high).with_field(low).with_field(flags.into()).finish();
        header[4..8].copy_from_slice(&self.seq.to_be_bytes());
        header[13] = flags;
        header[tcp::CHECKSUM_AT..][..2].copy_from_slice(&sum.to_be_bytes());
    }
}

/// Completes a UDP header. `sum` contains the length once, but it occurs in both headers.
fn finish_udp(header: &mut [u8; udp::HEADER], sum: Sum, len: u16) {
    let sum = sum.with_field(len).finish();
    // Zero would mean "no checksum".
    let sum = if sum == 0 { 0xffff } else { sum };
    header[4..6].copy_from_slice(&len.to_be_bytes());
    header[udp::CHECKSUM_AT..].copy_from_slice(&sum.to_be_bytes());
}

#[cfg(test)]
mod tests;
