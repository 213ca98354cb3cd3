//! How long authentication waits for what.

use core::time::Duration;
use std::time::Instant;

/// The longest that one authentication takes, with all its rounds and tries: a person finds a code, and an account source
/// thinks, more than once.
const MAX_TIME: Duration = Duration::from_secs(180);

/// Times and counts of both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between two sendings of a packet that has no answer.
    pub resend: Duration,
    /// How often such a packet is sent.
    pub tries: u32,
    /// For the peer to answer, and then for the account source.
    pub total: Duration,
    /// For a person to type a new password, after a Failure that allows another try.
    pub retry: Duration,
    /// For all of it, however many rounds there are.
    pub limit: Duration,
}

/// 3 s, 10 times, 30 s, 60 s, 180 s.
impl Default for Timing {
    fn default() -> Timing {
        Timing {
            resend: Duration::from_secs(3),
            tries: 10,
            total: Duration::from_secs(30),
            retry: Duration::from_secs(60),
            limit: MAX_TIME,
        }
    }
}

/// The instant `wait` from now; a wait beyond what the clock can say is a day.
pub(super) fn later(now: Instant, wait: Duration) -> Instant {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    now.checked_add(wait).unwrap_or_else(|| now + DAY)
}
