//! The kinds of events.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal,)+) => {
        /// A kind of event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum EventKind {
            $($(#[$doc])* #[serde(rename = $word)] $kind,)+
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [EventKind] = &[$(EventKind::$kind),+];

            /// Its word in logs, the store and JSON: lower case, dotted.
            pub const fn word(self) -> &'static str {
                match self {
                    $(EventKind::$kind => $word,)+
                }
            }
        }
    };
}

kinds! {
    /// The server takes calls.
    ServerStart = "server.start",
    /// It has stopped in order.
    ServerStop = "server.stop",
    /// It takes no new calls.
    ServerDrain = "server.drain",
    /// It takes new calls again.
    ServerUndrain = "server.undrain",
    /// It read its configuration again.
    ConfigReload = "config.reload",
    /// It refused a new configuration, and continues with the one before.
    ConfigFail = "config.fail",
    /// Something on this host that it needs is missing or does not work.
    ServerFault = "server.fault",
    /// That is as it should be again.
    ServerRepair = "server.repair",
    /// Connections were turned away before they were read.
    CallFlood = "call.flood",
    /// A call never came up, and something is to blame.
    CallFail = "call.fail",
    /// A call never came up, and nothing is to blame.
    CallEnd = "call.end",
    /// A login was refused, or authentication failed otherwise.
    AuthFail = "auth.fail",
    /// A session carries traffic.
    SessionUp = "session.up",
    /// A session that carried traffic is over.
    SessionEnd = "session.end",
    /// Forged control frames of a session were ignored.
    SessionForged = "session.forged",
    /// Packets were sent to the peer of a session, and none came back.
    SessionUnanswered = "session.unanswered",
    /// GRE packets of no call arrive at an implausible rate.
    GreFlood = "gre.flood",
    /// Packets of a session were dropped, because the rules deny them.
    AclDeny = "acl.deny",
    /// Packets of a session passed by a rule with `log`.
    AclAllow = "acl.allow",
    /// An account was added.
    UserAdd = "user.add",
    /// An account was changed.
    UserSet = "user.set",
    /// An account was removed.
    UserRemove = "user.remove",
    /// An account got another password.
    UserPasswd = "user.passwd",
    /// An account was enabled.
    UserEnable = "user.enable",
    /// An account was disabled.
    UserDisable = "user.disable",
    /// An account may try again after failed logins.
    UserUnlock = "user.unlock",
    /// Failed logins locked an account.
    AccountLocked = "account.locked",
    /// An address or network was banned, after failed logins or by an administrator.
    AddressBanned = "address.banned",
    /// An administrator lifted a ban.
    AddressUnbanned = "address.unbanned",
    /// An administrator released an address that was kept for a user.
    AddressReleased = "address.released",
}

impl EventKind {
    /// Whether it is about a session that carried traffic.
    pub const fn is_of_session(self) -> bool {
        matches!(self, EventKind::SessionUp | EventKind::SessionEnd)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The text is not the word of a kind: an event of a newer version, perhaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKind;

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a kind of event: two words with a dot, as in auth.fail")
    }
}

impl core::error::Error for UnknownKind {}

impl FromStr for EventKind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<EventKind, UnknownKind> {
        EventKind::ALL.iter().copied().find(|kind| kind.word() == word).ok_or(UnknownKind)
    }
}
