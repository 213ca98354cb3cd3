//! Which of the rules for one set of addresses matches a packet first.

use std::collections::BTreeMap;

use super::{Action, Rule};

/// No rule.
pub(super) const NONE: u32 = u32::MAX;

/// The part of a packet that a rule with ports compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A destination port.
    Port(u16),
    /// Nothing: a later fragment.
    Later,
    /// Nothing: the protocol has no ports.
    NoPorts,
}

/// For each protocol and port the lowest number of a rule that matches.
#[derive(Clone, Debug, Default)]
pub(super) struct Matches {
    /// The lowest rule for all packets.
    any: Lowest,
    protocols: Vec<(u8, Lookup)>,
}

/// The lowest number so far.
#[derive(Clone, Copy, Debug)]
struct Lowest(u32);

impl Default for Lowest {
    fn default() -> Lowest {
        Lowest(NONE)
    }
}

impl Lowest {
    fn note(&mut self, number: u32) {
        self.0 = self.0.min(number);
    }
}

#[derive(Clone, Debug, Default)]
struct Lookup {
    /// The lowest rule without ports.
    whole: Lowest,
    /// The lowest rule with ports that matches later fragments.
    later: Lowest,
    /// From a port up to the next entry: the lowest rule with ports. Sorted.
    ports: Vec<(u16, u32)>,
}

impl Matches {
    /// Compiles these rules, in the order of their numbers.
    pub(super) fn new<'a>(rules: impl IntoIterator<Item = (u32, &'a Rule)>) -> Matches {
        let mut matches = Matches::default();
        let mut intervals: BTreeMap<u8, BTreeMap<u32, (u32, u32)>> = BTreeMap::new();
        for (number, rule) in rules {
            let Some(protocol) = rule.protocol else {
                matches.any.note(number);
                continue;
            };
            let lookup = matches.lookup_mut(protocol);
            if rule.ports.is_empty() {
                lookup.whole.note(number);
                continue;
            }
            if rule.action == Action::Allow {
                lookup.later.note(number);
            }
            let taken = intervals.entry(protocol).or_default();
            for (first, last) in rule.ports.ranges() {
                fill(taken, u32::from(*first), u32::from(*last), number);
            }
        }
        for (protocol, taken) in intervals {
            matches.lookup_mut(protocol).ports = steps(&taken);
        }
        matches
    }

    fn lookup_mut(&mut self, protocol: u8) -> &mut Lookup {
        let at = match self.protocols.iter().position(|(known, _)| *known == protocol) {
            Some(at) => at,
            None => {
                self.protocols.push((protocol, Lookup::default()));
                self.protocols.len() - 1
            }
        };
        &mut self.protocols[at].1
    }

    /// The lowest rule that matches; [`NONE`] without one.
    pub(super) fn find(&self, protocol: u8, part: Part) -> u32 {
        let Some((_, lookup)) = self.protocols.iter().find(|(known, _)| *known == protocol) else {
            return self.any.0;
        };
        let with_ports = match part {
            Part::Port(port) => {
                let after = lookup.ports.partition_point(|(from, _)| *from <= port);
                after.checked_sub(1).and_then(|at| lookup.ports.get(at)).map_or(NONE, |(_, number)| *number)
            }
            Part::Later => lookup.later.0,
            Part::NoPorts => NONE,
        };
        self.any.0.min(lookup.whole.0).min(with_ports)
    }

    /// The lowest rule for all packets.
    pub(super) fn any(&self) -> u32 {
        self.any.0
    }
}

/// Gives the free parts of a range to a rule. `taken` maps the first port of a range to its last one and its rule.
fn fill(taken: &mut BTreeMap<u32, (u32, u32)>, first: u32, last: u32, number: u32) {
    let mut from = first;
    if let Some((_, (end, _))) = taken.range(..=first).next_back() {
        from = from.max(end + 1);
    }
    let mut gaps = Vec::new();
    for (start, (end, _)) in taken.range(first..=last) {
        if from < *start {
            gaps.push((from, start - 1));
        }
        from = from.max(end + 1);
    }
    if from <= last {
        gaps.push((from, last));
    }
    taken.extend(gaps.into_iter().map(|(start, end)| (start, (end, number))));
}

/// Ranges as steps: each entry applies up to the next one.
fn steps(taken: &BTreeMap<u32, (u32, u32)>) -> Vec<(u16, u32)> {
    let mut steps: Vec<(u16, u32)> = Vec::new();
    let mut free_from = 0u32;
    for (start, (end, number)) in taken {
        if free_from < *start {
            steps.push((free_from as u16, NONE));
        }
        steps.push((*start as u16, *number));
        free_from = end + 1;
    }
    if free_from <= u32::from(u16::MAX) {
        steps.push((free_from as u16, NONE));
    }
    steps
}
