//! The sliding window of RFC 2637 section 4.2, which limits unacknowledged packets, and the adaptive time-out
//! of section 4.4.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The largest window; a larger one of a peer is reduced to this, to limit memory.
const LARGEST: u16 = 1024;
/// The shortest acknowledgment time-out: a peer may collect acknowledgments for a while.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(150);
/// The longest acknowledgment time-out.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(3);
/// The assumed round-trip time before the first measurement, if the peer's Packet Processing Delay is lower.
/// RFC 2637 uses that delay alone, which nearly all peers send as 0.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(300);

/// The window of one call towards its peer.
#[derive(Clone, Debug)]
pub struct Window {
    size: u32,
    /// The peer's limit: Packet Recv. Window Size of its request or reply.
    largest: u32,
    /// When each unacknowledged packet was sent, oldest first.
    sent: VecDeque<Instant>,
    /// Packets acknowledged in time since the window last grew.
    in_time: u32,
    /// When the oldest unacknowledged packet times out.
    deadline: Option<Instant>,
    round_trip: Duration,
    deviation: Duration,
}

impl Window {
    /// The window towards a peer that takes `largest` packets at once (Packet Recv. Window Size, RFC 2637 sections 2.7 and
    /// 2.8) and needs `delay` for one (Packet Processing Delay). `None` for 0: such a peer has no window.
    pub fn new(largest: u16, delay: Duration) -> Option<Window> {
        if largest == 0 {
            return None;
        }
        let largest = u32::from(largest.min(LARGEST));
        Some(Window {
            size: (largest / 2).max(1),
            largest,
            sent: VecDeque::new(),
            in_time: 0,
            deadline: None,
            round_trip: delay.clamp(FIRST_ROUND_TRIP, LONGEST_TIMEOUT),
            deviation: Duration::ZERO,
        })
    }

    /// The number of packets that may be unacknowledged now.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// The number of packets that are unacknowledged now.
    pub fn outstanding(&self) -> u32 {
        self.sent.len() as u32
    }

    /// Whether the next packet must wait.
    pub fn is_full(&self) -> bool {
        self.outstanding() >= self.size
    }

    /// Records a sent packet with a payload. A packet that bypasses the window, such as a control frame, is
    /// counted as long as it fits into the largest window.
    pub fn sent(&mut self, now: Instant) {
        if self.sent.len() < self.largest as usize {
            self.sent.push_back(now);
            self.deadline.get_or_insert(now + self.timeout());
        }
    }

    /// Handles the acknowledgment of the `packets` oldest packets.
    pub fn acknowledged(&mut self, now: Instant, packets: u32) {
        let packets = (packets as usize).min(self.sent.len());
        // Only the newest packet gives the round-trip time: the others waited for it.
        let Some(newest) = self.sent.drain(..packets).next_back() else { return };
        self.measure(now.saturating_duration_since(newest));
        self.in_time += packets as u32;
        if self.in_time >= self.size {
            self.in_time = 0;
            self.size = (self.size + 1).min(self.largest);
        }
        self.deadline = (!self.sent.is_empty()).then(|| now + self.timeout());
    }

