//! How long authentication waits for what.

use core::time::Duration;
use std::time::Instant;

/// Times and counts of both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between two sendings of a packet that has no answer.
    pub resend: Duration,
    /// How often such a packet is sent.
    pub tries: u32,
    /// For the peer to answer, and then for whoever knows the accounts.
    pub total: Duration,
    /// For a person to type a new password, after a Failure that allows another try.
    pub retry: Duration,
}

/// 3 s, 10 times, 30 s, 60 s.
impl Default for Timing {
    fn default() -> Timing {
        Timing {
            resend: Duration::from_secs(3),
            tries: 10,
            total: Duration::from_secs(30),
            retry: Duration::from_secs(60),
        }
    }
}

/// The instant `wait` from now; a wait beyond what the clock can say is a day.
pub(super) fn later(now: Instant, wait: Duration) -> Instant {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    now.checked_add(wait).unwrap_or_else(|| now + DAY)
}
