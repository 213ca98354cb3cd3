//! Evaluation of the packet filter for a bypass.
//!
//! Unlike [`crate::filter::walk`], which determines the fate of an ordinary packet, this follows every path that
//! *some* packet may take, and records whatever a rule on such a path does. A condition that is not known, or
//! that depends on the other host's address, both applies and does not apply.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::obstacle::{Direction, OBSTACLES_MAX, Obstacle, RuleObstacle, STATES, What};
use super::packet::{Packets, Truth, matches_name};
use crate::filter::{
    Action, Base, Chain, ChainName, Effect, Field, GRE, Hook, Kind, Match, Rule, Ruleset, State, Step, Value,
};

/// The priority of connection tracking (NF_IP_PRI_CONNTRACK): chains before it see every packet as invalid.
const CONNTRACK: i64 = -200;
/// The most nested jumps, as in the kernel.
const DEPTH_MAX: usize = 16;

/// Finds what the packet filter does to enhanced GRE between this host and any other; nothing is found only if
/// it accepts every such packet without a side effect.
///
/// The packets are received or sent on `interface`, and have one of the addresses in `own`.
pub fn obstacles(rules: &Ruleset, interface: &str, own: &[Ipv4Addr]) -> Vec<Obstacle> {
    let sets_mark = |step: &Step| match step {
        Step::Do(action) => *action == Action::SetMark,
        Step::Map(_, rows) => rows.iter().any(|(_, action)| *action == Action::SetMark),
        Step::If(_) => false,
    };
    let mut all = rules.chains.values().flat_map(|chain| &chain.rules);
    let has_marks = all.any(|rule| rule.steps.iter().any(sets_mark));
    let mut found = Found::default();
    for direction in [Direction::In, Direction::Out] {
        for state in STATES {
            let packets = Packets { direction, interface, own, state: Some(state.word()), has_marks };
            follow(rules, packets, state, &mut found);
        }
    }
    let mut obstacles: Vec<Obstacle> = found.rules.into_iter().map(Obstacle::Rule).collect();
    if rules.incomplete {
        let why = format!("there are more than {} of them", crate::read::RULES_MAX);
        obstacles.push(Obstacle::NotRead { what: "all rules", why });
    }
    obstacles.extend(found.more.then_some(Obstacle::More));
    obstacles
}

/// Evaluates the hooks on the path of the packets.
fn follow(rules: &Ruleset, mut packets: Packets<'_>, state: State, found: &mut Found) {
    let hooks = match packets.direction {
        Direction::In => [Hook::Ingress, Hook::Prerouting, Hook::Input],
        Direction::Out => [Hook::Output, Hook::Postrouting, Hook::Egress],
    };
    for hook in hooks {
        let bases = rules.chains.iter().filter_map(|(name, chain)| Some((name, chain, chain.base.as_ref()?)));
        let here = |base: &Base| {
            let is_device = base.devices.is_empty()
                || base.devices.iter().any(|one| matches_name(one, packets.interface));
            base.hook == hook && is_device
        };
        let mut bases: Vec<_> = bases.filter(|(_, _, base)| here(base)).collect();
        bases.sort_by_key(|(_, _, base)| base.priority);
        for (name, chain, base) in bases {
            if base.kind == Kind::Nat && !matches!(state, State::New | State::Related) {
                continue;
            }
            packets.state = visible_state(base, state);
            let mut evaluation = Evaluation {
                rules,
                packets: &packets,
                state,
                found,
                ends: BTreeMap::new(),
                is_accepting: false,
            };
            if !evaluation.base(name, chain, base) {
                return;
            }
        }
    }
}

/// The state that a chain sees.
fn visible_state(base: &Base, state: State) -> Option<&'static str> {
    match base.hook {
        Hook::Ingress => Some("invalid"),
        Hook::Prerouting | Hook::Output => match base.priority.cmp(&CONNTRACK) {
            std::cmp::Ordering::Less => Some("invalid"),
            // The order of registration decides.
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(state.word()),
        },
        _ => Some(state.word()),
    }
}

/// The obstacles so far, each once.
#[derive(Default)]
struct Found {
    rules: Vec<RuleObstacle>,
    more: bool,
}

impl Found {
    fn add(&mut self, new: RuleObstacle) {
        let same = |old: &&mut RuleObstacle| {
            (&old.chain, old.handle, &old.what, old.direction)
                == (&new.chain, new.handle, &new.what, new.direction)
        };
        let is_full = self.rules.len() >= OBSTACLES_MAX;
        match self.rules.iter_mut().find(same) {
            Some(old) => {
                old.is_certain |= new.is_certain;
                for state in new.states {
                    if !old.states.contains(&state) {
                        old.states.push(state);
                    }
                }
            }
            None if is_full => self.more = true,
            None => self.rules.push(new),
        }
    }
}

