//! A verdict without its words.

use adit_diag::{Code, Layer};
use adit_doctor::{Confidence, Outcome, State, Verdict};

/// Everything of a verdict that is not evidence for people.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Skeleton {
    outcome: Outcome,
    first_failure: Option<Code>,
    confidence: Confidence,
    layers: Vec<(Layer, State, Option<Code>)>,
    causes: Vec<(String, u8, Code)>,
    fixes: Vec<String>,
    next: String,
    findings: Vec<Code>,
    rules: Vec<&'static str>,
}

impl Skeleton {
    /// Of this verdict.
    pub(crate) fn of(verdict: &Verdict) -> Skeleton {
        Skeleton {
            outcome: verdict.outcome,
            first_failure: verdict.first_failure,
            confidence: verdict.confidence,
            layers: verdict.layers.iter().map(|layer| (layer.layer, layer.state, layer.code)).collect(),
            causes: verdict
                .causes
                .iter()
                .map(|cause| (cause.text.clone(), cause.weight, cause.code))
                .collect(),
            fixes: verdict.fixes.clone(),
            next: verdict.next.clone(),
            findings: verdict.findings.iter().map(|finding| finding.code).collect(),
            rules: verdict.fired.iter().map(|fired| fired.rule).collect(),
        }
    }
}
