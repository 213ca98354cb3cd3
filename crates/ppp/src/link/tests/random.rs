//! Tests with random input: a link neither panics nor hangs nor floods, and any two ends finish their
//! negotiation.

use core::time::Duration;

use adit_crypto::mppe::Strength;
use adit_diag::AuthMethod;
use adit_wire::{cp, ppp};
use proptest::prelude::*;

use crate::ccp::{Mode, Stateful};
use crate::link::testing::*;
use crate::link::{Command, LinkConfig, LinkEvent};

fn methods() -> impl Strategy<Value = Vec<AuthMethod>> {
    let all = vec![AuthMethod::MsChapV2, AuthMethod::MsChapV1, AuthMethod::ChapMd5, AuthMethod::Pap];
    prop::sample::subsequence(all, 0..=4).prop_shuffle()
}

fn config(base: fn() -> LinkConfig) -> impl Strategy<Value = LinkConfig> {
    let mode = prop::sample::select(vec![Mode::Off, Mode::Allow, Mode::Prefer, Mode::Require]);
    let strengths = prop::sample::subsequence(Strength::ALL.to_vec(), 0..=3);
    let address =
        prop_oneof![3 => Just(None), 1 => Just(Some(GIVEN)), 1 => any::<u32>().prop_map(|a| Some(a.into()))];
    let stateful = prop::sample::select(vec![Stateful::Refuse, Stateful::Accept, Stateful::Prefer]);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (methods(), mode, strengths, stateful, 0u16..2000, address, flags).prop_map(
        move |(methods, mode, strengths, stateful, mru, address, flags)| {
            let mut config = with_mode(with_methods(base(), &methods), mode);
            config.mppe.strengths = strengths;
            config.mppe.stateful = stateful;
            config.mru = mru;
            config.address = address;
            (config.ipv6, config.pfc, config.acfc, config.request_dns, config.request_wins) = flags;
            config
        },
    )
}

/// An event in the life of a link: a nearly valid packet, or anything else.
#[derive(Clone, Debug)]
enum Happening {
    Packet(u16, u8, u8, Vec<u8>),
    Frame(Vec<u8>),
    /// One of its own frames is reflected.
    Echo(usize),
    /// Its last request of this protocol is acknowledged.
    Agree(u16),
    Wait(u64),
    Command(Command),
}

fn happening() -> impl Strategy<Value = Happening> {
    let protocol = prop::sample::select(vec![
        ppp::LCP,
        ppp::LCP,
        ppp::PAP,
        ppp::CHAP,
        ppp::CCP,
        ppp::IPCP,
        ppp::IPV6CP,
        ppp::EAP,
        ppp::IP,
        0x4aa1,
    ]);
    let options = prop::collection::vec(
        (
            prop::sample::select(vec![1u8, 2, 3, 5, 7, 8, 13, 18, 129, 130, 131, 132]),
            prop::collection::vec(any::<u8>(), 0..9),
        ),
        0..6,
    )
    .prop_map(|list| {
        let mut data = Vec::new();
        list.iter().for_each(|(kind, value)| cp::push_option(&mut data, *kind, value));
        data
    });
    let useful = prop::sample::select(vec![
        "120601000040",
        "0306c0000264",
        "030600000000",
        "0305c22381",
        "0506478a3c1e",
        "",
    ])
    .prop_map(octets);
    let data = prop_oneof![options, useful, prop::collection::vec(any::<u8>(), 0..60)];
    let command = prop_oneof![
        Just(Command::NoteTraffic),
        Just(Command::Rechallenge),
        Just(Command::Close { reason: "random".to_owned() }),
    ];
    prop_oneof![
        10 => (protocol.clone(), 0u8..16, 0u8..5, data).prop_map(|(p, c, i, d)| Happening::Packet(p, c, i, d)),
        2 => prop::collection::vec(any::<u8>(), 0..80).prop_map(Happening::Frame),
        2 => any::<usize>().prop_map(Happening::Echo),
        6 => protocol.prop_map(Happening::Agree),
        3 => (0u64..60).prop_map(Happening::Wait),
        1 => command.prop_map(Happening::Command),
    ]
}