/// Where packets continue after a rule.
#[derive(Clone, Copy)]
struct Next {
    /// Those that get to the next rule.
    rule: Truth,
    /// Those that return from the chain.
    back: Truth,
}

/// A rule and its place.
#[derive(Clone, Copy)]
struct At<'a> {
    name: &'a ChainName,
    chain: &'a Chain,
    index: usize,
    rule: &'a Rule,
    /// Whether every packet gets here.
    is_certain: bool,
    depth: usize,
}

/// The evaluation of one base chain.
struct Evaluation<'a> {
    rules: &'a Ruleset,
    packets: &'a Packets<'a>,
    state: State,
    found: &'a mut Found,
    /// Whether packets return from a chain, by its name and whether all get there; `None` while it is evaluated.
    ends: BTreeMap<(&'a ChainName, bool), Option<Truth>>,
    /// Whether some packet is accepted.
    is_accepting: bool,
}

impl<'a> Evaluation<'a> {
    /// Returns whether some packet continues to the next base chain.
    fn base(&mut self, name: &'a ChainName, chain: &'a Chain, base: &Base) -> bool {
        let end = self.chain(name, chain, true, 0);
        if end != Truth::Never && base.drops {
            self.found.add(RuleObstacle {
                by_iptables: chain.by_iptables,
                chain: name.clone(),
                handle: None,
                text: "policy drop".to_owned(),
                what: What::Drop,
                is_certain: end == Truth::Always,
                direction: self.packets.direction,
                states: vec![self.state],
            });
        }
        self.is_accepting || end != Truth::Never && !base.drops
    }

    /// Evaluates a chain; returns the packets that leave it at its end or by a return.
    fn chain(&mut self, name: &'a ChainName, chain: &'a Chain, is_certain: bool, depth: usize) -> Truth {
        self.ends.insert((name, is_certain), None);
        let (mut here, mut back) = (Truth::Always, Truth::Never);
        for (index, rule) in chain.rules.iter().enumerate() {
            let is_certain = is_certain && here == Truth::Always;
            let next = self.rule(At { name, chain, index, rule, is_certain, depth });
            back = back.or(here.and(next.back));
            here = here.and(next.rule);
            if here == Truth::Never {
                break;
            }
        }
        let end = back.or(here);
        self.ends.insert((name, is_certain), Some(end));
        end
    }

    fn rule(&mut self, at: At<'a>) -> Next {
        let mut truth = Truth::Always;
        for step in &at.rule.steps {
            match step {
                Step::If(condition) => {
                    let listed = self.packets.listed(condition).unwrap_or(Truth::Never).and(truth);
                    // Statements of an entry are executed even if the condition is negated.
                    if listed != Truth::Never {
                        self.look_up(at, &condition.of, listed);
                    }
                    truth = truth.and(self.packets.ask(condition));
                    if truth == Truth::Never {
                        return Next { rule: Truth::Always, back: Truth::Never };
                    }
                }
                Step::Do(action) => {
                    if let Some(next) = self.act(at, action, truth) {
                        self.count(at, truth);
                        return next;
                    }
                }
                Step::Map(of, rows) => {
                    let next = self.map(at, of, rows, truth);
                    if next.rule != Truth::Always || next.back != Truth::Never {
                        self.count(at, truth);
                        return next;
                    }
                }
            }
        }
        self.count(at, truth);
        Next { rule: Truth::Always, back: Truth::Never }
    }

    /// Records the statements of the entries of a set, which a match executes.
    fn look_up(&mut self, at: At<'a>, of: &Match, truth: Truth) {
        if of.has_statements {
            self.add(at, What::Effect(Effect::Count), truth);
        }
    }

    /// Records the counter that each rule of iptables has, where an administrator relies on it: rules that
    /// accept, rules that only count, and rules that name GRE. Other actions are recorded themselves.
    fn count(&mut self, at: At<'a>, truth: Truth) {
        let actions = at.rule.steps.iter().filter_map(|step| match step {
            Step::Do(action) => Some(action),
            _ => None,
        });
        let passes_on =
            |action: &Action| matches!(action, Action::Jump(_) | Action::Goto(_) | Action::Return);
        let is_recorded =
            |action: &Action| !passes_on(action) && !matches!(action, Action::Accept | Action::Nothing);
        let is_relevant = names_gre(at.rule) || !actions.clone().any(passes_on);
        if at.chain.by_iptables && is_relevant && !actions.clone().any(is_recorded) {
            self.add(at, What::Effect(Effect::Count), truth);
        }
    }

