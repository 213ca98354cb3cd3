//! A model of the packet filter, from nftables or from either kind of iptables.
//!
//! Rules that cannot be interpreted are kept as such; they make the result [`Fate::Unknown`] only if they
//! matter for it.

mod condition;
mod effect;
mod mistake;
mod packet;
#[cfg(test)]
mod tests;
mod walk;

pub use condition::{Condition, Field, Match, Side, Value};
pub use effect::Effect;
pub use mistake::{Mistakes, mistakes};
pub(crate) use packet::{ACK, FIN, GRE, PSH, RST, SYN, TCP, URG};
pub use packet::{Interface, Packet, Place, State};
pub use walk::{By, Exception, Fate, Outcome, PathHook, walk};

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

/// The rules of a host that apply to IPv4 packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// All chains by name.
    pub chains: BTreeMap<ChainName, Chain>,
    /// Whether rules are missing, because there are more than are kept.
    pub incomplete: bool,
}

/// The full name of a chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChainName {
    /// The family: `inet`, `ip`, `netdev`; `iptables` for the legacy kernel interface.
    pub family: String,
    /// The name of the table.
    pub table: String,
    /// The name of the chain.
    pub chain: String,
}

impl fmt::Display for ChainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.family, self.table, self.chain)
    }
}

/// A chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The hook of a base chain; `None` for a chain that is only jumped to.
    pub base: Option<Base>,
    /// The rules in order.
    pub rules: Vec<Rule>,
    /// Whether iptables manages it: each of its rules then has a counter.
    pub by_iptables: bool,
}

/// The properties of a base chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The hook.
    pub hook: Hook,
    /// The type of the chain.
    pub kind: Kind,
    /// The priority; lower ones run first.
    pub priority: i64,
    /// Whether the policy is drop; otherwise accept.
    pub drops: bool,
    /// The packets that reached the end, if they are counted.
    pub counter: Option<u64>,
    /// The devices of an ingress or egress chain; empty for all.
    pub devices: Vec<String>,
}

/// The netfilter hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// On arrival from the device.
    Ingress,
    /// Before the routing decision.
    Prerouting,
    /// For this host.
    Input,
    /// Forwarded by this host.
    Forward,
    /// From this host.
    Output,
    /// Before the packet leaves.
    Postrouting,
    /// On transfer to the device.
    Egress,
}

impl Hook {
    /// The hook with this name in nftables.
    pub fn from_word(word: &str) -> Option<Hook> {
        Some(match word {
            "ingress" => Hook::Ingress,
            "prerouting" => Hook::Prerouting,
            "input" => Hook::Input,
            "forward" => Hook::Forward,
            "output" => Hook::Output,
            "postrouting" => Hook::Postrouting,
            "egress" => Hook::Egress,
            _ => return None,
        })
    }
}

/// The type of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Accept or drop.
    Filter,
    /// Translate addresses of new connections; packets of known connections skip it.
    Nat,
}

/// A rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The handle in nftables, or the position in the chain, from 1.
    pub handle: Option<u64>,
    /// The text of the rule.
    pub text: String,
    /// The number of packets that it has matched.
    pub counter: Option<u64>,
    /// Its conditions and actions, in order.
    pub steps: Vec<Step>,
    /// Whether it has extensions of iptables, which nft does not interpret.
    pub has_extensions: bool,
}

/// A part of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Continues with the rule only if the condition is true.
    If(Condition),
    /// Executes an action.
    Do(Action),
    /// Looks the packet up, and executes the action of its entry.
    Map(Match, Vec<(Vec<Value>, Action)>),
}

/// The action of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Accepts the packet: ends the evaluation of this base chain.
    Accept,
    /// Drops the packet.
    Drop,
    /// Drops the packet and sends an error to the sender.
    Reject,
    /// Evaluates another chain of the table, and returns.
    Jump(String),
    /// Evaluates another chain of the table, and does not return here.
    Goto(String),
    /// Returns to the calling chain, or to the policy.
    Return,
    /// Translates the destination.
    Destination(Target),
    /// Translates the source.
    Source(Target),
    /// Assigns a conntrack helper of that name to the connection.
    Helper(String),
    /// Exempts the connection from tracking.
    Untracked,
    /// Changes the packet's mark.
    SetMark,
    /// Clamps the MSS of TCP.
    ClampMss,
    /// Has a side effect, and does not change the verdict.
    Effect(Effect),
    /// Does nothing.
    Nothing,
    /// Passes the packet to a program (`queue`), or could not be interpreted; with its text.
    Unknown(String),
}

/// The new value of a translated address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// This address.
    Address(Ipv4Addr),
    /// The first address of the output interface, or of this host.
    Own,
    /// A value that could not be interpreted.
    Unknown,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Address(address) => address.fmt(f),
            Target::Own => f.write_str("an address of this host"),
            Target::Unknown => f.write_str("somewhere"),
        }
    }
}
