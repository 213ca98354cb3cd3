//! The state of a control connection (RFC 2637 section 3.1).

use std::time::Instant;

use adit_wire::pptp::StopReason;

use super::events::End;
use super::timers::KeepAlive;

/// Every variant owns what is valid in it.
#[derive(Debug)]
pub(super) enum State {
    /// Server: TCP is open, Start-Control-Connection-Request has not come.
    WaitRequest { deadline: Instant },
    /// Client: Start-Control-Connection-Request sent.
    WaitReply { deadline: Instant },
    /// Calls can be made.
    Established {
        keepalive: KeepAlive,
        /// Since when there has been no call.
        callless: Option<Instant>,
        /// Whether there ever was a call.
        used: bool,
    },
    /// We want to stop, and wait for the Call-Disconnect-Notify of calls that we cleared.
    Clearing { reason: StopReason, end: End, deadline: Instant },
    /// Stop-Control-Connection-Request sent.
    WaitStopReply { end: End, deadline: Instant },
    /// Over: nothing is read any more.
    Closed,
}
