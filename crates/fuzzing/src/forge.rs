//! Forged packets that fit the state of the conversation.

use adit_wire::{cp, ppp};

use crate::input::Input;

/// The last packet of each protocol that an end has sent.
#[derive(Debug, Default)]
pub(crate) struct Overheard(Vec<(u16, u8, Vec<u8>)>);

impl Overheard {
    /// Listens to a frame, which must be one that may be sent at all.
    pub(crate) fn note(&mut self, frame: &[u8]) {
        let parsed = ppp::frame(frame);
        assert!(parsed.is_ok(), "sent {frame:02x?}");
        let Ok((protocol, information)) = parsed else { return };
        assert!(information.len() <= 1500, "{} octets of information", information.len());
        if let Ok(packet) = cp::Packet::parse(adit_wire::Protocol::Lcp, information) {
            self.0.retain(|(of, ..)| *of != protocol);
            self.0.push((protocol, packet.id, packet.data.to_vec()));
        }
    }

    /// A frame that could be meant for the end that was overheard: an answer, or something of its own.
    pub(crate) fn frame(&self, input: &mut Input<'_>) -> Vec<u8> {
        let choice = input.u8();
        let protocols = [ppp::LCP, ppp::CCP, ppp::IPCP, ppp::IPV6CP, ppp::CHAP, ppp::PAP, 0xc227, 0x8207];
        let protocol = protocols[usize::from(choice & 7)];
        let code = choice >> 3 & 15;
        let last = self.0.iter().find(|(of, ..)| *of == protocol);
        let id = last.map_or(0, |(_, id, _)| *id).wrapping_add(input.u8() & 3);
        let mut data = match last {
            Some((.., data)) if choice & 0x80 != 0 => data.clone(),
            _ => Vec::new(),
        };
        let chunk = input.chunk();
        data.truncate(data.len().saturating_sub(chunk.len()));
        data.extend_from_slice(chunk);
        cp::frame(protocol, code, id, &data)
    }
}

/// A control message of any type with a right header and any content: most of it zeros, some of it chosen.
pub(crate) fn message(input: &mut Input<'_>) -> Option<Vec<u8>> {
    let message_type = input.u8() % 17;
    let sizes = [12, 156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24, 12_u16];
    let size = *sizes.get(usize::from(message_type))?;
    let mut octets = vec![0; usize::from(size)];
    octets[..2].copy_from_slice(&size.to_be_bytes());
    octets[3] = 1;
    octets[4..8].copy_from_slice(&[0x1a, 0x2b, 0x3c, 0x4d]);
    octets[9] = message_type;
    // Version 1.0 in the version field, so that conversations begin.
    if matches!(message_type, 1 | 2) {
        octets[12] = 1;
        octets[14] = u8::from(message_type == 2);
    }
    for (at, octet) in input.chunk().iter().enumerate() {
        if let Some(place) = octets.get_mut(12 + at)
            && *octet != 0
        {
            *place = *octet;
        }
    }
    Some(octets)
}
