//! Timers and limits of authentication.

use core::time::Duration;
use std::time::Instant;

/// The longest time of one authentication, with all its rounds and attempts: a user may look for a code, and
/// an account source may be slow, more than once.
const MAX_TIME: Duration = Duration::from_secs(180);

/// Timers and limits of both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The interval at which an unanswered packet is repeated.
    pub resend: Duration,
    /// How often such a packet is sent.
    pub tries: u32,
    /// The time limit for the peer to answer, and then for the account source.
    pub total: Duration,
    /// The time limit for the user to type another password after a Failure that allows it.
    pub retry: Duration,
    /// The overall time limit, however many rounds there are.
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

/// The instant `wait` from now, or a day from now if the clock cannot represent it.
pub(super) fn later(now: Instant, wait: Duration) -> Instant {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    now.checked_add(wait).unwrap_or_else(|| now + DAY)
}
