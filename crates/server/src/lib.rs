//! The server daemon: listener, sessions, accounting, control socket.
//!
//! One task drives one control connection with its call. The workers of the dataplane own the data path.
//! Blocking operations (the store) run on separate threads, and all writes go through one event writer.
#![forbid(unsafe_code)]

#[macro_use]
mod log_stderr;

mod addresses;
mod admission;
mod arrival;
mod capacity;
mod connection;
mod convert;
mod crashed;
mod dispatch;
#[cfg(test)]
mod effects;
mod ending;
mod error;
mod event_writer;
mod finding;
mod forgeries;
mod health;
mod host;
mod listener;
mod lockout;
mod login;
mod message;
mod rate_limit;
mod reach;
mod registry;
mod run;
mod server;
mod service;
mod session;
pub mod socket;
mod terminal;
mod unanswered;
mod watchdog;

pub use error::{Result, ServerError};
pub use listener::check_addresses;
pub use run::run;
pub use server::{Options, Reread};
