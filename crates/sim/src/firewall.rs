//! A firewall at the edge of a site.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::packet::{Body, Packet};
use crate::verdict::Verdict;

/// A rule: what it blocks, and from when on.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it blocks.
    pub what: What,
    /// The time from which on it applies.
    pub from: Instant,
    /// The action for matching packets.
    pub action: Action,
}

/// The packets that a rule blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// GRE that leaves the site.
    GreOut,
    /// GRE that enters the site.
    GreIn,
    /// TCP in both directions.
    Tcp,
}

/// The action for a blocked packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Dropped silently.
    Drop,
    /// TCP is answered with a reset, GRE with this ICMP code.
    Reject(u8),
}

/// A firewall: rules, and optional connection tracking for GRE.
#[derive(Debug)]
pub struct Firewall {
    address: Ipv4Addr,
    rules: Vec<Rule>,
    tracking: Option<Tracking>,
}

/// GRE connection tracking: GRE enters only as an answer to GRE that left.
#[derive(Debug)]
struct Tracking {
    idle: Duration,
    /// Pairs of addresses, inside first, with the time of the last packet of either.
    seen: BTreeMap<(Ipv4Addr, Ipv4Addr), Instant>,
}

impl Firewall {
    /// Creates a firewall without rules; `address` is the source of its ICMP errors.
    pub fn new(address: Ipv4Addr) -> Firewall {
        Firewall { address, rules: Vec::new(), tracking: None }
    }

    /// Adds a rule.
    #[must_use]
    pub fn with(mut self, what: What, from: Instant, action: Action) -> Firewall {
        self.rules.push(Rule { what, from, action });
        self
    }

    /// Adds connection tracking for GRE with this idle timeout.
    #[must_use]
    pub fn tracking(mut self, idle: Duration) -> Firewall {
        self.tracking = Some(Tracking { idle, seen: BTreeMap::new() });
        self
    }

    pub(crate) fn outward(&mut self, now: Instant, packet: Packet) -> Verdict {
        let packet = match self.judge(now, packet, What::GreOut) {
            Verdict::Pass(packet) => packet,
            other => return other,
        };
        if let (Some(tracking), Body::Gre(_)) = (&mut self.tracking, &packet.body) {
            tracking.seen.insert((packet.src, packet.dst), now);
        }
        Verdict::Pass(packet)
    }

    pub(crate) fn inward(&mut self, now: Instant, packet: Packet) -> Verdict {
        let packet = match self.judge(now, packet, What::GreIn) {
            Verdict::Pass(packet) => packet,
            other => return other,
        };
        if let (Some(tracking), Body::Gre(_)) = (&mut self.tracking, &packet.body) {
            match tracking.seen.get_mut(&(packet.dst, packet.src)) {
                Some(seen) if now.saturating_duration_since(*seen) < tracking.idle => *seen = now,
                _ => return Verdict::Drop("no GRE state"),
            }
        }
        Verdict::Pass(packet)
    }

    fn judge(&self, now: Instant, packet: Packet, gre: What) -> Verdict {
        let what = match packet.body {
            Body::Gre(_) => gre,
            Body::Tcp(_) => What::Tcp,
            Body::Unreachable(_) => return Verdict::Pass(packet),
        };
        let Some(rule) = self.rules.iter().find(|rule| rule.what == what && now >= rule.from) else {
            return Verdict::Pass(packet);
        };
        let answer = match rule.action {
            Action::Drop => None,
            Action::Reject(code) => packet.reset().or_else(|| packet.unreachable(self.address, code)),
        };
        answer.map_or(Verdict::Drop("firewall"), Verdict::Answer)
    }
}

#[cfg(test)]
mod tests;
