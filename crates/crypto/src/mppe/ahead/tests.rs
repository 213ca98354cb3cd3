use proptest::collection::vec;
use proptest::prelude::*;

use super::super::{StartKey, Strength};
use super::*;

struct One<'a>(&'a mut KeySchedule);

impl Wanting for One<'_> {
    fn wanting(&mut self) -> Option<&mut KeySchedule> {
        self.0.has_space().then_some(&mut *self.0)
    }
}

struct Two<'a>(&'a mut KeySchedule, &'a mut KeySchedule);

impl Wanting for Two<'_> {
    fn wanting(&mut self) -> Option<&mut KeySchedule> {
        let next = if self.0.ahead() <= self.1.ahead() { &mut *self.0 } else { &mut *self.1 };
        next.has_space().then_some(next)
    }
}

fn schedule(n: u8, strength: Strength) -> KeySchedule {
    KeySchedule::new(&StartKey::new([n; 16]), strength)
}

/// Key schedules of several calls, and which of them wants a key at each question, in a cycle.
struct Script<'a> {
    calls: &'a mut [KeySchedule; 3],
    wants: &'a [Option<usize>],
    asked: usize,
}

impl Wanting for Script<'_> {
    fn wanting(&mut self) -> Option<&mut KeySchedule> {
        let call = *self.wants.get(self.asked % self.wants.len())?;
        self.asked += 1;
        self.calls.get_mut(call?).filter(|call| call.has_space())
    }
}

