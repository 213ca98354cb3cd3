//! Responses.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::session::{SessionDetail, SessionRow};
use crate::status::Status;
use crate::{Error, accounts, bans, history, log, pools};

/// A response of the service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// Response to [`crate::Request::Identity`].
    Identity(Identity),
    /// Response to [`crate::Request::Status`].
    Status(Box<Status>),
    /// Response to [`crate::Request::Sessions`], oldest first.
    Sessions(Vec<SessionRow>),
    /// Response to [`crate::Request::Session`].
    Session(Box<SessionDetail>),
    /// Response to [`crate::Request::Kick`]: the sessions that were, or would be, ended.
    Kicked(Vec<SessionRow>),
    /// Response to [`crate::Request::Accounts`].
    Accounts(accounts::Response),
    /// Response to [`crate::Request::Bans`].
    Bans(bans::Response),
    /// Response to [`crate::Request::Pools`].
    Pools(pools::Response),
    /// Response to [`crate::Request::History`].
    History(history::Response),
    /// Response to [`crate::Request::Log`].
    Log(log::Page),
    /// One of many responses to [`crate::Request::Follow`].
    Followed(log::Followed),
    /// Response to all other requests.
    Done(Done),
    /// The request failed.
    Error(Error),
}

/// The result of a request that returns no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Done {
    /// Response to [`crate::Request::Reload`].
    Reloaded,
    /// Response to [`crate::Request::Drain`] with `on`.
    Draining,
    /// Response to [`crate::Request::Drain`] without `on`.
    Accepting,
    /// Response to [`crate::Request::Stop`].
    Stopping,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Done::Reloaded => "new calls get the new configuration; sessions that are up keep theirs, except for access rules, which apply at once",
            Done::Draining => "new calls are refused; the sessions that are up go on",
            Done::Accepting => "new calls are taken again",
            Done::Stopping => "stopping",
        })
    }
}

/// The identity of the server, which a caller compares with the configuration and state directory that it uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Version of the program.
    pub version: String,
    /// Process ID.
    pub pid: u32,
    /// The configuration file, or `(built-in defaults)`.
    pub config: String,
    /// The database file; `None` for one in memory.
    pub database: Option<String>,
}
