//! A packet filter as one model, whoever wrote it down: nftables or iptables of either kind.
//!
//! What is not understood is kept as such; it makes an answer "cannot tell" where it matters, and only there.

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
    /// Lower ones come first.
    pub priority: i64,
    /// What becomes of packets that reach the end: dropped, or let on.
    pub drops: bool,
    /// Packets that reached the end, where that is counted.
    pub counter: Option<u64>,
    /// The devices of an ingress chain; empty for all.
    pub devices: Vec<String>,
}

/// The places in the kernel where packets meet rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// As it comes from the device.
    Ingress,
    /// Before it is known where it goes.
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

/// What a chain may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Let on or drop.
    Filter,
    /// Change addresses of what begins; packets of a known connection pass by.
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
    /// What it asks and does, in order.
    pub steps: Vec<Step>,
}

/// A part of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Goes on with the rule only if this is so.
    If(Condition),
    /// Does something.
    Do(Action),
    /// Looks the packet up, and does what is written there.
    Map(Match, Vec<(Vec<Value>, Action)>),
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Lets the packet out of this hook's chain.
    Accept,
    /// Takes it away.
    Drop,
    /// Takes it away and tells the sender.
    Reject,
    /// Goes through another chain of the table, and comes back.
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
    /// Counts, logs, or changes something that no rule asks for.
    Nothing,
    /// Hands it to a program (`queue`), or does what is not understood; the words of it.
    Unknown(String),
}

/// Whereto an address is changed.
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
