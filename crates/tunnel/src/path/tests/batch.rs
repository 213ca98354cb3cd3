//! Tests that packets processed in two halves give the same result as in one.

use adit_crypto::mppe::{self, KeySchedule, Wanting};
use adit_crypto::rc4::Job;
use proptest::prelude::*;

use super::*;

/// What happens to a packet in transit.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives,
    Lost,
    Repeated,
    /// Swapped with the packet before.
    Early,
    /// One octet is inverted, at this position from the end.
    Damaged(usize),
    /// The coherency count is changed.
    Miscounted(u8),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Arrives),
        1 => Just(Fate::Lost),
        1 => Just(Fate::Repeated),
        1 => Just(Fate::Early),
        1 => (0usize..60).prop_map(Fate::Damaged),
        1 => any::<u8>().prop_map(Fate::Miscounted),
    ]
}

/// The packets that arrive when `packets` are sent.
fn wire(packets: Vec<Vec<u8>>, fates: &[Fate]) -> Vec<Vec<u8>> {
    let mut arrived: Vec<Vec<u8>> = Vec::new();
    for (mut packet, fate) in packets.into_iter().zip(fates) {
        let len = packet.len();
        match fate {
            Fate::Arrives => arrived.push(packet),
            Fate::Lost => {}
            Fate::Repeated => arrived.extend([packet.clone(), packet]),
            Fate::Early => arrived.insert(arrived.len().saturating_sub(1), packet),
            Fate::Damaged(at) => {
                packet[len - 1 - at % len] ^= 0xff;
                arrived.push(packet);
            }
            Fate::Miscounted(by) => {
                let at = packet.windows(2).position(|octets| octets == [0x00, 0xfd]);
                if let Some(low) = at.and_then(|at| packet.get_mut(at + 3)) {
                    *low = low.wrapping_add(*by);
                }
                arrived.push(packet);
            }
        }
    }
    arrived
}

/// Both ends in clear, network up.
fn clear_pair() -> (End, End) {
    (server(), client())
}

/// The path of one end, for which keys are precomputed.
struct Ahead<'a>(&'a mut End);

impl Wanting for Ahead<'_> {
    fn wanting(&mut self) -> Option<&mut KeySchedule> {
        self.0.path.wanting_keys()
    }
}

/// Precomputes some keys for both directions, together with packets of others.
fn make_keys_ahead(end: &mut End) {
    let mut others = [[0; 1400]; 8];
    let mut jobs = others.each_mut().map(|data| Job { key: &[1; 16], data });
    mppe::apply_each(&mut jobs, &mut Ahead(end));
}

/// Passes a batch to a path in two halves where possible.
fn in_halves(end: &mut End, batch: &mut [Vec<u8>]) {
    let mut begun: Vec<(usize, Pending)> = Vec::new();
    for index in 0..batch.len() {
        match end.path.begin(end.now, &mut batch[index], &mut end.out) {
            Begin::Later(pending) => begun.push((index, pending)),
            Begin::Ip(range) => end.out.ip.push(batch[index][range].to_vec()),
            Begin::Done => {}
            Begin::NotNow => {
                finish(end, batch, &mut begun);
                end.path.handle_gre(end.now, &mut batch[index], &mut end.out);
            }
        }
    }
    finish(end, batch, &mut begun);
    make_keys_ahead(end);
}

fn finish(end: &mut End, batch: &mut [Vec<u8>], begun: &mut Vec<(usize, Pending)>) {
    for (index, pending) in begun.iter() {
        pending.cipher.apply(&mut batch[*index]);
    }
    for (index, pending) in begun.drain(..) {
        let packet = &mut batch[index];
        match end.path.finish(end.now, pending, packet, &mut end.out) {
            Finished::Ip(range) => end.out.ip.push(packet[range].to_vec()),
            Finished::Done => {}
            Finished::Again => end.path.handle_gre(end.now, packet, &mut end.out),
        }
    }
}

