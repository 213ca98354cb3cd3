//! What the log says: the kinds of events, and what each of them carries.
//!
//! An event has a time, and where they are known a user, a public address, a code and a session. All else is in its
//! [`EventFacts`], one variant for each kind. [`EventFacts::fields`] is how they are shown, `key=value`; nothing reads
//! that back. The words are stored: they are not changed.

mod ban;
mod fields;
mod host;
mod kind;
mod recorded;

use core::fmt;
use core::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::AuthMethod;
use crate::note::{Cause, Destination, Finding, Why};

pub use ban::{Banned, Unbanned};
pub use host::{HostFault, HostPart, LostSession, ReloadFailed};
pub use kind::{EventKind, UnknownKind};
pub use recorded::Recorded;

/// What an event carries besides time, user, address, code and session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind")]
pub enum EventFacts {
    /// See [`EventKind::ServerStart`].
    #[serde(rename = "server.start")]
    ServerStart,
    /// See [`EventKind::ServerStop`].
    #[serde(rename = "server.stop")]
    ServerStop,
    /// See [`EventKind::ServerDrain`].
    #[serde(rename = "server.drain")]
    ServerDrain,
    /// See [`EventKind::ServerUndrain`].
    #[serde(rename = "server.undrain")]
    ServerUndrain,
    /// See [`EventKind::ConfigReload`].
    #[serde(rename = "config.reload")]
    ConfigReload,
    /// See [`EventKind::ConfigFail`].
    #[serde(rename = "config.fail")]
    ConfigFail(ReloadFailed),
    /// See [`EventKind::ServerFault`].
    #[serde(rename = "server.fault")]
    ServerFault(HostFault),
    /// See [`EventKind::ServerRepair`].
    #[serde(rename = "server.repair")]
    ServerRepair(HostFault),
    /// See [`EventKind::CallFlood`].
    #[serde(rename = "call.flood")]
    CallFlood {
        /// Connections since the event before.
        refused: u64,
    },
    /// See [`EventKind::CallFail`].
    #[serde(rename = "call.fail")]
    CallFail(Failed),
    /// See [`EventKind::CallEnd`].
    #[serde(rename = "call.end")]
    CallEnd(Failed),
    /// See [`EventKind::AuthFail`].
    #[serde(rename = "auth.fail")]
    AuthFail(Failed),
    /// See [`EventKind::SessionUp`].
    #[serde(rename = "session.up")]
    SessionUp(CameUp),
    /// See [`EventKind::SessionEnd`].
    #[serde(rename = "session.end")]
    SessionEnd(Ended),
    /// See [`EventKind::SessionForged`].
    #[serde(rename = "session.forged")]
    SessionForged {
        /// Frames since the beginning of the call.
        frames: u64,
    },
    /// See [`EventKind::SessionUnanswered`].
    #[serde(rename = "session.unanswered")]
    SessionUnanswered {
        /// Packets to the peer.
        sent: u64,
        /// The time since the first of them.
        seconds: u64,
    },
    /// See [`EventKind::GreFlood`].
    #[serde(rename = "gre.flood")]
    GreFlood {
        /// Packets with the Call ID of no call, per second.
        per_second: u64,
    },
    /// See [`EventKind::AclDeny`].
    #[serde(rename = "acl.deny")]
    AclDeny(RuleMatched),
    /// See [`EventKind::AclAllow`].
    #[serde(rename = "acl.allow")]
    AclAllow(RuleMatched),
    /// See [`EventKind::UserAdd`].
    #[serde(rename = "user.add")]
    UserAdd(AccountChanged),
    /// See [`EventKind::UserSet`].
    #[serde(rename = "user.set")]
    UserSet(AccountChanged),
    /// See [`EventKind::UserRemove`].
    #[serde(rename = "user.remove")]
    UserRemove(AccountChanged),
    /// See [`EventKind::UserPasswd`].
    #[serde(rename = "user.passwd")]
    UserPasswd(AccountChanged),
    /// See [`EventKind::UserEnable`].
    #[serde(rename = "user.enable")]
    UserEnable(AccountChanged),
    /// See [`EventKind::UserDisable`].
    #[serde(rename = "user.disable")]
    UserDisable(AccountChanged),
    /// See [`EventKind::UserUnlock`].
    #[serde(rename = "user.unlock")]
    UserUnlock(AccountChanged),
    /// See [`EventKind::AccountLocked`].
    #[serde(rename = "account.locked")]
    AccountLocked {
        /// How long the lock lasts, in seconds.
        lasts_s: u64,
    },
    /// See [`EventKind::AddressBanned`].
    #[serde(rename = "address.banned")]
    AddressBanned(Banned),
    /// See [`EventKind::AddressUnbanned`].
    #[serde(rename = "address.unbanned")]
    AddressUnbanned(Unbanned),
    /// See [`EventKind::AddressReleased`].
    #[serde(rename = "address.released")]
    AddressReleased {
        /// The address, which was kept for the user of the event.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        address: Ipv4Addr,
        /// Its pool.
        pool: String,
        /// The administrator.
        by: String,
    },
}

