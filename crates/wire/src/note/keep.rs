//! Which octets of a PPP packet are kept: those that are shown, never a password, a challenge or a proof of one.

use crate::{Protocol, chap, cp, pap};

/// Octets kept of the options of one packet: more than any real one has.
const OPTIONS: usize = 1500;
/// Octets kept of what is shown as a text, or not shown further.
const TEXT: usize = 257;
/// Octets kept of what is only ever shown as octets.
const OPAQUE: usize = 32;
/// Of an echo, its Magic-Number; of a text behind one, the text as well.
const MAGIC: usize = 4;

/// The octets that are kept, and how many there were.
pub(super) struct Kept {
    pub(super) octets: Vec<u8>,
    /// `None`: those of the packet.
    pub(super) length: Option<usize>,
}

/// What is kept of a packet's data.
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
        // What was rejected may be a login: its header is enough.
        cp::CODE_REJECT => cp::HEADER_LEN,
        _ if protocol != Protocol::Lcp => OPAQUE,
        cp::PROTOCOL_REJECT => 2,
        cp::ECHO_REQUEST | cp::ECHO_REPLY | cp::DISCARD_REQUEST => MAGIC,
        cp::IDENTIFICATION | cp::TIME_REMAINING => TEXT,
        _ => OPAQUE,
    }
}

/// Of a request its name and the length of the password.
fn pap(packet: &cp::Packet<'_>) -> usize {
    match (packet.code, packet.data.first()) {
        (pap::REQUEST, Some(name)) => {
            let password = 1 + usize::from(*name);
            // A name that goes beyond the packet's end may be anything.
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
                // Without an error it is the challenge that makes it a text of MS-CHAP.
                let challenge = failure.error.is_none().then(|| vec![0; 16]);
                all(chap::Failure { challenge, ..failure }.to_vec())
            }
        },
        _ => first(packet, 0),
    }
}
