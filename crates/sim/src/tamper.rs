//! A line that damages packets: a faulty router, or an attacker in the path.

use adit_crypto::Rng;

use crate::packet::{Body, Kind, Packet};
use crate::verdict::Verdict;

/// Damages some packets. Probabilities are in thousandths.
#[derive(Debug)]
pub struct Tamper {
    rng: Rng,
    gre: u16,
    tcp: u16,
}

impl Tamper {
    /// Damages GRE packets and TCP segments with these probabilities.
    pub fn new(rng: Rng, gre: u16, tcp: u16) -> Tamper {
        Tamper { rng, gre, tcp }
    }

    fn chance(&mut self, permille: u16) -> bool {
        permille > 0 && self.rng.below(1000) < u64::from(permille)
    }

    pub(crate) fn outward(&mut self, packet: Packet) -> Verdict {
        self.damage(packet)
    }

    pub(crate) fn inward(&mut self, packet: Packet) -> Verdict {
        self.damage(packet)
    }

    fn damage(&mut self, mut packet: Packet) -> Verdict {
        let (gre, tcp) = (self.gre, self.tcp);
        match &mut packet.body {
            Body::Gre(octets) if self.chance(gre) => self.scratch(octets),
            Body::Tcp(segment) if self.chance(tcp) => {
                if let Kind::Data { octets, .. } = &mut segment.kind {
                    let len = octets.len();
                    self.scratch(octets);
                    // A stream keeps its length, because TCP would detect a change.
                    octets.resize(len, 0);
                }
            }
            _ => {}
        }
        Verdict::Pass(packet)
    }

    /// Changes one to three octets, or removes the end.
    fn scratch(&mut self, octets: &mut Vec<u8>) {
        if self.rng.below(4) == 0 {
            let keep = self.rng.below(octets.len() as u64 + 1) as usize;
            octets.truncate(keep);
            return;
        }
        for _ in 0..=self.rng.below(3) {
            let at = self.rng.below(octets.len() as u64) as usize;
            let flip = self.rng.below(255) as u8 + 1;
            if let Some(octet) = octets.get_mut(at) {
                *octet ^= flip;
            }
        }
    }
}
