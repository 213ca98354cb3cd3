//! The facts of the login.

use std::fmt;
use std::time::Duration;

use adit_diag::AuthMethod;

use crate::{Seen, Side};

/// Facts of layer A.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auth {
    /// The methods that the server asked for, in order.
    pub offered: Vec<AuthProtocol>,
    /// The methods that the client asked for instead.
    pub wanted: Vec<AuthProtocol>,
    /// The method that LCP agreed on.
    pub agreed: Option<Seen<AuthProtocol>>,
    /// The end of a negotiation without a common method.
    pub none: Option<Seen<NoMethod>>,
    /// The name as sent, escaped.
    pub user: Option<String>,
    /// Challenges of the server.
    pub challenges: u32,
    /// Responses of the client (or PAP requests), including repetitions.
    pub responses: u32,
    /// The result of the login.
    pub login: Option<Seen<Login>>,
    /// How long there was no answer to the last response, or no response to the last challenge.
    pub silent: Option<Seen<Duration>>,
    /// Whether LCP echoes were answered in the meantime, so that the path is open.
    pub path_lives: Option<bool>,
    /// The server's proof (S=) does not match the known password.
    pub proof_is_wrong: Option<Seen<()>>,
    /// The client's response does not match the known password.
    pub response_is_wrong: Option<Seen<()>>,
    /// Failures in a row from this address, including this one; from a record.
    pub failures_in_a_row: u32,
    /// What the server knows about a refused name and password but does not send to the client; from a
    /// record.
    pub known: Option<Known>,
}

/// Why a name and its password were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The account exists, with a different password.
    WrongPassword,
    /// The account does not exist.
    UnknownUser,
    /// An account exists under the name without its domain.
    OtherForm,
    /// The account has no password.
    NoPassword,
    /// A RADIUS server refused; only that server knows why.
    RejectedByServer,
}

impl Auth {
    /// The name for display: with a single backslash between domain and name, not a doubled one as in other
    /// texts from the network.
    pub fn shown_user(&self) -> Option<String> {
        self.user.as_ref().map(|user| user.replace("\\\\", "\\"))
    }
}

/// An authentication protocol (RFC 1661, 6.2), as LCP asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthProtocol {
    /// A method that adit supports.
    Method(AuthMethod),
    /// 0xc227: the method inside is negotiated later.
    Eap,
    /// Another protocol.
    Other(u16),
}

impl AuthProtocol {
    /// Whether this is the given method.
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

/// The failure to agree on a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMethod {
    /// The side that refused last.
    pub refused_by: Side,
    /// How often one side repeated its request.
    pub rounds: u32,
}

/// The result of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The verdict.
    pub verdict: Verdict,
    /// E= of MS-CHAP (RFC 2433, 2759).
    pub error: Option<u32>,
    /// R=: whether another attempt is allowed.
    pub retry: Option<bool>,
    /// The server's text, escaped.
    pub text: String,
}

/// The verdict on a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Success.
    Accepted,
    /// Failure.
    Refused,
}