/// Checks the events of a host: their order, and that nothing is sent in clear if encryption is required.
fn check(host: &Host, required: bool) {
    let (mut up, mut encrypted, mut lcp, mut ended) = (false, false, false, false);
    for event in &host.events {
        assert!(!ended, "nothing follows Ended");
        match event {
            LinkEvent::Packet(packet) => {
                let words = adit_wire::note::describe(&packet.message);
                assert!(words.len() < 3000 && !words.contains('\n'));
            }
            LinkEvent::Forged { .. } => assert!(lcp),
            LinkEvent::Unanswered { sent, seconds } => assert!(up && *sent > 0 && *seconds > 0),
            LinkEvent::CountTraffic => {}
            LinkEvent::LcpUp { peer_mru, .. } => {
                assert!(*peer_mru >= 128 && !up && !encrypted);
                lcp = true;
            }
            LinkEvent::Ask(..) | LinkEvent::Authenticated { .. } => assert!(lcp),
            LinkEvent::Encryption(mppe) => {
                assert_ne!(encrypted, mppe.is_some());
                encrypted = mppe.is_some();
            }
            LinkEvent::NetworkUp(network) => {
                assert!(!required || encrypted, "up in clear");
                assert!(!network.local.is_unspecified() && !network.peer.is_unspecified());
                up = true;
            }
            LinkEvent::LargeLost { lost, passes } => assert!(lcp && lost > passes),
            LinkEvent::NetworkDown => assert!(core::mem::replace(&mut up, false)),
            LinkEvent::Ended(_) => {
                assert!(!up && !encrypted);
                ended = true;
            }
        }
    }
}

proptest! {
    #[test]
    fn any_two_ends_are_up_on_both_sides_or_ended_with_a_code_in_bounded_time(
        a in config(server), b in config(client), loss in prop::sample::select(vec![0u64, 0, 10, 30]), seed: u64,
    ) {
        let required = (a.mppe.mode == Mode::Require, b.mppe.mode == Mode::Require);
        let mut world = World::seeded(a, b, seed);
        world.loss = loss;
        world.seconds(130);
        world.loss = 0;
        world.seconds(40);
        check(&world.a, required.0);
        check(&world.b, required.1);
        let ended = (world.a.end().is_some(), world.b.end().is_some());
        if world.is_up() {
            prop_assert_eq!(ended, (false, false));
            let (a, b) = (world.a.mppe(), world.b.mppe());
            prop_assert_eq!(a.is_some(), b.is_some());
            if let (Some(a), Some(b)) = (a, b) {
                prop_assert!(a.keys.send == b.keys.receive && a.keys.receive == b.keys.send);
                prop_assert_eq!((a.strength, a.stateless), (b.strength, b.stateless));
            }
        } else {
            // The loss of a Terminate-Request may leave one side open; its keep-alive ends it.
            if ended != (true, true) {
                world.seconds(200);
            }
            prop_assert!(world.a.code().is_some() && world.b.code().is_some(),
                "{:?} {:?} {:#?}", world.a.end(), world.b.end(), world.a.record());
        }
    }

    #[test]
    fn whatever_happens_nothing_panics_and_the_output_is_bounded(
        config in prop_oneof![config(server), config(client)],
        script in prop::collection::vec(happening(), 0..80),
    ) {
        let required = config.mppe.mode == Mode::Require;
        let mut solo = Solo::new(config);
        solo.collect();
        for step in script {
            let before = solo.host.events.len();
            let sent = match step {
                Happening::Packet(protocol, code, id, data) => solo.give(protocol, code, id, &data),
                Happening::Frame(frame) => solo.raw(&frame),
                Happening::Echo(which) if !solo.host.sent.is_empty() => {
                    let frame = solo.host.sent[which % solo.host.sent.len()].clone();
                    solo.raw(&frame)
                }
                Happening::Agree(protocol) => {
                    let sent: Vec<_> = solo.host.sent.iter().map(|frame| parse(frame)).collect();
                    let request = |packet: &&Sent| packet.protocol == protocol && packet.code == cp::CONFIGURE_REQUEST;
                    match sent.iter().rev().find(request) {
                        Some(request) => solo.answer(request),
                        None => continue,
                    }
                }
                Happening::Wait(seconds) => {
                    solo.wait(Duration::from_secs(seconds));
                    continue;
                }
                Happening::Command(command) => {
                    solo.host.link.handle_command(solo.now, command);
                    solo.collect()
                }
                Happening::Echo(_) => continue,
            };
            prop_assert!(sent.len() <= 12, "{:?}", sent);
            prop_assert!(solo.host.events.len() - before <= 40);
        }
        check(&solo.host, required);
        // Without input, it is up or has ended in the end.
        solo.wait(Duration::from_secs(400));
        check(&solo.host, required);
        prop_assert!(solo.host.end().is_some() || solo.host.network().is_some(), "{:#?}", solo.host.record());
    }
}
