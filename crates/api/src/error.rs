//! Why a request is refused.

use core::fmt;

use adit_diag::Code;
use serde::{Deserialize, Serialize};

/// The result of every request.
pub type Result<T> = core::result::Result<T, Error>;

/// What kind of refusal it is: what a caller can act on without reading the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// There is no such account, session or group.
    NotFound,
    /// The request cannot be carried out as it is, whatever the state of the server.
    Invalid,
    /// It exists already, or was changed by another request first.
    Conflict,
    /// Something else holds what is needed; the same request may succeed later.
    Busy,
    /// What is needed does not work at present: the store, or the server.
    Unavailable,
    /// The caller may not do this.
    Denied,
    /// The request is valid and was tried; the message says why it failed.
    Failed,
    /// This program does not know the request: it is of another version.
    Unsupported,
    /// A fault of the program itself.
    Internal,
}

/// A refused request. How it is shown, and with which exit code, is up to the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// What a program acts on.
    pub kind: Kind,
    /// The code, where `adit explain` has a page.
    #[serde(with = "crate::text::option")]
    pub code: Option<Code>,
    /// One sentence for people.
    pub message: String,
    /// The one thing to do first.
    pub fix: Option<String>,
}

impl Error {
    /// An error with neither code nor fix.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, code: None, message: message.into(), fix: None }
    }

    /// Adds the code.
    #[must_use]
    pub fn code(mut self, code: Code) -> Error {
        self.code = Some(code);
        self
    }

    /// Adds what to do.
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
