//! The client: dials, configures interface, routes and DNS, reconnects, and undoes its changes to the host.
#![forbid(unsafe_code)]

mod attempt;
pub mod dial;
mod failure;
mod options;
mod progress;
mod run;
pub mod running;
pub mod setup;

pub use adit_dataplane::Io;
pub use adit_ppp::ccp::{Mode, MppePolicy, Stateful};
pub use failure::Failure;
pub use options::{ConnectOptions, ECHO_EVERY, ECHO_LOST, Routes};
pub use progress::{Milestone, Progress, Stage, State};
pub use run::{FIRST_WAIT, LONGEST_WAIT, run};
