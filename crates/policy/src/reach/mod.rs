//! Reach: which packets of a client may pass, and which packets may go to it.
//!
//! A packet from a client is judged in three steps, and the first step that applies decides:
//!
//! 1. `access.server`, if its destination is an address of this host ([`Locals`], which includes multicast and broadcast);
//! 2. `access.client_to_client`, if its destination is in a pool, so that it belongs to another client;
//! 3. the rules of `access.acl`, in order ([`Acl`]); without a matching rule the packet is denied.
//!
//! No state of connections is kept. A packet to a client therefore passes if its source is an address of this host, or in a
//! network that an allow rule names. Ports and protocols are not compared in this direction.
//!
//! A later fragment has no ports. It matches a rule by address and protocol: an allow rule with ports matches it, because
//! without the first fragment it is useless; a deny rule with ports does not.
//!
//! Everything is compiled when the configuration is read. A lookup is a binary search and allocates nothing.

mod acl;
mod cover;
mod hits;
mod judge;
mod locals;
mod matches;
mod parse;
mod ports;
mod prefixes;
mod question;
mod rule;
mod service;
mod shadow;
mod tree;

pub use acl::Acl;
pub use adit_wire::ipv4::{ICMP, TCP, UDP};
pub use hits::{Hit, Hits};
pub use judge::{Decider, Decision, Flow, Keys, Reach};
pub use locals::Locals;
pub use matches::Part;
pub use parse::RuleError;
pub use ports::Ports;
pub use prefixes::Prefixes;
pub use question::{Answer, NoQuestion, Outcome, Question};
pub use rule::{Action, Rule, Target};
pub use service::ServerReach;
pub use shadow::Shadowed;

/// The most rules of one list.
pub const MAX_RULES: usize = 16_384;

#[cfg(test)]
mod tests;
