//! The packet path of one call with an access list of 10,000 networks, against the same path without one.
//!
//! Only the path is measured, from the GRE packet to the IP packet and back, with encryption and without I/O: the share of the
//! list in a whole server is smaller.

use std::fmt;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adit_crypto::mppe::{StartKey, StartKeys, Strength};
use adit_policy::reach::{Acl, Action, Keys, Locals, Prefixes, Reach, Rule, ServerReach, Target};
use adit_ppp::mppe::Mppe;
use adit_tunnel::path::{HEADROOM, Network, Origin, Path, PathCommand, PathConfig, Sink};
use adit_wire::{LocalCallId, PeerCallId, udp};
use ipnet::Ipv4Net;
use serde::Serialize;

use crate::stats::Spread;

/// The networks of the list.
pub const NETWORKS: u32 = 10_000;
/// The packets of one round in each direction.
const PACKETS: usize = 2_000;
/// The octets of data in a packet.
const DATA: usize = 1_300;
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 14);

/// The result.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The two directions.
    pub rows: Vec<Row>,
}

/// One direction.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Which one.
    pub direction: &'static str,
    /// Nanoseconds for a packet without a list.
    pub without: Spread,
    /// The same with the list.
    pub with: Spread,
    /// The time with the list in parts of the time without, by round.
    pub ratio: Spread,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "ns for a packet of {} octets, stateless MPPE: median (min - max)", DATA + 28)?;
        for row in &self.rows {
            writeln!(f, "{:<12} without a list  {}", row.direction, row.without)?;
            writeln!(f, "{:<12} {NETWORKS} networks  {}", "", row.with)?;
            let Spread { median, min, max, rounds } = row.ratio;
            writeln!(f, "{:<12} ratio {median:.4} ({min:.4} - {max:.4}), {rounds} rounds", "")?;
        }
        Ok(())
    }
}

/// Keeps the GRE packets, and drops the rest.
#[derive(Default)]
struct Out {
    gre: Vec<Vec<u8>>,
    keeps: bool,
    passed: usize,
}

impl Sink for Out {
    fn gre(&mut self, packet: &[u8]) {
        self.passed += 1;
        if self.keeps {
            self.gre.push(packet.to_vec());
        }
        black_box(packet);
    }
    fn ip(&mut self, packet: &mut [u8]) {
        self.passed += 1;
        black_box(packet);
    }
    fn frame(&mut self, _frame: &[u8], _origin: Origin) {}
    fn dhcp(&mut self, _packet: &[u8]) {}
}

fn end(call_ids: (u16, u16), keys: (u8, u8), peer: Ipv4Net) -> Path {
    let now = Instant::now();
    let mut path = Path::new(PathConfig::new(LocalCallId::new(call_ids.0), PeerCallId::new(call_ids.1)), now);
    let keys = StartKeys { send: StartKey::new([keys.0; 16]), receive: StartKey::new([keys.1; 16]) };
    let mppe = Mppe { strength: Strength::Bits128, stateless: true, keys };
    path.command(now, PathCommand::Encryption(Some(mppe)));
    let network = Network {
        peer_networks: vec![peer],
        acl: None,
        local: Ipv4Addr::new(10, 99, 0, 1),
        mtu: 1400,
        answer_dhcp: true,
        ipv6: None,
    };
    path.command(now, PathCommand::Network(Some(network)));
    path
}

/// The network with this number: they are apart from each other, so that the list cannot be shortened.
fn network(number: u32) -> Ipv4Net {
    Ipv4Net::new(Ipv4Addr::from(0x1000_0000 + (number << 9)), 24).unwrap_or_default()
}

/// A host in a network that changes from packet to packet.
fn host(packet: usize) -> Ipv4Addr {
    // A multiplier without a common divisor visits all networks in an order that no cache foresees.
    let number = (packet as u32).wrapping_mul(7_919) % NETWORKS;
    Ipv4Addr::from(u32::from(network(number).network()) + 7)
}

fn list() -> Arc<Reach> {
    let allow = |number| Rule {
        protocol: Some(adit_policy::reach::UDP),
        ..Rule::new(Action::Allow, Target::Net(network(number)))
    };
    let rules = (0..NETWORKS).map(allow).chain([Rule::new(Action::Deny, Target::Any)]).collect();
    Arc::new(Reach {
        server: ServerReach::parse("ping+dns").unwrap_or_else(|_| ServerReach::nothing()),
        locals: Arc::new(Locals::default()),
        clients: Some(Prefixes::v4(&[Ipv4Net::new(CLIENT, 24).unwrap_or_default()])),
        acl: Arc::new(Acl::new(rules, None)),
        keys: Keys::default(),
    })
}

/// Measures both directions, the paths in turns.
pub fn run(rounds: usize) -> Report {
    let any = Ipv4Net::default();
    let mut client = end((9, 7), (1, 2), any);
    let mut servers = [0, 1].map(|_| end((7, 9), (2, 1), CLIENT.into()));
    let now = Instant::now();
    servers[1].command(now, PathCommand::Reach(list()));
    let mut inner: [[Vec<f64>; 2]; 2] = Default::default();
    for round in 0..rounds {
        let mut sent = Out { keeps: true, ..Out::default() };
        for packet in 0..PACKETS {
            let mut buffer = buffer(udp::datagram_v4((CLIENT, 1), (host(packet), 2), &[7; DATA]));
            client.handle_ip(now, &mut buffer, &mut sent);
        }
        let replies =
            (0..PACKETS).map(|packet| buffer(udp::datagram_v4((host(packet), 2), (CLIENT, 1), &[7; DATA])));
        let replies: Vec<Vec<u8>> = replies.collect();
        for turn in 0..2 {
            let which = (round + turn) % 2;
            let server = &mut servers[which];
            let (mut packets, mut out) = (sent.gre.clone(), Out::default());
            let took =
                timed(|| packets.iter_mut().for_each(|packet| server.handle_gre(now, packet, &mut out)));
            assert!(out.passed >= PACKETS, "every packet passes: {}", out.passed);
            inner[0][which].push(took);
            let (mut packets, mut out) = (replies.clone(), Out::default());
            let took =
                timed(|| packets.iter_mut().for_each(|packet| server.handle_ip(now, packet, &mut out)));
            assert!(out.passed >= PACKETS, "every reply passes: {}", out.passed);
            inner[1][which].push(took);
        }
    }
    let row = |direction, [without, with]: &[Vec<f64>; 2]| {
        let ratio = Spread::of(without.iter().zip(with).map(|(without, with)| with / without))?;
        Some(Row {
            direction,
            without: Spread::of(without.iter().copied())?,
            with: Spread::of(with.iter().copied())?,
            ratio,
        })
    };
    let rows = [row("from client", &inner[0]), row("to client", &inner[1])];
    Report { rows: rows.into_iter().flatten().collect() }
}

fn buffer(packet: Vec<u8>) -> Vec<u8> {
    [vec![0; HEADROOM], packet].concat()
}

/// Nanoseconds for one packet.
fn timed(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    let took: Duration = begun.elapsed();
    took.as_nanos() as f64 / PACKETS as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_of_the_measurement_passes_by_a_rule_of_its_own() {
        let reach = list();
        let rules: std::collections::BTreeSet<_> = (0..PACKETS)
            .map(|packet| {
                reach.acl.find(host(packet), adit_policy::reach::UDP, adit_policy::reach::Part::Port(2))
            })
            .collect();
        assert_eq!(rules.len(), PACKETS);
        assert!(reach.acl.shadowed().is_empty());
        assert_eq!(run(1).rows.len(), 2);
    }
}
