//! Many requests over many tunnels in turn.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_tunnel::path::HEADROOM;
use adit_wire::{checksum, cp, ppp, udp};
use tokio::sync::Notify;

use crate::crowd::Crowd;
use crate::plan::{Load, Traffic};

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

/// Sends over all sessions that are up, in turn. `heard` is notified when packets have been read.
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
            match traffic.load {
                Load::Ping => sender.fill(&mut packet, size),
                Load::LcpEcho | Load::LcpConfigure => sender.fill_lcp(&mut packet, traffic.load),
                Load::DhcpInform => sender.fill_dhcp(&mut packet),
            }
            crowd.stir(sender.call_id, |client| match traffic.load {
                Load::Ping | Load::DhcpInform => client.send(now, &mut packet),
                Load::LcpEcho | Load::LcpConfigure => client.send_frame(now, &packet),
            });
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
            let space = u64::from(traffic.window).saturating_sub(sent.saturating_sub(counted + lost));
            send(space.min(BURST));
            sent += space.min(BURST);
            if tokio::time::timeout(LOST, heard.notified()).await.is_err() {
                lost = sent.saturating_sub(counted);
            }
            counted = crowd.answered.get().saturating_sub(before);
        }
    }
    let took = started.elapsed();
    // Packets still in flight arrive.
    tokio::time::sleep(LOST).await;
    Moved { sent, answered: crowd.answered.get().saturating_sub(before), took }
}

/// Magic-Number of the requests, which are not compared with those of the negotiation.
const MAGIC: [u8; 4] = [0x5a, 0x17, 0x0b, 0x3c];

impl Sender {
    /// Makes its next LCP request.
    fn fill_lcp(&mut self, frame: &mut Vec<u8>, load: Load) {
        self.sequence = self.sequence.wrapping_add(1);
        let id = (self.sequence & 0xff) as u8;
        *frame = if load == Load::LcpEcho {
            cp::frame(ppp::LCP, cp::ECHO_REQUEST, id, &MAGIC)
        } else {
            let [a, b, c, d] = MAGIC;
            cp::frame(ppp::LCP, cp::CONFIGURE_REQUEST, id, &[1, 4, 5, 0x78, 5, 6, a, b, c, d])
        };
    }

    /// Makes its next DHCPINFORM.
    fn fill_dhcp(&mut self, packet: &mut Vec<u8>) {
        self.sequence = self.sequence.wrapping_add(1);
        let mut data = vec![0; 240];
        data[..3].copy_from_slice(&[1, 8, 6]);
        data[4..6].copy_from_slice(&self.sequence.to_be_bytes());
        data[12..16].copy_from_slice(&self.from.octets());
        data[236..].copy_from_slice(&[99, 130, 83, 99]);
        // Message type 8, and what Windows requests: mask, domain, routes.
        data.extend([53, 1, 8, 55, 4, 1, 15, 121, 249, 255]);
        packet.clear();
        packet.resize(HEADROOM, 0);
        packet.extend(udp::datagram_v4((self.from, 68), (Ipv4Addr::BROADCAST, 67), &data));
    }

    /// Makes its next packet. The data is zeros: it is not compared.
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
