//! Common mistakes in firewall rules.

use super::packet::GRE;
use super::{Action, By, ChainName, Field, Rule, Ruleset, Side, Step, Value};

/// The most rules that are kept of each kind.
const KEPT_MAX: usize = 8;

/// The mistakes that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes {
    /// Rules that accept TCP or UDP *port* 47: GRE is the *protocol* number 47.
    pub port_47: Vec<By>,
    /// Rules that drop packets of conntrack state "invalid". Kernels before 5.1 classify GRE as invalid if
    /// its module is not loaded.
    pub invalid_dropped: Vec<By>,
}

/// Searches all rules.
pub fn mistakes(rules: &Ruleset) -> Mistakes {
    let mut found = Mistakes::default();
    for (name, chain) in &rules.chains {
        for (index, rule) in chain.rules.iter().enumerate() {
            if accepts(rule) && asks(rule, is_port_47) {
                keep(&mut found.port_47, name, index, rule);
            }
            if drops_invalid(rule) {
                keep(&mut found.invalid_dropped, name, index, rule);
            }
        }
    }
    found
}

fn keep(list: &mut Vec<By>, chain: &ChainName, index: usize, rule: &Rule) {
    if list.len() < KEPT_MAX {
        list.push(By {
            chain: chain.clone(),
            handle: rule.handle.or(u64::try_from(index + 1).ok()),
            text: rule.text.clone(),
            packets: rule.counter,
            policy: false,
        });
    }
}

fn accepts(rule: &Rule) -> bool {
    rule.steps.iter().any(|step| matches!(step, Step::Do(Action::Accept)))
}

fn asks(rule: &Rule, wanted: fn(&Field, &Value) -> bool) -> bool {
    rule.steps.iter().any(|step| match step {
        Step::If(condition) if !condition.negated => condition
            .rows
            .iter()
            .any(|row| condition.of.fields.iter().zip(row).any(|(field, value)| wanted(field, value))),
        _ => false,
    })
}

fn is_port_47(field: &Field, value: &Value) -> bool {
    matches!(field, Field::Port(Side::Destination, _)) && *value == Value::one(u32::from(GRE))
}

fn is_invalid(field: &Field, value: &Value) -> bool {
    *field == Field::State && matches!(value, Value::Word(word) if word == "invalid")
}

fn drops_invalid(rule: &Rule) -> bool {
    let drops = |action: &Action| matches!(action, Action::Drop | Action::Reject);
    let mapped = |step: &Step| match step {
        Step::Map(of, rows) => rows.iter().any(|(row, action)| {
            drops(action) && of.fields.iter().zip(row).any(|(field, value)| is_invalid(field, value))
        }),
        _ => false,
    };
    let does = |step: &Step| matches!(step, Step::Do(action) if drops(action));
    rule.steps.iter().any(mapped) || asks(rule, is_invalid) && rule.steps.iter().any(does)
}