    fn map(&mut self, at: At<'a>, of: &Match, rows: &'a [(Vec<Value>, Action)], truth: Truth) -> Next {
        let mut next = Next { rule: Truth::Never, back: Truth::Never };
        // Those for which no entry was found yet.
        let mut left = truth;
        let mut is_used = of.incomplete || of.volatile;
        for (row, action) in rows {
            let matched = left.and(self.packets.row(of, row));
            if matched == Truth::Never {
                continue;
            }
            is_used = true;
            // An entry that may disappear is not certain.
            let matched = if of.volatile { Truth::Perhaps } else { matched };
            let then = self.act(at, action, matched).unwrap_or(Next { rule: matched, back: Truth::Never });
            next = Next { rule: next.rule.or(then.rule.and(matched)), back: next.back.or(then.back) };
            left = if matched == Truth::Always { Truth::Never } else { Truth::Perhaps };
            if left == Truth::Never {
                break;
            }
        }
        if is_used {
            self.look_up(at, of, truth.min(Truth::Perhaps));
        }
        if of.incomplete || of.volatile {
            self.add(at, What::Unknown, Truth::Perhaps);
            next.back = next.back.or(Truth::Perhaps);
        }
        // Packets without an entry, and those that the conditions before did not match, continue.
        let without = if truth == Truth::Always { left } else { Truth::Perhaps };
        Next { rule: next.rule.or(without), back: next.back }
    }

    /// Applies an action to the packets that a rule matches; `None` if the rule continues.
    fn act(&mut self, at: At<'a>, action: &'a Action, truth: Truth) -> Option<Next> {
        let rest = if truth == Truth::Always { Truth::Never } else { Truth::Perhaps };
        let ended = Some(Next { rule: rest, back: Truth::Never });
        let what = match action {
            Action::Accept => {
                self.is_accepting = true;
                return ended;
            }
            Action::Return => return Some(Next { rule: rest, back: truth }),
            Action::Jump(to) | Action::Goto(to) => {
                let end = self.jump(at, to, truth);
                let is_jump = matches!(action, Action::Jump(_));
                return Some(if is_jump {
                    Next { rule: rest.or(truth.and(end)), back: Truth::Never }
                } else {
                    Next { rule: rest, back: truth.and(end) }
                });
            }
            Action::Nothing => return None,
            Action::Drop => What::Drop,
            Action::Reject => What::Reject,
            Action::Destination(_) | Action::Source(_) => What::Translate,
            Action::Helper(_) => What::Helper,
            Action::Untracked => What::Untrack,
            Action::SetMark => What::Mark,
            Action::ClampMss => What::Effect(Effect::Change("the TCP MSS".to_owned())),
            Action::Effect(effect) => What::Effect(effect.clone()),
            Action::Unknown(_) => What::Unknown,
        };
        self.add(at, what, truth);
        match action {
            Action::Drop | Action::Reject => ended,
            Action::Destination(_) | Action::Source(_) => {
                self.is_accepting = true;
                ended
            }
            Action::Unknown(_) => {
                self.is_accepting = true;
                Some(Next { rule: Truth::Perhaps, back: Truth::Never })
            }
            _ => None,
        }
    }

    /// Evaluates another chain; returns the packets that leave it.
    fn jump(&mut self, at: At<'a>, to: &str, truth: Truth) -> Truth {
        let is_certain = at.is_certain && truth == Truth::Always;
        let name = ChainName { chain: to.to_owned(), ..at.name.clone() };
        let target = self.rules.chains.get_key_value(&name);
        let known = target.and_then(|(name, _)| self.ends.get(&(name, is_certain)).copied());
        match (target, known) {
            (_, Some(Some(end))) => end,
            (Some((name, chain)), None) if at.depth < DEPTH_MAX => {
                self.chain(name, chain, is_certain, at.depth + 1)
            }
            // There is no such chain, or it leads to itself.
            _ => {
                self.add(at, What::Unknown, truth);
                self.is_accepting = true;
                Truth::Perhaps
            }
        }
    }

    fn add(&mut self, at: At<'a>, what: What, truth: Truth) {
        self.found.add(RuleObstacle {
            by_iptables: at.chain.by_iptables,
            chain: at.name.clone(),
            handle: at.rule.handle.or(u64::try_from(at.index + 1).ok()),
            text: at.rule.text.clone(),
            what,
            is_certain: at.is_certain && truth == Truth::Always,
            direction: self.packets.direction,
            states: vec![self.state],
        });
    }
}

/// Whether a rule has a condition that selects GRE by its protocol number.
fn names_gre(rule: &Rule) -> bool {
    rule.steps.iter().any(|step| {
        let (of, rows): (&Match, Vec<&Vec<Value>>) = match step {
            Step::If(condition) if !condition.negated => (&condition.of, condition.rows.iter().collect()),
            Step::Map(of, rows) => (of, rows.iter().map(|(row, _)| row).collect()),
            _ => return false,
        };
        let is_gre = |(field, value): (&Field, &Value)| {
            *field == Field::Protocol && *value == Value::one(u32::from(GRE))
        };
        rows.into_iter().any(|row| of.fields.iter().zip(row).any(is_gre))
    })
}
