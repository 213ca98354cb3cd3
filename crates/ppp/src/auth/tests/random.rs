use proptest::prelude::*;

use adit_diag::AuthMethod;

use super::{Rng, *};

/// Arbitrary octets, or something that resembles a packet of CHAP or PAP.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let framed = (1..9_u8, any::<u8>(), proptest::collection::vec(any::<u8>(), 0..600)).prop_map(
        |(code, id, data)| {
            let mut packet = Vec::new();
            adit_wire::cp::emit(&mut packet, code, id, &data);
            packet
        },
    );
    prop_oneof![proptest::collection::vec(any::<u8>(), 0..80), framed]
}

/// The value of a Response or Challenge with a valid size, under any identifier.
fn likely() -> impl Strategy<Value = Vec<u8>> {
    (1..3_u8, any::<u8>(), prop_oneof![Just(8_usize), Just(16), Just(49)], any::<u8>()).prop_map(
        |(code, id, size, octet)| {
            let mut packet = Vec::new();
            let data = [&[size as u8][..], &vec![octet; size], b"alice"].concat();
            adit_wire::cp::emit(&mut packet, code, id, &data);
            packet
        },
    )
}

proptest! {
    #[test]
    fn no_packets_panic_or_pile_up(
        packets in proptest::collection::vec(prop_oneof![packet(), likely()], 0..100),
        method in 0..4_usize,
        waits in proptest::collection::vec(0..40_u64, 100),
        answers: bool,
    ) {
        let method = METHODS[method];
        let (mut server, mut client) = (authenticator(method), peer(method));
        let mut account = Account { retry: true, expired: true, ..Account::new() };
        let mut now = Instant::now();
        server.open(now);
        client.open(now);
        let (mut finals, mut asked) = (0, 0);
        for (packet, wait) in packets.iter().zip(waits) {
            let _ = server.handle_input(now, packet);
            let _ = client.handle_input(now, packet);
            now += secs(wait);
            server.handle_timeout(now);
            client.handle_timeout(now);
            while let Some(event) = server.poll_event() {
                match event {
                    AuthenticatorEvent::Ask(question) if answers => {
                        asked += 1;
                        let verdict = account.answer(&question);
                        server.handle_answer(now, verdict);
                    }
                    AuthenticatorEvent::Ask(_) => asked += 1,
                    AuthenticatorEvent::Failed { .. } | AuthenticatorEvent::Unavailable { .. } => finals += 1,
                    AuthenticatorEvent::Success { .. } | AuthenticatorEvent::Renewed => {
                        prop_assert!(method == AuthMethod::Pap, "neither side knew the password");
                    }
                }
            }
            prop_assert!(finals <= 1 && asked <= 3);
        }
    }

    #[test]
    fn one_changed_octet_never_authenticates(at: usize, bit in 0..8_u32, method in 1..4_usize) {
        let method = METHODS[method];
        let mut line = Line::new(method);
        line.server.open(line.now);
        line.client.open(line.now);
        line.client.handle_input(line.now, &sent(&mut line.server)).unwrap();
        let mut response = peer_sent(&mut line.client);
        // The LAN Manager response and the reserved octets are ignored.
        let checked: Vec<usize> = match method {
            AuthMethod::ChapMd5 => (5..21).collect(),
            AuthMethod::MsChapV1 => (29..53).collect(),
            _ => (5..21).chain(29..53).collect(),
        };
        let at = checked[at % checked.len()];
        response[at] ^= 1_u8 << bit;
        line.server.handle_input(line.now, &response).unwrap();
        line.settle(|| false);
        let refused = matches!(line.server_events[..], [AuthenticatorEvent::Failed { code: Code::A01, .. }]);
        prop_assert!(refused);
    }

    /// Both ends reach the same result whatever the line drops, as long as it delivers packets in the end.
    #[test]
    fn both_ends_agree_over_a_bad_line(seed: u64, method in 0..4_usize, right: bool, expired: bool) {
        let method = METHODS[method];
        let mut credentials = credentials("alice", if right { "clientPass" } else { "wrong" });
        credentials.new_password = Some(Password::new("new"));
        let account = Account { expired, ..Account::new() };
        let mut line = Line::with(authenticator(method), peer_of(method, credentials), account);
        line.server.open(line.now);
        line.client.open(line.now);
        let mut rng = Rng::from_number(seed);
        // The client requests a lost result by repeating its packet, so losses must end before the
        // repetitions do.
        let mut losses = 5;
        for _ in 0..200 {
            line.settle(|| {
                let lost = losses > 0 && rng.below(2) == 0;
                losses -= u32::from(lost);
                lost
            });
            if !line.wait() {
                break;
            }
        }
        line.settle(|| false);
        let changes = method == AuthMethod::MsChapV2;
        let admitted = right && (!expired || changes);
        prop_assert_eq!(line.server_events.len(), 1);
        prop_assert_eq!(line.client_events.len(), 1);
        prop_assert_eq!(matches!(line.server_events[0], AuthenticatorEvent::Success { .. }), admitted);
        prop_assert_eq!(matches!(line.client_events[0], PeerEvent::Success { .. }), admitted);
    }
}
