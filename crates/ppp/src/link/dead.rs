//! What is known of a tunnel that is up and may carry nothing.

use core::time::Duration;
use std::time::Instant;

/// The rejected packets in a row, with nothing decrypted between them, at which the peer is taken to have no MPPE. Their
/// number counts, not their rate: a user who tries a ping sends one packet a second.
const REJECTS: u32 = 3;
/// Without a rejected packet for this long, the count begins anew.
const PAUSE: Duration = Duration::from_secs(60);
/// The rejected packets, and their time, at which a peer that encrypts is taken not to decrypt.
const ONE_WAY: (u32, Duration) = (10, Duration::from_secs(5));

/// The data packets that the peer has rejected.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unread {
    /// When the first and the last of them were rejected.
    time: Option<(Instant, Instant)>,
    count: u32,
    /// How many of them since a frame has decrypted.
    in_a_row: u32,
    /// Whether CCP was negotiated again because of them, and whether a frame has decrypted since.
    renegotiated: Option<bool>,
}

impl Unread {
    /// Counts a rejected packet; returns what to do about it.
    pub(super) fn note(&mut self, now: Instant) -> Remedy {
        let first = match self.time {
            Some((first, last)) if now.saturating_duration_since(last) <= PAUSE => first,
            _ => {
                *self = Unread::default();
                now
            }
        };
        self.time = Some((first, now));
        self.count = self.count.saturating_add(1);
        self.in_a_row = self.in_a_row.saturating_add(1);
        let (count, time) = ONE_WAY;
        let is_one_way = self.count >= count && now.saturating_duration_since(first) >= time;
        if self.in_a_row < REJECTS && !is_one_way {
            return Remedy::Wait;
        }
        let was_renegotiated = self.renegotiated.is_some();
        *self = Unread { time: Some((now, now)), renegotiated: Some(false), ..Unread::default() };
        if was_renegotiated { Remedy::End } else { Remedy::Renegotiate }
    }

    /// Records that a frame from the peer has decrypted.
    pub(super) fn note_decrypted(&mut self) {
        self.in_a_row = 0;
        if let Some(has_decrypted) = &mut self.renegotiated {
            *has_decrypted = true;
        }
    }

    /// Whether CCP was negotiated again, and nothing has decrypted since.
    pub(super) fn is_renegotiated_in_vain(&self) -> bool {
        self.renegotiated == Some(false)
    }
}

/// What to do about a rejected packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Nothing yet.
    Wait,
    /// CCP is to be negotiated again.
    Renegotiate,
    /// That has not helped.
    End,
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

/// The data packets to the peer, and the time since the first of them, after which silence is reported: of a peer that has
/// never sent a data packet, and of one that has.
const AT_FIRST: (u64, Duration) = (20, Duration::from_secs(30));
const LATER: (u64, Duration) = (40, Duration::from_secs(60));
/// Without a packet to the peer for this long, both begin anew: what was sent at once may still be answered.
const IDLE: Duration = Duration::from_secs(45);
/// The time between two reports. One-way traffic looks the same, and must not fill the log.
const BETWEEN: Duration = Duration::from_secs(3600);

/// What is known of data packets in both directions since the network came up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unanswered {
    /// The packets in both directions when they were last counted.
    received: u64,
    sent: u64,
    run: Option<Run>,
    reported: Option<Instant>,
}

/// Packets to the peer, one after the other, while none was received.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// When the first and the last of them were counted.
    since: Instant,
    last: Instant,
    /// The packets sent before.
    before: u64,
}

impl Unanswered {
    /// Records the number of data packets in both directions, while the network is up. Returns how many packets were sent in
    /// vain and for how long, if the peer was heard by LCP meanwhile, at `heard`.
    pub(super) fn note(
        &mut self,
        now: Instant,
        heard: Instant,
        (received, sent): (u64, u64),
    ) -> Option<(u64, Duration)> {
        if received > self.received {
            *self = Unanswered { received, sent, run: None, ..*self };
            return None;
        }
        let before = core::mem::replace(&mut self.sent, sent);
        if sent > before {
            let current = self.run.filter(|run| now.saturating_duration_since(run.last) <= IDLE);
            let run = current.unwrap_or(Run { since: now, last: now, before });
            self.run = Some(Run { last: now, ..run });
        }
        let run = self.run?;
        let (unanswered, elapsed) = (sent - run.before, now.saturating_duration_since(run.since));
        let (packets, time) = if received == 0 { AT_FIRST } else { LATER };
        let is_known = self.reported.is_some_and(|at| now.saturating_duration_since(at) < BETWEEN);
        let is_report = unanswered >= packets && elapsed >= time && heard > run.since && !is_known;
        is_report.then(|| {
            self.reported = Some(now);
            (unanswered, elapsed)
        })
    }
}
