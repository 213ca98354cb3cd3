//! Side effects of a rule, which do not change its verdict.

use std::fmt;

/// A side effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// A counter, of the rule or by name.
    Count,
    /// A log message, also of the audit system and to a program (NFLOG).
    Log,
    /// A limit of a rate, of an amount, or of a number of connections: a packet uses part of it.
    Limit,
    /// An entry of a set, map or list is added, changed or removed.
    Record,
    /// A copy of the packet is sent.
    Copy,
    /// The evaluation of the packet is reported (`meta nftrace set 1`).
    Trace,
    /// A property of the tracked connection is set: zone, label, timeout.
    Connection,
    /// A field of the packet is changed.
    Change(String),
    /// An effect of another kind, by its name in the rule.
    Other(String),
}

impl fmt::Display for Effect {
    /// A verb in the infinitive with its object: "count", "change ip ttl of".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::Count => f.write_str("count"),
            Effect::Log => f.write_str("log"),
            Effect::Limit => f.write_str("apply a limit to"),
            Effect::Record => f.write_str("record in a set or list"),
            Effect::Copy => f.write_str("copy"),
            Effect::Trace => f.write_str("trace"),
            Effect::Connection => f.write_str("change the connection tracking of"),
            Effect::Change(what) => write!(f, "change {what} of"),
            Effect::Other(what) => write!(f, "apply {what} to"),
        }
    }
}
