//! How a call ends, and why a client is refused.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::Text;
use crate::{Code, LoginRefusal, SourceUnavailable};

/// Why a call ended, in one vocabulary for records, accounting and exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The person on the other side hung up.
    UserRequest,
    /// The control connection or the link was lost.
    LostCarrier,
    /// No traffic for the time allowed.
    IdleTimeout,
    /// The longest time allowed has passed.
    SessionTimeout,
    /// An operator ended it.
    AdminReset,
    /// The program is being stopped.
    Shutdown,
    /// The same user connected again and the newer call wins.
    Replaced,
    /// It failed before it was up, or broke a rule; the code says which layer.
    Failed,
    /// The program ended without ending its calls: the power failed, or it was killed.
    Crash,
}

impl Why {
    /// Every one.
    pub const ALL: [Why; 9] = [
        Why::UserRequest,
        Why::LostCarrier,
        Why::IdleTimeout,
        Why::SessionTimeout,
        Why::AdminReset,
        Why::Shutdown,
        Why::Replaced,
        Why::Failed,
        Why::Crash,
    ];

    /// One lower-case word for logs and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Why::UserRequest => "user-request",
            Why::LostCarrier => "lost-carrier",
            Why::IdleTimeout => "idle-timeout",
            Why::SessionTimeout => "session-timeout",
            Why::AdminReset => "admin-reset",
            Why::Shutdown => "shutdown",
            Why::Replaced => "replaced",
            Why::Failed => "failed",
            Why::Crash => "crash",
        }
    }

    /// The one with this word.
    pub fn from_word(word: &str) -> Option<Why> {
        Why::ALL.into_iter().find(|why| why.word() == word)
    }

    /// Acct-Terminate-Cause (RFC 2866 section 5.10).
    pub const fn terminate_cause(self) -> u32 {
        match self {
            Why::UserRequest => 1,
            Why::LostCarrier => 2,
            Why::IdleTimeout => 4,
            Why::SessionTimeout => 5,
            Why::AdminReset => 6,
            Why::Shutdown => 7,
            Why::Replaced => 13,
            Why::Failed => 17,
            Why::Crash => 11,
        }
    }
}

/// Who did or said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// This program.
    #[serde(rename = "sent")]
    Us,
    /// The other side.
    #[serde(rename = "received")]
    Peer,
    /// Neither side: a timer, the network, a remark.
    #[serde(rename = "note")]
    Neither,
}

impl Who {
    /// One word for records.
    pub const fn word(self) -> &'static str {
        match self {
            Who::Us => "sent",
            Who::Peer => "received",
            Who::Neither => "note",
        }
    }

    /// The one with this word.
    pub fn from_word(word: &str) -> Option<Who> {
        [Who::Us, Who::Peer, Who::Neither].into_iter().find(|who| who.word() == word)
    }
}

/// What is behind an end or a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The login was refused.
    Login(LoginRefusal),
    /// Anything else, which the code names well enough: one line of evidence for people.
    Text(Text),
    /// An account source gave no verdict on the login.
    AccountSource(SourceUnavailable),
}

impl Cause {
    /// Why the login was refused, if it was.
    pub const fn login(&self) -> Option<&LoginRefusal> {
        match self {
            Cause::Login(refusal) => Some(refusal),
            Cause::Text(_) | Cause::AccountSource(_) => None,
        }
    }

    /// The same, taken out.
    pub fn into_login(self) -> Option<LoginRefusal> {
        match self {
            Cause::Login(refusal) => Some(refusal),
            Cause::Text(_) | Cause::AccountSource(_) => None,
        }
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        matches!(self, Cause::Text(text) if text.is_empty())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Login(refusal) => refusal.fmt(f),
            Cause::Text(text) => text.fmt(f),
            Cause::AccountSource(source) => source.fmt(f),
        }
    }
}

impl<T: Into<Text>> From<T> for Cause {
    fn from(words: T) -> Cause {
        Cause::Text(words.into())
    }
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct End {
    /// Why, in accounting's words.
    pub why: Why,
    /// Who ended it.
    pub by: Who,
    /// The code of what broke; `None` for an orderly end.
    pub code: Option<Code>,
    /// What is behind it.
    pub cause: Cause,
}

/// `failed A01: wrong password`
impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why.word())?;
        if let Some(code) = self.code {
            write!(f, " {code}")?;
        }
        if self.cause.is_empty() { Ok(()) } else { write!(f, ": {}", self.cause) }
    }
}

/// A client that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refused {
    /// The code.
    pub code: Code,
    /// Why.
    pub cause: Cause,
}

impl From<LoginRefusal> for Refused {
    fn from(refusal: LoginRefusal) -> Refused {
        Refused { code: refusal.code(), cause: Cause::Login(refusal) }
    }
}

impl From<SourceUnavailable> for Refused {
    fn from(source: SourceUnavailable) -> Refused {
        Refused { code: source.code(), cause: Cause::AccountSource(source) }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.cause)
    }
}
