//! Challenges and responses, printed only on request: they permit offline cracking of the password.

use std::collections::BTreeMap;
use std::net::IpAddr;

use adit_capture::{Content, Packet};
use adit_wire::text::escape;
use adit_wire::{chap, cp, ppp};

/// Maximum number of logins kept.
const LOGINS_MAX: usize = 64;

/// The last challenge between two addresses, and completed lines.
#[derive(Default)]
pub(super) struct Hashes {
    challenges: BTreeMap<(IpAddr, IpAddr), Vec<u8>>,
    lines: Vec<String>,
}

impl Hashes {
    pub(super) fn take(&mut self, packet: &Packet) {
        let (Content::Gre(gre), Some(network)) = (&packet.content, &packet.network) else { return };
        let Ok((ppp::CHAP, information)) = ppp::frame(&gre.frame) else { return };
        let Ok(chap) = cp::Packet::parse(ppp::protocol(ppp::CHAP), information) else { return };
        let full = self.lines.len() >= LOGINS_MAX || self.challenges.len() >= LOGINS_MAX;
        match chap::Message::parse(&chap) {
            Ok(chap::Message::Challenge { value, .. }) if !full => {
                self.challenges.insert((network.destination, network.source), value.to_vec());
            }
            Ok(chap::Message::Response { value, name }) if !full => {
                let challenge = self.challenges.get(&(network.source, network.destination));
                self.lines.push(format!(
                    "frame {}  {}  challenge {}  response {}",
                    packet.number,
                    escape(name),
                    challenge.map_or("not in the file".to_owned(), |octets| hex(octets)),
                    hex(value)
                ));
            }
            _ => {}
        }
    }

    pub(super) fn lines(self) -> Vec<String> {
        self.lines
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
