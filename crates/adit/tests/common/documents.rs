//! What `adit --json` prints, typed: a test cannot wait for a field that no document has.
//!
//! The types of the control socket are those of `adit_api`. The others are written down once more, because a program's
//! types cannot be imported; every field is required, those that may be null too. Fields that are not listed are left to
//! the test that holds each document against its schema.

use std::collections::BTreeMap;

use adit_api::session::{SessionDetail, SessionRow};
use adit_api::status::Status;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// A document that names its schema.
pub trait Document: DeserializeOwned {
    /// Name and version of the schema.
    const SCHEMA: &'static str;
}

/// What every document begins with.
#[derive(Debug, Deserialize)]
struct Head {
    schema: String,
}

/// Reads a document; the error says what it is instead.
pub fn parse<T: Document>(text: &str) -> Result<T, String> {
    let head: Head = serde_json::from_str(text).map_err(|error| format!("no document: {error}"))?;
    if head.schema != T::SCHEMA {
        return Err(format!("a document of {}, not of {}", head.schema, T::SCHEMA));
    }
    serde_json::from_str(text).map_err(|error| format!("no document of {}: {error}", T::SCHEMA))
}

/// A field that may be null and may not be missing, which `Option` alone would accept.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(field: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(field)
}

macro_rules! documents {
    ($($type:ty: $schema:literal,)+) => {$(
        impl Document for $type {
            const SCHEMA: &'static str = $schema;
        }
    )+};
}

documents! {
    Status: "adit.status/1",
    Sessions: "adit.sessions/1",
    PastSessions: "adit.past-sessions/1",
    LiveSession: "adit.session/1",
    PastSessionDocument: "adit.past-session/1",
    Log: "adit.log/1",
    Doctor: "adit.doctor/1",
    ErrorDocument: "adit.error/1",
    SecondFactor: "adit.user-mfa/1",
}

/// `adit user mfa`.
#[derive(Debug, Deserialize)]
pub struct SecondFactor {
    pub changed: bool,
    pub enrolled: bool,
    pub recovery_left: usize,
    #[serde(deserialize_with = "nullable")]
    pub uri: Option<String>,
    pub recovery_codes: Vec<String>,
}

/// `adit sessions`.
#[derive(Debug, Deserialize)]
pub struct Sessions {
    pub sessions: Vec<SessionRow>,
}

/// `adit session ID` of one that runs.
#[derive(Debug, Deserialize)]
pub struct LiveSession {
    #[serde(flatten)]
    pub detail: SessionDetail,
    pub verdict: Judgement,
}

/// `adit sessions --past`.
#[derive(Debug, Deserialize)]
pub struct PastSessions {
    pub sessions: Vec<PastSession>,
}

/// A session that is over.
#[derive(Clone, Debug, Deserialize)]
pub struct PastSession {
    pub id: String,
    #[serde(deserialize_with = "nullable")]
    pub user: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub address: Option<String>,
    pub from: String,
    #[serde(deserialize_with = "nullable")]
    pub ended: Option<String>,
    pub up_s: u64,
    pub rx_bytes: u64,
    pub tx_bytes: u64,
    pub rx_packets: u64,
    pub tx_packets: u64,
    #[serde(deserialize_with = "nullable")]
    pub mppe: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub end: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub code: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub detail: Option<String>,
}

impl PastSession {
    /// How it ended, and with which code.
    pub fn outcome(&self) -> (Option<&str>, Option<&str>) {
        (self.end.as_deref(), self.code.as_deref())
    }
}

/// `adit session ID` of one that is over.
#[derive(Debug, Deserialize)]
pub struct PastSessionDocument {
    pub session: PastSession,
    pub verdict: Judgement,
}

/// `adit log`.
#[derive(Debug, Deserialize)]
pub struct Log {
    pub events: Vec<Event>,
}

/// One line of the log.
#[derive(Debug, Deserialize)]
pub struct Event {
    pub kind: String,
    #[serde(deserialize_with = "nullable")]
    pub user: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub code: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub session: Option<String>,
    pub fields: BTreeMap<String, String>,
}

/// A command that failed.
#[derive(Debug, Deserialize)]
pub struct ErrorDocument {
    pub error: ErrorBody,
}

/// Why it failed.
#[derive(Debug, Deserialize)]
pub struct ErrorBody {
    pub exit: u8,
    pub message: String,
    #[serde(deserialize_with = "nullable")]
    pub fix: Option<String>,
}

/// `adit doctor`, in all its forms.
#[derive(Debug, Deserialize)]
pub struct Doctor {
    pub vantage: String,
    /// Of a capture alone.
    pub calls: Option<Vec<Call>>,
    /// Of a file alone, where there are any.
    #[serde(default)]
    pub notes: Vec<String>,
    #[serde(flatten)]
    pub judgement: Judgement,
}

/// One call of a capture.
#[derive(Debug, Deserialize)]
pub struct Call {
    pub client: String,
    pub server: String,
    pub vantage: String,
    pub remarks: Vec<String>,
    #[serde(flatten)]
    pub judgement: Judgement,
}

/// What was found out about one call.
#[derive(Clone, Debug, Deserialize)]
pub struct Judgement {
    pub layers: Vec<Layer>,
    #[serde(deserialize_with = "nullable")]
    pub first_failure: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub confidence: Option<String>,
    pub causes: Vec<Cause>,
    pub fixes: Vec<String>,
    pub next: Vec<String>,
    pub innocent: Vec<String>,
    pub findings: Vec<Finding>,
    pub rules: Vec<Fired>,
}

impl Judgement {
    /// The first failure's code; empty when there is none.
    pub fn code(&self) -> &str {
        self.first_failure.as_deref().unwrap_or_default()
    }

    /// A layer by its name.
    #[track_caller]
    pub fn layer(&self, name: &str) -> &Layer {
        let layer = self.layers.iter().find(|layer| layer.name == name);
        layer.unwrap_or_else(|| panic!("no layer is called {name}: {self:?}"))
    }

    /// The codes of the findings, in order.
    pub fn finding_codes(&self) -> Vec<&str> {
        self.findings.iter().map(|finding| finding.code.as_str()).collect()
    }

    /// The finding with this code.
    pub fn finding(&self, code: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.code == code)
    }
}

/// One layer.
#[derive(Clone, Debug, Deserialize)]
pub struct Layer {
    pub name: String,
    pub state: String,
    #[serde(deserialize_with = "nullable")]
    pub code: Option<String>,
    pub summary: String,
    pub evidence: Vec<Evidence>,
}

/// What shows something.
#[derive(Clone, Debug, Deserialize)]
pub struct Evidence {
    pub text: String,
}

/// A likely cause.
#[derive(Clone, Debug, Deserialize)]
pub struct Cause {
    pub text: String,
    pub weight: u8,
    pub code: String,
    pub owner: String,
}

/// A warning.
#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    pub code: String,
    pub text: String,
    pub evidence: Vec<Evidence>,
}

/// A rule that fired.
#[derive(Clone, Debug, Deserialize)]
pub struct Fired {
    pub id: String,
    pub weight: u8,
    pub because: String,
}
