//! A packet filter as one model, from nftables or from iptables of either kind.
//!
//! What is not understood is kept as such; it makes an answer [`Fate::Unknown`] where it matters, and only there.

mod condition;
mod mistake;
mod packet;
#[cfg(test)]
mod tests;
mod walk;

pub use condition::{Condition, Field, Match, Side, Value};
pub use mistake::{Mistakes, mistakes};
pub(crate) use packet::{ACK, FIN, PSH, RST, SYN, TCP, URG};
pub use packet::{Interface, Packet, Place, State};
pub use walk::{By, Exception, Fate, Outcome, PathHook, walk};

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

/// The rules of a host that see IPv4 packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// Every chain, by its place.
    pub chains: BTreeMap<ChainName, Chain>,
}

/// Where a chain is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChainName {
    /// `inet`, `ip`, `netdev`; `iptables` for the old kernel interface.
    pub family: String,
    /// The table.
    pub table: String,
    /// The chain.
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
    /// Where packets enter it by themselves; `None` for one that is only jumped to.
    pub base: Option<Base>,
    /// In order.
    pub rules: Vec<Rule>,
}

/// Where packets enter a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The hook.
    pub hook: Hook,
    /// What the chain may do.
    pub kind: Kind,
    /// Lower ones run first.
    pub priority: i64,
    /// Whether packets that reach the end are dropped; else accepted.
    pub drops: bool,
    /// Packets that reached the end, where that is counted.
    pub counter: Option<u64>,
    /// The devices of an ingress chain; empty for all.
    pub devices: Vec<String>,
}

/// The places in the kernel where packets meet rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// On arrival from the device.
    Ingress,
    /// Before the routing decision.
    Prerouting,
    /// To this host.
    Input,
    /// Through this host.
    Forward,
    /// From this host.
    Output,
    /// Before it leaves.
    Postrouting,
}

impl Hook {
    /// The hook of that name, as nftables writes it.
    pub fn from_word(word: &str) -> Option<Hook> {
        Some(match word {
            "ingress" => Hook::Ingress,
            "prerouting" => Hook::Prerouting,
            "input" => Hook::Input,
            "forward" => Hook::Forward,
            "output" => Hook::Output,
            "postrouting" => Hook::Postrouting,
            _ => return None,
        })
    }
}

/// The type of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Accept or drop.
    Filter,
    /// Change addresses of new connections; packets of known connections skip it.
    Nat,
}

/// A rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Its number in nftables, or its place in the chain, from 1.
    pub handle: Option<u64>,
    /// As its owner would write it.
    pub text: String,
    /// Packets that it has met.
    pub counter: Option<u64>,
    /// Its conditions and actions, in order.
    pub steps: Vec<Step>,
}

/// A part of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Continues with the rule only if this is so.
    If(Condition),
    /// Does something.
    Do(Action),
    /// Looks the packet up, and runs the action of its entry.
    Map(Match, Vec<(Vec<Value>, Action)>),
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Accepts the packet: the chain of this hook ends.
    Accept,
    /// Drops it.
    Drop,
    /// Drops it and sends an error to the sender.
    Reject,
    /// Goes through another chain of the table, and returns.
    Jump(String),
    /// Goes through another chain of the table, and on after the caller.
    Goto(String),
    /// Goes back to the caller, or to the policy.
    Return,
    /// Another destination.
    Destination(Target),
    /// Another source.
    Source(Target),
    /// The connection is followed by a helper of that name.
    Helper(String),
    /// The connection is not followed at all.
    Untracked,
    /// The packet's mark changes.
    SetMark,
    /// The segment size of TCP is lowered.
    ClampMss,
    /// Counts, logs, or changes something that no rule matches.
    Nothing,
    /// Passes it to a program (`queue`), or does what is not understood; with its text.
    Unknown(String),
}

/// The new value of a rewritten address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// That address.
    Address(Ipv4Addr),
    /// The first address of the interface through which it leaves, or of this host.
    Own,
    /// Not understood.
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
