//! What the doctor says.

use std::time::Duration;

use adit_diag::{Code, Layer};

use crate::{At, Vantage};

/// The judgement of one call or host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Who looked.
    pub vantage: Vantage,
    /// What was looked at.
    pub subject: String,
    /// In one word.
    pub outcome: Outcome,
    /// Every layer, in order.
    pub layers: Vec<LayerResult>,
    /// The first layer that fails.
    pub first_failure: Option<Code>,
    /// What is wrong this time, one sentence; without a failure, what can be said.
    pub headline: String,
    /// How sure the first failure is.
    pub confidence: Confidence,
    /// At most three, the likeliest first; weights are percents of one hundred together.
    pub causes: Vec<Cause>,
    /// What to do, the likeliest first.
    pub fixes: Vec<String>,
    /// The one test that separates the causes best.
    pub next: String,
    /// What is proven innocent.
    pub innocent: Vec<String>,
    /// Warnings apart from the fault.
    pub findings: Vec<Finding>,
    /// The rules that fired.
    pub fired: Vec<Fired>,
}

/// The result in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that was looked at works.
    Healthy,
    /// A layer fails.
    Failed,
    /// It did not work, or it cannot be seen whether it did, and the reason cannot be known from here.
    NotProvable,
}

/// How sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Something is absent, and it is not known where we stand.
    Low,
    /// Something is absent, and it is known where we stand.
    Medium,
    /// A positive proof.
    High,
}

impl Confidence {
    /// The word of output lines and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// A layer's state. Never "pass" for what was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It works.
    Pass,
    /// It works, and something about it deserves a look.
    Warn,
    /// It is broken.
    Fail,
    /// A layer below it failed first.
    NotReached,
    /// It cannot be seen from here.
    NotVisible,
    /// Not tested, or a right is missing.
    NotTested,
}

impl State {
    /// The word of the JSON document.
    pub const fn word(self) -> &'static str {
        match self {
            State::Pass => "pass",
            State::Warn => "warn",
            State::Fail => "fail",
            State::NotReached => "not-reached",
            State::NotVisible => "not-visible",
            State::NotTested => "not-tested",
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerResult {
    /// Which.
    pub layer: Layer,
    /// Its state.
    pub state: State,
    /// Of a layer that fails or warns.
    pub code: Option<Code>,
    /// What is known, one line.
    pub summary: String,
    /// Why.
    pub evidence: Vec<Evidence>,
    /// How long it took.
    pub took: Option<Duration>,
}

/// One fact, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What.
    pub text: String,
    /// Where.
    pub at: At,
}

/// Whose device or setting it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The person at the client, on the client itself.
    Client,
    /// The router or firewall on the client's side.
    ClientNetwork,
    /// The Internet provider, or the operator of a network between.
    Provider,
    /// The router or firewall on the server's side.
    ServerNetwork,
    /// The administrator of the server.
    Server,
    /// The administrator of the accounts.
    Accounts,
    /// The administrator of the host or network behind the server.
    Target,
}

impl Owner {
    /// The word of the JSON document.
    pub const fn word(self) -> &'static str {
        match self {
            Owner::Client => "client",
            Owner::ClientNetwork => "client-network",
            Owner::Provider => "provider",
            Owner::ServerNetwork => "server-network",
            Owner::Server => "server",
            Owner::Accounts => "accounts",
            Owner::Target => "target",
        }
    }

    /// For people.
    pub const fn person(self) -> &'static str {
        match self {
            Owner::Client => "the user of the client",
            Owner::ClientNetwork => "the administrator of the router or firewall on the client's side",
            Owner::Provider => "the Internet provider, or the operator of the network between",
            Owner::ServerNetwork => "the administrator of the router or firewall on the server's side",
            Owner::Server => "the administrator of the server",
            Owner::Accounts => "the administrator of the accounts",
            Owner::Target => "the administrator of the target or its network",
        }
    }
}

/// One possible cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What it is, one line.
    pub text: String,
    /// Percent; 100 is a fact.
    pub weight: u8,
    /// Its code.
    pub code: Code,
    /// Who can fix it.
    pub owner: Owner,
}

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its code.
    pub code: Code,
    /// What is so this time.
    pub text: String,
    /// Why.
    pub evidence: Vec<Evidence>,
}

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// Its id; `adit explain wire:ID` explains it where it is a pattern of the wire.
    pub rule: &'static str,
    /// Which code it points to.
    pub code: Code,
    /// Its weight in percent; 100 is a fact.
    pub weight: u8,
    /// What made it fire.
    pub because: String,
}

impl Verdict {
    /// 0 when healthy; 10 to 19, by the layer of the first failure; 1 when it failed and the layer cannot be known.
    pub fn exit_code(&self) -> u8 {
        let unknown = u8::from(self.outcome == Outcome::NotProvable);
        self.first_failure.map_or(unknown, Code::exit_code)
    }

    /// The result of one layer.
    pub fn layer(&self, layer: Layer) -> Option<&LayerResult> {
        self.layers.iter().find(|result| result.layer == layer)
    }
}
