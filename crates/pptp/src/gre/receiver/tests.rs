use proptest::prelude::*;

use super::*;

const WAIT: Duration = Duration::from_millis(100);
const CONFIG: ReceiverConfig = ReceiverConfig { packets: 32, octets: 4096, wait: WAIT };

/// A receiver with its clock and the delivered packets.
struct Line {
    receiver: Receiver,
    now: Instant,
    out: Vec<u32>,
}

impl Line {
    fn new(config: ReceiverConfig) -> Line {
        Line { receiver: Receiver::new(config), now: Instant::now(), out: Vec::new() }
    }

    /// Passes a packet whose payload is its number.
    fn put(&mut self, seq: u32) -> Arrival {
        let arrival = self.receiver.receive(self.now, seq, &seq.to_be_bytes());
        if arrival == Arrival::Deliver {
            self.out.push(seq);
        }
        self.fetch();
        arrival
    }

    fn put_all(&mut self, numbers: impl IntoIterator<Item = u32>) {
        for seq in numbers {
            self.put(seq);
        }
    }

    fn fetch(&mut self) {
        while let Some((seq, payload)) = self.receiver.next_held() {
            assert_eq!(payload, seq.to_be_bytes());
            self.out.push(seq);
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.receiver.handle_timeout(self.now);
        self.fetch();
    }

    fn counters(&self) -> ReceiverCounters {
        self.receiver.counters()
    }
}

#[test]
fn c071_any_first_number_is_the_start() {
    for first in [0u32, 1, 0xffff_fff0, 0x8000_0000] {
        let mut line = Line::new(CONFIG);
        line.put_all((0..32).map(|n| first.wrapping_add(n)));
        assert_eq!(line.out.len(), 32);
        assert_eq!(line.counters(), ReceiverCounters::default());
    }
}

#[test]
fn c074_numbers_wrap_in_order_and_out_of_order() {
    let mut line = Line::new(CONFIG);
    line.put_all([u32::MAX - 1, 0, u32::MAX, 2, 1]);
    assert_eq!(line.out, [u32::MAX - 1, u32::MAX, 0, 1, 2]);
    assert_eq!(line.receiver.highest(), Some(2));
    assert_eq!(line.put(u32::MAX), Arrival::Dropped);
    assert_eq!(
        line.counters(),
        ReceiverCounters { reordered: 2, duplicate: 1, ..ReceiverCounters::default() }
    );
}

#[test]
fn c075_a_duplicate_is_delivered_once() {
    let mut line = Line::new(CONFIG);
    line.put_all([0, 0, 1, 3, 3, 2, 2, 3, 1]);
    assert_eq!(line.out, [0, 1, 2, 3]);
    assert_eq!(
        line.counters(),
        ReceiverCounters { duplicate: 5, reordered: 1, ..ReceiverCounters::default() }
    );
}

#[test]
fn c076_swapped_neighbours_come_out_in_order() {
    let mut line = Line::new(CONFIG);
    line.put_all((0..40).map(|n| n ^ 1).skip(1));
    // The very first packet was 0 (1 was skipped): the start is 0, nothing is missing but 1.
    line.put(1);
    assert_eq!(line.out[0], 0);
    let mut line = Line::new(CONFIG);
    line.put(0);
    line.put_all((1..41).map(|n| if n % 2 == 1 { n + 1 } else { n - 1 }));
    assert_eq!(line.out, (0..=40).collect::<Vec<_>>());
    assert_eq!(line.counters(), ReceiverCounters { reordered: 20, ..ReceiverCounters::default() });
}

#[test]
fn c077_c078_a_gap_is_given_up_in_time_and_its_packet_then_too_late() {
    let mut line = Line::new(CONFIG);
    line.put_all([0, 2, 3]);
    assert_eq!(line.out, [0]);
    assert_eq!(line.receiver.poll_timeout(), Some(line.now + WAIT));
    line.pass(WAIT / 2);
    assert_eq!(line.out, [0]);
    line.pass(WAIT / 2);
    assert_eq!(line.out, [0, 2, 3]);
    assert_eq!(line.receiver.poll_timeout(), None);
    assert_eq!(line.put(1), Arrival::Dropped);
    line.put(4);
    assert_eq!(line.out, [0, 2, 3, 4]);
    assert_eq!(
        line.counters(),
        ReceiverCounters { lost: 1, out_of_window: 1, ..ReceiverCounters::default() }
    );
}

#[test]
fn c077_two_gaps_have_a_time_each() {
    let mut line = Line::new(CONFIG);
    line.put_all([0, 2]);
    line.pass(WAIT / 2);
    line.put(4);
    line.pass(WAIT / 2);
    assert_eq!(line.out, [0, 2]);
    line.pass(WAIT / 2);
    assert_eq!(line.out, [0, 2, 4]);
}

#[test]
fn c079_the_buffer_is_bounded_in_packets() {
    let mut line = Line::new(CONFIG);
    line.put(0);
    for seq in 2..1000 {
        line.put(seq);
        assert!(line.receiver.waiting.first_waiting().is_none() || seq <= 32);
    }
    assert_eq!(line.out, [0].into_iter().chain(2..1000).collect::<Vec<_>>());
    assert_eq!(line.counters(), ReceiverCounters { lost: 1, ..ReceiverCounters::default() });
}

#[test]
fn c079_the_buffer_is_bounded_in_octets() {
    let mut receiver = Receiver::new(CONFIG);
    let now = Instant::now();
    receiver.receive(now, 0, &[0; 1000]);
    for seq in 2..6 {
        assert_eq!(receiver.receive(now, seq, &[0; 1000]), Arrival::Held);
        assert!(receiver.next_held().is_none());
    }
    receiver.receive(now, 6, &[0; 1000]);
    let mut out = Vec::new();
    while let Some((seq, _)) = receiver.next_held() {
        out.push(seq);
    }
    assert_eq!(out, [2, 3, 4, 5, 6]);
    // A packet larger than the whole limit is delivered at once.
    assert_eq!(receiver.receive(now, 8, &[0; 5000]), Arrival::Held);
    assert_eq!(receiver.next_held().map(|(seq, _)| seq), Some(8));
    assert_eq!(receiver.waiting.octets(), 0);
}

#[test]
fn without_a_buffer_gaps_are_skipped_at_once() {
    let mut line = Line::new(ReceiverConfig { packets: 0, ..CONFIG });
    line.put_all([0, 2, 1, 5]);
    assert_eq!(line.out, [0, 2, 5]);
    assert_eq!(
        line.counters(),
        ReceiverCounters { lost: 3, out_of_window: 1, ..ReceiverCounters::default() }
    );
}

#[test]
fn two_packets_of_a_new_range_make_a_jump() {
    let mut line = Line::new(CONFIG);
    line.put_all([0, 1, 3, 5000]);
    assert_eq!(line.out, [0, 1]);
    line.put(5001);
    assert_eq!(line.out, [0, 1, 3, 5000, 5001]);
    assert_eq!(line.counters(), ReceiverCounters { lost: 1 + 4996, ..ReceiverCounters::default() });
}

#[test]
fn a_jump_with_its_second_packet_missing_keeps_order() {
    let mut line = Line::new(CONFIG);
    line.put_all([0, 5000, 5002, 5001]);
    assert_eq!(line.out, [0, 5000, 5001, 5002]);
}

#[test]
fn a_lone_jump_is_believed_when_the_wait_is_over() {
    let mut line = Line::new(CONFIG);
    line.put_all([0, 4096]);
    assert_eq!(line.receiver.poll_timeout(), Some(line.now + WAIT));
    line.pass(WAIT);
    assert_eq!(line.out, [0, 4096]);
    line.put(4097);
    assert_eq!(line.out, [0, 4096, 4097]);
    assert_eq!(line.put(1), Arrival::Dropped, "the new range is proven");
    assert_eq!(
        line.counters(),
        ReceiverCounters { lost: 4095, out_of_window: 1, ..ReceiverCounters::default() }
    );
}

#[test]
fn one_forged_jump_never_stops_the_flow() {
    let mut line = Line::new(CONFIG);
    line.put_all([0, 1, 0x4000_0000, 2, 3]);
    assert_eq!(line.out, [0, 1, 2, 3]);
    // Even if the line is idle until the jump is accepted.
    line.put(0x4000_0000);
    line.pass(WAIT);
    line.put_all([4, 5]);
    assert_eq!(line.out, [0, 1, 2, 3, 0x4000_0000, 4, 5]);
    assert_eq!(line.counters(), ReceiverCounters { out_of_window: 2, ..ReceiverCounters::default() });
}

#[test]
fn forged_jumps_to_many_places_never_stop_the_flow() {
    let mut line = Line::new(CONFIG);
    for n in 0..100 {
        line.put(n);
        line.put(n + 1000 * (n + 1));
    }
    assert_eq!(line.out, (0..100).collect::<Vec<_>>());
}

#[test]
fn the_highest_number_counts_what_waits() {
    let mut line = Line::new(CONFIG);
    assert_eq!(line.receiver.highest(), None);
    line.put_all([7, 9]);
    assert_eq!(line.receiver.highest(), Some(9));
}

proptest! {
    /// Any input: only received packets are delivered, no packet is held forever, and the numbers rise unless
    /// an unconfirmed jump is reverted (which needs numbers more than 64 apart).
    #[test]
    fn output_rises(
        start: u32,
        steps in prop_oneof![
            proptest::collection::vec((0u32..60, 0u64..60), 1..300),
            proptest::collection::vec((0u32..1000, 0u64..60), 1..300),
        ],
        packets in 0u16..100,
    ) {
        let mut line = Line::new(ReceiverConfig { packets, octets: 100, wait: WAIT });
        let base = start;
        let mut put = Vec::new();
        for (index, (jitter, millis)) in steps.iter().enumerate() {
            let seq = base.wrapping_add(index as u32).wrapping_add(*jitter);
            put.push(seq);
            line.put(seq);
            line.pass(Duration::from_millis(*millis));
        }
        line.pass(WAIT);
        prop_assert!(line.receiver.poll_timeout().is_none());
        prop_assert!(line.out.iter().all(|seq| put.contains(seq)));
        let counters = line.counters();
        let known = line.out.len() as u64 + counters.duplicate + counters.out_of_window;
        prop_assert!(known >= put.len() as u64);
        if steps.iter().all(|(jitter, _)| *jitter < 60) {
            prop_assert!(line.out.windows(2).all(|pair| ahead(pair[1], pair[0]) > 0));
        }
    }

    /// Reordering within the window is fully reversed.
    #[test]
    fn a_shuffle_within_the_window_is_undone(start: u32, keys in proptest::collection::vec(0u32..16, 1..300)) {
        let mut order: Vec<(u32, u32)> = keys.iter().enumerate().map(|(n, key)| (n as u32 + key, n as u32)).collect();
        order.sort();
        let mut line = Line::new(CONFIG);
        line.put(start);
        line.put_all(order.iter().map(|(_, n)| start.wrapping_add(1 + n)));
        let expected: Vec<u32> = (0..=keys.len() as u32).map(|n| start.wrapping_add(n)).collect();
        prop_assert_eq!(&line.out, &expected);
    }
}
