//! Which time is believed. What is removed for its age is lost, so a clock alone must not decide that: one that was years
//! ahead for a minute would delete the whole history.
//!
//! The store remembers the newest time that is believed. A clock near it is believed. One far ahead of it, or far behind,
//! is doubted until the server has run with it for [`CLOCK_CONFIRMED_AFTER`]; until then things grow older only by the time
//! that the server really runs.

use std::time::Duration;

use jiff::Timestamp;

use crate::time::{from_ms, to_ms};

/// How far the clock may be from the newest time that is believed. A server may be switched off for as long.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(14 * 86_400);
/// How long the server has to run with a clock that is doubted before it is believed.
pub const CLOCK_CONFIRMED_AFTER: Duration = Duration::from_secs(7 * 86_400);

/// What the store knows about the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockCheck {
    /// It is near the newest time that is believed.
    Plausible,
    /// It is far ahead of that time.
    Ahead(Timestamp),
    /// It is far behind that time.
    Behind(Timestamp),
}

/// The newest time that is believed, and how long the server has run with a clock that is doubted; in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Believed {
    pub(crate) newest: i64,
    pub(crate) doubted: i64,
}

impl Believed {
    /// A clock is believed.
    pub(crate) fn clock(now: Timestamp) -> Believed {
        Believed { newest: to_ms(now), doubted: 0 }
    }

    /// The result of a check, and what to remember.
    pub(crate) fn check(self, now: Timestamp, ran: Duration) -> (ClockCheck, Believed) {
        let (at, ran, newest) = (to_ms(now), milliseconds(ran), self.newest);
        let verdict = match at.saturating_sub(newest) {
            ahead if ahead > milliseconds(CLOCK_TOLERANCE) => ClockCheck::Ahead(from_ms(newest)),
            ahead if ahead < -milliseconds(CLOCK_TOLERANCE) => ClockCheck::Behind(from_ms(newest)),
            _ => return (ClockCheck::Plausible, Believed::clock(now)),
        };
        let doubted = self.doubted.saturating_add(ran);
        if doubted >= milliseconds(CLOCK_CONFIRMED_AFTER) {
            return (ClockCheck::Plausible, Believed::clock(now));
        }
        (verdict, Believed { newest: newest.saturating_add(ran), doubted })
    }

    /// The time by which things are old: the clock, unless it is far ahead.
    pub(crate) fn time(self, now: Timestamp) -> Timestamp {
        match self.check(now, Duration::ZERO).0 {
            ClockCheck::Ahead(newest) => newest,
            ClockCheck::Plausible | ClockCheck::Behind(_) => now,
        }
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn day(number: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + number * 86_400).unwrap()
    }

    #[test]
    fn a_clock_that_goes_on_is_believed_and_one_that_jumped_is_not() {
        let mut believed = Believed::clock(day(0));
        for (now, expected) in [
            (1, ClockCheck::Plausible),
            (14, ClockCheck::Plausible),
            (3_650, ClockCheck::Ahead(day(14))),
            (-20_000, ClockCheck::Behind(day(14))),
            (15, ClockCheck::Plausible),
            (2, ClockCheck::Plausible),
        ] {
            let (verdict, next) = believed.check(day(now), Duration::ZERO);
            assert_eq!(verdict, expected, "day {now}");
            believed = next;
        }
    }

    #[test]
    fn with_a_doubted_clock_things_grow_old_by_the_time_that_the_server_runs() {
        let mut believed = Believed::clock(day(0));
        for hour in 1..=48 {
            let (verdict, next) = believed.check(day(400), Duration::from_secs(3600));
            assert!(matches!(verdict, ClockCheck::Ahead(_)), "{verdict:?}");
            believed = next;
            assert_eq!(believed.newest, to_ms(day(0)) + hour * 3_600_000);
        }
        assert_eq!(believed.time(day(400)), day(2));
        assert_eq!(believed.time(day(3)), day(3));
        assert_eq!(believed.time(day(-400)), day(-400), "a clock that is behind makes nothing old");
    }

    #[test]
    fn a_clock_that_stays_is_believed_in_the_end() {
        let mut believed = Believed::clock(day(0));
        let mut doubted = 0;
        loop {
            let (verdict, next) = believed.check(day(400 + doubted), DAY);
            believed = next;
            if verdict == ClockCheck::Plausible {
                break;
            }
            doubted += 1;
            assert!(doubted < 100);
        }
        assert_eq!(doubted, 6, "on the seventh day");
        assert_eq!(believed, Believed::clock(day(406)));
    }
}
