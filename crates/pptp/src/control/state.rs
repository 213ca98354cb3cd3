//! The state of a control connection (RFC 2637 section 3.1).

use std::time::Instant;

use adit_wire::pptp::StopReason;

use super::events::End;
use super::timers::KeepAlive;

/// The states; each variant owns the data that is valid in it.
#[derive(Debug)]
pub(super) enum State {
    /// Server: TCP is open, Start-Control-Connection-Request was not received yet.
    WaitRequest { deadline: Instant },
    /// Client: Start-Control-Connection-Request was sent.
    WaitReply { deadline: Instant },
    /// Calls can be made.
    Established {
        keepalive: KeepAlive,
        /// Since when there has been no call.
        callless: Option<Instant>,
        /// Whether there was any call.
        used: bool,
    },
    /// We are stopping, and wait for the Call-Disconnect-Notify of the calls that we cleared.
    Clearing { reason: StopReason, end: End, deadline: Instant },
    /// Stop-Control-Connection-Request was sent.
    WaitStopReply { end: End, deadline: Instant },
    /// Closed: no input is read any more.
    Closed,
}
