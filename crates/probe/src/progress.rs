//! Progress of a test.

use std::time::{Duration, Instant};

use adit_diag::Layer;

/// A progress event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The layer under test.
    pub layer: Layer,
    /// Stage of this layer's test.
    pub stage: Stage,
    /// Description for the user.
    pub text: String,
    /// Time since the test began.
    pub since: Duration,
}

/// Stage of a layer's test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The test begins.
    Begin,
    /// An intermediate result.
    Note,
    /// The test is complete.
    End,
}

impl Stage {
    /// The name of the stage.
    pub const fn word(self) -> &'static str {
        match self {
            Stage::Begin => "begin",
            Stage::Note => "note",
            Stage::End => "end",
        }
    }
}

/// Reports progress events.
pub(crate) struct Reporter<'a> {
    pub(crate) began: Instant,
    pub(crate) on_progress: &'a mut dyn FnMut(Progress),
}

impl Reporter<'_> {
    pub(crate) fn begin(&mut self, layer: Layer, text: impl Into<String>) {
        self.report(layer, Stage::Begin, text);
    }

    pub(crate) fn note(&mut self, layer: Layer, text: impl Into<String>) {
        self.report(layer, Stage::Note, text);
    }

    pub(crate) fn end(&mut self, layer: Layer, text: impl Into<String>) {
        self.report(layer, Stage::End, text);
    }

    fn report(&mut self, layer: Layer, stage: Stage, text: impl Into<String>) {
        (self.on_progress)(Progress { layer, stage, text: text.into(), since: self.began.elapsed() });
    }
}
