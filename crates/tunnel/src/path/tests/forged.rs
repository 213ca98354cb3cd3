//! Tests with forged packets: a host off the path sends what it likes to an encrypted call.

use adit_crypto::Rng;
use proptest::prelude::*;

use super::*;

/// A frame of noise with a header as agreed.
fn noise(count: u16, fill: u8) -> Vec<u8> {
    [&[0x00, 0xfd][..], &(0x9000 | count & 0xfff).to_be_bytes(), &[fill; 60]].concat()
}

/// The packet with another sequence number.
fn renumber(packet: &[u8], seq: u32) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet[8..12].copy_from_slice(&seq.to_be_bytes());
    packet
}

fn pair(stateless: bool) -> (End, End) {
    let (mut server, mut client) = (server(), client());
    server.command(PathCommand::Encryption(Some(mppe(true, stateless))));
    client.command(PathCommand::Encryption(Some(mppe(false, stateless))));
    (server, client)
}

/// The packet with ping `number`.
fn sent(client: &mut End, number: u16) -> Vec<u8> {
    client.ip(&ping(number, 64));
    client.sent().remove(0)
}

/// Pings from `from` on that arrive at once, each.
fn flow(server: &mut End, client: &mut End, numbers: std::ops::Range<u16>) {
    for number in numbers {
        let packet = sent(client, number);
        server.gre(&packet);
        assert_eq!(server.out.ip.pop(), Some(ping(number, 64)), "{number}");
    }
}

#[test]
fn two_forged_packets_far_ahead_silence_nothing() {
    for stateless in [true, false] {
        let (mut server, mut client) = pair(stateless);
        flow(&mut server, &mut client, 0..10);
        for (n, far) in [5000, 0x4000_0000, 0x9000_0000, u32::MAX].into_iter().enumerate() {
            let n = n as u16;
            for frame in [&noise(10 + n * 20, 0x5a)[..], &LCP_ECHO, &clear(&ping(9, 64))] {
                for seq in far..=far.saturating_add(3) {
                    server.gre(&packet(seq, frame));
                }
                server.pass(Duration::from_secs(1));
            }
            flow(&mut server, &mut client, 10 + n * 20..30 + n * 20);
        }
        assert_eq!(server.counters().lost, 0);
    }
}

#[test]
fn forged_frames_in_the_window_are_no_duplicates_of_genuine_ones() {
    for stateless in [true, false] {
        let (mut server, mut client) = pair(stateless);
        flow(&mut server, &mut client, 0..3);
        for number in 3..200 {
            for ahead in 0..40 {
                // With the right count, and with that of another.
                for count in [number + ahead, number + 1, 700] {
                    server.gre(&packet(u32::from(number + ahead), &noise(count, ahead as u8)));
                }
            }
            flow(&mut server, &mut client, number..number + 1);
        }
        assert_eq!(server.counters().lost, 0);
    }
}

/// Forged frames in stateful mode cause Reset-Requests. They have an end, and the stream continues without them.
#[test]
fn forged_frames_cost_a_stateful_call_a_few_requests() {
    let (mut server, mut client) = pair(false);
    flow(&mut server, &mut client, 0..3);
    server.sent();
    server.gre(&packet(5, &[&[0x00, 0xfd, 0x10, 50][..], &[9; 60]].concat()));
    for _ in 0..100 {
        server.pass(Duration::from_secs(1));
    }
    let requests = server.sent().iter().filter(|packet| packet[0] & 0x10 != 0).count();
    assert!((1..=10).contains(&requests), "{requests}");
    assert_eq!(server.path.poll_timeout(), None);
    flow(&mut server, &mut client, 3..600);
}

#[test]
fn frames_of_both_modes_are_put_in_order() {
    for stateless in [true, false] {
        let (mut server, mut client) = pair(stateless);
        flow(&mut server, &mut client, 0..1);
        let mut packets: Vec<_> = (1..301).map(|number| sent(&mut client, number)).collect();
        packets.chunks_mut(9).for_each(<[_]>::reverse);
        for packet in &packets {
            server.gre(packet);
        }
        assert_eq!(server.out.ip, (1..301).map(|number| ping(number, 64)).collect::<Vec<_>>());
        assert_eq!(server.counters().lost, 0);
    }
}

#[test]
fn a_control_frame_between_two_data_frames_delays_nothing() {
    for stateless in [true, false] {
        let (mut server, mut client) = pair(stateless);
        for number in 0..100 {
            flow(&mut server, &mut client, number..number + 1);
            for _ in 0..number {
                client.frame(&[&LCP_ECHO[..5], &[number as u8], &LCP_ECHO[6..]].concat());
            }
            for (n, packet) in client.sent().iter().enumerate() {
                // Every second one is lost.
                if n % 2 == 0 {
                    server.gre(packet);
                }
            }
        }
        assert_eq!(server.counters().rx_frames, (0..100).map(|n: u64| n.div_ceil(2)).sum::<u64>());
    }
}

