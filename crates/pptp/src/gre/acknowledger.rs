//! Decides when the peer must be told what has arrived.

use std::time::{Duration, Instant};

/// Acknowledgments owed to the peer: they ride on data whenever some leaves in time, and go alone otherwise.
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
    /// Acknowledges alone `delay` after the first packet that no data packet has acknowledged, and at once when
    /// `every` of them (at least 1) wait: a peer that does keep to a window must not run into its end.
    pub fn new(delay: Duration, every: u16) -> Acknowledger {
        Acknowledger { delay, every: u32::from(every.max(1)), owed: None }
    }

    /// A data packet arrived; `highest` is the highest sequence number received so far.
    pub fn received(&mut self, now: Instant, highest: u32) {
        let owed = self.owed.get_or_insert(Owed { number: highest, packets: 0, deadline: now + self.delay });
        owed.number = highest;
        owed.packets += 1;
    }

    /// The number to put on a packet that leaves now; nothing when the peer knows it all.
    pub fn take(&mut self) -> Option<u32> {
        self.owed.take().map(|owed| owed.number)
    }

    /// The number to send alone, if it is time for that.
    pub fn take_due(&mut self, now: Instant) -> Option<u32> {
        self.owed.take_if(|owed| owed.packets >= self.every || owed.deadline <= now).map(|owed| owed.number)
    }

    /// When an acknowledgment has to go alone.
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
