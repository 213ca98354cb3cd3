//! Errors of requests.

use core::fmt;
use std::net::Ipv4Addr;

use adit_diag::Code;
use serde::{Deserialize, Serialize};

use crate::SessionId;

/// The result of every request.
pub type Result<T> = core::result::Result<T, Error>;

/// The category of an error: what a caller can act on without parsing the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The account, session or group does not exist.
    NotFound,
    /// The request is invalid, whatever the state of the server.
    Invalid,
    /// The object exists already, or another request changed it first.
    Conflict,
    /// A resource is in use; the same request may succeed later.
    Busy,
    /// The store or the server is not available at present.
    Unavailable,
    /// The caller is not permitted to do this.
    Denied,
    /// The request is valid and was tried; the message says why it failed.
    Failed,
    /// The request is not known to this version.
    Unsupported,
    /// An internal error of the program.
    Internal,
}

/// An error response. The caller decides how to show it and which exit code to use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// The category, for programs.
    pub kind: Kind,
    /// The diagnosis code, if there is one that `adit explain` describes.
    #[serde(with = "crate::text::option")]
    pub code: Option<Code>,
    /// One sentence for the user.
    pub message: String,
    /// The first thing to do.
    pub fix: Option<String>,
    /// The sessions that the request would have disconnected, if it was refused for that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<SessionConflict>,
}

/// A session that a request would disconnect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionConflict {
    /// The session.
    pub session: SessionId,
    /// Its user; empty while it is not known.
    pub user: String,
    /// The client's inner address.
    pub address: Ipv4Addr,
    /// What would disconnect it.
    pub reason: String,
}

/// `s12  alice  10.99.0.14  outside every pool`
impl fmt::Display for SessionConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SessionConflict { session, user, address, reason } = self;
        write!(f, "{session}  {user}  {address}  {reason}")
    }
}

impl Error {
    /// An error with neither code nor fix.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, code: None, message: message.into(), fix: None, sessions: Vec::new() }
    }

    /// Adds the code.
    #[must_use]
    pub fn code(mut self, code: Code) -> Error {
        self.code = Some(code);
        self
    }

    /// Adds the sessions that the request would have disconnected.
    #[must_use]
    pub fn sessions(mut self, sessions: Vec<SessionConflict>) -> Error {
        self.sessions = sessions;
        self
    }

    /// Adds the fix.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Error {
        self.fix = Some(fix.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_carries_its_sessions_and_other_errors_none() {
        let conflict = SessionConflict {
            session: SessionId(12),
            user: "alice".to_owned(),
            address: Ipv4Addr::new(10, 99, 0, 14),
            reason: "outside every pool".to_owned(),
        };
        assert_eq!(conflict.to_string(), "s12  alice  10.99.0.14  outside every pool");
        let refused = Error::new(Kind::Conflict, "no").sessions(vec![conflict]);
        let json = serde_json::to_string(&refused).unwrap();
        assert!(
            json.contains(r#""sessions":[{"session":"s12","user":"alice","address":"10.99.0.14""#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<Error>(&json).unwrap(), refused);
        // As a server of an earlier version sends it.
        let plain = r#"{"kind":"failed","code":null,"message":"no","fix":null}"#;
        let error = Error::new(Kind::Failed, "no");
        assert_eq!(serde_json::from_str::<Error>(plain).unwrap(), error);
        assert_eq!(serde_json::to_string(&error).unwrap(), plain);
    }
}
