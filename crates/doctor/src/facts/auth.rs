//! The login.

use std::fmt;
use std::time::Duration;

use adit_diag::AuthMethod;

use crate::{Seen, Side};

/// A.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auth {
    /// What the server asked for, in its order.
    pub offered: Vec<AuthProtocol>,
    /// What the client asked for instead.
    pub wanted: Vec<AuthProtocol>,
    /// What LCP agreed on.
    pub agreed: Option<Seen<AuthProtocol>>,
    /// They found nothing in common.
    pub none: Option<Seen<NoMethod>>,
    /// The name as sent, escaped.
    pub user: Option<String>,
    /// Challenges of the server.
    pub challenges: u32,
    /// Responses of the client (or PAP requests), repetitions included.
    pub responses: u32,
    /// The answer.
    pub login: Option<Seen<Login>>,
    /// No answer for so long after the last response, or no response after the last challenge.
    pub silent: Option<Seen<Duration>>,
    /// LCP echoes were answered meanwhile: the path is open.
    pub path_lives: Option<bool>,
    /// The server's proof (S=) does not fit the password that is known here.
    pub proof_is_wrong: Option<Seen<()>>,
    /// The client's response does not fit the password that is known here.
    pub response_is_wrong: Option<Seen<()>>,
    /// Failures from this address in a row, this one included; from a record.
    pub failures_in_a_row: u32,
    /// What the server knows of a refused name and password, and never tells the client; from a record.
    pub known: Option<Known>,
}

/// Why a name and its password were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The account is there, its password is another.
    WrongPassword,
    /// There is no such account.
    UnknownUser,
    /// There is one under the name without its domain.
    OtherForm,
    /// The account never got a password.
    NoPassword,
}

impl Auth {
    /// The name for people: a backslash between domain and name once, not twice as in other texts from the network.
    pub fn shown_user(&self) -> Option<String> {
        self.user.as_ref().map(|user| user.replace("\\\\", "\\"))
    }
}

/// An authentication protocol (RFC 1661, 6.2), as LCP asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthProtocol {
    /// One of our methods.
    Method(AuthMethod),
    /// 0xc227: what is inside is agreed later.
    Eap,
    /// Another.
    Other(u16),
}

impl AuthProtocol {
    /// Whether this is the method.
    pub fn is(self, method: AuthMethod) -> bool {
        self == AuthProtocol::Method(method)
    }
}

impl fmt::Display for AuthProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuthProtocol::Method(method) => write!(f, "{method}"),
            AuthProtocol::Eap => f.write_str("eap"),
            AuthProtocol::Other(protocol) => write!(f, "protocol {protocol:#06x}"),
        }
    }
}

/// No method in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMethod {
    /// Who refused last.
    pub refused_by: Side,
    /// How often one side asked for the same again.
    pub rounds: u32,
}

/// The end of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Yes or no.
    pub verdict: Verdict,
    /// E= of MS-CHAP (RFC 2433, 2759).
    pub error: Option<u32>,
    /// R=: another try is allowed.
    pub retry: Option<bool>,
    /// The server's text, escaped.
    pub text: String,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Success.
    Accepted,
    /// Failure.
    Refused,
}
