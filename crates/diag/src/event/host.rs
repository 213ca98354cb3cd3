//! Events about the server itself: a refused configuration, and faults of its host.

use core::fmt;
use core::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// A configuration that was not applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReloadFailed {
    /// Why.
    pub detail: String,
    /// The sessions that it would have disconnected, at most [`ReloadFailed::MOST`].
    pub sessions: Vec<LostSession>,
    /// How many more there are.
    pub omitted: u64,
}

impl ReloadFailed {
    /// The most sessions in one event.
    pub const MOST: usize = 20;
}

/// A session that a change would disconnect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LostSession {
    /// The number of the session.
    pub session: u64,
    /// Its user.
    pub user: String,
    /// The client's inner address.
    pub address: Ipv4Addr,
}

/// `s12 alice 10.99.0.14`
impl fmt::Display for LostSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{} {} {}", self.session, self.user, self.address)
    }
}

/// A fault of the host on which the server runs, or its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostFault {
    /// The part of the host.
    pub part: HostPart,
    /// What was observed.
    pub detail: String,
    /// How long it lasted, in seconds; `None` while it lasts.
    pub lasted_s: Option<u64>,
}

/// A part of the host that the server needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HostPart {
    /// The tunnel interface.
    Interface,
    /// The server's addresses on it.
    Address,
    /// The routes to clients and to the networks behind them.
    Route,
    /// The database.
    Database,
    /// The clock.
    Clock,
}

impl HostPart {
    /// Its word in logs and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            HostPart::Interface => "interface",
            HostPart::Address => "address",
            HostPart::Route => "route",
            HostPart::Database => "database",
            HostPart::Clock => "clock",
        }
    }
}
