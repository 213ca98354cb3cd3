//! The table of rules. A rule is a fact that proves a code, with its weight and its text.
//!
//! A rule's id is that of its pattern in the catalogue where it has one (`adit explain wire:ID`). Rules
//! depend on facts only, not on each other. The judge selects the verdict among the rules that fire.

mod address;
mod auth;
mod control;
mod encrypt;
mod gre;
pub(crate) mod host;
mod lcp;
mod mtu;
mod name;
mod route;
mod words;

pub(crate) use gre::loss_is_heavy;

use adit_diag::Code;

use crate::{At, Evidence, Facts, Seen};

/// The effect of a rule's code on the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It caused the call to fail.
    Fault,
    /// It ended the call, and is a fault only if nothing else explains the end.
    Ending,
    /// It did not cause a failure, but needs attention.
    Finding,
}

/// The condition of a rule; returns the proof.
pub type When = fn(&Facts) -> Option<Proof>;

/// One rule.
pub struct Rule {
    /// A stable name.
    pub id: &'static str,
    /// The code that it proves.
    pub code: Code,
    /// The effect of the code on the call.
    pub kind: Kind,
    /// The weight: 100 is a fact, less is a probability in percent.
    pub weight: u8,
    /// The condition.
    pub when: When,
}

impl Rule {
    /// Defines a rule whose code caused the call to fail.
    pub(crate) const fn fault(id: &'static str, code: Code, weight: u8, when: When) -> Rule {
        Rule { id, code, kind: Kind::Fault, weight, when }
    }

    /// Defines a rule whose code ended the call.
    pub(crate) const fn ending(id: &'static str, code: Code, weight: u8, when: When) -> Rule {
        Rule { id, code, kind: Kind::Ending, weight, when }
    }

    /// Defines a rule whose code did not cause a failure.
    pub(crate) const fn finding(id: &'static str, code: Code, weight: u8, when: When) -> Rule {
        Rule { id, code, kind: Kind::Finding, weight, when }
    }
}

/// The proof of a rule that fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The fault in one short sentence, without the code.
    pub text: String,
    /// Where it is seen.
    pub at: At,
    /// Whether the proof is the absence of something, which is weaker.
    pub absence: bool,
    /// Further evidence.
    pub more: Vec<Evidence>,
}

impl Proof {
    /// A proof by a fact, at its position.
    pub(crate) fn of<T>(seen: &Seen<T>, text: impl Into<String>) -> Option<Proof> {
        Some(Proof { text: text.into(), at: seen.at, absence: false, more: Vec::new() })
    }

    /// A proof by a fact without a position.
    pub(crate) fn fact(text: impl Into<String>) -> Option<Proof> {
        Some(Proof { text: text.into(), at: At::NOWHERE, absence: false, more: Vec::new() })
    }

    /// A proof by absence.
    pub(crate) fn absence(text: impl Into<String>) -> Option<Proof> {
        Some(Proof { text: text.into(), at: At::NOWHERE, absence: true, more: Vec::new() })
    }

    /// A proof by absence, at the position that shows it.
    pub(crate) fn missing<T>(seen: &Seen<T>, text: impl Into<String>) -> Option<Proof> {
        Some(Proof { text: text.into(), at: seen.at, absence: true, more: Vec::new() })
    }

    /// Adds evidence.
    #[must_use]
    pub(crate) fn with(mut self, text: impl Into<String>) -> Proof {
        self.more.push(Evidence { text: text.into(), at: At::NOWHERE });
        self
    }
}

/// All rules: those of a call, then those of a host.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    of_a_call().chain(host::rules())
}

/// The rules of a call, in the order of layers.
pub fn of_a_call() -> impl Iterator<Item = &'static Rule> {
    [
        name::RULES,
        control::RULES,
        gre::RULES,
        lcp::RULES,
        auth::RULES,
        encrypt::RULES,
        address::RULES,
        route::RULES,
        mtu::RULES,
    ]
    .into_iter()
    .flatten()
}
