//! A firewall at the edge of a site.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::packet::{Body, Packet};
use crate::verdict::Verdict;

/// A rule: what it stops, and from when on.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it stops.
    pub what: What,
    /// From when on.
    pub from: Instant,
    /// What becomes of it.
    pub action: Action,
}

/// What a rule stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// GRE that leaves the site.
    GreOut,
    /// GRE that enters the site.
    GreIn,
    /// TCP, both ways.
    Tcp,
}

/// What becomes of a packet that a rule stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It vanishes.
    Drop,
    /// TCP is answered with a reset, GRE with this ICMP code.
    Reject(u8),
}

/// A firewall: rules, and perhaps a memory for GRE.
#[derive(Debug)]
pub struct Firewall {
    address: Ipv4Addr,
    rules: Vec<Rule>,
    tracking: Option<Tracking>,
}

/// GRE enters only as an answer to GRE that left.
#[derive(Debug)]
struct Tracking {
    idle: Duration,
    /// Pairs of addresses, inside first, and when either was heard last.
    seen: BTreeMap<(Ipv4Addr, Ipv4Addr), Instant>,
}

impl Firewall {
    /// A firewall without rules; `address` signs its ICMP errors.
    pub fn new(address: Ipv4Addr) -> Firewall {
        Firewall { address, rules: Vec::new(), tracking: None }
    }

    /// With one rule more.
    #[must_use]
    pub fn with(mut self, what: What, from: Instant, action: Action) -> Firewall {
        self.rules.push(Rule { what, from, action });
        self
    }

    /// With a memory for GRE that forgets after this much silence.
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
