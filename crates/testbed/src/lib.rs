//! Real network namespaces, NAT and foreign peers for tests.
//!
//! A [`Host`] is a network namespace without a name: it is held by a descriptor of this process, so nothing is left
//! behind even when a test is killed, and tests run in parallel without knowing of each other. Wires between hosts are
//! veth pairs; a [`Relay`] is a wire that loses, repeats, delays and reorders by rule.
//!
//! Nothing is skipped silently: where the rights or the kernel do not suffice, the test fails and names what it needs.
//!
//! ```no_run
//! use adit_testbed::{Host, wire};
//!
//! let (client, server) = (Host::new("client"), Host::new("server"));
//! wire((&client, "eth0", "192.0.2.1/24"), (&server, "eth0", "192.0.2.2/24"));
//! client.ping("192.0.2.2".parse().unwrap());
//! ```

#![allow(clippy::panic, reason = "a test fails by panicking, with a message")]

mod capture;
mod host;
mod mount;
mod nat;
mod process;
mod relay;
mod rule;
mod wires;

pub use adit_sys::ping::{Answer, Request};
pub use capture::Capture;
pub use host::{Host, Output, Published};
pub use mount::{MountNamespace, wrap};
pub use nat::{Helper, Nat};
pub use process::Running;
pub use relay::{Counts, Relay};
pub use rule::{Fate, Frame, Rule, Seeded, pass};
pub use wires::{End, bridge, wire};

use std::time::{Duration, Instant};

/// Calls `ready` every few milliseconds until it is true.
///
/// # Panics
/// When it is not within `limit`; `what` names what was waited for.
#[track_caller]
pub fn wait_until(what: &str, limit: Duration, mut ready: impl FnMut() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < limit, "waited {limit:?} for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
