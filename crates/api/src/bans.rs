//! Banned addresses and networks: requests and responses.

use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A request about bans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// List the bans in force, by network.
    List,
    /// Add or lift a ban.
    Change(Change),
}

impl Request {
    /// Whether the request changes something when it is carried out.
    pub fn is_change(&self) -> bool {
        matches!(self, Request::Change(change) if !change.dry_run)
    }
}

/// A change of the bans, or with `dry_run` the check of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Only check the change and report what it would do.
    pub dry_run: bool,
    /// Name of the administrator, for the log.
    pub by: String,
    /// The network; /32 for one address.
    pub network: Ipv4Net,
    /// The change to make.
    pub action: Action,
}

/// What to do with a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// Refuse connections from it.
    Add {
        /// For how long, in seconds; `None` for the configured time.
        for_s: Option<u64>,
        /// Why, for the log and other administrators; may be empty.
        reason: String,
    },
    /// Accept connections from it again.
    Remove,
}

/// The response to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// Response to [`Request::List`].
    List(Vec<Ban>),
    /// Response to [`Request::Change`].
    Changed(Changed),
}

/// A ban in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// The network; /32 for one address.
    pub network: Ipv4Net,
    /// When it began.
    pub since: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// The administrator; `None` for a ban after failed logins.
    pub by: Option<String>,
    /// Why, in the words of the administrator; may be empty.
    pub reason: String,
}

/// The result of a change, or of its check with `dry_run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The ban of this network before the change.
    pub before: Option<Ban>,
    /// The ban of this network after the change.
    pub after: Option<Ban>,
    /// The other bans in force that hold addresses of this network, by network.
    pub others: Vec<Ban>,
    /// A problem that did not prevent the change.
    pub warning: Option<String>,
}
