//! Answers.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::session::{SessionDetail, SessionRow};
use crate::status::Status;
use crate::{Error, accounts, history, log};

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// To [`crate::Request::Identity`].
    Identity(Identity),
    /// To [`crate::Request::Status`].
    Status(Box<Status>),
    /// To [`crate::Request::Sessions`], oldest first.
    Sessions(Vec<SessionRow>),
    /// To [`crate::Request::Session`].
    Session(Box<SessionDetail>),
    /// To [`crate::Request::Kick`]: the sessions that were (or would be) ended.
    Kicked(Vec<SessionRow>),
    /// To [`crate::Request::Accounts`].
    Accounts(accounts::Response),
    /// To [`crate::Request::History`].
    History(history::Response),
    /// To [`crate::Request::Log`].
    Log(log::Page),
    /// One of many to [`crate::Request::Follow`].
    Followed(log::Followed),
    /// To the others.
    Done(Done),
    /// It cannot be done.
    Error(Error),
}

/// What was done by a request that has nothing to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Done {
    /// To [`crate::Request::Reload`].
    Reloaded,
    /// To [`crate::Request::Drain`] with `on`.
    Draining,
    /// To [`crate::Request::Drain`] without.
    Accepting,
    /// To [`crate::Request::Stop`].
    Stopping,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Done::Reloaded => "new calls get the new configuration; the sessions that are up keep theirs",
            Done::Draining => "new calls are refused; the sessions that are up go on",
            Done::Accepting => "new calls are taken again",
            Done::Stopping => "stopping",
        })
    }
}

/// Which server answers: a caller that names a configuration or a state directory sees whether it is the one meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Version of the program.
    pub version: String,
    /// Process id.
    pub pid: u32,
    /// The configuration file, or `(built-in defaults)`.
    pub config: String,
    /// The database file; `None` for one in memory.
    pub database: Option<String>,
}
