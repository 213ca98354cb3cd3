//! The headers in front of an inner packet: enhanced GRE, PPP, MPPE.
//!
//! ```text
//! GRE, 12 octets        PPP     MPPE   encrypted from here on
//! 30 01 88 0b len call  ff 03   90 00  00 21 inner IP packet
//!       sequence        00 fd
//! ```

/// Octets in front of the inner packet.
pub(crate) const HEADERS: usize = CLEAR + 2;
/// Octets of it that stay in clear.
pub(crate) const CLEAR: usize = GRE + 6;

const GRE: usize = 12;
const FIXED: [u8; 4] = [0x30, 0x01, 0x88, 0x0b];
const PPP: [u8; 4] = [0xff, 0x03, 0x00, 0xfd];
const CALL: [u8; 2] = [0, 1];
/// MPPE bits A (the key was changed before this packet) and D (encrypted).
const FLUSHED_ENCRYPTED: u16 = 0x9000;
const IP: [u8; 2] = [0x00, 0x21];
const IP_HEADER: usize = 20;

/// Fills the first [`HEADERS`] octets of a packet.
pub(crate) fn write_headers(packet: &mut [u8], sequence: u32, coherency: u16) {
    let len = (packet.len() - GRE) as u16;
    packet[..4].copy_from_slice(&FIXED);
    packet[4..6].copy_from_slice(&len.to_be_bytes());
    packet[6..8].copy_from_slice(&CALL);
    packet[8..12].copy_from_slice(&sequence.to_be_bytes());
    packet[12..16].copy_from_slice(&PPP);
    packet[16..18].copy_from_slice(&(FLUSHED_ENCRYPTED | coherency).to_be_bytes());
    packet[18..20].copy_from_slice(&IP);
}

/// The coherency count and the encrypted octets of what a raw socket delivers, IP header included.
pub(crate) fn payload(packet: &mut [u8]) -> Option<(u16, &mut [u8])> {
    let gre = packet.get_mut(IP_HEADER..)?;
    if gre.get(..4)? != FIXED || gre.get(GRE..GRE + 4)? != PPP {
        return None;
    }
    let header = u16::from_be_bytes([*gre.get(CLEAR - 2)?, *gre.get(CLEAR - 1)?]);
    Some((header & 0x0fff, gre.get_mut(CLEAR..)?))
}

/// The inner packet of decrypted octets.
pub(crate) fn inner(payload: &[u8]) -> Option<&[u8]> {
    payload.strip_prefix(&IP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut packet = vec![0; IP_HEADER];
        packet.extend([0; HEADERS]);
        packet.extend(b"inner");
        write_headers(&mut packet[IP_HEADER..], 7, 0x0abc);
        let (coherency, payload) = payload(&mut packet).unwrap();
        assert_eq!(coherency, 0x0abc);
        assert_eq!(inner(payload), Some(&b"inner"[..]));
    }

    #[test]
    fn a_cut_packet_is_refused() {
        for len in 0..IP_HEADER + CLEAR - 1 {
            assert!(payload(&mut vec![0x30; len]).is_none());
        }
    }
}
