//! LCP in Opened: echo (RFC 1661 section 5.8), sent only while the link is idle, and Time-Remaining.

use core::time::Duration;
use std::time::Instant;

use adit_wire::cp;
use adit_wire::lcp::{Marked, TimeRemaining};

use super::state::later;
use super::{Echo, Link};

/// The action that is due.
pub(super) enum Due {
    Nothing,
    /// Send an Echo-Request.
    Echo,
    /// The peer is dead; it was last heard this long ago.
    Dead(Duration),
}

#[derive(Debug)]
pub(super) struct Keepalive {
    echo: Echo,
    due: Instant,
    last_heard: Instant,
    /// The number of Echo-Requests sent since.
    unanswered: u32,
}

impl Keepalive {
    pub(super) fn new(now: Instant, echo: Echo) -> Keepalive {
        // Never zero, or time would not advance.
        let echo = Echo { every: echo.every.max(Duration::from_millis(10)), ..echo };
        Keepalive { echo, due: later(now, echo.every), last_heard: now, unanswered: 0 }
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// The number of unanswered Echo-Requests.
    pub(super) fn unanswered(&self) -> u32 {
        self.unanswered
    }

    /// When the first unanswered request was sent, if there are several: a single one may still be in flight.
    pub(super) fn unanswered_since(&self) -> Option<Instant> {
        (self.unanswered > 1).then(|| later(self.last_heard, self.echo.every))
    }

    /// Records a sign of life of the peer.
    pub(super) fn heard(&mut self, now: Instant) {
        self.due = later(now, self.echo.every);
        self.last_heard = now;
        self.unanswered = 0;
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Due {
        if now < self.due {
            return Due::Nothing;
        }
        self.due = later(now, self.echo.every);
        if self.unanswered >= self.echo.lost {
            return Due::Dead(now.duration_since(self.last_heard));
        }
        self.unanswered += 1;
        Due::Echo
    }
}

impl Link {
    pub(super) fn send_echo(&mut self, now: Instant) {
        let marked = Marked { magic: self.lcp.protocol().magic(), rest: &[] };
        let id = self.echoes.fresh(&mut self.rng);
        if self.lcp.send_with_id(cp::ECHO_REQUEST, id, &marked.to_vec()) {
            self.echoes.sent(id, now);
        }
    }

    /// Handles an Echo-Reply. Only one with the identifier of an open request is a sign of life.
    pub(super) fn echo_answered(&mut self, now: Instant, id: u8) {
        let sent = self.echoes.answered(id, now);
        if sent.is_none() && !self.size_answered(id) {
            return;
        }
        if let Some(keepalive) = &mut self.keepalive {
            keepalive.heard(now);
        }
        if let Some(sent) = sent {
            self.challenge_answered(now, sent);
        }
    }

    pub(super) fn send_time_remaining(&mut self, seconds: u32, message: &str) {
        let remaining =
            TimeRemaining { magic: self.lcp.protocol().magic(), seconds, message: message.as_bytes() };
        self.lcp.send(cp::TIME_REMAINING, &remaining.to_vec());
    }
}