#[test]
fn c075_a_repeated_control_frame_is_handled_once() {
    let (mut server, mut client) = pair(true);
    flow(&mut server, &mut client, 0..1);
    for _ in 0..3 {
        server.gre(&packet(1, &LCP_ECHO));
    }
    assert_eq!((server.out.frames.len(), server.counters().duplicate), (1, 2));
    // A forged one with its number does not replace it.
    server.gre(&packet(2, &[0xff, 0x03, 0xc0, 0x21, 9, 9, 0, 4]));
    server.gre(&packet(2, &LCP_ECHO));
    assert_eq!(server.out.frames.len(), 3);
}

#[test]
fn nothing_unproven_acknowledges_and_only_control_frames_in_clear_are_acknowledged() {
    let (mut server, mut client) = pair(true);
    flow(&mut server, &mut client, 0..1);
    for _ in 0..5 {
        server.ip(&pong(1, 64));
    }
    server.pass(Duration::from_secs(1));
    server.sent();
    let acks = |sent: &[Vec<u8>]| -> Vec<_> {
        sent.iter().map(|packet| adit_wire::gre::Repr::parse(packet).unwrap().ack).collect()
    };
    for (frame, acknowledged) in
        [(&noise(1, 1)[..], vec![]), (&LCP_ECHO, vec![Some(30)]), (&clear(&ping(1, 64)), vec![])]
    {
        for seq in [1, 30, 2, 5000] {
            server.gre(&adit_wire::gre::packet(7, Some(seq), Some(3), frame));
        }
        server.pass(Duration::from_secs(1));
        assert_eq!(acks(&server.sent()), acknowledged, "{frame:?}");
    }
    assert!(!server.path.is_acknowledged());
    assert_eq!((server.path.sender.outstanding(), server.path.receiver.proven()), (5, Some(0)));
    flow(&mut server, &mut client, 1..2);
    server.pass(Duration::from_secs(1));
    assert_eq!(acks(&server.sent()), [Some(1)]);
}

#[test]
fn a_restarted_peer_is_followed_to_any_number() {
    for first in [0u32, 3, 4000, 0x7000_0000, 0xb000_0000, u32::MAX] {
        for stateless in [true, false] {
            let (mut server, mut client) = pair(stateless);
            let shift = |packet: &[u8], by: u32| {
                let seq = u32::from_be_bytes(packet[8..12].try_into().unwrap());
                renumber(packet, seq.wrapping_add(by))
            };
            for number in 0..200 {
                let packet = sent(&mut client, number);
                server.gre(&shift(&packet, 1_000_000));
            }
            for number in 200..300u16 {
                let packet = sent(&mut client, number);
                server.gre(&renumber(&packet, first.wrapping_add(u32::from(number))));
            }
            assert_eq!(server.out.ip.len(), 300, "from {first}, stateless: {stateless}");
        }
    }
}

#[test]
fn a_jump_needs_two_consecutive_plausible_frames_of_the_peers_address() {
    let (mut server, mut client) = pair(true);
    flow(&mut server, &mut client, 0..10);
    // A single one: the range stays, and the next frame of it passes.
    let packet = sent(&mut client, 10);
    server.gre(&renumber(&packet, 70_000));
    server.pass(Duration::from_secs(1));
    assert!(server.out.ip.is_empty());
    server.gre(&packet);
    assert_eq!(server.out.ip.len(), 1);
    flow(&mut server, &mut client, 11..20);
    // Two that do not follow each other.
    for seq in [1_000_000, 2_000_000, 3_000_000] {
        let packet = sent(&mut client, 20);
        server.gre(&renumber(&packet, seq));
    }
    assert_eq!(server.out.ip.len(), 1);
    // Two with another source.
    for seq in 80_000..80_004 {
        client.ip(&ipv4_packet(HOST, SERVER, ipv4::UDP, &[0; 20]));
        let packet = client.sent().remove(0);
        server.gre(&renumber(&packet, seq));
    }
    assert_eq!(server.path.receiver.proven(), Some(19));
}

#[test]
fn control_frames_inside_mppe_are_handled_and_confirm_no_jump() {
    let (mut server, mut client) = pair(true);
    flow(&mut server, &mut client, 0..10);
    let encrypted = |client: &mut End, seq: u32| {
        let encryption = client.path.encryption.as_mut().unwrap();
        let mut data = LCP_ECHO[2..].to_vec();
        let header = encryption.encryptor.encrypt(&mut data).emit();
        packet(seq, &[&[0x00, 0xfd][..], &header, &data].concat())
    };
    for seq in 90_000..90_010 {
        server.gre(&encrypted(&mut client, seq));
    }
    assert_eq!((server.out.frames.len(), server.path.receiver.proven()), (0, Some(9)));
    for seq in 10..20 {
        server.gre(&encrypted(&mut client, seq));
    }
    assert_eq!((server.out.frames.len(), server.path.receiver.proven()), (10, Some(19)));
    assert_eq!(server.out.frames[0].0, LCP_ECHO[2..]);
}

