//! What the log says: the kinds of events, and what each of them carries.
//!
//! An event has a time, and where they are known a user, a public address, a code and a session. All else is in its
//! [`EventFacts`], one variant a kind. [`EventFacts::fields`] is how they are shown, `key=value`; nothing reads that back.

use core::fmt;
use core::net::Ipv4Addr;
use core::str::FromStr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::note::{Cause, Why};
use crate::{AuthMethod, Code};

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
    pub findings: Vec<Code>,
}

/// A session that carries traffic now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CameUp {
    /// The client's inner address.
    pub address: Ipv4Addr,
    /// How the client proved who it is; `None` where nobody asked.
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
    pub findings: Vec<Code>,
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
            EventFacts::CallFlood { .. } => EventKind::CallFlood,
            EventFacts::CallFail(_) => EventKind::CallFail,
            EventFacts::CallEnd(_) => EventKind::CallEnd,
            EventFacts::AuthFail(_) => EventKind::AuthFail,
            EventFacts::SessionUp(_) => EventKind::SessionUp,
            EventFacts::SessionEnd(_) => EventKind::SessionEnd,
            EventFacts::UserAdd(_) => EventKind::UserAdd,
            EventFacts::UserSet(_) => EventKind::UserSet,
            EventFacts::UserRemove(_) => EventKind::UserRemove,
            EventFacts::UserPasswd(_) => EventKind::UserPasswd,
            EventFacts::UserEnable(_) => EventKind::UserEnable,
            EventFacts::UserDisable(_) => EventKind::UserDisable,
            EventFacts::UserUnlock(_) => EventKind::UserUnlock,
        }
    }

    /// What else was wrong with a session, besides its end.
    pub fn findings(&self) -> &[Code] {
        match self {
            EventFacts::CallFail(failed) | EventFacts::CallEnd(failed) | EventFacts::AuthFail(failed) => {
                &failed.findings
            }
            EventFacts::SessionEnd(ended) => &ended.findings,
            _ => &[],
        }
    }

    /// What they are for people, in the order in which they are shown. The code of the event comes first where it is
    /// named by the word of its layer, for those who do not know the letters.
    pub fn fields(&self, code: Option<Code>) -> Vec<(String, String)> {
        let mut fields = Fields(Vec::new());
        fields.put("layer", code.map(|code| code.layer().word()));
        match self {
            EventFacts::ServerStart
            | EventFacts::ServerStop
            | EventFacts::ServerDrain
            | EventFacts::ServerUndrain
            | EventFacts::ConfigReload => {}
            EventFacts::CallFlood { refused } => fields.put("refused", Some(refused)),
            EventFacts::CallFail(failed) | EventFacts::CallEnd(failed) | EventFacts::AuthFail(failed) => {
                failed.show(&mut fields);
            }
            EventFacts::SessionUp(up) => {
                fields.put("address", Some(up.address));
                fields.put("method", Some(up.method.map(AuthMethod::word).unwrap_or_default()));
                fields.put("mppe", Some(up.mppe));
                let took = Duration::from_millis(up.took_ms);
                fields.put("took_s", Some(format_args!("{:.3}", took.as_secs_f64())));
            }
            EventFacts::SessionEnd(ended) => ended.show(&mut fields),
            EventFacts::UserAdd(changed)
            | EventFacts::UserSet(changed)
            | EventFacts::UserRemove(changed)
            | EventFacts::UserPasswd(changed)
            | EventFacts::UserEnable(changed)
            | EventFacts::UserDisable(changed)
            | EventFacts::UserUnlock(changed) => {
                fields.0.extend(changed.changes.iter().cloned());
                fields.put("by", Some(&changed.by));
            }
        }
        fields.0
    }
}

/// Keys and values for people.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn put(&mut self, key: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.0.push((key.to_owned(), value.to_string()));
        }
    }

    fn put_codes(&mut self, key: &str, codes: &[Code]) {
        let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
        self.put(key, (!words.is_empty()).then(|| words.join(",")));
    }
}

impl Failed {
    fn show(&self, fields: &mut Fields) {
        fields.put("why", self.why.map(Why::word));
        if let Some(after) = self.after_ms.map(Duration::from_millis) {
            fields.put("after_s", Some(format_args!("{:.1}", after.as_secs_f64())));
        }
        fields.put("detail", Some(&self.cause).filter(|cause| !cause.is_empty()));
        fields.put("vendor", Some(&self.vendor).filter(|vendor| !vendor.is_empty()));
        fields.put_codes("findings", &self.findings);
    }
}

impl Ended {
    fn show(&self, fields: &mut Fields) {
        fields.put("why", Some(self.why.word()));
        fields.put("up_s", Some(self.up_s));
        fields.put("rx", Some(self.rx_bytes));
        fields.put("tx", Some(self.tx_bytes));
        fields.put("detail", Some(&self.cause).filter(|cause| !cause.is_empty()));
        fields.put_codes("findings", &self.findings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_word() {
        for kind in EventKind::ALL {
            assert_eq!(kind.word().parse(), Ok(*kind));
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{kind}\""));
        }
        assert_eq!("auth.failed".parse::<EventKind>(), Err(UnknownKind));
    }

    #[test]
    fn facts_bear_their_kind_and_come_back() {
        let failed = Failed {
            why: Some(Why::Failed),
            after_ms: Some(1_049),
            cause: Cause::Login(crate::LoginRefusal::WrongPassword),
            vendor: "Microsoft".to_owned(),
            findings: vec![Code::G07, Code::R02],
        };
        let facts = EventFacts::AuthFail(failed);
        let json = serde_json::to_string(&facts).unwrap();
        assert!(json.starts_with(r#"{"kind":"auth.fail","why":"failed","after_ms":1049,"#), "{json}");
        assert_eq!(serde_json::from_str::<EventFacts>(&json).unwrap(), facts);
        let shown: Vec<String> =
            facts.fields(Some(Code::A01)).iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            shown.join(" "),
            "layer=auth why=failed after_s=1.0 detail=wrong password vendor=Microsoft findings=G07,R02"
        );
    }

    #[test]
    fn an_empty_detail_is_not_shown() {
        let ended = Ended {
            why: Why::UserRequest,
            up_s: 7,
            rx_bytes: 1,
            tx_bytes: 2,
            cause: "".into(),
            findings: Vec::new(),
        };
        let facts = EventFacts::SessionEnd(ended);
        assert_eq!(facts.kind(), EventKind::SessionEnd);
        let keys: Vec<String> = facts.fields(None).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["why", "up_s", "rx", "tx"]);
    }
}
