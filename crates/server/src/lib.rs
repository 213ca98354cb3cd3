//! The server daemon: listener, sessions, accounting, control socket.
//!
//! One task drives one control connection with its call; the data path belongs to the dataplane's workers; what may
//! block (the store) is asked on threads of its own, and what is written down goes through one journal.
#![forbid(unsafe_code)]

#[macro_use]
mod say;

mod accounts;
mod addresses;
mod connection;
pub mod control;
mod dhcp;
mod dispatch;
mod door;
mod ending;
mod error;
mod host;
mod journal;
mod listener;
mod mail;
mod meaning;
mod registry;
mod run;
mod server;
mod session;
pub mod socket;

pub use error::{Result, ServerError};
pub use run::run;
pub use server::{Options, Reread};
