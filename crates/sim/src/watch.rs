//! An observer that reads every GRE packet as it leaves its sender.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use adit_wire::{gre, ppp};

use crate::packet::{Body, Packet};

/// Detects violations in GRE packets.
#[derive(Debug, Default)]
pub struct Watch {
    /// Hosts that must send valid packets.
    trusted: BTreeSet<Ipv4Addr>,
    /// Hosts that must not send IP in clear.
    sworn: BTreeSet<Ipv4Addr>,
    /// Octets that must not appear in any packet: the content of inner data.
    secret: Option<Vec<u8>>,
    /// GRE packets seen.
    pub packets: u64,
    /// The number of frames encrypted with MPPE.
    pub encrypted: u64,
    /// The number of IP packets in clear.
    pub clear: u64,
    /// The first violation.
    pub violation: Option<String>,
}

impl Watch {
    /// Requires that every GRE packet of this host is valid from now on.
    pub fn trust(&mut self, host: Ipv4Addr) {
        self.trusted.insert(host);
    }

    /// Requires that this host sends neither IP in clear nor these octets from now on.
    pub fn swear(&mut self, host: Ipv4Addr, secret: &[u8]) {
        self.trusted.insert(host);
        self.sworn.insert(host);
        self.secret = Some(secret.to_vec());
    }

    pub(crate) fn sent(&mut self, packet: &Packet) {
        let Body::Gre(octets) = &packet.body else { return };
        self.packets += 1;
        if !self.trusted.contains(&packet.src) {
            return;
        }
        let violation = self.read(packet.src, octets).err();
        if let Some(violation) = violation {
            self.violation.get_or_insert(format!("{violation}: {packet}"));
        }
    }

    fn read(&mut self, src: Ipv4Addr, octets: &[u8]) -> Result<(), &'static str> {
        let gre = gre::Packet::new_checked(octets).map_err(|_| "not a GRE packet of PPTP")?;
        if octets.len() != gre.repr().header_len() + gre.payload().len() {
            return Err("octets behind the payload");
        }
        if gre.seq().is_none() {
            return match gre.ack() {
                Some(_) => Ok(()),
                None => Err("neither payload nor acknowledgment"),
            };
        }
        let (protocol, _) = ppp::frame(gre.payload()).map_err(|_| "not a PPP frame")?;
        let sworn = self.sworn.contains(&src);
        match protocol {
            ppp::COMPRESSED => self.encrypted += 1,
            ppp::IP | ppp::IPV6 => {
                self.clear += 1;
                if sworn {
                    return Err("IP in clear");
                }
            }
            _ => {}
        }
        let secret = self.secret.as_deref().filter(|_| sworn);
        if secret.is_some_and(|secret| octets.windows(secret.len()).any(|window| window == secret)) {
            return Err("inner data in clear");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const OTHER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

    fn packet(src: Ipv4Addr, frame: &[u8]) -> Packet {
        let body = Body::Gre(gre::packet(1, Some(0), None, frame));
        Packet { src, dst: OTHER, body }
    }

    fn violation(packet: &Packet) -> Option<String> {
        let mut watch = Watch::default();
        watch.swear(HOST, b"secret");
        watch.trust(OTHER);
        watch.sent(packet);
        watch.violation
    }

    #[test]
    fn c189_ip_in_clear_is_noticed() {
        let clear = [0xff, 0x03, 0x00, 0x21, 0x45, 0x00];
        assert!(violation(&packet(HOST, &clear)).unwrap().starts_with("IP in clear"));
        assert!(violation(&packet(HOST, &[0x21, 0x45])).unwrap().starts_with("IP in clear"));
        assert_eq!(violation(&packet(OTHER, &clear)), None);
        assert_eq!(violation(&packet(HOST, &[0x00, 0xfd, 0x90, 0x00, 1, 2])), None);
        assert_eq!(violation(&packet(HOST, &[0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4])), None);
    }

    #[test]
    fn inner_data_is_noticed_under_any_protocol() {
        let mut frame = vec![0x00, 0xfd, 0x90, 0x00];
        frame.extend_from_slice(b"xxsecretxx");
        assert!(violation(&packet(HOST, &frame)).unwrap().starts_with("inner data in clear"));
    }

    #[test]
    fn c063_malformed_gre_is_noticed() {
        let mut wrong = packet(HOST, &[0x00, 0xfd, 0x90, 0x00]);
        let Body::Gre(octets) = &mut wrong.body else { panic!() };
        octets[0] |= 0x80;
        assert!(violation(&wrong).is_some());
        let mut long = packet(HOST, &[0x00, 0xfd, 0x90, 0x00]);
        let Body::Gre(octets) = &mut long.body else { panic!() };
        octets.push(0);
        assert!(violation(&long).unwrap().starts_with("octets behind"));
    }
}
