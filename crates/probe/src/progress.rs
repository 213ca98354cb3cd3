//! What a person sees while the test runs.

use std::time::{Duration, Instant};

use adit_diag::Layer;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The layer that is tested.
    pub layer: Layer,
    /// Where the test of it stands.
    pub stage: Stage,
    /// What, for people.
    pub text: String,
    /// Since the test began.
    pub since: Duration,
}

/// Where the test of a layer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It begins.
    Begin,
    /// It goes on.
    Note,
    /// It is over.
    End,
}

impl Stage {
    /// One word.
    pub const fn word(self) -> &'static str {
        match self {
            Stage::Begin => "begin",
            Stage::Note => "note",
            Stage::End => "end",
        }
    }
}

/// Tells events.
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
