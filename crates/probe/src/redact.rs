//! Redaction of captures that are sent to support: removes authentication proofs.

use adit_wire::{chap, gre, ipv4, pap, ppp};

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
/// Length of the Linux cooked header.
const LINK_HEADER: usize = 16;
/// Length of the header of a PPP control protocol: code, identifier, length.
const PACKET_HEADER: usize = 4;

/// Overwrites authentication proofs in a capture of [`crate::Report`] with zeroes: responses, passwords, and the proof
/// of the server. Lengths and all other data are kept, so that the capture can still be judged.
pub fn redact(capture: &mut [u8]) {
    let mut at = FILE_HEADER;
    while let Some(record) = capture.get(at..at + RECORD_HEADER) {
        let len = u32::from_le_bytes([record[8], record[9], record[10], record[11]]) as usize;
        let from = at + RECORD_HEADER;
        let Some(frame) = capture.get_mut(from..from + len) else { return };
        if let Some(packet) = frame.get_mut(LINK_HEADER..) {
            proofs(packet);
        }
        at = from + len;
    }
}

fn proofs(packet: &mut [u8]) {
    let Some((start, protocol)) = place(packet) else { return };
    let Some(information) = packet.get_mut(start..) else { return };
    let Some((head, data)) = information.split_at_mut_checked(PACKET_HEADER) else { return };
    let is_proof = match (protocol, head[0]) {
        (ppp::CHAP, code) => code != chap::CHALLENGE && code != chap::FAILURE,
        (ppp::PAP, code) => code == pap::REQUEST,
        (ppp::EAP, _) => true,
        _ => false,
    };
    if is_proof {
        // The name after the response identifies the account, and proves nothing.
        let keep = if protocol == ppp::CHAP && head[0] == chap::RESPONSE {
            data.first().map_or(0, |size| usize::from(*size) + 1)
        } else {
            data.len()
        };
        let first = usize::from(protocol == ppp::CHAP && head[0] == chap::RESPONSE);
        if let Some(proof) = data.get_mut(first..) {
            let end = keep.saturating_sub(first).min(proof.len());
            proof[..end].fill(0);
        }
    }
}

/// Offset of the PPP information field in an IPv4 packet, and its protocol.
fn place(packet: &[u8]) -> Option<(usize, u16)> {
    let ip = ipv4::Packet::new_checked(packet).ok()?;
    if ip.protocol() != gre::IP_PROTOCOL || ip.is_fragment() {
        return None;
    }
    let header = gre::Repr::parse(ip.payload()).ok()?;
    let frame = ip.payload().get(header.payload_range())?;
    let (protocol, information) = ppp::frame(frame).ok()?;
    let before = ip.header_len() + header.header_len() + (frame.len() - information.len());
    Some((before, protocol))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    fn record(out: &mut Vec<u8>, frame: &[u8]) {
        let (from, to) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
        let packet =
            ipv4::Repr::new(from, to, gre::IP_PROTOCOL).packet(&gre::packet(7, Some(1), None, frame));
        let packet = [&[0; LINK_HEADER], &packet[..]].concat();
        adit_capture::write::frame(out, Duration::ZERO, &packet, packet.len());
    }

    #[test]
    fn proofs_go_and_the_rest_stays() {
        let mut capture = adit_capture::write::header(113).to_vec();
        record(&mut capture, b"\xff\x03\xc2\x23\x02\x01\x00\x0e\x04PPPPalice");
        record(&mut capture, b"\xff\x03\xc0\x23\x01\x01\x00\x12\x05alice\x06SECRET");
        record(&mut capture, b"\xff\x03\xc2\x23\x03\x01\x00\x0cS=PROVEN");
        record(&mut capture, b"\xff\x03\xc0\x21\x01\x01\x00\x0aSTAYS!");
        let before = capture.len();
        redact(&mut capture);
        assert_eq!(capture.len(), before);
        let has = |wanted: &[u8]| capture.windows(wanted.len()).any(|window| window == wanted);
        for gone in [&b"PPPP"[..], b"SECRET", b"PROVEN"] {
            assert!(!has(gone), "{}", String::from_utf8_lossy(gone));
        }
        assert!(has(b"alice") && has(b"STAYS!"));
    }

    #[test]
    fn damage_is_borne() {
        let mut capture = adit_capture::write::header(113).to_vec();
        record(&mut capture, b"\xff\x03\xc2\x23\x02\x01\x00\x0e\xffPPPPalice");
        for cut in 0..capture.len() {
            redact(&mut capture.clone()[..cut]);
        }
        redact(&mut capture);
    }
}
