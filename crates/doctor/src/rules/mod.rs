//! The table of rules: a fact that shows a code, with its weight and its words.
//!
//! A rule's id is that of its pattern in the catalogue where it has one (`adit explain wire:ID`). Rules look at facts and
//! at nothing else; they do not know of each other. Which of those that fire is the verdict is for the judge.

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

/// What a rule's code is to the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It broke the call.
    Fault,
    /// It ended the call, and is a fault only where nothing else explains the end.
    Ending,
    /// It broke nothing, and deserves a look.
    Finding,
}

/// Whether a rule fires, and why.
pub type When = fn(&Facts) -> Option<Proof>;

/// One rule.
pub struct Rule {
    /// A stable name.
    pub id: &'static str,
    /// The code it points to.
    pub code: Code,
    /// What the code is to the call.
    pub kind: Kind,
    /// 100: a fact. Less: likely, so much.
    pub weight: u8,
    /// Whether it fires, and why.
    pub when: When,
}

impl Rule {
    /// What it shows broke the call.
    pub(crate) const fn fault(id: &'static str, code: Code, weight: u8, when: When) -> Rule {
        Rule { id, code, kind: Kind::Fault, weight, when }
    }

    /// What it shows ended the call.
    pub(crate) const fn ending(id: &'static str, code: Code, weight: u8, when: When) -> Rule {
        Rule { id, code, kind: Kind::Ending, weight, when }
    }

    /// What it shows broke nothing.
    pub(crate) const fn finding(id: &'static str, code: Code, weight: u8, when: When) -> Rule {
        Rule { id, code, kind: Kind::Finding, weight, when }
    }
}

/// Why a rule fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What is wrong this time, one short sentence without the code.
    pub text: String,
    /// Where it is seen.
    pub at: At,
    /// Something is absent; not a positive proof.
    pub absence: bool,
    /// Further facts.
    pub more: Vec<Evidence>,
}

impl Proof {
    /// Something is there.
    pub(crate) fn of<T>(seen: &Seen<T>, text: impl Into<String>) -> Option<Proof> {
        Some(Proof { text: text.into(), at: seen.at, absence: false, more: Vec::new() })
    }

    /// Something is there, at no special place.
    pub(crate) fn fact(text: impl Into<String>) -> Option<Proof> {
        Some(Proof { text: text.into(), at: At::NOWHERE, absence: false, more: Vec::new() })
    }

    /// Something is missing.
    pub(crate) fn absence(text: impl Into<String>) -> Option<Proof> {
        Some(Proof { text: text.into(), at: At::NOWHERE, absence: true, more: Vec::new() })
    }

    /// Something is missing, and there is a place where that shows.
    pub(crate) fn missing<T>(seen: &Seen<T>, text: impl Into<String>) -> Option<Proof> {
        Some(Proof { text: text.into(), at: seen.at, absence: true, more: Vec::new() })
    }

    /// Adds a fact.
    #[must_use]
    pub(crate) fn with(mut self, text: impl Into<String>) -> Proof {
        self.more.push(Evidence { text: text.into(), at: At::NOWHERE });
        self
    }
}

/// Every rule: of a call, then of a host.
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
