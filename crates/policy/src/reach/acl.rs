//! A list of rules, compiled.

use std::net::Ipv4Addr;

use adit_wire::ipv4::ICMP;
use ipnet::Ipv4Net;

use super::cover::Cover;
use super::matches::{Matches, NONE};
use super::tree::Tree;
use super::{Action, Part, Rule, Shadowed, Target, shadow};

/// The rules of one list for lookups. The first rule that matches decides; its number counts from 0.
#[derive(Clone, Debug)]
pub struct Acl {
    rules: Vec<Rule>,
    /// The meaning of [`Target::Routes`]; `None` is any destination.
    routes: Option<Vec<Ipv4Net>>,
    tree: Tree,
    compiled: Vec<Compiled>,
    /// The rules for any destination, which apply to IPv6 too.
    v6: Compiled,
}

/// What is known of one network of the tree.
#[derive(Clone, Debug)]
struct Compiled {
    matches: Matches,
    /// The lowest rule of this network and those that contain it.
    least: u32,
    back: Back,
}

/// Which packets from a network may go to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Back {
    Nothing,
    Icmp,
    All,
}

/// The lowest numbers of the rules that decide about packets to the client.
#[derive(Clone, Copy, Debug)]
struct Lowest {
    allow: u32,
    allow_icmp: u32,
    deny: u32,
}

impl Acl {
    /// Compiles a list. `routes` is the meaning of [`Target::Routes`]; `None` is any destination.
    pub fn new(rules: Vec<Rule>, routes: Option<Vec<Ipv4Net>>) -> Acl {
        let mut networks = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            networks.extend(expand(rule, routes.as_deref()).map(|net| (net, number as u32)));
        }
        let tree = Tree::new(networks);
        let of = |numbers: &[u32]| {
            Matches::new(numbers.iter().filter_map(|n| Some((*n, rules.get(*n as usize)?))))
        };
        let mut lowest: Vec<Lowest> = Vec::with_capacity(tree.nodes.len());
        let mut compiled: Vec<Compiled> = Vec::with_capacity(tree.nodes.len());
        for node in &tree.nodes {
            // A network is after those that contain it.
            let above = lowest.get(node.parent as usize).copied().unwrap_or(Lowest::NONE);
            let own = above.with(node.rules.iter().filter_map(|n| Some((*n, rules.get(*n as usize)?))));
            let least = node.rules.first().copied().unwrap_or(NONE);
            let least = compiled.get(node.parent as usize).map_or(NONE, |above| above.least).min(least);
            compiled.push(Compiled { matches: of(&node.rules), least, back: own.back() });
            lowest.push(own);
        }
        let is_any = |rule: &Rule| match rule.target {
            Target::Any => true,
            Target::Routes => routes.is_none(),
            Target::Net(_) => false,
        };
        let numbers: Vec<u32> = (0..rules.len() as u32)
            .filter(|number| rules.get(*number as usize).is_some_and(is_any))
            .collect();
        let back =
            Lowest::NONE.with(numbers.iter().filter_map(|n| Some((*n, rules.get(*n as usize)?)))).back();
        let v6 = Compiled { matches: of(&numbers), least: 0, back };
        Acl { rules, routes, tree, compiled, v6 }
    }

    /// Whether both lists consist of the same rules, for the same routes.
    pub fn is_same(&self, other: &Acl) -> bool {
        self.rules == other.rules && self.routes == other.routes
    }

    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule with this number.
    pub fn rule(&self, number: u32) -> Option<&Rule> {
        self.rules.get(number as usize)
    }

    /// The first rule that matches a packet.
    pub fn find(&self, destination: Ipv4Addr, protocol: u8, part: Part) -> Option<u32> {
        let mut next = self.tree.find(destination.into());
        let mut best = NONE;
        // Larger networks are looked at only if they have a rule that is before the best one.
        while let Some(compiled) = self.compiled.get(next)
            && compiled.least < best
        {
            best = best.min(compiled.matches.find(protocol, part));
            next = self.tree.nodes.get(next).map_or(usize::MAX, |node| node.parent as usize);
        }
        (best != NONE).then_some(best)
    }

    /// The first rule that matches an IPv6 packet; `None` as protocol is one that is not known.
    pub(super) fn find_v6(&self, protocol: Option<u8>, part: Part) -> Option<u32> {
        let matches = &self.v6.matches;
        let best = protocol.map_or(matches.any(), |protocol| matches.find(protocol, part));
        (best != NONE).then_some(best)
    }

    /// Whether packets from this address may go to the client.
    pub(super) fn admits(&self, source: Ipv4Addr, is_icmp: bool) -> bool {
        self.compiled.get(self.tree.find(source.into())).is_some_and(|compiled| compiled.back.admits(is_icmp))
    }

    /// Whether IPv6 packets from elsewhere may go to the client.
    pub(super) fn admits_v6(&self, is_icmp: bool) -> bool {
        self.v6.back.admits(is_icmp)
    }

    /// The rules that decide about packets to an address, in order, and whether they decide about all of them.
    pub fn deciding(&self, destination: Ipv4Addr) -> (Vec<u32>, bool) {
        let chain = self.tree.chain(self.tree.find(destination.into()));
        let nodes = chain.filter_map(|number| self.tree.nodes.get(number));
        let mut numbers: Vec<u32> = nodes.flat_map(|node| node.rules.iter().copied()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut cover = Cover::default();
        numbers.retain(|number| {
            let Some(rule) = self.rule(*number) else { return false };
            let is_new = !Cover::covers(&[&cover], rule);
            cover.add(rule);
            is_new
        });
        (numbers, cover.is_everything())
    }

    /// The networks of a rule.
    pub fn networks(&self, rule: &Rule) -> Vec<Ipv4Net> {
        expand(rule, self.routes.as_deref()).collect()
    }

    /// The rules that can never match.
    pub fn shadowed(&self) -> Vec<Shadowed> {
        shadow::find(&self.rules, &self.tree, |rule| self.networks(rule))
    }
}

impl Lowest {
    const NONE: Lowest = Lowest { allow: NONE, allow_icmp: NONE, deny: NONE };

    fn with<'a>(mut self, rules: impl Iterator<Item = (u32, &'a Rule)>) -> Lowest {
        for (number, rule) in rules {
            match rule.action {
                // A rule for ICMP names its networks for ICMP only: `allow icmp` would name every network.
                Action::Allow if rule.protocol == Some(ICMP) => self.allow_icmp = self.allow_icmp.min(number),
                Action::Allow => self.allow = self.allow.min(number),
                Action::Deny if rule.is_whole() => self.deny = self.deny.min(number),
                Action::Deny => {}
            }
        }
        self
    }

    /// A network that was denied as a whole before any rule allows a part of it is not named.
    fn back(self) -> Back {
        if self.allow < self.deny {
            Back::All
        } else if self.allow_icmp < self.deny {
            Back::Icmp
        } else {
            Back::Nothing
        }
    }
}

impl Back {
    fn admits(self, is_icmp: bool) -> bool {
        self == Back::All || (is_icmp && self == Back::Icmp)
    }
}

/// The networks of a rule.
fn expand(rule: &Rule, routes: Option<&[Ipv4Net]>) -> impl Iterator<Item = Ipv4Net> {
    let (one, more) = match (rule.target, routes) {
        (Target::Any, _) | (Target::Routes, None) => (Some(Ipv4Net::default()), &[][..]),
        (Target::Routes, Some(routes)) => (None, routes),
        (Target::Net(net), _) => (Some(net.trunc()), &[][..]),
    };
    one.into_iter().chain(more.iter().map(Ipv4Net::trunc))
}
