//! The document of `adit doctor --json`, for all sources of facts.

use adit_doctor::Verdict;
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;

/// The one document of `adit doctor`.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Doctor {
    /// The server under test; absent for a file and for this host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    /// The file that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// The vantage point: client, server, capture, record or host.
    pub(crate) vantage: String,
    /// The calls of a capture; absent if there is only one call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) calls: Option<Vec<Call>>,
    /// Remarks about the file: damage, truncation, other contents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    /// The verdict; for a capture, that of the call that decides the exit status.
    #[serde(flatten)]
    pub(crate) judgement: Judgement,
}

impl Document for Doctor {
    const NAME: &'static str = "adit.doctor/1";
}

/// One call of a capture.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Call {
    /// Its number in the file, from 1.
    pub(crate) call: usize,
    /// Address of the client.
    pub(crate) client: String,
    /// Address of the server.
    pub(crate) server: String,
    /// When it began.
    pub(crate) began: Option<crate::document::Utc>,
    /// Where this call was captured, as far as known.
    pub(crate) vantage: String,
    /// Remarks that have no code.
    pub(crate) remarks: Vec<String>,
    /// The timeline of the call.
    pub(crate) timeline: Vec<Moment>,
    /// The verdict on this call.
    #[serde(flatten)]
    pub(crate) judgement: Judgement,
}

/// One line of a timeline.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Moment {
    /// Seconds since the call began.
    pub(crate) t_s: f64,
    /// Number of the frame in the file.
    pub(crate) frame: u64,
    /// Sender: client, server, or the address of another host.
    pub(crate) by: String,
    /// The layer.
    pub(crate) layer: String,
    /// Description of the event.
    pub(crate) text: String,
}

/// The verdict on one call.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Judgement {
    /// The layers, in the order in which they are tested.
    pub(crate) layers: Vec<Layer>,
    /// The code of the first layer that failed; null when none did, or when it cannot be proven from here.
    pub(crate) first_failure: Option<String>,
    /// Confidence: high, medium or low; null without a failure.
    pub(crate) confidence: Option<String>,
    /// The likely causes, most likely first; at most three.
    pub(crate) causes: Vec<Cause>,
    /// Fixes.
    pub(crate) fixes: Vec<String>,
    /// The next tests.
    pub(crate) next: Vec<String>,
    /// Components that are ruled out.
    pub(crate) innocent: Vec<String>,
    /// Warnings that are not part of the failure.
    pub(crate) findings: Vec<Finding>,
    /// The rules that matched.
    pub(crate) rules: Vec<Fired>,
}

impl Judgement {
    /// Converts a verdict.
    pub(crate) fn of(verdict: &Verdict) -> Judgement {
        let layers = verdict.layers.iter().map(|layer| Layer {
            name: layer.layer.word().to_owned(),
            state: layer.state.word().to_owned(),
            code: layer.code.map(|code| code.to_string()),
            summary: layer.summary.clone(),
            evidence: evidence(&layer.evidence),
            ms: layer.took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        });
        let causes = verdict.causes.iter().map(|cause| Cause {
            text: cause.text.clone(),
            weight: cause.weight,
            code: cause.code.to_string(),
            owner: cause.owner.word().to_owned(),
        });
        let findings = verdict.findings.iter().map(|finding| Finding {
            code: finding.code.to_string(),
            layer: finding.code.layer().word().to_owned(),
            text: finding.text.clone(),
            evidence: evidence(&finding.evidence),
        });
        let rules = verdict.fired.iter().map(|fired| Fired {
            id: fired.rule.to_owned(),
            weight: fired.weight,
            because: fired.because.clone(),
        });
        Judgement {
            layers: layers.collect(),
            first_failure: verdict.first_failure.map(|code| code.to_string()),
            confidence: verdict.first_failure.map(|_| verdict.confidence.word().to_owned()),
            causes: causes.collect(),
            fixes: verdict.fixes.clone(),
            next: Some(verdict.next.clone()).filter(|next| !next.is_empty()).into_iter().collect(),
            innocent: verdict.innocent.clone(),
            findings: findings.collect(),
            rules: rules.collect(),
        }
    }
}

fn evidence(all: &[adit_doctor::Evidence]) -> Vec<Evidence> {
    all.iter().map(|one| Evidence { text: one.text.clone(), frame: one.at.frame }).collect()
}

/// One layer.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Layer {
    /// Name: name, control, gre, lcp, auth, encrypt, address, route, mtu or host.
    pub(crate) name: String,
    /// State: pass, warn, fail, not-reached, not-visible or not-tested.
    pub(crate) state: String,
    /// The code of the problem.
    pub(crate) code: Option<String>,
    /// Summary in one line.
    pub(crate) summary: String,
    /// Evidence for the state.
    pub(crate) evidence: Vec<Evidence>,
    /// Duration in milliseconds.
    pub(crate) ms: Option<u64>,
}

/// One piece of evidence.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Evidence {
    /// Description of the evidence.
    pub(crate) text: String,
    /// Number of the frame in the capture.
    pub(crate) frame: Option<u64>,
}

/// One likely cause.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Cause {
    /// Description of the cause.
    pub(crate) text: String,
    /// Likelihood in percent.
    pub(crate) weight: u8,
    /// The code of the catalogue.
    pub(crate) code: String,
    /// Who can fix it.
    pub(crate) owner: String,
}

/// A warning.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Finding {
    /// The code of the catalogue.
    pub(crate) code: String,
    /// The layer it belongs to.
    pub(crate) layer: String,
    /// Description of the warning.
    pub(crate) text: String,
    /// Evidence for the warning.
    pub(crate) evidence: Vec<Evidence>,
}

/// A rule that matched.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Fired {
    /// Rule ID; `adit explain wire:ID` if it is a pattern of the catalogue.
    pub(crate) id: String,
    /// Weight in percent.
    pub(crate) weight: u8,
    /// The facts that it matched.
    pub(crate) because: String,
}

/// One line of `adit doctor HOST --jsonl`, before the document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Step {
    /// The layer.
    pub(crate) layer: String,
    /// Kind of the line: begin, note or end.
    pub(crate) event: String,
    /// Description for the user.
    pub(crate) text: String,
    /// Milliseconds since the test began.
    pub(crate) ms: u64,
}

impl Document for Step {
    const NAME: &'static str = "adit.doctor-step/1";
}
