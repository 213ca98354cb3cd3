use std::time::Duration;

use super::super::{Arrival, ReceiverConfig};
use super::*;

const WAIT: Duration = Duration::from_millis(100);

fn receiver(last: u32) -> Receiver {
    let config = ReceiverConfig { packets: 32, octets: 4096, wait: WAIT };
    let mut receiver = Receiver::new(config);
    receiver.require_proof(true);
    receiver.prove(last);
    receiver
}

#[test]
fn only_a_proven_number_was_received() {
    let mut receiver = receiver(100);
    for _ in 0..3 {
        assert_eq!(receiver.place(101), Place::Ahead(1));
        assert_eq!(receiver.place(164), Place::Ahead(64));
    }
    receiver.prove(101);
    assert_eq!(receiver.place(101), Place::Seen);
    receiver.prove(104);
    assert_eq!([102, 103, 104].map(|seq| receiver.place(seq)), [Place::Late, Place::Late, Place::Seen]);
    assert_eq!(
        (receiver.place(169), receiver.place(41), receiver.place(40)),
        (Place::Far, Place::Late, Place::Far)
    );
    assert_eq!(receiver.counters().lost, 2);
}

#[test]
fn c074_places_wrap() {
    let mut receiver = receiver(u32::MAX - 1);
    assert_eq!((receiver.place(u32::MAX), receiver.place(3)), (Place::Ahead(1), Place::Ahead(5)));
    receiver.prove(1);
    assert_eq!((receiver.place(u32::MAX), receiver.place(u32::MAX - 1)), (Place::Late, Place::Seen));
    assert_eq!(receiver.proven(), Some(1));
}

#[test]
fn a_frame_in_clear_only_widens_the_range() {
    let mut receiver = receiver(10);
    for seq in 11..=110 {
        receiver.note_clear(seq);
    }
    assert_eq!((receiver.proven(), receiver.place(11)), (Some(10), Place::Ahead(1)));
    assert_eq!((receiver.place(174), receiver.place(175)), (Place::Ahead(164), Place::Far));
    receiver.note_clear(1_000_000);
    assert_eq!(receiver.place(175), Place::Far, "one that is far away does not");
    receiver.prove(111);
    assert_eq!((receiver.counters().lost, receiver.place(176)), (0, Place::Far));
}

#[test]
fn what_is_missing_between_frames_in_clear_is_lost_until_it_arrives() {
    let mut receiver = receiver(10);
    let lost: Vec<_> =
        [12, 13, 17, 11].map(|seq| (receiver.note_clear(seq), receiver.counters().lost)).to_vec();
    assert_eq!(lost, [(Some(12), 1), (Some(13), 1), (Some(17), 4), (Some(17), 3)]);
    receiver.prove(18);
    assert_eq!(receiver.counters().lost, 3);
}

#[test]
fn other_keys_and_the_end_of_mppe_keep_what_frames_in_clear_have_shown() {
    for ends in [false, true] {
        let mut receiver = receiver(10);
        (11..=200).filter(|seq| seq % 4 != 0).for_each(|seq| {
            let _ = receiver.note_clear(seq);
        });
        let lost = receiver.counters().lost;
        receiver.require_proof(!ends);
        assert_eq!(receiver.counters().lost, lost);
        assert!(lost > 40);
        if ends {
            let now = Instant::now();
            assert_eq!(receiver.receive(now, 200, &[]), Arrival::Held);
            receiver.handle_timeout(now + WAIT);
            assert_eq!((receiver.next_held(), receiver.counters().lost), (Some((200, vec![])), lost));
        } else {
            assert_eq!(receiver.place(200), Place::Ahead(190));
        }
    }
}

#[test]
fn begun_frames_move_the_range_when_they_are_confirmed() {
    let mut receiver = receiver(7);
    assert!(receiver.begin_next(8) && receiver.begin_next(9) && !receiver.begin_next(9));
    assert_eq!(receiver.proven(), Some(7));
    assert!(receiver.confirm(8));
    assert_eq!(receiver.proven(), Some(8));
    receiver.roll_back();
    assert!(!receiver.confirm(9), "it was rolled back");
    assert!(receiver.is_next(9));
    assert!(receiver.hold_back(Instant::now(), 11, &[1], true));
    assert!(!receiver.begin_next(9), "one waits for it");
}

#[test]
fn frames_wait_in_order_and_an_unproven_one_keeps_no_other_out() {
    let mut receiver = receiver(0);
    let now = Instant::now();
    for (seq, payload) in [(5, 1), (3, 2), (5, 3), (3, 4)] {
        assert!(receiver.hold_back(now, seq, &[payload], false));
    }
    let held: Vec<_> = std::iter::from_fn(|| receiver.take_held()).collect();
    assert_eq!(held, [(3, vec![2]), (3, vec![4]), (5, vec![1]), (5, vec![3])]);
    assert!(receiver.hold_back(now, 3, &[1], true) && !receiver.hold_back(now, 3, &[2], true));
    assert!(!receiver.gives_up(now) && receiver.gives_up(now + WAIT));
    assert_eq!(receiver.poll_timeout(), Some(now + WAIT));
    receiver.prove(4);
    assert!(receiver.first_held().is_none(), "its turn is over");
}

#[test]
fn what_waits_has_bounds() {
    let now = Instant::now();
    let mut numbers = receiver(0);
    assert!(numbers.hold_back(now, 33, &[1], false));
    assert!(numbers.gives_up(now));
    let mut octets = receiver(0);
    for seq in 2..7 {
        assert!(octets.hold_back(now, seq, &[0; 1000], false));
    }
    assert!(octets.gives_up(now));
    let mut copies = receiver(0);
    let held = (0..1000).filter(|_| copies.hold_back(now, 2, &[0], false)).count();
    assert_eq!(held, COPIES);
}

#[test]
fn a_range_that_was_left_is_resumed() {
    let mut receiver = receiver(100);
    let position = receiver.go_to(5000);
    assert_eq!((receiver.place(5001), receiver.place(101)), (Place::Ahead(1), Place::Far));
    assert_eq!((position.distance(101), position.distance(100), receiver.counters().lost), (1, 0, 4899));
    let back = receiver.resume(position);
    assert_eq!((receiver.place(101), receiver.place(100)), (Place::Ahead(1), Place::Seen));
    assert_eq!((back.distance(5001), receiver.counters().lost), (1, 0));
}

/// Before, any host could send them.
#[test]
fn numbers_received_before_proof_was_required_may_still_arrive() {
    let mut receiver = Receiver::new(ReceiverConfig { packets: 32, octets: 4096, wait: WAIT });
    let now = Instant::now();
    for seq in 100..120 {
        receiver.receive(now, seq, &[]);
    }
    receiver.require_proof(true);
    assert_eq!([105, 119].map(|seq| receiver.place(seq)), [Place::Late; 2]);
    assert_eq!(receiver.place(120), Place::Ahead(1));
}
