//! Progress of a connection: one line per layer, in the order in which the layers come up.

use std::time::Duration;

use adit_diag::{Code, Layer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line of progress; also one line of `--jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// The stage of the attempt.
    pub stage: Stage,
    /// The state of the stage.
    pub state: State,
    /// Description for the user.
    pub text: String,
    /// Milliseconds since the attempt began.
    pub ms: u64,
    /// The diagnosis code if something is wrong, else empty.
    #[serde(with = "adit_api::text::blank")]
    #[schemars(with = "String")]
    pub code: Option<Code>,
}

/// A stage of an attempt: a layer, or a milestone after the layers are up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Stage {
    /// The layer is being tested, or came up.
    Layer(Layer),
    /// A milestone.
    Milestone(Milestone),
}

/// A milestone of an attempt, other than a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Milestone {
    /// Name servers were configured.
    Dns,
    /// Routes were added.
    Routes,
    /// The tunnel is up.
    Connected,
    /// The attempt is over.
    Ended,
    /// Another attempt follows.
    Retry,
    /// A warning.
    Warning,
}

/// The state of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The stage succeeded.
    Ok,
    /// The stage failed.
    Fail,
    /// Additional information.
    Note,
}

impl Stage {
    /// The name in progress lines and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Stage::Layer(layer) => layer.word(),
            Stage::Milestone(Milestone::Dns) => "dns",
            Stage::Milestone(Milestone::Routes) => "routes",
            Stage::Milestone(Milestone::Connected) => "connected",
            Stage::Milestone(Milestone::Ended) => "ended",
            Stage::Milestone(Milestone::Retry) => "retry",
            Stage::Milestone(Milestone::Warning) => "warning",
        }
    }
}

impl From<Layer> for Stage {
    fn from(layer: Layer) -> Stage {
        Stage::Layer(layer)
    }
}

impl From<Milestone> for Stage {
    fn from(milestone: Milestone) -> Stage {
        Stage::Milestone(milestone)
    }
}

impl Progress {
    /// A stage that succeeded.
    pub fn ok(stage: impl Into<Stage>, text: impl Into<String>, since: Duration) -> Progress {
        Progress::new(stage.into(), State::Ok, text, since)
    }

    /// Additional information about a stage.
    pub fn note(stage: impl Into<Stage>, text: impl Into<String>, since: Duration) -> Progress {
        Progress::new(stage.into(), State::Note, text, since)
    }

    /// A stage that failed.
    pub fn fail(stage: impl Into<Stage>, failure: &crate::failure::Failure, since: Duration) -> Progress {
        Progress {
            code: failure.code,
            ..Progress::new(stage.into(), State::Fail, failure.detail.clone(), since)
        }
    }

    fn new(stage: Stage, state: State, text: impl Into<String>, since: Duration) -> Progress {
        Progress {
            stage,
            state,
            text: text.into(),
            ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            code: None,
        }
    }
}

impl std::fmt::Display for Progress {
    /// `auth      mschap-v2 as alice                  102 ms`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (stage, text) = (self.stage.word(), &self.text);
        match self.state {
            State::Ok if self.ms > 0 => write!(f, "{stage:<9} {text:<42} {:>6} ms", self.ms),
            State::Fail => match self.code {
                Some(code) => write!(f, "{stage:<9} FAIL  {code}  {text}"),
                None => write!(f, "{stage:<9} FAIL  {text}"),
            },
            State::Ok | State::Note => write!(f, "{stage:<9} {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_its_word_in_json_and_comes_back() {
        let milestones = [
            Milestone::Dns,
            Milestone::Routes,
            Milestone::Connected,
            Milestone::Ended,
            Milestone::Retry,
            Milestone::Warning,
        ];
        let stages = Layer::ALL.into_iter().map(Stage::from).chain(milestones.into_iter().map(Stage::from));
        for stage in stages {
            let json = serde_json::to_string(&stage).unwrap();
            assert_eq!(json, format!("\"{}\"", stage.word()));
            assert_eq!(serde_json::from_str::<Stage>(&json).unwrap(), stage);
        }
    }

    #[test]
    fn a_line_has_stage_text_and_time() {
        let since = Duration::from_millis(102);
        let line = Progress::ok(Layer::Auth, "mschap-v2 as alice", since).to_string();
        assert_eq!(line, format!("auth      {:<42}    102 ms", "mschap-v2 as alice"));
        let line = Progress::note(Milestone::Connected, "in 0.31 s on adit0", since).to_string();
        assert_eq!(line, "connected in 0.31 s on adit0");
    }
}