type Each = fn(&mut [Job<'_>], &mut dyn Wanting);

/// The form chosen at start, and the portable one.
const FORMS: [Each; 2] = [apply_each, apply_each_portable];

/// Takes the keys of packets of these lengths from `schedule`, works on them with it beside, and compares all with
/// `plain`, which makes each key when it is due.
fn batch(each: Each, schedule: &mut KeySchedule, plain: &mut KeySchedule, lengths: &[usize]) {
    let keys: Vec<_> = lengths
        .iter()
        .map(|_| {
            schedule.advance();
            plain.advance_portable();
            assert_eq!(schedule.session_key(), plain.session_key());
            schedule.key()
        })
        .collect();
    let mut data: Vec<Vec<u8>> = lengths.iter().map(|len| vec![0x5a; *len]).collect();
    let mut expected = data.clone();
    let mut jobs: Vec<_> =
        keys.iter().zip(&mut data).map(|(key, data)| Job { key: key.octets(), data }).collect();
    each(&mut jobs, &mut One(schedule));
    for (key, data) in keys.iter().zip(&mut expected) {
        rc4::Rc4::new(key.octets()).apply(data);
    }
    assert_eq!(data, expected);
}

#[test]
fn keys_of_a_long_transfer_are_made_ahead() {
    for (strength, each) in Strength::ALL.into_iter().flat_map(|strength| FORMS.map(|each| (strength, each)))
    {
        let (mut ahead, mut plain) = (schedule(1, strength), schedule(1, strength));
        for _ in 0..4 {
            batch(each, &mut ahead, &mut plain, &[1400; 46]);
        }
        assert!(ahead.ahead() >= 46, "{}", ahead.ahead());
        for _ in 0..200 {
            ahead.advance();
            plain.advance_portable();
            assert_eq!(ahead.session_key(), plain.session_key());
        }
        assert_eq!(ahead.ahead(), 0);
    }
}

#[test]
fn going_back_discards_the_keys_made_ahead() {
    let mut schedule = schedule(2, Strength::Bits128);
    let mut plain = schedule.clone();
    batch(apply_each, &mut schedule, &mut plain, &[1400; 8]);
    assert!(schedule.ahead() > 0);
    let before = schedule.key();
    schedule.advance();
    let next = schedule.key();
    schedule.return_to(&before);
    assert_eq!(schedule.ahead(), 0);
    schedule.advance();
    assert_eq!(schedule.session_key(), next.octets());
}

/// A batch of calls of every strength: which call a packet belongs to, and its length; and what is wanted beside it.
type Batch = (Vec<(usize, usize)>, Vec<Option<usize>>);

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let length = prop_oneof![2 => Just(64_usize), 5 => 0..=600_usize, 1 => 1000..1500_usize];
    let wants = prop_oneof![
        Just(vec![None]),
        (0..3_usize).prop_map(|call| vec![Some(call)]),
        (0..3_usize).prop_map(|call| vec![Some(call), None]),
        (0..3_usize, 0..70_usize).prop_map(|(call, stop)| {
            let mut wants = vec![Some(call); stop];
            wants.resize(500, None);
            wants
        }),
        vec(proptest::option::of(0..3_usize), 1..40),
    ];
    vec((vec((0..3_usize, length), 1..=64), wants), 1..5)
}

/// Packets of a batch against the `rc4` crate, their keys against key schedules that make each when it is due.
fn check_batch(
    each: Each,
    own: &mut [KeySchedule; 3],
    plain: &mut [KeySchedule; 3],
    (packets, wants): &Batch,
) {
    let keys: Vec<_> = packets
        .iter()
        .map(|(call, _)| {
            own[*call].advance();
            plain[*call].advance_portable();
            assert_eq!(own[*call].session_key(), plain[*call].session_key(), "{packets:?} {wants:?}");
            own[*call].key()
        })
        .collect();
    let mut data: Vec<Vec<u8>> = packets.iter().map(|(call, len)| vec![*call as u8; *len]).collect();
    let mut expected = data.clone();
    let mut jobs: Vec<_> =
        keys.iter().zip(&mut data).map(|(key, data)| Job { key: key.octets(), data }).collect();
    each(&mut jobs, &mut Script { calls: own, wants, asked: 0 });
    for (key, data) in keys.iter().zip(&mut expected) {
        let mut cipher: ::rc4::Rc4 = ::rc4::KeyInit::new_from_slice(key.octets()).unwrap();
        ::rc4::StreamCipher::apply_keystream(&mut cipher, data);
    }
    assert!(data == expected, "{packets:?} {wants:?}");
}

proptest! {
    #[test]
    fn packets_and_keys_are_right_whatever_is_wanted_beside(batches in batches()) {
        for each in FORMS {
            let mut own = [0, 1, 2].map(|n| schedule(n as u8, Strength::ALL[n]));
            let mut plain = own.clone();
            for batch in &batches {
                check_batch(each, &mut own, &mut plain, batch);
            }
        }
    }

    #[test]
    fn every_key_is_the_one_of_its_packet(
        batches in vec(vec(prop_oneof![0_usize..80, 200_usize..300, Just(1400), 1000_usize..1500], 0..70), 0..6),
        strength in 0..3_usize,
    ) {
        for each in FORMS {
            let mut ahead = schedule(3, Strength::ALL[strength]);
            let mut plain = ahead.clone();
            for lengths in &batches {
                batch(each, &mut ahead, &mut plain, lengths);
            }
        }
    }

    #[test]
    fn two_schedules_share_a_batch(count in 4..64_usize, form in 0..2_usize) {
        let (mut a, mut b) = (schedule(4, Strength::Bits128), schedule(5, Strength::Bits40));
        let (mut plain_a, mut plain_b) = (a.clone(), b.clone());
        let mut data = vec![[0; 1400]; count];
        let mut jobs: Vec<_> = data.iter_mut().map(|data| Job { key: &[7; 16], data }).collect();
        FORMS[form](&mut jobs, &mut Two(&mut a, &mut b));
        prop_assert!(a.ahead().abs_diff(b.ahead()) <= 1);
        for _ in 0..70 {
            for (ahead, plain) in [(&mut a, &mut plain_a), (&mut b, &mut plain_b)] {
                ahead.advance();
                plain.advance_portable();
                prop_assert_eq!(ahead.session_key(), plain.session_key());
            }
        }
    }
}
