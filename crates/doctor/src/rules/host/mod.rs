//! The rules of layer S: this host. In the order of [`Check`], from the outside in: of several faults the
//! first is the verdict.

mod config;
mod firewall;
mod network;
mod reported;
mod service;
mod state;

pub(crate) use firewall::words;
pub(crate) use service::name;

use super::{Kind, Proof, Rule};
use crate::Facts;
use crate::facts::host::{Check, Host};

/// A rule, the check it belongs to, and its fixes.
pub(crate) struct HostRule {
    pub(crate) rule: Rule,
    pub(crate) check: Check,
    pub(crate) fix: fn(&Host) -> Vec<String>,
}

const fn host_rule(check: Check, rule: Rule, fix: fn(&Host) -> Vec<String>) -> HostRule {
    HostRule { rule, check, fix }
}

/// Uses the fixes of the catalogue only.
fn as_written(_: &Host) -> Vec<String> {
    Vec::new()
}

/// The tables, in the order of the checks.
const TABLES: &[&[HostRule]] =
    &[service::SYSTEM, config::RULES, service::LISTEN, firewall::RULES, network::RULES, state::RULES];

/// The rules themselves.
pub(super) fn rules() -> impl Iterator<Item = &'static Rule> {
    all().map(|rule| &rule.rule)
}

/// The rules with their checks.
pub(crate) fn all() -> impl Iterator<Item = &'static HostRule> {
    TABLES.iter().copied().flatten()
}

/// Defines one rule.
macro_rules! rule {
    ($check:ident, $id:literal, $code:ident, $kind:ident, $when:expr, $fix:expr) => {
        super::host_rule(
            crate::facts::host::Check::$check,
            super::Rule {
                id: $id,
                code: adit_diag::Code::$code,
                kind: super::Kind::$kind,
                weight: 100,
                when: $when,
            },
            $fix,
        )
    };
}
pub(crate) use rule;

/// A proof with `text`, if `so`.
fn fact_if(so: bool, text: impl FnOnce() -> String) -> Option<Proof> {
    so.then(|| Proof::fact(text())).flatten()
}

/// "1 call", "2 calls".
pub(crate) fn count(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// The facts of the host.
fn of(facts: &Facts) -> &Host {
    &facts.host
}
