//! The keep-alive of a control connection (RFC 2637 section 3.1.4) and the rate limit for Echo-Replies.

use std::time::{Duration, Instant};

/// The most Echo-Requests of the peer that are answered per second.
pub const ECHO_RATE: u32 = 10;

/// The action that is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// Send an Echo-Request with this identifier.
    Ask(u32),
    /// The last Echo-Request was not answered in time.
    Dead,
}

/// Checks whether an idle peer is alive.
#[derive(Debug)]
pub(super) struct KeepAlive {
    every: Option<Duration>,
    timeout: Duration,
    heard: Instant,
    /// The identifier of the unanswered Echo-Request, and when it was sent.
    asked: Option<(u32, Instant)>,
    next_identifier: u32,
}

impl KeepAlive {
    pub(super) fn new(
        every: Option<Duration>,
        timeout: Duration,
        now: Instant,
        first_identifier: u32,
    ) -> KeepAlive {
        let every = every.filter(|every| !every.is_zero());
        KeepAlive { every, timeout, heard: now, asked: None, next_identifier: first_identifier }
    }

    /// Records a message as a sign of life.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
    }

    /// Handles an Echo-Reply. One that matches no request is no sign of life.
    pub(super) fn answered(&mut self, now: Instant, identifier: u32) -> bool {
        let ours = self.asked.is_some_and(|(asked, _)| asked == identifier);
        if ours {
            self.heard(now);
        }
        ours
    }

    pub(super) fn deadline(&self) -> Option<(Instant, &'static str)> {
        match self.asked {
            Some(_) if self.timeout.is_zero() => None,
            Some((_, sent)) => Some((sent + self.timeout, "Echo-Reply deadline")),
            None => self.every.map(|every| (self.heard + every, "Echo-Request due")),
        }
    }

    pub(super) fn due(&mut self, now: Instant) -> Due {
        if self.deadline().is_none_or(|(at, _)| now < at) {
            return Due::Nothing;
        }
        match self.ask(now) {
            Some(identifier) => Due::Ask(identifier),
            None => Due::Dead,
        }
    }

    /// Records an Echo-Request and returns its identifier; `None` while another one is open.
    pub(super) fn ask(&mut self, now: Instant) -> Option<u32> {
        if self.asked.is_some() {
            return None;
        }
        let identifier = self.next_identifier;
        self.next_identifier = identifier.wrapping_add(1);
        self.asked = Some((identifier, now));
        Some(identifier)
    }

    /// When the peer was last heard.
    pub(super) fn last_heard(&self) -> Instant {
        self.heard
    }
}

/// Answers at most [`ECHO_RATE`] Echo-Requests in any second that begins with an answer.
#[derive(Debug)]
pub(super) struct EchoLimit {
    second: Instant,
    answered: u32,
}

impl EchoLimit {
    pub(super) fn new(now: Instant) -> EchoLimit {
        EchoLimit { second: now, answered: 0 }
    }

    pub(super) fn allow(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.second) >= Duration::from_secs(1) {
            *self = EchoLimit::new(now);
        }
        let allowed = self.answered < ECHO_RATE;
        self.answered += u32::from(allowed);
        allowed
    }
}
