//! Middleboxes between a site and the rest of the world.

use std::net::Ipv4Addr;
use std::time::Instant;

use crate::firewall::Firewall;
use crate::nat::Nat;
use crate::packet::Packet;
use crate::rewrite::Rewrite;
use crate::tamper::Tamper;
use crate::verdict::Verdict;

/// A middlebox at the edge of a site.
#[derive(Debug)]
pub enum Middlebox {
    /// A firewall.
    Firewall(Firewall),
    /// A network address translator.
    Nat(Nat),
    /// A middlebox that damages packets.
    Tamper(Box<Tamper>),
    /// A middlebox that rewrites one field.
    Rewrite(Rewrite),
}

impl Middlebox {
    /// Processes a packet that leaves the site.
    pub fn outward(&mut self, now: Instant, packet: Packet) -> Verdict {
        match self {
            Middlebox::Firewall(firewall) => firewall.outward(now, packet),
            Middlebox::Nat(nat) => nat.outward(now, packet),
            Middlebox::Tamper(tamper) => tamper.outward(packet),
            Middlebox::Rewrite(rewrite) => rewrite.outward(packet),
        }
    }

    /// Processes a packet that enters the site.
    pub fn inward(&mut self, now: Instant, packet: Packet) -> Verdict {
        match self {
            Middlebox::Firewall(firewall) => firewall.inward(now, packet),
            Middlebox::Nat(nat) => nat.inward(now, packet),
            Middlebox::Tamper(tamper) => tamper.inward(packet),
            Middlebox::Rewrite(rewrite) => rewrite.inward(packet),
        }
    }

    /// The external address of this middlebox.
    pub fn address(&self) -> Option<Ipv4Addr> {
        match self {
            Middlebox::Nat(nat) => Some(nat.address()),
            Middlebox::Firewall(_) | Middlebox::Tamper(_) | Middlebox::Rewrite(_) => None,
        }
    }
}
