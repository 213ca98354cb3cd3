//! What stands against a bypass of the IP stack.

use std::fmt;

use crate::filter::{ChainName, Effect, State};

/// The most obstacles that are reported of one kind.
pub(super) const OBSTACLES_MAX: usize = 32;

/// A reason why GRE must not bypass the IP stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A rule or the policy of a chain of the packet filter.
    Rule(RuleObstacle),
    /// There are more obstacles than are reported.
    More,
    /// Tables of the legacy kernel interface of iptables exist.
    LegacyTables(String),
    /// A queueing discipline that limits or sorts packets.
    Queue {
        /// The interface.
        interface: String,
        /// Its kind, with the reason where the kind alone is not one.
        kind: String,
    },
    /// A filter of traffic control.
    TrafficFilter {
        /// The interface.
        interface: String,
        /// Where it is attached: `root`, `ingress`, `egress`, or a handle.
        place: String,
    },
    /// A BPF program of another process.
    Program {
        /// The interface.
        interface: String,
        /// Its kind: `XDP`, `tcx`.
        kind: &'static str,
    },
    /// A packet socket of another program receives the packets of this interface.
    Capture(String),
    /// A property of the interface.
    Interface {
        /// The interface.
        interface: String,
        /// What it is.
        what: String,
    },
    /// A routing rule that may select another route.
    RoutingRule(String),
    /// The reverse-path filter is strict.
    ReversePath(String),
    /// An IPsec policy that may match.
    Ipsec(String),
    /// Connection tracking counts the packets of each connection.
    Accounting,
    /// Something could not be read.
    NotRead {
        /// What could not be read.
        what: &'static str,
        /// The reason, with the action to take.
        why: String,
    },
    /// A change was reported, and its effect is not yet known.
    Reading,
}

/// A rule, or the policy of a chain, that stands against a bypass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleObstacle {
    /// Whether iptables manages the chain.
    pub by_iptables: bool,
    /// The chain.
    pub chain: ChainName,
    /// The handle of the rule, for iptables its position; `None` for the policy.
    pub handle: Option<u64>,
    /// The text of the rule, or of the policy.
    pub text: String,
    /// What it does.
    pub what: What,
    /// Whether it does that to every packet; otherwise to some, or perhaps.
    pub is_certain: bool,
    /// The direction of the packets.
    pub direction: Direction,
    /// The states of connection tracking for which this is so.
    pub states: Vec<State>,
}

/// The direction of packets, as seen from this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To this host.
    In,
    /// From this host.
    Out,
}

/// What a rule does to a packet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Drops it.
    Drop,
    /// Drops it, and sends an error.
    Reject,
    /// Translates its source or destination.
    Translate,
    /// Exempts its connection from tracking.
    Untrack,
    /// Assigns a helper to its connection.
    Helper,
    /// Sets a mark.
    Mark,
    /// Has another side effect.
    Effect(Effect),
    /// It could not be interpreted.
    Unknown,
}

impl What {
    /// A verb in the infinitive, with its object up to the packets.
    fn verb(&self) -> String {
        match self {
            What::Drop => "drop".to_owned(),
            What::Reject => "reject".to_owned(),
            What::Translate => "translate an address of".to_owned(),
            What::Untrack => "disable connection tracking of".to_owned(),
            What::Helper => "assign a conntrack helper to".to_owned(),
            What::Mark => "set a mark on".to_owned(),
            What::Effect(effect) => effect.to_string(),
            What::Unknown => "apply an action that adit does not know to".to_owned(),
        }
    }
}

impl fmt::Display for RuleObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ChainName { family, table, chain } = &self.chain;
        if self.by_iptables {
            write!(f, "iptables {table} {chain}")?;
        } else {
            write!(f, "nftables {family} {table} {chain}")?;
        }
        match (self.handle, self.by_iptables) {
            (Some(number), true) => write!(f, " rule {number}")?,
            (Some(handle), false) => write!(f, " handle {handle}")?,
            (None, _) => {}
        }
        let may = if self.is_certain { "does" } else { "may" };
        let direction = match self.direction {
            Direction::In => "received",
            Direction::Out => "sent",
        };
        write!(f, " {may} {} {direction} GRE packets", self.what.verb())?;
        if self.states.len() < STATES.len() {
            let states: Vec<&str> = self.states.iter().map(|state| state.word()).collect();
            write!(f, " in state {}", states.join(", "))?;
        }
        // The text of a rule that only counts is empty.
        if self.text.is_empty() { Ok(()) } else { write!(f, " ({})", self.text) }
    }
}

/// The states of connection tracking in which GRE can be.
pub(super) const STATES: [State; 4] = [State::New, State::Established, State::Related, State::Untracked];

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Rule(rule) => rule.fmt(f),
            Obstacle::More => f.write_str("there are more obstacles"),
            Obstacle::LegacyTables(tables) => write!(
                f,
                "legacy iptables tables exist ({tables}): their packet counters would not count GRE packets"
            ),
            Obstacle::Queue { interface, kind } => {
                write!(f, "the queueing discipline {kind} of {interface} would not see sent GRE packets")
            }
            Obstacle::TrafficFilter { interface, place } => {
                write!(f, "tc filters on {interface} ({place}) would not see GRE packets")
            }
            Obstacle::Program { interface, kind } => {
                write!(f, "another {kind} program is attached to {interface}")
            }
            Obstacle::Capture(interface) => write!(
                f,
                "another program captures packets on {interface} (tcpdump, a DHCP client): it would not see GRE packets"
            ),
            Obstacle::Interface { interface, what } => write!(f, "{interface} {what}"),
            Obstacle::RoutingRule(rule) => {
                write!(f, "a routing rule may select another route for GRE packets: {rule}")
            }
            Obstacle::ReversePath(interface) => {
                write!(f, "the strict reverse-path filter (rp_filter = 1) checks packets on {interface}")
            }
            Obstacle::Ipsec(policy) => write!(f, "an IPsec policy may apply to GRE packets: {policy}"),
            Obstacle::Accounting => f.write_str(
                "connection tracking counts the packets of each connection (net.netfilter.nf_conntrack_acct = 1)",
            ),
            Obstacle::NotRead { what, why } => write!(f, "cannot read {what}: {why}"),
            Obstacle::Reading => f.write_str("the rules of this host have changed and are being read"),
        }
    }
}
