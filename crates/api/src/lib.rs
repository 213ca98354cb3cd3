//! Types of the administration interface: requests, responses and errors.
//!
//! The control socket, the command line and later HTTP are transports of one service and use only these types. Nothing
//! here does I/O, reads a clock or uses exit codes. There is one module per kind of object: live sessions and the
//! server itself in [`session`] and [`status`], [`accounts`], [`bans`], [`pools`], past sessions in [`history`], events in [`log`]. A new
//! kind needs a new module and one variant each of [`Request`] and [`Response`].
#![forbid(unsafe_code)]

pub mod accounts;
pub mod bans;
mod error;
pub mod history;
mod id;
pub mod log;
pub mod pools;
mod request;
mod response;
pub mod session;
pub mod status;
pub mod text;
mod utc;

pub use error::{Error, Kind, Result, SessionConflict};
pub use id::SessionId;
pub use request::Request;
pub use response::{Done, Identity, Response};
pub use utc::Utc;
