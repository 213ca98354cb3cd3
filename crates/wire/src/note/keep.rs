//! Selection of the octets of a PPP packet that are kept: those that are shown, without passwords, challenges
//! and proofs.

use crate::{Protocol, chap, cp, pap};

/// The most octets kept of the options of one packet: more than real packets have.
const OPTIONS: usize = 1500;
/// The most octets kept of texts.
const TEXT: usize = 257;
/// The most octets kept of opaque data.
const OPAQUE: usize = 32;
/// The octets kept of an echo, its Magic-Number, which also precedes texts.
const MAGIC: usize = 4;

/// The octets to keep, and the original length.
pub(super) struct Kept {
    pub(super) octets: Vec<u8>,
    /// The original length of the data; `None` if it is that of the packet.
    pub(super) length: Option<usize>,
}

/// The octets to keep of a packet's data.
pub(super) fn data(protocol: Protocol, packet: &cp::Packet<'_>) -> Kept {
    match protocol {
        Protocol::Pap => first(packet, pap(packet)),
        Protocol::Chap => chap(packet),
        _ => first(packet, plain(protocol, packet.code)),
    }
}

fn first(packet: &cp::Packet<'_>, count: usize) -> Kept {
    let octets = packet.data.get(..count).unwrap_or(packet.data).to_vec();
    Kept { octets, length: None }
}

fn plain(protocol: Protocol, code: u8) -> usize {
    match code {
        cp::CONFIGURE_REQUEST..=cp::CONFIGURE_REJECT => OPTIONS,
        cp::TERMINATE_REQUEST | cp::TERMINATE_ACK => TEXT,
        // The rejected packet may contain a login: keep its header only.
        cp::CODE_REJECT => cp::HEADER_LEN,
        _ if protocol != Protocol::Lcp => OPAQUE,
        cp::PROTOCOL_REJECT => 2,
        cp::ECHO_REQUEST | cp::ECHO_REPLY | cp::DISCARD_REQUEST => MAGIC,
        cp::IDENTIFICATION | cp::TIME_REMAINING => TEXT,
        _ => OPAQUE,
    }
}

/// The octets to keep of a request: its name and the length of the password.
fn pap(packet: &cp::Packet<'_>) -> usize {
    match (packet.code, packet.data.first()) {
        (pap::REQUEST, Some(name)) => {
            let password = 1 + usize::from(*name);
            // A name that exceeds the packet may be anything.
            if password <= packet.data.len() { password + 1 } else { 1 }
        }
        (pap::ACK | pap::NAK, _) => TEXT,
        _ => 0,
    }
}

fn chap(packet: &cp::Packet<'_>) -> Kept {
    let all = |octets: Vec<u8>| Kept { length: Some(octets.len()), octets };
    match (packet.code, packet.data) {
        (chap::CHALLENGE | chap::RESPONSE, [size, rest @ ..]) => {
            let size = usize::from(*size);
            let Some(name) = rest.get(size..) else { return first(packet, 1) };
            let name = name.get(..TEXT).unwrap_or(name);
            let octets = [&packet.data[..1], &vec![0; size], name].concat();
            Kept { octets, length: None }
        }
        (chap::SUCCESS, text) => match chap::Success::parse(text) {
            chap::Success { response: None, message: None } if !chap::hides(text, b"S=") => {
                first(packet, TEXT)
            }
            chap::Success { response: None, message: None } => all(b"S=".to_vec()),
            success => all(chap::Success { response: success.response.map(|_| [0; 20]), ..success }.to_vec()),
        },
        (chap::FAILURE, text) => match chap::Failure::parse(text) {
            chap::Failure { error: None, .. } if !chap::hides(text, b"C=") => first(packet, TEXT),
            failure => {
                // Without an error it is the challenge that marks it as a text of MS-CHAP.
                let challenge = failure.error.is_none().then(|| vec![0; 16]);
                all(chap::Failure { challenge, ..failure }.to_vec())
            }
        },
        _ => first(packet, 0),
    }
}
