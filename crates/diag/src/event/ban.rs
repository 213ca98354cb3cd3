//! Events about banned addresses.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// A network that was banned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Banned {
    /// The network; /32 for one address.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub network: Ipv4Net,
    /// How long the ban lasts, in seconds.
    pub lasts_s: u64,
    /// The administrator; `None` for a ban after failed logins.
    pub by: Option<String>,
    /// Why, in the words of the administrator; may be empty.
    pub reason: String,
}

/// A network whose ban was lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unbanned {
    /// The network; /32 for one address.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub network: Ipv4Net,
    /// The administrator.
    pub by: String,
}
