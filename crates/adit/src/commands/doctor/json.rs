//! What `adit doctor --json` prints, whichever way the facts came.

use adit_doctor::Verdict;
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;

/// The one document of `adit doctor`.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Doctor {
    /// The server that was asked; absent for a file and for this host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    /// The file that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// Where the facts were seen: client, server, capture, record or host.
    pub(crate) vantage: String,
    /// The calls of a capture; absent where there is one call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) calls: Option<Vec<Call>>,
    /// Remarks about the file: where it is damaged or cut, what else is in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    /// The judgement; of a capture, that of the call that decides the exit status.
    #[serde(flatten)]
    pub(crate) judgement: Judgement,
}

impl Document for Doctor {
    const NAME: &'static str = "adit.doctor/1";
}

/// One call of a capture.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Call {
    /// Its number in the file, from 1 on.
    pub(crate) call: usize,
    /// Who calls.
    pub(crate) client: String,
    /// Who is called.
    pub(crate) server: String,
    /// When it began.
    pub(crate) began: Option<crate::document::Utc>,
    /// Where the capture of this call was made, as far as it shows.
    pub(crate) vantage: String,
    /// What is worth knowing and has no code.
    pub(crate) remarks: Vec<String>,
    /// What happened.
    pub(crate) timeline: Vec<Moment>,
    /// The judgement of this call.
    #[serde(flatten)]
    pub(crate) judgement: Judgement,
}

/// One line of a timeline.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Moment {
    /// Seconds since the call began.
    pub(crate) t_s: f64,
    /// The frame in the file.
    pub(crate) frame: u64,
    /// client, server, or the address of another host.
    pub(crate) by: String,
    /// The layer.
    pub(crate) layer: String,
    /// What.
    pub(crate) text: String,
}

/// What was found out about one call.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Judgement {
    /// The layers, in the order in which a person tests.
    pub(crate) layers: Vec<Layer>,
    /// The code of the first layer that failed; null when none did, or when it cannot be proven from here.
    pub(crate) first_failure: Option<String>,
    /// high, medium or low; null without a failure.
    pub(crate) confidence: Option<String>,
    /// The likely causes, the likeliest first; at most three.
    pub(crate) causes: Vec<Cause>,
    /// What to do.
    pub(crate) fixes: Vec<String>,
    /// The next test.
    pub(crate) next: Vec<String>,
    /// What is not the cause.
    pub(crate) innocent: Vec<String>,
    /// Warnings apart from the failure.
    pub(crate) findings: Vec<Finding>,
    /// The rules that fired.
    pub(crate) rules: Vec<Fired>,
}

impl Judgement {
    /// The same in the words of the document.
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
    /// name, control, gre, lcp, auth, encrypt, address, route, mtu or host.
    pub(crate) name: String,
    /// pass, warn, fail, not-reached, not-visible or not-tested.
    pub(crate) state: String,
    /// What is wrong with it.
    pub(crate) code: Option<String>,
    /// One line.
    pub(crate) summary: String,
    /// What shows it.
    pub(crate) evidence: Vec<Evidence>,
    /// How long it took, in milliseconds.
    pub(crate) ms: Option<u64>,
}

/// One piece of evidence.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Evidence {
    /// What was seen.
    pub(crate) text: String,
    /// In which frame.
    pub(crate) frame: Option<u64>,
}

/// One likely cause.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Cause {
    /// What.
    pub(crate) text: String,
    /// How likely, in percent.
    pub(crate) weight: u8,
    /// The code of the catalogue.
    pub(crate) code: String,
    /// Who can do something about it.
    pub(crate) owner: String,
}

/// A warning.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Finding {
    /// The code of the catalogue.
    pub(crate) code: String,
    /// The layer it belongs to.
    pub(crate) layer: String,
    /// What.
    pub(crate) text: String,
    /// What shows it.
    pub(crate) evidence: Vec<Evidence>,
}

/// A rule that fired.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Fired {
    /// Its name: `adit explain wire:ID` where it is a pattern of the catalogue.
    pub(crate) id: String,
    /// What it counts, in percent.
    pub(crate) weight: u8,
    /// The facts that made it fire.
    pub(crate) because: String,
}

/// One line of `adit doctor HOST --jsonl`, before the document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Step {
    /// The layer.
    pub(crate) layer: String,
    /// begin, note or end.
    pub(crate) event: String,
    /// What, for people.
    pub(crate) text: String,
    /// Milliseconds since the test began.
    pub(crate) ms: u64,
}

impl Document for Step {
    const NAME: &'static str = "adit.doctor-step/1";
}
