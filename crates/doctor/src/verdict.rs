//! The verdict of a diagnosis.

use std::time::Duration;

use adit_diag::{Code, Layer};

use crate::{At, Vantage};

/// The verdict on one call or host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The vantage point.
    pub vantage: Vantage,
    /// The subject.
    pub subject: String,
    /// The result in one word.
    pub outcome: Outcome,
    /// Every layer, in order.
    pub layers: Vec<LayerResult>,
    /// The first layer that fails.
    pub first_failure: Option<Code>,
    /// The fault in one sentence; without a failure, a summary.
    pub headline: String,
    /// The confidence in the first failure.
    pub confidence: Confidence,
    /// At most three causes, the likeliest first; their weights add up to one hundred percent.
    pub causes: Vec<Cause>,
    /// The fixes, the likeliest first.
    pub fixes: Vec<String>,
    /// The test that best separates the causes.
    pub next: String,
    /// What is ruled out as the cause.
    pub innocent: Vec<String>,
    /// Warnings besides the fault.
    pub findings: Vec<Finding>,
    /// The rules that fired.
    pub fired: Vec<Fired>,
}

/// The result in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that was tested works.
    Healthy,
    /// A layer fails.
    Failed,
    /// The call did not work, or it cannot be seen whether it did, and the reason cannot be determined from
    /// this vantage point.
    NotProvable,
}

/// The confidence in a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Something is absent, and the position of the observer is unknown.
    Low,
    /// Something is absent, and the position of the observer is known.
    Medium,
    /// There is a positive proof.
    High,
}

impl Confidence {
    /// The name in output lines and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// The state of a layer. Never "pass" for what was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It works.
    Pass,
    /// It works, with a warning.
    Warn,
    /// It is broken.
    Fail,
    /// A layer below it failed first.
    NotReached,
    /// It cannot be seen from this vantage point.
    NotVisible,
    /// Not tested, or a capability is missing.
    NotTested,
}

impl State {
    /// The name in the JSON document.
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

/// The result of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerResult {
    /// The layer.
    pub layer: Layer,
    /// Its state.
    pub state: State,
    /// The code of a layer that fails or warns.
    pub code: Option<Code>,
    /// A summary in one line.
    pub summary: String,
    /// The evidence.
    pub evidence: Vec<Evidence>,
    /// The time that it took.
    pub took: Option<Duration>,
}

/// One piece of evidence, for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The text.
    pub text: String,
    /// The position.
    pub at: At,
}

/// The owner of a device or setting, who can fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The user of the client, on the client itself.
    Client,
    /// The router or firewall on the client's side.
    ClientNetwork,
    /// The Internet provider, or the operator of a transit network.
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
    /// The name in the JSON document.
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

    /// The description for display.
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
    /// The description in one line.
    pub text: String,
    /// The weight in percent; 100 is a fact.
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
    /// The description.
    pub text: String,
    /// The evidence.
    pub evidence: Vec<Evidence>,
}

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// Its id; `adit explain wire:ID` explains it where it is a pattern of the wire.
    pub rule: &'static str,
    /// The code that it proves.
    pub code: Code,
    /// Its weight in percent; 100 is a fact.
    pub weight: u8,
    /// The text of its proof.
    pub because: String,
}

impl Verdict {
    /// The exit code: 0 if healthy; 10 to 19 by the layer of the first failure; 1 if the call failed and the
    /// layer is unknown.
    pub fn exit_code(&self) -> u8 {
        let unknown = u8::from(self.outcome == Outcome::NotProvable);
        self.first_failure.map_or(unknown, Code::exit_code)
    }

    /// The result of one layer.
    pub fn layer(&self, layer: Layer) -> Option<&LayerResult> {
        self.layers.iter().find(|result| result.layer == layer)
    }
}
