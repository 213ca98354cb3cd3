//! Echo requests through tunnels, the check of their replies, and many of them over many tunnels in turn.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_tunnel::path::HEADROOM;
use adit_wire::checksum;
use tokio::sync::Notify;

use crate::crowd::Crowd;

/// Echo requests of all sessions in turn.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    /// How long.
    pub time: Duration,
    /// Packets a second, of all sessions together; 0 for as many as are answered.
    pub rate: u32,
    /// With no rate: packets on their way at once, of all sessions together.
    pub window: u32,
}

/// What one client sends and what came back.
#[derive(Clone, Debug, Default)]
pub struct Pings {
    /// Requests.
    pub sent: u64,
    /// Replies with the data that was sent.
    pub answered: u64,
    /// Replies whose data was not what was sent.
    pub damaged: u64,
}

/// An IPv4 packet with an ICMP echo request, [`HEADROOM`] octets of room in front.
pub(crate) fn echo_request(from: Ipv4Addr, to: Ipv4Addr, id: u16, sequence: u16, size: u16) -> Vec<u8> {
    let total = 28 + size;
    let mut packet = vec![0u8; HEADROOM];
    packet.extend([0x45, 0]);
    packet.extend(total.to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 1, 0, 0]);
    packet.extend(from.octets());
    packet.extend(to.octets());
    packet.extend([8, 0, 0, 0]);
    packet.extend(id.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend((0..size).map(|n| pattern(id, sequence, n)));
    let header = HEADROOM..HEADROOM + 20;
    let sum = checksum::of(&packet[header.clone()]).to_be_bytes();
    packet[HEADROOM + 10..HEADROOM + 12].copy_from_slice(&sum);
    let sum = checksum::of(&packet[header.end..]).to_be_bytes();
    packet[header.end + 2..header.end + 4].copy_from_slice(&sum);
    packet
}

/// The data depends on who sends it and when, so that a packet in the wrong tunnel is noticed.
fn pattern(id: u16, sequence: u16, n: u16) -> u8 {
    id.wrapping_mul(31).wrapping_add(sequence.wrapping_mul(17)).wrapping_add(n) as u8
}

impl Pings {
    /// Looks at a packet that came out of the tunnel; its data is compared where `compare` is set.
    pub(crate) fn received(&mut self, packet: &[u8], id: u16, compare: bool) {
        let header = usize::from(packet.first().copied().unwrap_or(0) & 15) * 4;
        let Some(icmp) = packet.get(header..) else { return };
        if packet.get(9) != Some(&1) || icmp.len() < 8 || icmp[0] != 0 {
            return;
        }
        let (from, sequence) =
            (u16::from_be_bytes([icmp[4], icmp[5]]), u16::from_be_bytes([icmp[6], icmp[7]]));
        let same = || icmp[8..].iter().zip(0u16..).all(|(octet, n)| *octet == pattern(id, sequence, n));
        if from == id && (!compare || same()) {
            self.answered += 1;
        } else {
            self.damaged += 1;
        }
    }
}

/// What the traffic phase moved.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moved {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    pub(crate) took: Duration,
}

/// Packets sent in one go at the most.
const BURST: u64 = 64;
/// With a window: when nothing is answered for so long, what is on its way is lost.
const LOST: Duration = Duration::from_millis(200);

/// A session that takes part, with its packet ready: only number and checksum change.
struct Sender {
    call_id: u16,
    sequence: u16,
    from: Ipv4Addr,
    to: Ipv4Addr,
}

/// Sends over all sessions that are up, in turn. `heard` is told when packets have been read.
pub(crate) async fn run(crowd: &Crowd, traffic: Traffic, size: u16, heard: &Notify) -> Moved {
    let mut senders = Vec::new();
    for call_id in crowd.up() {
        crowd.stir(call_id, |client| {
            senders.extend(client.ends().map(|(from, to)| Sender { call_id, sequence: 0, from, to }));
        });
    }
    let before = crowd.answered.get();
    let started = Instant::now();
    let mut turn = 0usize;
    let (mut sent, mut counted, mut lost) = (0u64, 0u64, 0u64);
    let mut packet = Vec::new();
    let mut send = |number: u64| {
        let now = Instant::now();
        for _ in 0..number {
            turn = (turn + 1) % senders.len().max(1);
            let Some(sender) = senders.get_mut(turn) else { return };
            sender.fill(&mut packet, size);
            crowd.stir(sender.call_id, |client| client.send(now, &mut packet));
        }
        crowd.gre.flush();
    };
    let mut every = tokio::time::interval(Duration::from_millis(1));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    while started.elapsed() < traffic.time {
        if traffic.rate > 0 {
            every.tick().await;
            let due = (started.elapsed().as_secs_f64() * f64::from(traffic.rate)) as u64;
            let now = due.saturating_sub(sent).min(BURST * 4);
            send(now);
            sent += now;
        } else {
            let room = u64::from(traffic.window).saturating_sub(sent.saturating_sub(counted + lost));
            send(room.min(BURST));
            sent += room.min(BURST);
            if tokio::time::timeout(LOST, heard.notified()).await.is_err() {
                lost = sent.saturating_sub(counted);
            }
            counted = crowd.answered.get().saturating_sub(before);
        }
    }
    let took = started.elapsed();
    // What is still on its way comes.
    tokio::time::sleep(LOST).await;
    Moved { sent, answered: crowd.answered.get().saturating_sub(before), took }
}

impl Sender {
    /// Makes its next packet. The data is zeros: nobody compares it here.
    fn fill(&mut self, packet: &mut Vec<u8>, size: u16) {
        self.sequence = self.sequence.wrapping_add(1);
        packet.clear();
        packet.resize(HEADROOM + 28 + usize::from(size), 0);
        let Some((header, icmp)) = packet.get_mut(HEADROOM..).and_then(|ip| ip.split_at_mut_checked(20))
        else {
            return;
        };
        header[..2].copy_from_slice(&[0x45, 0]);
        header[2..4].copy_from_slice(&(28 + size).to_be_bytes());
        header[6..10].copy_from_slice(&[0x40, 0, 64, 1]);
        header[12..16].copy_from_slice(&self.from.octets());
        header[16..20].copy_from_slice(&self.to.octets());
        let sum = checksum::of(header).to_be_bytes();
        header[10..12].copy_from_slice(&sum);
        icmp[0] = 8;
        icmp[4..6].copy_from_slice(&self.call_id.to_be_bytes());
        icmp[6..8].copy_from_slice(&self.sequence.to_be_bytes());
        let sum = checksum::of(&icmp[..8]).to_be_bytes();
        icmp[2..4].copy_from_slice(&sum);
    }
}