    /// When [`Window::handle_timeout`] must be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Handles an acknowledgment time-out, if it is due: halves the window, and no longer counts the packets
    /// in flight. Nothing is retransmitted.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        self.size = self.size.div_ceil(2);
        self.in_time = 0;
        self.sent.clear();
        self.deadline = None;
        self.round_trip = (self.round_trip * 2).min(LONGEST_TIMEOUT);
    }

    /// `ATO = RTT + 4 DEV`, within its limits.
    fn timeout(&self) -> Duration {
        (self.round_trip + 4 * self.deviation).clamp(SHORTEST_TIMEOUT, LONGEST_TIMEOUT)
    }

    /// `DIFF = SAMPLE - RTT; DEV += 1/4 (|DIFF| - DEV); RTT += 1/8 DIFF`.
    fn measure(&mut self, sample: Duration) {
        let sample = sample.min(LONGEST_TIMEOUT);
        let difference = sample.abs_diff(self.round_trip);
        self.deviation = (3 * self.deviation + difference) / 4;
        self.round_trip = (7 * self.round_trip + sample) / 8;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRIP: Duration = Duration::from_millis(20);

    fn window(largest: u16) -> (Window, Instant) {
        (Window::new(largest, Duration::ZERO).unwrap(), Instant::now())
    }

    #[test]
    fn c082_no_more_than_the_window_is_on_its_way_and_it_begins_at_half() {
        assert!(Window::new(0, Duration::ZERO).is_none(), "a peer without a window");
        for (largest, first) in [(1, 1), (2, 1), (3, 1), (16, 8), (64, 32), (u16::MAX, 512)] {
            let (mut window, now) = window(largest);
            for _ in 0..first {
                assert!(!window.is_full());
                window.sent(now);
            }
            assert!(window.is_full(), "{largest}");
        }
    }

    #[test]
    fn c082_a_window_acknowledged_in_time_grows_by_one_up_to_the_peers() {
        let (mut window, mut now) = window(8);
        let mut sizes = Vec::new();
        for _ in 0..40 {
            window.sent(now);
            now += TRIP;
            window.acknowledged(now, 1);
            sizes.push(window.size());
        }
        assert_eq!(&sizes[..10], [4, 4, 4, 5, 5, 5, 5, 5, 6, 6]);
        assert_eq!(sizes.last(), Some(&8));
    }

    #[test]
    fn c082_a_timeout_halves_it_and_forgets_what_was_on_its_way() {
        let (mut window, now) = window(64);
        for size in [16, 8, 4, 2, 1, 1] {
            while !window.is_full() {
                window.sent(now);
            }
            let deadline = window.poll_timeout().unwrap();
            window.handle_timeout(deadline - Duration::from_nanos(1));
            assert!(window.is_full());
            window.handle_timeout(deadline);
            assert_eq!((window.size(), window.outstanding(), window.poll_timeout()), (size, 0, None));
        }
    }

    #[test]
    fn c083_the_timeout_follows_the_round_trip() {
        let (mut window, mut now) = window(64);
        window.sent(now);
        assert_eq!(window.poll_timeout(), Some(now + FIRST_ROUND_TRIP));
        now += Duration::from_millis(380);
        window.acknowledged(now, 1);
        // DIFF 80, DEV 80 / 4, RTT 300 + 80 / 8.
        window.sent(now);
        assert_eq!(window.poll_timeout(), Some(now + Duration::from_millis(310 + 4 * 20)));
        for _ in 0..100 {
            now += TRIP;
            window.acknowledged(now, 1);
            window.sent(now);
        }
        assert_eq!(window.poll_timeout(), Some(now + SHORTEST_TIMEOUT));
        for _ in 0..100 {
            now += Duration::from_secs(60);
            window.acknowledged(now, 1);
            window.sent(now);
        }
        assert_eq!(window.poll_timeout(), Some(now + LONGEST_TIMEOUT));
    }

    #[test]
    fn c083_a_timeout_doubles_the_round_trip() {
        let (mut window, now) = window(64);
        for millis in [300, 600, 1200, 2400, 3000, 3000] {
            window.sent(now);
            let deadline = window.poll_timeout().unwrap();
            assert_eq!(deadline - now, Duration::from_millis(millis));
            window.handle_timeout(deadline);
        }
    }

    #[test]
    fn a_first_guess_is_the_peers_delay_where_that_is_long() {
        let now = Instant::now();
        let mut window = Window::new(4, Duration::from_secs(1)).unwrap();
        window.sent(now);
        assert_eq!(window.poll_timeout(), Some(now + Duration::from_secs(1)));
    }

    proptest! {
        #[test]
        fn any_sequence_keeps_the_bounds(largest in 1..=u16::MAX, steps in proptest::collection::vec((0..4u8, 0..2000u32), 0..300)) {
            let (mut window, mut now) = window(largest);
            for (step, value) in steps {
                match step {
                    0 => (0..value).for_each(|_| window.sent(now)),
                    1 => window.acknowledged(now, value),
                    2 => now += Duration::from_millis(value.into()),
                    _ => window.handle_timeout(now),
                }
                prop_assert!((1..=u32::from(largest)).contains(&window.size()));
                prop_assert!(window.outstanding() <= u32::from(largest.min(LARGEST)));
                prop_assert_eq!(window.poll_timeout().is_some(), window.outstanding() > 0);
            }
        }
    }
}
