//! One rule of an access list.

use core::fmt;

use adit_wire::ipv4::{ICMP, TCP, UDP};
use ipnet::Ipv4Net;

use super::Ports;

/// The protocol number of GRE.
pub(super) const GRE: u8 = 47;

/// What happens to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It passes.
    Allow,
    /// It is dropped.
    Deny,
}

impl Action {
    /// Its word in a rule.
    pub const fn word(self) -> &'static str {
        match self {
            Action::Allow => "allow",
            Action::Deny => "deny",
        }
    }
}

/// The destinations of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The networks of `routes` and the DNS and WINS servers of the pool; with `tunnel = "all"` any destination.
    Routes,
    /// Any destination.
    Any,
    /// A network or an address.
    Net(Ipv4Net),
}

/// A rule: `allow 192.168.10.0/24 tcp 443,8000-8080 log`. [`Rule::parse`] reads it, `Display` writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// What happens to a packet that matches.
    pub action: Action,
    /// Its destinations.
    pub target: Target,
    /// The IP protocol; `None` for any.
    pub protocol: Option<u8>,
    /// The destination ports, of TCP and UDP only; empty for any.
    pub ports: Ports,
    /// Whether an event is written for packets that match.
    pub log: bool,
}

impl Rule {
    /// A rule for all packets to a target.
    pub fn new(action: Action, target: Target) -> Rule {
        Rule { action, target, protocol: None, ports: Ports::default(), log: false }
    }

    /// The rules of a list that is not configured: the routes are allowed, all else is denied.
    pub fn default_list() -> Vec<Rule> {
        vec![Rule::new(Action::Allow, Target::Routes), Rule::new(Action::Deny, Target::Any)]
    }

    /// Whether every packet to the target matches.
    pub(super) fn is_whole(&self) -> bool {
        self.protocol.is_none()
    }
}

/// The name of a protocol in rules and messages.
pub(super) fn protocol_name(protocol: u8) -> Option<&'static str> {
    match protocol {
        ICMP => Some("icmp"),
        TCP => Some("tcp"),
        UDP => Some("udp"),
        GRE => Some("gre"),
        _ => None,
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.action.word())?;
        match self.target {
            Target::Routes => f.write_str("routes")?,
            // The usual form of "any icmp".
            Target::Any if self.protocol == Some(ICMP) => f.write_str("icmp")?,
            Target::Any => f.write_str("any")?,
            Target::Net(net) if net.prefix_len() == 32 => write!(f, "{}", net.addr())?,
            Target::Net(net) => write!(f, "{net}")?,
        }
        match (self.protocol, self.target) {
            (None, _) | (Some(ICMP), Target::Any) => {}
            (Some(protocol), _) => match protocol_name(protocol) {
                Some(name) => write!(f, " {name}")?,
                None => write!(f, " {protocol}")?,
            },
        }
        if !self.ports.is_empty() {
            write!(f, " {}", self.ports)?;
        }
        if self.log { f.write_str(" log") } else { Ok(()) }
    }
}
