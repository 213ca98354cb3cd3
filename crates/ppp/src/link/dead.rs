//! What is known of a tunnel that is up and may carry nothing.

use core::time::Duration;
use std::time::Instant;

/// The rejected packets, and the time that they may take, at which the peer is taken to have no MPPE.
const REJECTS: u32 = 3;
const WITHIN: Duration = Duration::from_secs(2);

/// The data packets that the peer has rejected.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unread {
    /// How many were rejected since this instant.
    since: Option<Instant>,
    count: u32,
    /// Whether CCP was negotiated again because of them.
    pub(super) has_renegotiated: bool,
}

impl Unread {
    /// None yet, since CCP is negotiated again.
    pub(super) const RENEGOTIATED: Unread = Unread { since: None, count: 0, has_renegotiated: true };

    /// Counts a rejected packet; returns whether there are enough of them.
    pub(super) fn note(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) > WITHIN) {
            (self.since, self.count) = (Some(now), 0);
        }
        self.count = self.count.saturating_add(1);
        self.count >= REJECTS
    }
}

/// The first Configure-Request of CCP from the peer.
#[derive(Clone, Debug, Default)]
pub(super) enum Delayed {
    /// It is not delayed, or was handled.
    #[default]
    No,
    /// It was not received yet; then it waits this long.
    Expected(Duration),
    /// It is handled at this instant; a later request takes its place.
    Request(Instant, Vec<u8>),
}

impl Delayed {
    pub(super) fn new(delay: Duration) -> Delayed {
        if delay.is_zero() { Delayed::No } else { Delayed::Expected(delay) }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Delayed::Request(due, _) => Some(*due),
            Delayed::No | Delayed::Expected(_) => None,
        }
    }
}

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

impl Unanswered {
    /// Records the number of data packets in both directions, while the network is up. Returns how long packets were sent in
    /// vain, once, if the peer was heard by LCP meanwhile, at `heard`.
    pub(super) fn note(
        &mut self,
        now: Instant,
        heard: Instant,
        (received, sent): (u64, u64),
    ) -> Option<Duration> {
        if self.is_settled || received > 0 || sent == 0 {
            self.is_settled |= received > 0;
            return None;
        }
        let since = *self.since.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since);
        self.is_settled = sent >= PACKETS && elapsed >= AFTER && heard > since;
        self.is_settled.then_some(elapsed)
    }
}
