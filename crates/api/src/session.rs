//! Sessions of the running server.

use core::fmt;
use core::str::FromStr;
use std::net::{IpAddr, Ipv4Addr};

use adit_diag::note::{Destination, Finding};
use adit_diag::{Code, Counters, Layer, Note};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SessionId, Utc};

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The session carries traffic.
    Up,
    /// The session is in set-up, at this layer.
    At(Layer),
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            State::Up => "up",
            State::At(layer) => layer.word(),
        })
    }
}

impl FromStr for State {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<State, &'static str> {
        if word == "up" {
            return Ok(State::Up);
        }
        let layer = Layer::ALL.into_iter().find(|layer| layer.word() == word);
        layer.map(State::At).ok_or("neither up nor a layer")
    }
}

/// One session in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionRow {
    /// Session ID, such as `s41`.
    #[schemars(with = "String")]
    pub id: SessionId,
    /// The account; empty before authentication.
    pub user: String,
    /// The user's group; empty without one.
    pub group: String,
    /// Inner address of the client; empty before there is one.
    #[serde(with = "crate::text::blank")]
    #[schemars(with = "String")]
    pub address: Option<Ipv4Addr>,
    /// Outer address of the client.
    #[schemars(with = "String")]
    pub from: IpAddr,
    /// `up`, or the layer that is being negotiated: control, gre, lcp, auth, encrypt, address.
    #[serde(with = "crate::text")]
    #[schemars(with = "String")]
    pub state: State,
    /// The diagnosis code, if one is known already.
    #[serde(with = "crate::text::blank")]
    #[schemars(with = "String")]
    pub code: Option<Code>,
    /// When the control connection was accepted, RFC 3339 UTC.
    pub started: Utc,
    /// Seconds since then.
    pub age_s: u64,
    /// Seconds since it came up; 0 before.
    pub up_s: u64,
    /// MPPE strength in bits; 0 without encryption.
    pub mppe: u32,
    /// Authentication method.
    pub method: String,
    /// Vendor name that the client sent, escaped.
    pub vendor: String,
    /// Traffic counters.
    pub counters: Counters,
}

/// One session in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionDetail {
    /// The session as in the list.
    pub session: SessionRow,
    /// Host name that the client sent, escaped.
    pub host: String,
    /// The server's Call ID and the client's.
    pub call_ids: Option<(u16, u16)>,
    /// The largest inner packet; 0 before it is known.
    pub mtu: u16,
    /// DNS servers assigned to the client.
    #[schemars(with = "Vec<String>")]
    pub dns: Vec<Ipv4Addr>,
    /// Networks that the account may reach; empty if `reach_any` is set.
    #[schemars(with = "Vec<String>")]
    pub reach: Vec<ipnet::Ipv4Net>,
    /// Whether the account may reach any destination.
    pub reach_any: bool,
    /// How often each rule has decided since the rules last changed, in the order of the first packet.
    #[serde(default)]
    pub rules: Vec<RuleRow>,
    /// Packets of rules that are not counted one by one, because there are too many.
    #[serde(default)]
    pub rules_omitted: u64,
    /// Why the session ended; empty while it is active.
    pub end: String,
    /// Evidence for the code of a session in set-up, while that code is only likely.
    #[serde(default)]
    pub suspicion: String,
    /// The address of this host that the client called.
    #[serde(default, with = "crate::text::blank")]
    #[schemars(with = "String")]
    pub to: Option<Ipv4Addr>,
    /// Problems that did not end the session.
    #[serde(default)]
    pub findings: Vec<FindingRow>,
    /// The record, oldest first.
    pub steps: Vec<StepRow>,
    /// Steps left out in the middle of a very long record.
    pub steps_omitted: u64,
}

/// The packets about which one rule has decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleRow {
    /// The configuration key that decided, such as `access.acl[2]` or `access.server`.
    pub key: String,
    /// Its value: the rule.
    pub rule: String,
    /// Whether they were denied.
    pub is_denied: bool,
    /// Packets.
    pub packets: u64,
    /// The last destination; null if there was none or it was all hosts.
    pub last: Option<Destination>,
}

/// A problem that did not end the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingRow {
    /// The diagnosis code, as for `adit explain`.
    #[serde(with = "crate::text")]
    #[schemars(with = "String")]
    pub code: Code,
    /// One line of evidence.
    pub text: String,
    /// The same in typed form; null from a server without typed notes.
    #[serde(default)]
    pub finding: Option<Finding>,
}

impl From<Finding> for FindingRow {
    fn from(finding: Finding) -> FindingRow {
        FindingRow { code: finding.code(), text: finding.to_string(), finding: Some(finding) }
    }
}

/// One step of a session's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepRow {
    /// Milliseconds since the control connection was accepted.
    pub at_ms: u64,
    /// Kind of step: `sent`, `received` or `note`.
    pub who: String,
    /// The protocol.
    pub layer: String,
    /// Description of the step.
    pub text: String,
    /// The same in typed form; null from a server without typed notes.
    #[serde(default)]
    pub note: Option<Note>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_up_or_a_layer() {
        for state in Layer::ALL.into_iter().map(State::At).chain([State::Up]) {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert!("down".parse::<State>().is_err());
    }
}
