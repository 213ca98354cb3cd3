//! The timers of calls.

use adit_wire::LocalCallId;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Deadlines of calls. An entry may be outdated: the worker that takes it checks with the call whether it is
/// due, and arms it again.
#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(Instant, LocalCallId)>>);

impl Timers {
    /// Adds the deadline `at` for `call_id`.
    pub(crate) fn arm(&mut self, at: Instant, call_id: LocalCallId) {
        self.0.push(Reverse((at, call_id)));
    }

    /// Removes and returns the next call whose deadline has passed.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<(Instant, LocalCallId)> {
        let due = self.0.peek().is_some_and(|Reverse((at, _))| *at <= now);
        if due { self.0.pop().map(|Reverse(entry)| entry) } else { None }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn deadlines_come_in_order() {
        let now = Instant::now();
        let at = |n| now + Duration::from_millis(n);
        let mut timers = Timers::default();
        for (n, call_id) in [(5, 1), (3, 2), (9, 3), (3, 4)] {
            timers.arm(at(n), LocalCallId::new(call_id));
        }
        assert_eq!(timers.next(), Some(at(3)));
        assert_eq!(timers.take_due(at(2)), None);
        assert_eq!(timers.take_due(at(5)), Some((at(3), LocalCallId::new(2))));
        assert_eq!(timers.take_due(at(5)), Some((at(3), LocalCallId::new(4))));
        assert_eq!(timers.take_due(at(5)), Some((at(5), LocalCallId::new(1))));
        assert_eq!(timers.take_due(at(5)), None);
        assert_eq!(timers.next(), Some(at(9)));
    }
}
