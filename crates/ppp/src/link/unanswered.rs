//! A tunnel that is up, and whose packets never bring anything back although the peer answers LCP.

use core::time::Duration;
use std::time::Instant;

use super::keepalive::Keepalive;
use super::state::Phase;
use super::{Link, LinkEvent};

/// The data packets to the peer, and the time since the first of them, after which silence is reported.
const PACKETS: u64 = 20;
const AFTER: Duration = Duration::from_secs(30);

/// What is known of data packets in both directions since the network came up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unanswered {
    /// When the caller first reported packets to the peer, and none from it.
    since: Option<Instant>,
    /// Whether a packet was received, or its absence was reported.
    is_settled: bool,
}

impl Link {
    /// Handles the number of data packets. Reports once if none was received, and LCP was answered meanwhile.
    pub(super) fn note_unanswered(&mut self, now: Instant, received: u64, sent: u64) {
        let Some(heard) = self.keepalive.as_ref().map(Keepalive::last_heard) else { return };
        let Phase::Network(network) = &mut self.phase else { return };
        if network.unanswered.is_settled || network.reported.is_none() {
            return;
        }
        if received > 0 {
            network.unanswered.is_settled = true;
        } else if sent > 0 {
            let since = *network.unanswered.since.get_or_insert(now);
            let elapsed = now.saturating_duration_since(since);
            if sent >= PACKETS && elapsed >= AFTER && heard > since {
                network.unanswered.is_settled = true;
                self.output.push_event(LinkEvent::Unanswered { sent, seconds: elapsed.as_secs() });
            }
        }
    }
}
