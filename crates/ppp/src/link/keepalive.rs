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

/// Echo-Requests that the peer has not answered, at least two: a single one may still be in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// When the first of them was sent.
    pub since: Instant,
    /// When the last of them was sent.
    pub last: Instant,
}

#[derive(Debug)]
pub(super) struct Keepalive {
    echo: Echo,
    due: Instant,
    last_heard: Instant,
    /// The number of Echo-Requests sent since, and when the last one was sent.
    unanswered: u32,
    last_sent: Instant,
    /// The round-trip time of Echo-Requests; zero if it is not known.
    round_trip: Duration,
}

impl Keepalive {
    pub(super) fn new(now: Instant, echo: Echo) -> Keepalive {
        // Never zero, or time would not advance.
        let echo = Echo { every: echo.every.max(Duration::from_millis(10)), ..echo };
        Keepalive {
            echo,
            due: later(now, echo.every),
            last_heard: now,
            unanswered: 0,
            last_sent: now,
            round_trip: Duration::ZERO,
        }
    }

    /// The time between Echo-Requests: on a line whose answers take longer than the configured interval, as long as an
    /// answer takes. So many requests as are configured then span at least so many round trips.
    fn interval(&self) -> Duration {
        self.echo.every.max(self.round_trip)
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// When the peer was last heard.
    pub(super) fn last_heard(&self) -> Instant {
        self.last_heard
    }

    /// The number of unanswered Echo-Requests.
    pub(super) fn unanswered(&self) -> u32 {
        self.unanswered
    }

    /// The requests that are unanswered, if there are several.
    pub(super) fn silence(&self) -> Option<Silence> {
        let since = later(self.last_heard, self.echo.every);
        (self.unanswered > 1).then_some(Silence { since, last: self.last_sent })
    }

    /// Records a sign of life of the peer.
    pub(super) fn heard(&mut self, now: Instant) {
        self.due = later(now, self.echo.every);
        self.last_heard = now;
        self.unanswered = 0;
    }

    /// Records an Echo-Reply, and the round-trip time known since.
    pub(super) fn answered(&mut self, now: Instant, round_trip: Duration) {
        self.round_trip = round_trip;
        self.heard(now);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Due {
        if now < self.due {
            return Due::Nothing;
        }
        self.due = later(now, self.interval());
        if self.unanswered >= self.echo.lost {
            return Due::Dead(now.duration_since(self.last_heard));
        }
        self.unanswered += 1;
        self.last_sent = now;
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
            keepalive.answered(now, self.echoes.round_trip());
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

#[cfg(test)]
mod tests {
    use super::super::echoes::Echoes;
    use super::*;

    const ECHO: Echo = Echo { every: Duration::from_secs(10), lost: 3 };

    /// Runs a link whose peer answers each Echo-Request after `delay`, from the time `from` to `until`; returns when it was
    /// considered dead. Times are seconds since the beginning; `answers` are under way.
    fn death(
        (keepalive, echoes): &mut (Keepalive, Echoes),
        answers: &mut Vec<(u64, u8)>,
        begin: Instant,
        delay: u64,
        from: u64,
        until: u64,
    ) -> Option<u64> {
        for second in from..until {
            let now = begin + Duration::from_secs(second);
            for (_, id) in answers.iter().filter(|(at, _)| *at == second) {
                echoes.answered(*id, now);
                keepalive.answered(now, echoes.round_trip());
            }
            match keepalive.handle_timeout(now) {
                Due::Nothing => {}
                Due::Echo => {
                    // Unique within the time that an answer takes.
                    let id = second as u8;
                    echoes.sent(id, now);
                    answers.push((second.saturating_add(delay), id));
                }
                Due::Dead(_) => return Some(second),
            }
        }
        None
    }

    #[test]
    fn a_dead_peer_is_detected_after_the_configured_time() {
        let begin = Instant::now();
        let mut line = (Keepalive::new(begin, ECHO), Echoes::default());
        assert_eq!(death(&mut line, &mut Vec::new(), begin, u64::MAX, 0, 200), Some(40));
    }

    #[test]
    fn a_line_that_becomes_slow_is_not_dead_and_gets_three_round_trips() {
        let begin = Instant::now();
        let mut line = (Keepalive::new(begin, ECHO), Echoes::default());
        let mut answers = Vec::new();
        // Each answer takes longer than the one before.
        for (delay, from, until) in [(1, 0, 100), (15, 100, 400), (29, 400, 1000)] {
            assert_eq!(death(&mut line, &mut answers, begin, delay, from, until), None, "{delay} s");
        }
        let heard = line.0.last_heard.duration_since(begin).as_secs();
        let dead = death(&mut line, &mut Vec::new(), begin, u64::MAX, 1000, 2000).unwrap();
        // The idle interval, and three round trips of 29 s.
        assert_eq!(dead - heard, 10 + 3 * 29);
    }
}