/// Packets about which a rule has decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuleMatched {
    /// The configuration key that decided, with the number of the entry in a list.
    pub key: String,
    /// Its value: the rule, as it is written in the file.
    pub rule: String,
    /// Packets since the event before about the same session and rule.
    pub packets: u64,
    /// The last destination; `None` if it was all hosts.
    pub last: Option<Destination>,
}

/// A call that never came up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Failed {
    /// Why it ended; `None` where it did not even begin.
    pub why: Option<Why>,
    /// How long it lasted, in milliseconds; `None` where it did not begin.
    pub after_ms: Option<u64>,
    /// What is behind it.
    pub cause: Cause,
    /// Vendor name of the client, escaped; empty where it gave none.
    pub vendor: String,
    /// What else was wrong.
    pub findings: Vec<Finding>,
}

/// A session that carries traffic now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CameUp {
    /// The client's inner address.
    pub address: Ipv4Addr,
    /// How the client proved who it is; `None` where no proof was asked for.
    pub method: Option<AuthMethod>,
    /// MPPE.
    pub mppe: Mppe,
    /// How long the set-up took, in milliseconds.
    pub took_ms: u64,
}

/// A session that carried traffic and is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ended {
    /// Why.
    pub why: Why,
    /// How long it was up, in seconds.
    pub up_s: u64,
    /// Octets inside the tunnel from the client.
    pub rx_bytes: u64,
    /// Octets inside the tunnel to the client.
    pub tx_bytes: u64,
    /// What is behind it.
    pub cause: Cause,
    /// What else was wrong.
    pub findings: Vec<Finding>,
}

/// An account that was changed by a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountChanged {
    /// What is new: the field of the account, and its value for people.
    pub changes: Vec<(String, String)>,
    /// Who did it.
    pub by: String,
}

/// The encryption of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Mppe {
    /// None.
    None,
    /// MPPE, whose key has so many bits and changes with every packet.
    Stateless(u8),
    /// MPPE, whose key has so many bits and changes now and then.
    Stateful(u8),
}

/// `128 stateless`
impl fmt::Display for Mppe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mppe::None => f.write_str("none"),
            Mppe::Stateless(bits) => write!(f, "{bits} stateless"),
            Mppe::Stateful(bits) => write!(f, "{bits} stateful"),
        }
    }
}

impl EventFacts {
    /// The kind.
    pub const fn kind(&self) -> EventKind {
        match self {
            EventFacts::ServerStart => EventKind::ServerStart,
            EventFacts::ServerStop => EventKind::ServerStop,
            EventFacts::ServerDrain => EventKind::ServerDrain,
            EventFacts::ServerUndrain => EventKind::ServerUndrain,
            EventFacts::ConfigReload => EventKind::ConfigReload,
            EventFacts::ConfigFail(_) => EventKind::ConfigFail,
            EventFacts::ServerFault(_) => EventKind::ServerFault,
            EventFacts::ServerRepair(_) => EventKind::ServerRepair,
            EventFacts::CallFlood { .. } => EventKind::CallFlood,
            EventFacts::CallFail(_) => EventKind::CallFail,
            EventFacts::CallEnd(_) => EventKind::CallEnd,
            EventFacts::AuthFail(_) => EventKind::AuthFail,
            EventFacts::SessionUp(_) => EventKind::SessionUp,
            EventFacts::SessionEnd(_) => EventKind::SessionEnd,
            EventFacts::SessionForged { .. } => EventKind::SessionForged,
            EventFacts::SessionUnanswered { .. } => EventKind::SessionUnanswered,
            EventFacts::GreFlood { .. } => EventKind::GreFlood,
            EventFacts::AclDeny(_) => EventKind::AclDeny,
            EventFacts::AclAllow(_) => EventKind::AclAllow,
            EventFacts::UserAdd(_) => EventKind::UserAdd,
            EventFacts::UserSet(_) => EventKind::UserSet,
            EventFacts::UserRemove(_) => EventKind::UserRemove,
            EventFacts::UserPasswd(_) => EventKind::UserPasswd,
            EventFacts::UserEnable(_) => EventKind::UserEnable,
            EventFacts::UserDisable(_) => EventKind::UserDisable,
            EventFacts::UserUnlock(_) => EventKind::UserUnlock,
            EventFacts::AccountLocked { .. } => EventKind::AccountLocked,
            EventFacts::AddressBanned(_) => EventKind::AddressBanned,
            EventFacts::AddressUnbanned(_) => EventKind::AddressUnbanned,
            EventFacts::AddressReleased { .. } => EventKind::AddressReleased,
        }
    }

    /// What is behind the end of a call or a session.
    pub const fn cause(&self) -> Option<&Cause> {
        match self {
            EventFacts::CallFail(failed) | EventFacts::CallEnd(failed) | EventFacts::AuthFail(failed) => {
                Some(&failed.cause)
            }
            EventFacts::SessionEnd(ended) => Some(&ended.cause),
            _ => None,
        }
    }

    /// What else was wrong with a session, besides its end.
    pub fn findings(&self) -> &[Finding] {
        match self {
            EventFacts::CallFail(failed) | EventFacts::CallEnd(failed) | EventFacts::AuthFail(failed) => {
                &failed.findings
            }
            EventFacts::SessionEnd(ended) => &ended.findings,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests;
