//! Administration on the store and the configuration: accounts, past sessions, events.
//!
//! Typed requests in, typed responses out; nothing is printed, and there are no prompts. The server calls this for
//! requests from its transports; the command line calls it directly when no server runs. There is one module per kind
//! of object, as in [`adit_api`]; a new kind (groups) needs a new module and one arm of [`call`].
#![forbid(unsafe_code)]

pub mod account_file;
pub mod accounts;
mod bans;
mod context;
mod error;
mod history;
mod lockout;
mod log;
mod page;
mod pools;

pub use context::{ConfigFile, Context, FileState, Recorder, StoreRecorder};
pub use error::refused;
pub use lockout::{LockoutState, StoredLockout, to_ms};
pub use log::event;
pub use page::PageLimit;

use adit_api::{Error, Kind, Request, Response, Result};
use adit_diag::printable;

/// Carries out a request that needs only the store and the configuration.
///
/// # Errors
/// The errors of each module; [`Kind::Unavailable`] for requests that only a running server can carry out.
pub fn call(context: &Context<'_>, request: &Request) -> Result<Response> {
    match request {
        Request::Accounts(request) => accounts::call(context, request).map(Response::Accounts),
        Request::Bans(request) => bans::call(context, request).map(Response::Bans),
        Request::Pools(request) => pools::call(context, request).map(Response::Pools),
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
