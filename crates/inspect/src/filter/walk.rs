//! Evaluation of the rules for a packet.
//!
//! Three kinds of packets are evaluated at once: that of an ordinary client, those of clients that a rule
//! names by address, and the possible result if a rule cannot be interpreted. Only the first decides; the
//! second are exceptions, the third are doubts.

use super::condition::Answer;
use super::{
    Action, Base, Chain, ChainName, Hook, Kind, Match, Packet, Rule, Ruleset, State, Step, Target, Value,
};

/// The most rule evaluations for one packet, in addition to [`ROUNDS_MAX`] times the number of rules: nested
/// jumps multiply.
const STEPS_MAX: usize = 20_000;
/// How often each rule may be evaluated for one packet, on average.
const ROUNDS_MAX: usize = 4;
/// The most nested jumps, as in the kernel.
const DEPTH_MAX: usize = 16;
/// The most exceptions and doubts that are kept for a packet.
const KEPT_MAX: usize = 16;

/// The path of a packet through the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathHook {
    /// To this host.
    In,
    /// From this host.
    Out,
    /// Through this host.
    Through,
}

impl PathHook {
    fn hooks(self) -> &'static [Hook] {
        match self {
            PathHook::In => &[Hook::Ingress, Hook::Prerouting, Hook::Input],
            PathHook::Out => &[Hook::Output, Hook::Postrouting],
            PathHook::Through => &[Hook::Ingress, Hook::Prerouting, Hook::Forward, Hook::Postrouting],
        }
    }
}

/// The result for a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is accepted.
    Accepted,
    /// It is dropped silently.
    Dropped,
    /// It is dropped with an error to the sender.
    Rejected,
    /// Its destination is translated.
    Redirected(Target),
    /// It depends on a rule that could not be interpreted.
    Unknown,
}

impl Fate {
    /// Whether the packet does not arrive.
    pub const fn is_lost(self) -> bool {
        matches!(self, Fate::Dropped | Fate::Rejected)
    }
}

/// The rule or the policy that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// The chain.
    pub chain: ChainName,
    /// The handle, as in `nft -a list ruleset`; for iptables the position in the chain.
    pub handle: Option<u64>,
    /// The text of the rule; `policy drop` for the end of a chain.
    pub text: String,
    /// The number of packets of any kind that it has matched, if they are counted.
    pub packets: Option<u64>,
    /// Whether it is the policy of the chain.
    pub policy: bool,
}

/// A different result for some packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The result.
    pub fate: Fate,
    /// The rule that names them, or could not be interpreted.
    pub by: By,
}

/// The result for a packet, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The result for an ordinary client.
    pub fate: Fate,
    /// The rule that decided; for an accepted packet the last rule that accepted it, `None` if no rule
    /// applied.
    pub by: Option<By>,
    /// The results for clients that rules name.
    pub exceptions: Vec<Exception>,
    /// The possible other results; with `Unknown`, the reason.
    pub doubts: Vec<Exception>,
    /// The translation of its source.
    pub source: Option<(Target, By)>,
    /// The conntrack helper of its connection.
    pub helper: Option<(String, By)>,
    /// Whether the MSS is clamped.
    pub clamped: bool,
}

/// How certain it is that the packet gets here, in order of certainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sure {
    Yes,
    Named,
    Perhaps,
}

/// Evaluates all chains on the path of a packet.
pub fn walk(rules: &Ruleset, packet: &Packet, path: PathHook) -> Outcome {
    let sets_mark = |step: &Step| matches!(step, Step::Do(Action::SetMark));
    let marks =
        rules.chains.values().flat_map(|chain| &chain.rules).any(|rule| rule.steps.iter().any(sets_mark));
    let all: usize = rules.chains.values().map(|chain| chain.rules.len()).sum();
    let mut walker = Walker {
        rules,
        steps_max: STEPS_MAX.saturating_add(all.saturating_mul(ROUNDS_MAX)),
        packet: packet.clone(),
        marks,
        steps: 0,
        found: Found::default(),
        outcome: Outcome {
            fate: Fate::Accepted,
            by: None,
            exceptions: Vec::new(),
            doubts: Vec::new(),
            source: None,
            helper: None,
            clamped: false,
        },
    };
    for hook in path.hooks() {
        for (name, chain, base) in bases(rules, *hook, packet) {
            if base.kind == Kind::Nat && packet.state == State::Established {
                continue;
            }
            walker.base(name, chain, base);
        }
    }
    let may = |wanted: fn(Fate) -> bool| walker.outcome.doubts.iter().any(|doubt| wanted(doubt.fate));
    let doubtful = match walker.outcome.fate {
        Fate::Accepted => may(|fate| fate != Fate::Accepted),
        Fate::Dropped | Fate::Rejected => may(|fate| !fate.is_lost()),
        _ => false,
    };
    if doubtful {
        walker.outcome.fate = Fate::Unknown;
    }
    walker.outcome
}

