//! Load generator: many PPTP clients in one process, on the same machines that `adit connect` drives.
//!
//! No TUN and no routes: inner packets are made and checked here, so a thousand clients need one raw socket.

mod client;
mod io;
mod load;
pub mod micro;
mod traffic;

pub use client::Outcome;
pub use load::{Plan, Report, run};
pub use traffic::Pings;
