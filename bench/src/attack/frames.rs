//! The frames that are forged: every control frame in clear that can end or degrade an encrypted session, and MPPE frames.

use adit_crypto::Rng;
use adit_wire::{cp, mppe, ppp};

/// Frames that belong together: one attack.
#[derive(Clone, Debug)]
pub(crate) struct Forgery {
    /// `lcp terminate-request`.
    pub(crate) name: String,
    pub(crate) frames: Vec<Vec<u8>>,
}

/// Identifiers of a reply are guessed: those of the first exchanges of a session.
const GUESSED: std::ops::RangeInclusive<u8> = 1..=16;
/// Codes of CHAP (RFC 1994 section 4).
const CHALLENGE: u8 = 1;
const SUCCESS: u8 = 3;
const FAILURE: u8 = 4;

/// The control protocols whose automaton is that of RFC 1661, with an option that their Configure-Requests have.
const PROTOCOLS: [(u16, &str, &[u8]); 4] = [
    (ppp::LCP, "lcp", &[1, 4, 5, 0x78, 5, 6, 0x5a, 0x17, 0x0b, 0x3c]),
    (ppp::CCP, "ccp", &[18, 6, 1, 0, 0, 0x40]),
    (ppp::IPCP, "ipcp", &[3, 6, 10, 77, 200, 200]),
    (ppp::IPV6CP, "ipv6cp", &[1, 10, 2, 0, 0, 0xff, 0xfe, 1, 2, 3]),
];

/// The codes of the automaton, and how many frames an attack has. A request has one identifier, which the receiver does not know;
/// a reply has to have the right one.
const CODES: [(u8, Identifiers); 7] = [
    (cp::CONFIGURE_REQUEST, Identifiers::New(4)),
    (cp::CONFIGURE_ACK, Identifiers::Guessed),
    (cp::CONFIGURE_NAK, Identifiers::Guessed),
    (cp::CONFIGURE_REJECT, Identifiers::Guessed),
    (cp::TERMINATE_REQUEST, Identifiers::New(1)),
    (cp::TERMINATE_ACK, Identifiers::Guessed),
    (cp::CODE_REJECT, Identifiers::New(1)),
];

#[derive(Clone, Copy)]
enum Identifiers {
    New(u8),
    Guessed,
}

impl Identifiers {
    fn all(self) -> Vec<u8> {
        match self {
            Identifiers::New(number) => (200..200 + number).collect(),
            Identifiers::Guessed => GUESSED.collect(),
        }
    }
}

/// All attacks with control frames in clear, and with MPPE frames that do not decrypt.
pub(crate) fn control() -> Vec<Forgery> {
    let mut all = Vec::new();
    for (protocol, name, options) in PROTOCOLS {
        for (code, identifiers) in CODES {
            let data: &[u8] = match code {
                cp::TERMINATE_REQUEST | cp::TERMINATE_ACK => &[],
                // The rejected packet: a Configure-Request without options.
                cp::CODE_REJECT => &[cp::CONFIGURE_REQUEST, 1, 0, 4],
                _ => options,
            };
            let code_name = cp::code_name(code).unwrap_or("code").to_lowercase();
            all.push(frames(&format!("{name} {code_name}"), protocol, code, identifiers, data));
        }
    }
    for (rejected, name) in
        [(ppp::CCP, "ccp"), (ppp::IPCP, "ipcp"), (ppp::COMPRESSED, "0x00fd"), (ppp::IP, "ip")]
    {
        let data = [&rejected.to_be_bytes()[..], &[0x90, 0, 1, 2, 3, 4]].concat();
        let name = format!("lcp protocol-reject of {name}");
        all.push(frames(&name, ppp::LCP, cp::PROTOCOL_REJECT, Identifiers::New(4), &data));
    }
    for (code, name) in [(cp::RESET_REQUEST, "reset-request"), (cp::RESET_ACK, "reset-ack")] {
        all.push(frames(&format!("ccp {name}"), ppp::CCP, code, Identifiers::Guessed, &[]));
    }
    let challenge = [&[16][..], &[0x42; 16], b"server"].concat();
    for (code, name, identifiers, data) in [
        (CHALLENGE, "challenge", Identifiers::New(1), challenge.as_slice()),
        (
            SUCCESS,
            "success",
            Identifiers::Guessed,
            b"S=0000000000000000000000000000000000000000 M=ok".as_slice(),
        ),
        (FAILURE, "failure", Identifiers::Guessed, b"E=691 R=0 C=00000000000000000000000000000000 V=3 M=no"),
    ] {
        all.push(frames(&format!("chap {name}"), ppp::CHAP, code, identifiers, data));
    }
    for (encrypted, name) in [(false, "mppe without bit d"), (true, "mppe that does not decrypt")] {
        let mut rng = Rng::from_number(10);
        let frames = (0..20).map(|_| mppe_frame(&mut rng, encrypted, 40)).collect();
        all.push(Forgery { name: name.to_owned(), frames });
    }
    all
}

fn frames(name: &str, protocol: u16, code: u8, identifiers: Identifiers, data: &[u8]) -> Forgery {
    let frames = identifiers.all().into_iter().map(|id| cp::frame(protocol, code, id, data)).collect();
    Forgery { name: name.to_owned(), frames }
}

/// An MPPE frame of random octets with a random coherency count, with an uncompressed header.
pub(crate) fn mppe_frame(rng: &mut Rng, encrypted: bool, len: usize) -> Vec<u8> {
    let count = (rng.u32() & 0xfff) as u16;
    let header = mppe::Header { flushed: true, encrypted, count, ..mppe::Header::default() };
    let mut frame = Vec::with_capacity(6 + len);
    ppp::push_header(&mut frame, ppp::COMPRESSED, false, false);
    frame.extend_from_slice(&header.emit());
    let data = frame.len();
    frame.resize(data + len, 0);
    rng.fill(frame.get_mut(data..).unwrap_or_default());
    frame
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_attack_has_a_name_of_its_own_and_valid_frames() {
        let all = control();
        let names: BTreeSet<&str> = all.iter().map(|forgery| forgery.name.as_str()).collect();
        assert_eq!(names.len(), all.len());
        for forgery in &all {
            assert!(!forgery.frames.is_empty() && forgery.frames.len() <= 20, "{}", forgery.name);
            for frame in &forgery.frames {
                let (protocol, information) = ppp::frame(frame).unwrap();
                if protocol == ppp::COMPRESSED {
                    let encrypted = mppe::Header::parse(information).unwrap().encrypted;
                    assert_eq!(encrypted, forgery.name.contains("decrypt"), "{}", forgery.name);
                } else {
                    let packet = cp::Packet::parse(ppp::protocol(protocol), information);
                    assert!(packet.is_ok(), "{}: {packet:?}", forgery.name);
                }
            }
        }
    }

    #[test]
    fn the_class_is_complete() {
        let all = control();
        for protocol in ["lcp", "ccp", "ipcp", "ipv6cp"] {
            for code in ["configure-request", "configure-nak", "terminate-request", "code-reject"] {
                let name = format!("{protocol} {code}");
                assert!(all.iter().any(|forgery| forgery.name == name), "{name}");
            }
        }
    }
}
