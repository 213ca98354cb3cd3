//! Fragmentation of a packet (RFC 791 section 3.2).

use super::{HEADER_MAX, Packet};
use crate::checksum;

/// An iterator over the fragments of a packet.
#[derive(Clone, Debug)]
pub struct Fragments<'a> {
    packet: Packet<'a>,
    mtu: usize,
    /// The octets of payload in the fragments so far.
    done: usize,
}

impl<'a> Fragments<'a> {
    /// Creates fragments of at most `mtu` octets. `None` if that is too small for a header and eight octets
    /// of payload, or if the packet forbids fragmentation.
    pub fn new(packet: Packet<'a>, mtu: usize) -> Option<Fragments<'a>> {
        let fits = mtu >= packet.header_len() + 8;
        (fits && !packet.dont_fragment()).then_some(Fragments { packet, mtu, done: 0 })
    }

    /// Writes the next fragment to the start of `out` and returns its length; `None` after the last, or when `out` is
    /// too short.
    pub fn next_into(&mut self, out: &mut [u8]) -> Option<usize> {
        let payload = self.packet.payload();
        let rest = payload.get(self.done..).filter(|rest| !rest.is_empty())?;
        let (mut header, header_len) = self.header();
        let capacity = self.mtu.checked_sub(header_len)?;
        let last = rest.len() <= capacity;
        let piece = rest.get(..if last { rest.len() } else { capacity & !7 })?;
        let total = header_len + piece.len();

        let offset = (self.packet.fragment_offset() + self.done) / 8;
        let more = u16::from(!last || self.packet.more_fragments()) << 13;
        header[2..4].copy_from_slice(&u16::try_from(total).ok()?.to_be_bytes());
        header[6..8].copy_from_slice(&(more | u16::try_from(offset).ok()? & 0x1fff).to_be_bytes());
        header[10..12].fill(0);
        let sum = checksum::of(header.get(..header_len)?);
        header[10..12].copy_from_slice(&sum.to_be_bytes());

        let (head, tail) = out.get_mut(..total)?.split_at_mut_checked(header_len)?;
        head.copy_from_slice(header.get(..header_len)?);
        tail.copy_from_slice(piece);
        self.done += piece.len();
        Some(total)
    }

    /// The header of the next fragment and its length: the first fragment keeps all options, the others those
    /// with the copied flag.
    fn header(&self) -> ([u8; HEADER_MAX], usize) {
        let original = self.packet.as_bytes().get(..self.packet.header_len()).unwrap_or_default();
        let mut header = [0; HEADER_MAX];
        if self.done == 0 {
            header[..original.len()].copy_from_slice(original);
            return (header, original.len());
        }
        header[..20].copy_from_slice(&original[..20]);
        let mut len = 20;
        let mut options = &original[20..];
        // End of Option List (0) ends the list; No Operation (1) is one octet; all others have a length.
        while let [kind, rest @ ..] = options {
            let size = match (kind, rest) {
                (0, _) => break,
                (1, _) => 1,
                (_, [size, ..]) => usize::from(*size).max(2),
                (_, []) => break,
            };
            let Some((option, after)) = options.split_at_checked(size) else { break };
            if kind & 0x80 != 0 {
                header[len..len + size].copy_from_slice(option);
                len += size;
            }
            options = after;
        }
        len = len.next_multiple_of(4);
        header[0] = 0x40 | (len / 4) as u8;
        (header, len)
    }
}