/// The base chains of a hook that apply to the packet, in the kernel's order.
fn bases<'a>(rules: &'a Ruleset, hook: Hook, packet: &Packet) -> Vec<(&'a ChainName, &'a Chain, &'a Base)> {
    let mut found: Vec<_> = rules
        .chains
        .iter()
        .filter_map(|(name, chain)| Some((name, chain, chain.base.as_ref()?)))
        .filter(|(_, _, base)| base.hook == hook)
        .filter(|(_, _, base)| match &packet.from {
            _ if base.devices.is_empty() => true,
            super::Interface::Named(name) => base.devices.contains(name),
            _ => false,
        })
        .collect();
    found.sort_by_key(|(_, _, base)| base.priority);
    found
}

/// The result of one base chain.
#[derive(Default)]
struct Found {
    main: Option<(Fate, By)>,
    others: Vec<(Sure, Exception)>,
}

struct Walker<'a> {
    rules: &'a Ruleset,
    packet: Packet,
    marks: bool,
    steps: usize,
    steps_max: usize,
    found: Found,
    outcome: Outcome,
}

impl Walker<'_> {
    fn base(&mut self, name: &ChainName, chain: &Chain, base: &Base) {
        self.found = Found::default();
        if let Some(sure) = self.chain(name, chain, Sure::Yes, 0) {
            let fate = if base.drops { Fate::Dropped } else { Fate::Accepted };
            let text = if base.drops { "policy drop" } else { "policy accept" };
            self.note(sure, fate, |_| By {
                chain: name.clone(),
                handle: None,
                text: text.to_owned(),
                packets: base.counter,
                policy: true,
            });
        }
        let found = std::mem::take(&mut self.found);
        self.combine(found, base.kind);
    }

    /// Combines the result of one chain with those of the chains before it.
    fn combine(&mut self, found: Found, kind: Kind) {
        let Some((fate, by)) = found.main else { return };
        let spared = |sure: Sure| found.others.iter().any(|(s, other)| *s == sure && !other.fate.is_lost());
        let outcome = &mut self.outcome;
        if outcome.fate.is_lost() {
            // A packet that an earlier chain accepted may be dropped here.
            if fate.is_lost() && !spared(Sure::Named) {
                outcome.exceptions.retain(|exception| exception.fate.is_lost());
            }
            if fate.is_lost() && !spared(Sure::Perhaps) {
                outcome.doubts.retain(|doubt| doubt.fate.is_lost());
            }
            return;
        }
        if outcome.fate != Fate::Accepted {
            return;
        }
        if fate.is_lost() {
            outcome.exceptions.retain(|exception| !exception.fate.is_lost());
            outcome.doubts.clear();
        }
        for (sure, other) in found.others {
            let list = if sure == Sure::Named { &mut outcome.exceptions } else { &mut outcome.doubts };
            if other.fate.is_lost() != fate.is_lost() && list.len() < KEPT_MAX {
                list.push(other);
            }
        }
        // A rule is more specific than a policy, and a filter than NAT.
        let is_specific = |by: &By| !by.policy && kind == Kind::Filter;
        if fate != Fate::Accepted || outcome.by.is_none() || is_specific(&by) {
            outcome.by = Some(by);
        }
        outcome.fate = fate;
    }

    /// Adds a result. `by` is called only if the result is kept: nested jumps cause many thousands.
    fn note(&mut self, sure: Sure, fate: Fate, by: impl FnOnce(&Self) -> By) {
        match sure {
            Sure::Yes => self.found.main = Some((fate, by(self))),
            _ if self.found.others.len() < KEPT_MAX * 2 => {
                let by = by(self);
                self.found.others.push((sure, Exception { fate, by }));
            }
            _ => {}
        }
    }

    /// Evaluates a chain; returns how certain it is that a packet reaches its end, `None` if none does.
    fn chain(&mut self, name: &ChainName, chain: &Chain, mut sure: Sure, depth: usize) -> Option<Sure> {
        for (index, rule) in chain.rules.iter().enumerate() {
            self.steps += 1;
            if self.steps > self.steps_max {
                self.note(sure, Fate::Unknown, |walker| By {
                    text: "too many rules and jumps to follow".to_owned(),
                    ..walker.by(name, index, rule)
                });
                return None;
            }
            match self.rule(name, index, rule, sure, depth) {
                Next::Rule(still) => sure = still,
                Next::Return(still) => return Some(still),
                Next::Done => return None,
            }
        }
        Some(sure)
    }

    fn by(&self, name: &ChainName, index: usize, rule: &Rule) -> By {
        By {
            chain: name.clone(),
            handle: rule.handle.or(u64::try_from(index + 1).ok()),
            text: rule.text.clone(),
            packets: rule.counter,
            policy: false,
        }
    }

    fn rule(&mut self, name: &ChainName, index: usize, rule: &Rule, sure: Sure, depth: usize) -> Next {
        let mut answer = Answer::Yes;
        for step in &rule.steps {
            let done = match step {
                Step::If(condition) => {
                    answer = answer.and(condition.ask(&self.packet, self.marks));
                    if answer == Answer::No {
                        return Next::Rule(sure);
                    }
                    continue;
                }
                Step::Do(action) => self.act_on((name, index, rule), action, answer, sure, depth),
                Step::Map(of, rows) => self.look_up((name, index, rule), of, rows, answer, sure, depth),
            };
            match done {
                Next::Rule(still) if still == sure => {}
                done => return done,
            }
        }
        Next::Rule(sure)
    }

    /// Applies an action to the packets that the rule matches.
    fn act_on(&mut self, at: Place<'_>, action: &Action, answer: Answer, sure: Sure, depth: usize) -> Next {
        match answer {
            Answer::No => Next::Rule(sure),
            Answer::Yes => self.act(at, action, sure, depth),
            Answer::Most => match self.act(at, action, sure, depth) {
                Next::Rule(still) if still == sure => Next::Rule(sure),
                // Only the named ones continue.
                _ => Next::Rule(sure.max(Sure::Named)),
            },
            Answer::Some | Answer::Unknown => {
                let less = if answer == Answer::Some { Sure::Named } else { Sure::Perhaps };
                let _ = self.act(at, action, sure.max(less), depth);
                Next::Rule(sure)
            }
        }
    }

    fn look_up(
        &mut self,
        at: Place<'_>,
        of: &Match,
        rows: &[(Vec<Value>, Action)],
        answer: Answer,
        sure: Sure,
        depth: usize,
    ) -> Next {
        if of.absent(&self.packet) {
            return Next::Rule(sure);
        }
        for (row, action) in rows {
            match of.row(row, &self.packet, self.marks).and(answer) {
                Answer::No => {}
                Answer::Yes => return self.act(at, action, sure, depth),
                other => {
                    let _ = self.act_on(at, action, other, sure, depth);
                }
            }
        }
        if of.incomplete {
            let unread = Action::Unknown("the map is not known whole".to_owned());
            let less = of.unseen(&self.packet).and(answer);
            return self.act_on(at, &unread, less, sure, depth);
        }
        Next::Rule(sure)
    }

    fn act(&mut self, at: Place<'_>, action: &Action, sure: Sure, depth: usize) -> Next {
        let (name, index, rule) = at;
        let fate = match action {
            Action::Accept => Fate::Accepted,
            Action::Drop => Fate::Dropped,
            Action::Reject => Fate::Rejected,
            Action::Destination(target) => Fate::Redirected(*target),
            Action::Unknown(_) => Fate::Unknown,
            Action::Return => return Next::Return(sure),
            Action::Jump(to) | Action::Goto(to) => {
                let to = ChainName { chain: to.clone(), ..name.clone() };
                let rules = self.rules;
                let Some(chain) = rules.chains.get(&to).filter(|_| depth < DEPTH_MAX) else {
                    self.note(sure, Fate::Unknown, |walker| By {
                        text: format!("{}: no such chain", rule.text),
                        ..walker.by(name, index, rule)
                    });
                    return Next::Done;
                };
                return match (self.chain(&to, chain, sure, depth + 1), action) {
                    (None, _) => Next::Done,
                    (Some(still), Action::Jump(_)) => Next::Rule(still),
                    (Some(still), _) => Next::Return(still),
                };
            }
            Action::Source(target) => {
                if sure == Sure::Yes && self.outcome.source.is_none() {
                    self.outcome.source = Some((*target, self.by(name, index, rule)));
                }
                Fate::Accepted
            }
            Action::Helper(helper) => {
                if sure == Sure::Yes && self.outcome.helper.is_none() {
                    self.outcome.helper = Some((helper.clone(), self.by(name, index, rule)));
                }
                return Next::Rule(sure);
            }
            Action::Untracked => {
                if sure == Sure::Yes {
                    self.packet.state = State::Untracked;
                }
                return Next::Rule(sure);
            }
            Action::ClampMss => {
                self.outcome.clamped = true;
                return Next::Rule(sure);
            }
            Action::SetMark | Action::Effect(_) | Action::Nothing => return Next::Rule(sure),
        };
        self.note(sure, fate, |walker| walker.by(name, index, rule));
        Next::Done
    }
}

/// A rule and its position.
type Place<'a> = (&'a ChainName, usize, &'a Rule);

/// Where evaluation continues after a rule.
#[derive(PartialEq, Eq)]
enum Next {
    /// At the next rule, with this certainty.
    Rule(Sure),
    /// At the end of this chain, with this certainty.
    Return(Sure),
    /// Nowhere: all packets have their result.
    Done,
}
