//! What a person sees while a connection is made: one line a layer, in the order in which the layers come up.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line of progress; also one line of `--jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// `name`, `control`, `gre`, `lcp`, `auth`, `encrypt`, `address`, `dns`, `routes`, `mtu`; or `connected`, `ended`,
    /// `retry`, `warning`.
    pub stage: String,
    /// `ok`, `fail` or `note`.
    pub state: String,
    /// What, for people.
    pub text: String,
    /// Milliseconds since the attempt began.
    pub ms: u64,
    /// The code, when something is wrong; else empty.
    pub code: String,
}

impl Progress {
    /// A stage that went well.
    pub fn ok(stage: &str, text: impl Into<String>, since: Duration) -> Progress {
        Progress::new(stage, "ok", text, since)
    }

    /// A remark.
    pub fn note(stage: &str, text: impl Into<String>, since: Duration) -> Progress {
        Progress::new(stage, "note", text, since)
    }

    /// What broke.
    pub fn fail(stage: &str, failure: &crate::failure::Failure, since: Duration) -> Progress {
        let code = failure.code.map(|code| code.to_string()).unwrap_or_default();
        Progress { code, ..Progress::new(stage, "fail", failure.detail.clone(), since) }
    }

    fn new(stage: &str, state: &str, text: impl Into<String>, since: Duration) -> Progress {
        Progress {
            stage: stage.to_owned(),
            state: state.to_owned(),
            text: text.into(),
            ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            code: String::new(),
        }
    }
}

impl std::fmt::Display for Progress {
    /// `auth      mschap-v2 as alice                  102 ms`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.state.as_str() {
            "ok" if self.ms > 0 => write!(f, "{:<9} {:<42} {:>6} ms", self.stage, self.text, self.ms),
            "fail" if !self.code.is_empty() => {
                write!(f, "{:<9} FAIL  {}  {}", self.stage, self.code, self.text)
            }
            "fail" => write!(f, "{:<9} FAIL  {}", self.stage, self.text),
            _ => write!(f, "{:<9} {}", self.stage, self.text),
        }
    }
}
