//! Load generator: many PPTP clients in one process and one thread, on the same machines that `adit connect` drives.
//!
//! No TUN and no routes: inner packets are made and checked here, so ten thousand clients need one raw socket.

mod call;
mod client;
pub mod cpu;
mod crowd;
mod io;
pub mod isolated;
mod load;
pub mod machine;
pub mod micro;
mod pings;
mod plan;
pub mod program;
mod replies;
pub mod results;
pub mod stats;
mod traffic;
pub mod until;
pub mod watch;

pub use client::Outcome;
pub use load::{Report, ServerUse, TrafficReport, run};
pub use pings::Pings;
pub use plan::{Load, Plan, Traffic};

/// The schema of report.json, which `adit-compare` writes and `adit-compare-runs` reads. Fields may be added without a new number.
pub const REPORT_SCHEMA: &str = "adit.bench/1";
