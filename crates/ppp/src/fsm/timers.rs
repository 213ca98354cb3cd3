//! The Restart timer and its counters (RFC 1661 section 4.6).

use core::time::Duration;

/// Timers and counters. The defaults are those of the RFC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Restart timer: how long a request waits for its reply.
    pub restart: Duration,
    /// Max-Configure: Configure-Requests sent without an answer before the layer gives up.
    pub max_configure: u32,
    /// Max-Terminate: Terminate-Requests sent without an answer.
    pub max_terminate: u32,
    /// Max-Failure: Configure-Naks sent before an option is rejected instead, and received before ours is
    /// dropped from our request.
    pub max_failure: u32,
}

impl Default for Timers {
    fn default() -> Timers {
        Timers { restart: Duration::from_secs(3), max_configure: 10, max_terminate: 2, max_failure: 5 }
    }
}