proptest! {
    #[test]
    fn what_comes_out_is_the_same(
        fates in proptest::collection::vec((fate(), 0u8..10, 28usize..1200), 1..120),
        size in 1usize..64,
        mode in 0..3,
    ) {
        let pair = if mode == 2 { clear_pair } else { encrypted_pair };
        let (mut one, mut client) = pair();
        let (mut two, _) = pair();
        if mode == 1 {
            one.command(PathCommand::Encryption(Some(mppe(true, false))));
            two.command(PathCommand::Encryption(Some(mppe(true, false))));
            client.command(PathCommand::Encryption(Some(mppe(false, false))));
        }
        two.now = one.now;
        for (number, (_, kind, len)) in fates.iter().enumerate() {
            if *kind == 0 {
                client.frame(&[0xff, 0x03, 0xc0, 0x21, 9, number as u8, 0, 8, 0, 0, 0, 0]);
            } else {
                client.ip(&ping(number as u16, *len));
            }
        }
        let fates: Vec<Fate> = fates.into_iter().map(|(fate, _, _)| fate).collect();
        let arrived = wire(client.sent(), &fates);
        for packet in &arrived {
            one.gre(packet);
        }
        for batch in arrived.chunks(size) {
            in_halves(&mut two, &mut batch.to_vec());
        }
        for end in [&mut one, &mut two] {
            end.pass(Duration::from_secs(1));
        }
        prop_assert_eq!(&one.out.ip, &two.out.ip);
        prop_assert_eq!(&one.out.frames, &two.out.frames);
        prop_assert_eq!(one.counters(), two.counters());
    }
}

#[test]
fn a_noisy_frame_in_a_batch_costs_its_successors_nothing() {
    let (mut server, mut client) = encrypted_pair();
    for number in 0..10 {
        client.ip(&ping(number, 600));
    }
    let mut batch = client.sent();
    // A frame that an attacker inserted in place of the fourth: its number and count are right, its octets
    // are noise.
    let len = batch[3].len();
    batch[3][len - 500..].fill(0x77);
    let start = len - 604;
    batch[3][start..start + 30].fill(0x99);
    in_halves(&mut server, &mut batch);
    assert_eq!(server.out.ip.len(), 3, "the genuine one may still arrive");
    server.pass(Duration::from_millis(100));
    assert_eq!(server.out.ip.len(), 9);
    assert_eq!(server.counters().decrypt_failures, 1);
}

#[test]
fn keys_made_ahead_are_kept_over_loss_and_only_in_stateless_mode() {
    let (mut server, mut client) = encrypted_pair();
    for number in 0..10 {
        client.ip(&ping(number, 600));
    }
    let mut batch = client.sent();
    let rest = batch.split_off(3);
    in_halves(&mut server, &mut batch);
    let ahead = server.path.wanting_keys().map_or(0, |keys| keys.ahead());
    assert!(ahead >= 4, "{ahead}");
    in_halves(&mut server, &mut rest[2..].to_vec());
    server.pass(Duration::from_secs(1));
    assert_eq!(server.out.ip.len(), 8);
    server.command(PathCommand::Encryption(Some(mppe(true, false))));
    assert!(server.path.wanting_keys().is_none());
}

#[test]
fn keys_that_change_between_the_halves_do_no_harm() {
    let (mut server, mut client) = encrypted_pair();
    for number in 0..3 {
        client.ip(&ping(number, 600));
    }
    let mut batch = client.sent();
    server.gre(&batch.remove(0));
    let begin = |packet: &mut Vec<u8>| match server.path.begin(server.now, packet, &mut server.out) {
        Begin::Later(pending) => pending,
        other => panic!("{other:?}"),
    };
    let pending: Vec<Pending> = batch.iter_mut().map(begin).collect();
    server.command(PathCommand::Encryption(Some(mppe(true, true))));
    for (packet, pending) in batch.iter_mut().zip(pending) {
        pending.cipher.apply(packet);
        assert!(matches!(server.path.finish(server.now, pending, packet, &mut server.out), Finished::Again));
        server.gre(packet);
    }
    assert_eq!(server.out.ip.len(), 3, "under the new keys the counts go on from the start");
}
