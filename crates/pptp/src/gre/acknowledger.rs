//! Acknowledgment of received packets.

use std::time::{Duration, Instant};

/// Acknowledgments to send to the peer: they are carried by data packets if one is sent in time, and sent
/// alone otherwise.
#[derive(Clone, Debug)]
pub struct Acknowledger {
    delay: Duration,
    every: u32,
    owed: Option<Owed>,
}

#[derive(Clone, Copy, Debug)]
struct Owed {
    number: u32,
    packets: u32,
    deadline: Instant,
}

impl Acknowledger {
    /// Creates an acknowledger that sends an acknowledgment alone `delay` after the first unacknowledged
    /// packet, or as soon as `every` packets (at least 1) are unacknowledged: a peer that enforces a window
    /// must not run out of it.
    pub fn new(delay: Duration, every: u16) -> Acknowledger {
        Acknowledger { delay, every: u32::from(every.max(1)), owed: None }
    }

    /// Handles a received data packet; `highest` is the highest sequence number received so far.
    pub fn received(&mut self, now: Instant, highest: u32) {
        let owed = self.owed.get_or_insert(Owed { number: highest, packets: 0, deadline: now + self.delay });
        owed.number = highest;
        owed.packets += 1;
    }

    /// The Acknowledgment Number for a packet that is sent now; `None` if everything is acknowledged.
    pub fn take(&mut self) -> Option<u32> {
        self.owed.take().map(|owed| owed.number)
    }

    /// The Acknowledgment Number to send alone, if it is due.
    pub fn take_due(&mut self, now: Instant) -> Option<u32> {
        self.owed.take_if(|owed| owed.packets >= self.every || owed.deadline <= now).map(|owed| owed.number)
    }

    /// When an acknowledgment must be sent alone.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.owed.map(|owed| owed.deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(100);

    #[test]
    fn c080_data_carries_the_ack_and_an_idle_line_sends_it_alone() {
        let start = Instant::now();
        let mut acks = Acknowledger::new(DELAY, 16);
        assert_eq!((acks.take(), acks.poll_timeout()), (None, None), "nothing received, nothing to say");

        acks.received(start, 0);
        acks.received(start + DELAY / 2, 1);
        assert_eq!(acks.take(), Some(1));
        assert_eq!(acks.take(), None, "A is left out when nothing is new");

        acks.received(start, 2);
        acks.received(start + DELAY / 2, 3);
        assert_eq!(acks.poll_timeout(), Some(start + DELAY), "counted from the first of them");
        assert_eq!(acks.take_due(start + DELAY / 2), None);
        assert_eq!(acks.take_due(start + DELAY), Some(3));
        assert_eq!((acks.take_due(start + DELAY), acks.poll_timeout()), (None, None));
    }

    #[test]
    fn many_packets_are_acknowledged_at_once() {
        let now = Instant::now();
        let mut acks = Acknowledger::new(DELAY, 3);
        for seq in [u32::MAX - 1, u32::MAX] {
            acks.received(now, seq);
            assert_eq!(acks.take_due(now), None);
        }
        acks.received(now, 0);
        assert_eq!(acks.take_due(now), Some(0));
    }
}
