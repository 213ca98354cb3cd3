//! Finds rules that can never match, because earlier ones match all their packets.

use ipnet::Ipv4Net;

use super::Rule;
use super::cover::Cover;
use super::tree::Tree;

/// A rule that can never match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shadowed {
    /// Its number.
    pub rule: u32,
    /// The first rule that alone matches all its packets; `None` if it takes several.
    pub by: Option<u32>,
}

/// The state of the search: what the rules so far cover, for each network of the tree.
struct Search<'a> {
    tree: &'a Tree,
    covers: Vec<Cover>,
    children: Vec<Vec<usize>>,
    /// For each network whether it has an address that is in no smaller one.
    own: Vec<bool>,
}

pub(super) fn find(rules: &[Rule], tree: &Tree, networks: impl Fn(&Rule) -> Vec<Ipv4Net>) -> Vec<Shadowed> {
    let count = tree.nodes.len();
    let mut children = vec![Vec::new(); count];
    let mut of_rule = vec![Vec::new(); rules.len()];
    for (number, node) in tree.nodes.iter().enumerate() {
        if let Some(siblings) = children.get_mut(node.parent as usize) {
            siblings.push(number);
        }
        for rule in &node.rules {
            if let Some(nodes) = of_rule.get_mut(*rule as usize) {
                nodes.push(number);
            }
        }
    }
    let mut search =
        Search { tree, covers: vec![Cover::default(); count], children, own: tree.own_addresses() };
    let mut found = Vec::new();
    for (number, (rule, nodes)) in rules.iter().zip(&of_rule).enumerate() {
        if !nodes.is_empty() && nodes.iter().all(|node| search.is_covered(*node, rule)) {
            let by = alone(rules.get(..number).unwrap_or_default(), rule, &networks);
            found.push(Shadowed { rule: number as u32, by });
        }
        for node in nodes {
            if let Some(cover) = search.covers.get_mut(*node) {
                cover.add(rule);
            }
        }
    }
    found
}

impl Search<'_> {
    /// Whether all packets of a rule to the addresses of a network are covered.
    fn is_covered(&self, node: usize, rule: &Rule) -> bool {
        let chain: Vec<&Cover> = self.tree.chain(node).filter_map(|number| self.covers.get(number)).collect();
        if Cover::covers(&chain, rule) {
            return true;
        }
        // The smaller networks inside may cover it together, if they leave no address.
        let has_own = self.own.get(node).copied().unwrap_or(true);
        let children = self.children.get(node).map(Vec::as_slice).unwrap_or_default();
        !has_own && children.iter().all(|child| self.is_covered(*child, rule))
    }
}

/// The first rule that alone matches all packets of `rule`.
fn alone(earlier: &[Rule], rule: &Rule, networks: impl Fn(&Rule) -> Vec<Ipv4Net>) -> Option<u32> {
    let wanted = networks(rule);
    let is_superset = |other: &Rule| {
        let same = other.protocol.is_none() || other.protocol == rule.protocol;
        let ports = other.ports.is_empty() || (!rule.ports.is_empty() && other.ports.covers(&rule.ports));
        let nets = || networks(other);
        same && ports && wanted.iter().all(|net| nets().iter().any(|outer| outer.contains(net)))
    };
    earlier.iter().position(is_superset).map(|number| number as u32)
}
