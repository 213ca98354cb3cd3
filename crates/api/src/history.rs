//! Past sessions in the store.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use adit_diag::{LoginRefusal, Note, Traffic};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::SessionId;

/// A request about past sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// List the sessions that match, one page at a time.
    List(Filter),
    /// Show one session in detail.
    Show {
        /// Session ID, or a user name for the user's newest session.
        selector: String,
    },
}

/// The response to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// Response to [`Request::List`].
    Page(Page),
    /// Response to [`Request::Show`].
    Shown(Box<PastDetail>),
}

/// Which sessions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Only sessions of this user, without regard to case.
    pub user: Option<String>,
    /// Only sessions that had not ended before this time.
    pub since: Option<Timestamp>,
    /// Only sessions that began before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Only sessions that ended with a code.
    pub failed: bool,
    /// Only sessions with an ID below this one, to request the previous page.
    pub before: Option<SessionId>,
    /// Maximum number of sessions, the newest ones; `None` for all.
    pub last: Option<u32>,
}

/// A page of past sessions: the newest that match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The sessions, oldest first.
    pub sessions: Vec<PastSession>,
    /// The [`Filter::before`] for the previous page; `None` if there are no older sessions.
    pub next: Option<SessionId>,
}

/// The record of a past session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastSession {
    /// Session ID.
    pub id: SessionId,
    /// When its control connection was accepted.
    pub started: Timestamp,
    /// The client's public address and port.
    pub from: SocketAddr,
    /// Since when it carried traffic; `None` if it never came up.
    pub up: Option<Timestamp>,
    /// Host name that the client sent, escaped.
    pub host: Option<String>,
    /// Vendor name that the client sent, escaped.
    pub vendor: Option<String>,
    /// User name; the claimed one if authentication failed.
    pub user: Option<String>,
    /// The group whose rules applied.
    pub group: Option<String>,
    /// The pool of the client's address.
    pub pool: Option<String>,
    /// The client's inner address.
    pub address: Option<Ipv4Addr>,
    /// The server's inner address.
    pub server_address: Option<Ipv4Addr>,
    /// Authentication method.
    pub method: Option<String>,
    /// Encryption, as text.
    pub mppe: Option<String>,
    /// Its traffic; received is what the client sent.
    pub traffic: Traffic,
    /// How it ended; `None` while it is active, or if the server was killed.
    pub end: Option<SessionEnd>,
    /// Number of steps omitted from its record because there were too many.
    pub omitted: u64,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnd {
    /// Time of the end.
    pub at: Timestamp,
    /// The reason, one word: `user-request`, `idle-timeout`, `failed` ...
    pub why: String,
    /// The side that ended it, one word: `sent` (the server), `received` (the client), `note` (neither).
    pub by: String,
    /// The code of the failure. A string, because a newer version may have written a code that is unknown here.
    pub code: Option<String>,
    /// One line of evidence.
    pub detail: String,
    /// Why the login was refused, if that ended it.
    pub refusal: Option<LoginRefusal>,
}

/// One past session in detail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastDetail {
    /// The session as in the list.
    pub session: PastSession,
    /// Its record, in order.
    pub steps: Vec<Step>,
    /// Number of consecutive logins of this user from this address with a wrong password, up to this session.
    pub failures_in_a_row: u32,
}

/// One step of a session's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Time since the session started.
    pub at: Duration,
    /// Kind of step: `sent`, `received` or `note`.
    pub who: String,
    /// The protocol: `LCP`.
    pub layer: String,
    /// One line of text.
    pub text: String,
    /// The same in typed form. `None` if a version without typed notes wrote it, or a newer one wrote a note that is
    /// unknown here.
    pub note: Option<Note>,
}

impl Step {
    /// Maximum number of steps of one record.
    pub const MAX: usize = 512;
}