#[test]
fn the_range_before_a_jump_is_resumed_by_its_next_number() {
    let (mut server, mut client) = pair(true);
    flow(&mut server, &mut client, 0..10);
    let late: Vec<_> = (10..12).map(|number| sent(&mut client, number)).collect();
    for number in 12..600 {
        sent(&mut client, number);
    }
    for number in 600..603 {
        let packet = sent(&mut client, number);
        server.gre(&packet);
    }
    assert_eq!(server.out.ip.len(), 3);
    server.pass(Duration::from_secs(5));
    server.gre(&late[0]);
    server.gre(&late[1]);
    assert_eq!(server.out.ip.len(), 5);
    // And the range after it, in turn.
    server.out.ip.clear();
    flow(&mut server, &mut client, 603..610);
    server.pass(Duration::from_secs(20));
    server.gre(&renumber(&late[1], 12));
    flow(&mut server, &mut client, 610..620);
}

#[test]
fn bad_frames_between_good_ones_and_in_an_idle_call_break_nothing() {
    for stateless in [true, false] {
        let (mut server, mut client) = pair(stateless);
        let mut rng = Rng::from_number(1);
        flow(&mut server, &mut client, 0..10);
        for number in 10..300 {
            for n in 0..20 {
                let bits = [0x00, 0x10, 0x80, 0x90][n % 4];
                let frame = [&[0x00, 0xfd, bits, n as u8][..], &[n as u8; 60]].concat();
                let seq = if number < 100 { u32::from(number) + n as u32 } else { rng.u32() };
                server.gre(&packet(seq, &frame));
            }
            server.pass(Duration::from_millis(500));
            // Then the call is idle, with an echo now and then.
            if number < 100 {
                flow(&mut server, &mut client, number..number + 1);
            } else if number % 20 == 0 {
                client.frame(&LCP_ECHO);
                server.gre(&client.sent()[0]);
            }
        }
        assert_eq!(server.out.events, []);
        flow(&mut server, &mut client, 300..310);
    }
}

/// At 100,000 forged frames in a second, whatever their numbers and counts, the key changes stay below 2 % of a core for
/// this call, and a genuine loss of 2,000 packets is found all the same.
#[test]
fn forged_frames_cost_a_bounded_number_of_key_changes() {
    struct Counting(Collected, u64);
    impl Sink for Counting {
        fn gre(&mut self, packet: &[u8]) {
            self.0.gre(packet);
        }
        fn ip(&mut self, packet: &mut [u8]) {
            self.0.ip(packet);
        }
        fn frame(&mut self, frame: &[u8], origin: Origin) {
            self.0.frame(frame, origin);
        }
        fn dhcp(&mut self, packet: &[u8]) {
            self.0.dhcp(packet);
        }
        fn may_spend(&mut self, changes: u32) -> bool {
            self.1 += u64::from(changes);
            true
        }
    }
    for (stateless, near) in [(true, false), (true, true), (false, false), (false, true)] {
        let (mut server, mut client) = pair(stateless);
        let mut rng = Rng::from_number(3);
        flow(&mut server, &mut client, 0..10);
        let mut sink = Counting(Collected::default(), 0);
        let mut genuine = 0;
        for n in 0..100_000u32 {
            server.now += Duration::from_micros(10);
            let count = rng.below(4096) as u16;
            let seq = if near { 10 + rng.below(64) as u32 } else { rng.u32() };
            let mut forged = packet(seq, &noise(count, n as u8));
            server.path.handle_gre(server.now, &mut forged, &mut sink);
            // A genuine packet each 10 ms; the 2,000 before the second half are lost.
            if n % 1000 == 999 {
                if n == 49_999 && stateless {
                    (0..2000).for_each(|_| drop(sent(&mut client, 1)));
                }
                genuine += 1;
                let mut packet = sent(&mut client, 7);
                server.path.handle_gre(server.now, &mut packet, &mut sink);
            }
        }
        assert!(sink.1 <= 2 * 40_000, "{} changes, stateless: {stateless}, near: {near}", sink.1);
        let arrived = sink.0.ip.len();
        assert!(
            arrived * 100 >= genuine * 95,
            "{arrived} of {genuine}, stateless: {stateless}, near: {near}"
        );
    }
}

