//! One direction of a line: delay, loss, duplication, reordering, MTU.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;

use crate::packet::{Body, Packet};

/// The quality of a line. Probabilities are in thousandths.
#[derive(Clone, Debug)]
pub struct Quality {
    /// The one-way delay.
    pub delay: Duration,
    /// The largest random addition to the delay, which may reorder packets.
    pub jitter: Duration,
    /// The probability that a packet is lost.
    pub loss: u16,
    /// The probability that a packet arrives twice.
    pub duplicate: u16,
    /// The probability that a packet is delayed by up to 60 ms, so that later ones overtake it.
    pub reorder: u16,
    /// The largest packet that is not fragmented; fragments are lost independently.
    pub mtu: usize,
    /// Whether larger packets are lost instead.
    pub black_hole: bool,
}

impl Default for Quality {
    fn default() -> Quality {
        Quality {
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            loss: 0,
            duplicate: 0,
            reorder: 0,
            mtu: 1500,
            black_hole: false,
        }
    }
}

/// The delay of a lost TCP segment, by its retransmission.
const RETRANSMISSION: Duration = Duration::from_millis(300);

/// One direction of a line.
#[derive(Debug, Default)]
pub struct Link {
    /// The current quality.
    pub quality: Quality,
    /// The time at which the last segment of a stream arrives: TCP keeps its order.
    order: BTreeMap<(Ipv4Addr, u16, Ipv4Addr, u16), Instant>,
    /// The number of lost packets.
    pub lost: u64,
}

impl Link {
    /// Creates a line of this quality.
    pub fn new(quality: Quality) -> Link {
        Link { quality, order: BTreeMap::new(), lost: 0 }
    }

    /// The times at which copies of this packet arrive: none, one or two.
    pub fn carry(&mut self, now: Instant, rng: &mut Rng, packet: &Packet) -> Vec<Instant> {
        let mut chance = |permille: u16| permille > 0 && rng.below(1000) < u64::from(permille);
        let quality = &self.quality;
        let pieces = packet.len().div_ceil(quality.mtu.max(1));
        if quality.black_hole && pieces > 1 {
            self.lost += 1;
            return Vec::new();
        }
        let lost = (0..pieces).any(|_| chance(quality.loss));
        let twice = chance(quality.duplicate);
        let held = chance(quality.reorder);
        let mut at = now + quality.delay + part(rng, quality.jitter);
        if let Body::Tcp(segment) = &packet.body {
            if lost {
                at += RETRANSMISSION;
            }
            let stream = (packet.src, segment.src_port, packet.dst, segment.dst_port);
            let last = self.order.entry(stream).or_insert(at);
            *last = at.max(*last);
            return vec![*last];
        }
        if lost {
            self.lost += 1;
            return Vec::new();
        }
        if held {
            at += part(rng, Duration::from_millis(60));
        }
        match twice {
            true => vec![at, at + part(rng, Duration::from_millis(20))],
            false => vec![at],
        }
    }
}

/// A random fraction of a duration.
fn part(rng: &mut Rng, of: Duration) -> Duration {
    Duration::from_nanos(rng.below(u64::try_from(of.as_nanos()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests;
