//! The administration interface as types: what may be asked of a server, what it answers, and how it refuses.
//!
//! The control socket, the command line and later HTTP are doors to one service; all of them speak these types and no
//! other. Nothing here does I/O, reads a clock or knows an exit code. One module for each kind of thing: live sessions
//! and the server itself in [`session`] and [`status`], [`accounts`], past sessions in [`history`], events in [`log`];
//! a further kind is a further module and one variant of [`Request`] and [`Response`].
#![forbid(unsafe_code)]

pub mod accounts;
mod error;
pub mod history;
mod id;
pub mod log;
mod request;
mod response;
pub mod session;
pub mod status;
pub mod text;
mod utc;

pub use error::{Error, Kind, Result};
pub use id::SessionId;
pub use request::Request;
pub use response::{Done, Identity, Response};
pub use utc::Utc;
