//! Sets of protocols and ports, to find what earlier rules leave for later ones.

use std::collections::BTreeMap;

use super::{Action, Rule};

/// The place of later fragments, after all ports.
const LATER: u32 = 1 << 16;

/// The packets to one set of addresses that some rules match.
#[derive(Clone, Debug, Default)]
pub(super) struct Cover {
    is_everything: bool,
    protocols: BTreeMap<u8, Ranges>,
}

/// Ranges that neither overlap nor touch: from the first to the last number.
#[derive(Clone, Debug, Default)]
struct Ranges(BTreeMap<u32, u32>);

impl Ranges {
    fn insert(&mut self, first: u32, last: u32) {
        let (mut first, mut last) = (first, last);
        while let Some((start, end)) = self.0.range(..=last.saturating_add(1)).next_back() {
            let (start, end) = (*start, *end);
            if end.saturating_add(1) < first {
                break;
            }
            self.0.remove(&start);
            (first, last) = (first.min(start), last.max(end));
        }
        self.0.insert(first, last);
    }

    /// The last number of the range that has this number.
    fn end_of(&self, number: u32) -> Option<u32> {
        self.0.range(..=number).next_back().map(|(_, end)| *end).filter(|end| *end >= number)
    }
}

/// The numbers that stand for the packets of a rule within its protocol.
fn numbers(rule: &Rule, with_later: bool) -> Vec<(u32, u32)> {
    if rule.ports.is_empty() {
        return vec![(0, LATER)];
    }
    let ports = rule.ports.ranges().iter().map(|(first, last)| (u32::from(*first), u32::from(*last)));
    ports.chain(with_later.then_some((LATER, LATER))).collect()
}

impl Cover {
    /// Adds the packets of a rule.
    pub(super) fn add(&mut self, rule: &Rule) {
        let Some(protocol) = rule.protocol else {
            self.is_everything = true;
            return;
        };
        let ranges = self.protocols.entry(protocol).or_default();
        for (first, last) in numbers(rule, rule.action == Action::Allow) {
            ranges.insert(first, last);
        }
    }

    /// Whether every packet is covered.
    pub(super) fn is_everything(&self) -> bool {
        let is_whole = |protocol| covers_range(&[self], protocol, 0, LATER);
        self.is_everything || (self.protocols.len() == 256 && (0..=u8::MAX).all(is_whole))
    }

    /// Whether `covers` together have every packet of a rule. Of a rule with ports only packets with ports count: no rule is
    /// written for the later fragments alone.
    pub(super) fn covers(covers: &[&Cover], rule: &Rule) -> bool {
        if covers.iter().any(|cover| cover.is_everything) {
            return true;
        }
        match rule.protocol {
            Some(protocol) => numbers(rule, false)
                .into_iter()
                .all(|(first, last)| covers_range(covers, protocol, first, last)),
            None => {
                let known: usize = covers.iter().map(|cover| cover.protocols.len()).sum();
                known >= 256 && (0..=u8::MAX).all(|protocol| covers_range(covers, protocol, 0, LATER))
            }
        }
    }
}

fn covers_range(covers: &[&Cover], protocol: u8, first: u32, last: u32) -> bool {
    let mut next = first;
    while next <= last {
        let ends = covers.iter().filter_map(|cover| cover.protocols.get(&protocol)?.end_of(next));
        let Some(end) = ends.max() else { return false };
        next = end + 1;
    }
    true
}
