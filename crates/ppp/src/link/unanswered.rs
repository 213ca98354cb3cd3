//! A tunnel that is up, and whose packets never bring anything back although the peer answers LCP.

use std::time::Instant;

use super::dead::{AFTER, PACKETS};
use super::keepalive::Keepalive;
use super::state::Phase;
use super::{Link, LinkEvent};

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
