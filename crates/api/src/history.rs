//! Sessions that are over, as the store has them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use adit_diag::{LoginRefusal, Note};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::SessionId;

/// What may be asked about past sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Those that fit, a page at a time.
    List(Filter),
    /// One in full.
    Show {
        /// Its name, or a user name for the newest of that user.
        selector: String,
    },
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// To [`Request::List`].
    Page(Page),
    /// To [`Request::Show`].
    Shown(Box<PastDetail>),
}

/// Which sessions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Only of this user, without regard to case.
    pub user: Option<String>,
    /// Only those that were still running at or after this time.
    pub since: Option<Timestamp>,
    /// Only those that ended with a code.
    pub failed: bool,
    /// Only those with a name below this one: how to ask for the page before.
    pub before: Option<SessionId>,
    /// The newest so many; `None` for all.
    pub last: Option<u32>,
}

/// A page of past sessions: the newest that fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Oldest first.
    pub sessions: Vec<PastSession>,
    /// What to give as [`Filter::before`] for older ones; `None` when there are none.
    pub next: Option<SessionId>,
}

/// One session on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastSession {
    /// Its name.
    pub id: SessionId,
    /// When its control connection was accepted.
    pub started: Timestamp,
    /// The client's public address and port.
    pub from: SocketAddr,
    /// Since when it carried traffic; `None` when it never did.
    pub up: Option<Timestamp>,
    /// Host name the client gave, escaped.
    pub host: Option<String>,
    /// Vendor the client gave, escaped.
    pub vendor: Option<String>,
    /// Who; the claimed name when authentication failed.
    pub user: Option<String>,
    /// The group that decided.
    pub group: Option<String>,
    /// The pool of the address.
    pub pool: Option<String>,
    /// The client's inner address.
    pub address: Option<Ipv4Addr>,
    /// The server's inner address.
    pub server_address: Option<Ipv4Addr>,
    /// Authentication method.
    pub method: Option<String>,
    /// Encryption in words.
    pub mppe: Option<String>,
    /// Octets from the client.
    pub rx_bytes: u64,
    /// Octets to the client.
    pub tx_bytes: u64,
    /// Packets from the client.
    pub rx_packets: u64,
    /// Packets to the client.
    pub tx_packets: u64,
    /// How it ended; `None` while it runs, or when its server was killed.
    pub end: Option<End>,
    /// Steps left out of its record because there were too many.
    pub omitted: u64,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// Why, one word: `user-request`, `idle-timeout`, `failed` ...
    pub why: String,
    /// Who ended it, one word: `sent` (the server), `received` (the client), `note` (neither).
    pub by: String,
    /// The code of what broke. Text, because a newer program may have written one that this one does not know.
    pub code: Option<String>,
    /// One line of evidence.
    pub detail: String,
    /// Why the login was refused, if that ended it.
    pub refusal: Option<LoginRefusal>,
}

/// One session on record in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastDetail {
    /// As in the list.
    pub session: PastSession,
    /// Its record, in order.
    pub steps: Vec<PastStep>,
    /// Logins of its user from its address that were refused for the password, in a row, up to this session.
    pub failures_in_a_row: u32,
}

/// One step of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastStep {
    /// Time since the session started.
    pub at: Duration,
    /// Whose step, one word: `sent`, `received`, `note`.
    pub who: String,
    /// The protocol: `LCP`.
    pub layer: String,
    /// One line of text.
    pub text: String,
    /// The same for programs. `None` where a version wrote it that had no typed notes.
    pub note: Option<Note>,
}