/// What an attacker sends.
#[derive(Clone, Debug)]
enum Forged {
    /// An MPPE frame: distance of its number and count from the next ones, its flags, octets.
    Mppe(i64, i16, u8, u8),
    /// A control frame in clear.
    Clear(i64, u8),
    /// An acknowledgment alone.
    Ack(u32),
}

fn distance() -> impl Strategy<Value = i64> {
    prop_oneof![3 => -40i64..70, 1 => -5000i64..5000, 1 => 0..=i64::from(u32::MAX)]
}

fn forged() -> impl Strategy<Value = Forged> {
    prop_oneof![
        4 => (distance(), -70i16..70, any::<u8>(), any::<u8>())
            .prop_map(|(seq, count, flags, fill)| Forged::Mppe(seq, count, flags & 0xf0, fill)),
        2 => (distance(), any::<u8>()).prop_map(|(seq, id)| Forged::Clear(seq, id)),
        1 => any::<u32>().prop_map(Forged::Ack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever is forged, a genuine frame that arrives in order passes at once, also where the numbers wrap.
    #[test]
    fn no_genuine_frame_in_order_is_lost_because_of_forged_ones(
        steps in proptest::collection::vec((proptest::collection::vec(forged(), 0..12), 0u64..400), 1..60),
        stateless: bool,
        begin in prop_oneof![Just(0u32), Just(u32::MAX - 20), any::<u32>()],
    ) {
        let (mut server, mut client) = pair(stateless);
        for (number, (attack, millis)) in steps.into_iter().enumerate() {
            let next = begin.wrapping_add(number as u32);
            for forged in attack {
                let seq = |by: i64| next.wrapping_add(by as u32);
                // The first frame of all may have any number, so it arrives before the attack.
                if number == 0 {
                    continue;
                }
                match forged {
                    Forged::Mppe(by, count, flags, fill) => {
                        let count = (number as i16 + count) as u16 & 0xfff | u16::from(flags) << 8;
                        let frame = [&[0x00, 0xfd][..], &count.to_be_bytes(), &[fill; 50]].concat();
                        server.gre(&packet(seq(by), &frame));
                    }
                    Forged::Clear(by, id) => {
                        server.gre(&packet(seq(by), &[0xff, 0x03, 0xc0, 0x21, 9, id, 0, 4]));
                    }
                    Forged::Ack(ack) => server.gre(&adit_wire::gre::packet(7, None, Some(ack), &[])),
                }
            }
            server.pass(Duration::from_millis(millis));
            let packet = renumber(&sent(&mut client, number as u16), next);
            server.gre(&packet);
            prop_assert_eq!(server.out.ip.pop(), Some(ping(number as u16, 64)));
            prop_assert_eq!(server.path.receiver.proven(), Some(next));
        }
        prop_assert_eq!(&server.out.events, &[]);
        prop_assert!(server.out.ip.is_empty());
    }

    /// With loss and disorder as well: no genuine frame is passed on twice or damaged, and what is forged
    /// costs the stateless mode nothing that would have arrived without it.
    #[test]
    fn forged_frames_change_nothing_of_what_arrives(
        fates in proptest::collection::vec((0u8..10, proptest::collection::vec(forged(), 0..4)), 1..150),
    ) {
        let (mut calm, mut client) = pair(true);
        let (mut attacked, _) = pair(true);
        attacked.now = calm.now;
        let mut packets: Vec<(usize, Vec<u8>)> =
            (0..fates.len()).map(|number| (number, sent(&mut client, number as u16))).collect();
        for (n, (fate, _)) in fates.iter().enumerate() {
            if *fate == 1 && n > 0 && n + 1 < packets.len() {
                packets.swap(n, n + 1);
            }
        }
        for (n, packet_) in &packets {
            let (fate, attack) = &fates[*n];
            if *fate == 0 && *n > 0 {
                continue;
            }
            if *n > 0 {
                for forged in attack {
                    if let Forged::Mppe(by, count, flags, fill) = forged {
                        let count = (*n as i16 + count) as u16 & 0xfff | u16::from(*flags) << 8;
                        let frame = [&[0x00, 0xfd][..], &count.to_be_bytes(), &[*fill; 50]].concat();
                        attacked.gre(&packet((*n as u32).wrapping_add(*by as u32), &frame));
                    }
                }
            }
            calm.gre(packet_);
            attacked.gre(packet_);
            for end in [&mut calm, &mut attacked] {
                end.pass(Duration::from_millis(5));
            }
        }
        for end in [&mut calm, &mut attacked] {
            end.pass(Duration::from_secs(1));
        }
        prop_assert_eq!(&calm.out.ip, &attacked.out.ip);
        prop_assert_eq!(calm.counters().lost, attacked.counters().lost);
    }
}
