//! A rate limit for log lines.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The shortest time between two log lines of the same kind.
const INTERVAL: Duration = Duration::from_secs(60);

/// Allows one log line a minute.
#[derive(Debug, Default)]
pub(crate) struct RateLimit(Mutex<Option<Instant>>);

impl RateLimit {
    /// Whether a line may be logged now; if so, the next one may be logged a minute later.
    pub(crate) fn is_due(&self) -> bool {
        self.is_due_at(Instant::now())
    }

    fn is_due_at(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let is_due = last.is_none_or(|at| now.saturating_duration_since(at) >= INTERVAL);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_is_logged() {
        let limit = RateLimit::default();
        let start = Instant::now();
        let due: Vec<u64> = (0..200).filter(|s| limit.is_due_at(start + Duration::from_secs(*s))).collect();
        assert_eq!(due, [0, 60, 120, 180]);
    }
}
