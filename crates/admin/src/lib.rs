//! The use cases of administration, on the store and the configuration: accounts, past sessions, events.
//!
//! Typed requests in, typed answers out; nothing is printed, and there are no prompts. The server calls this for requests that arrive
//! through its doors; the command line calls it directly when no server runs. One module for each kind of thing, as in
//! [`adit_api`]; a further kind (bans, groups) is a further module and one arm of [`call`].
#![forbid(unsafe_code)]

pub mod accounts;
mod context;
mod error;
mod history;
mod log;

pub use context::{ConfigFile, Context, FileState, Recorder, StoreRecorder};
pub use error::refused;
pub use log::event;

use adit_api::{Error, Kind, Request, Response, Result};

/// Carries out what needs nothing but store and configuration.
///
/// # Errors
/// The refusals of each use case; [`Kind::Unavailable`] for what only a running server can do.
pub fn call(context: &Context<'_>, request: &Request) -> Result<Response> {
    match request {
        Request::Accounts(request) => accounts::call(context, request).map(Response::Accounts),
        Request::History(request) => history::call(context, request).map(Response::History),
        Request::Log(filter) => log::read(context, filter).map(Response::Log),
        Request::Identity
        | Request::Status
        | Request::Sessions
        | Request::Session { .. }
        | Request::Kick { .. }
        | Request::Reload
        | Request::Drain { .. }
        | Request::Stop
        | Request::Follow(_) => {
            Err(Error::new(Kind::Unavailable, "only a running server can do this").fix("adit serve"))
        }
    }
}
