//! Two ends that open control connections to each other at the same moment (RFC 2637 section 3.1.3).
//!
//! Only two routers that call each other collide. A server must never apply this to its clients: behind a NAT many of
//! them share one address, and each has a control connection of its own.

use std::net::Ipv4Addr;

/// The connection that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The one we opened; pass [`super::ControlCommand::Yield`] to the one we accepted.
    Ours,
    /// The one the peer opened; pass [`super::ControlCommand::Yield`] to the one we opened.
    Theirs,
    /// Both: the addresses are equal, so the rule does not apply.
    Both,
}

/// Applies the rule: the connection opened by the host with the numerically higher address is kept.
pub fn decide(our_address: Ipv4Addr, peer_address: Ipv4Addr) -> Keep {
    match our_address.cmp(&peer_address) {
        core::cmp::Ordering::Greater => Keep::Ours,
        core::cmp::Ordering::Less => Keep::Theirs,
        core::cmp::Ordering::Equal => Keep::Both,
    }
}
