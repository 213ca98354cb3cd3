//! Strongly connected components of a directed graph.

use std::collections::{BTreeMap, BTreeSet};

/// The sets of two or more nodes that all reach each other, each sorted, in the order of their first nodes.
pub(super) fn strongly_connected<'a>(arrows: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Vec<&'a str>> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in arrows {
        next.entry(from).or_default().push(to);
    }
    // A crate has at most a few hundred files: looking from each of them is quick, and plain.
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        next.keys().map(|node| (*node, reachable(&next, node))).collect();
    let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|nodes| nodes.contains(to));
    let mut components: Vec<Vec<&str>> = Vec::new();
    for node in next.keys().copied() {
        if components.iter().any(|component| component.contains(&node)) {
            continue;
        }
        let component: Vec<&str> =
            next.keys().copied().filter(|other| reaches(node, other) && reaches(other, node)).collect();
        if component.len() > 1 {
            components.push(component);
        }
    }
    components
}

/// Every node that arrows lead to from `start`.
fn reachable<'a>(next: &BTreeMap<&'a str, Vec<&'a str>>, start: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![start];
    while let Some(node) = waiting.pop() {
        for to in next.get(node).into_iter().flatten().copied() {
            if reached.insert(to) {
                waiting.push(to);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nodes_that_reach_each_other_are_a_component() {
        let arrows =
            [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("e", "d"), ("e", "f"), ("g", "a")];
        assert_eq!(strongly_connected(arrows.into_iter()), [vec!["a", "b", "c"], vec!["d", "e"]]);
        assert!(strongly_connected([("a", "b"), ("a", "c"), ("b", "c")].into_iter()).is_empty());
    }
}
