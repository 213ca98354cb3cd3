//! Two whole links: how authentication and encryption fit together, and what each end says when they do not.

mod common;

use core::time::Duration;

use adit_crypto::mppe::Strength;
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Code};
use adit_ppp::ccp::Mode;
use adit_ppp::link::{Command, LinkEvent, Side, Who};
use adit_wire::{Protocol, cp, ppp};
use common::{World, client_config, server_config};
use proptest::prelude::*;

const METHODS: [AuthMethod; 4] =
    [AuthMethod::Pap, AuthMethod::ChapMd5, AuthMethod::MsChapV1, AuthMethod::MsChapV2];

fn world(methods: &[AuthMethod], server: Mode, client: Mode) -> World {
    World::new(server_config(methods, server, &[128]), client_config(methods, client, &[128]))
}

/// MS-CHAPv2, encryption required on both ends, and up.
fn up() -> World {
    let world = world(&[AuthMethod::MsChapV2], Mode::Require, Mode::Require).run();
    assert!(world.server.is_up() && world.client.is_up(), "{:#?}", world.client.record());
    world
}

#[test]
fn every_method_comes_up_where_encryption_is_allowed() {
    for method in METHODS {
        for (server, client) in [
            (Mode::Off, Mode::Off),
            (Mode::Allow, Mode::Allow),
            (Mode::Prefer, Mode::Allow),
            (Mode::Allow, Mode::Prefer),
            (Mode::Prefer, Mode::Off),
            (Mode::Off, Mode::Prefer),
        ] {
            let world = world(&[method], server, client).run();
            let record = world.client.record();
            assert!(
                world.server.is_up() && world.client.is_up(),
                "{method} {server:?} {client:?} {record:#?}"
            );
            let proved = Some((method, method.is_mutual()));
            assert_eq!((world.server.authenticated(), world.client.authenticated()), (proved, proved));
            let both = server != Mode::Off && client != Mode::Off;
            let asked = server.asks() || client.asks();
            assert_eq!(
                world.keys_meet(),
                both && asked && method.gives_keys(),
                "{method} {server:?} {client:?}"
            );
            assert_eq!(world.account.asked, 1);
        }
    }
}

#[test]
fn c175_a_method_without_keys_ends_a_session_that_requires_them() {
    for method in [AuthMethod::Pap, AuthMethod::ChapMd5] {
        let world = world(&[method], Mode::Require, Mode::Allow).run();
        let detail = format!("encryption is required, and {method} gives no keys for it");
        assert_eq!(world.server.why(), (Some(Code::E06), &detail[..]));
        // And the client is told.
        let (_, text) = world.client.why();
        assert!(text.contains(&detail), "{text}");
        assert_eq!(world.server.count(|event| matches!(event, LinkEvent::NetworkUp(_))), 0);
    }
}

#[test]
fn both_versions_of_ms_chap_carry_required_encryption() {
    for method in [AuthMethod::MsChapV1, AuthMethod::MsChapV2] {
        for bits in [&[128][..], &[56], &[40], &[40, 56, 128]] {
            let world = World::new(
                server_config(&[method], Mode::Require, bits),
                client_config(&[method], Mode::Require, bits),
            )
            .run();
            assert!(world.keys_meet(), "{method} {bits:?} {:#?}", world.client.record());
            let strongest = bits.iter().max().unwrap();
            assert_eq!(world.server.encryption().unwrap().strength.bits(), *strongest);
            assert!(world.server.is_up() && world.client.is_up());
        }
    }
}

#[test]
fn c180_one_end_requires_what_the_other_has_switched_off() {
    let world = world(&[AuthMethod::MsChapV2], Mode::Require, Mode::Off).run();
    let detail = "server wants mppe 128 stateless, client rejects mppe";
    assert_eq!(world.server.why(), (Some(Code::E01), detail));
    let (code, text) = world.client.why();
    assert_eq!(code, Some(Code::E01), "{text}");
    assert!(text.contains("client encryption is off"), "{text}");

    let world = self::world(&[AuthMethod::MsChapV2], Mode::Off, Mode::Require).run();
    let detail = "client wants mppe 128 stateless, server rejects mppe";
    assert_eq!(world.client.why(), (Some(Code::E02), detail));
    let (code, text) = world.server.why();
    assert_eq!(code, Some(Code::E02), "{text}");
    assert!(text.contains("server encryption is off"), "{text}");
}

#[test]
fn key_sizes_that_do_not_meet_are_named_on_the_end_that_gives_up() {
    let world = World::new(
        server_config(&[AuthMethod::MsChapV2], Mode::Require, &[128]),
        client_config(&[AuthMethod::MsChapV2], Mode::Require, &[40]),
    )
    .run();
    let codes = [world.server.why().0, world.client.why().0];
    assert!(codes.contains(&Some(Code::E03)), "{:?} {:?}", world.server.why(), world.client.why());
    let details = [world.server.why().1, world.client.why().1].join("\n");
    assert!(details.contains("mppe 128 stateless") && details.contains("mppe 40 stateless"), "{details}");
    assert!(!world.server.is_up() && !world.client.is_up());
}

#[test]
fn c144_no_network_protocol_moves_before_required_encryption_runs() {
    let world = up();
    for end in [&world.server, &world.client] {
        let position = |wanted: &dyn Fn(&LinkEvent) -> bool| end.events.iter().position(wanted).unwrap();
        let encrypted = position(&|event| matches!(event, LinkEvent::Encryption(Some(_))));
        let sent = position(
            &|event| matches!(event, LinkEvent::Packet(packet) if packet.sent && packet.message.protocol == Protocol::Ipcp),
        );
        let network = position(&|event| matches!(event, LinkEvent::NetworkUp(_)));
        assert!(encrypted < sent && sent < network);
    }
}

#[test]
fn c161_a_refused_client_reads_why_before_the_link_ends() {
    for method in METHODS {
        let mut client = client_config(&[method], Mode::Allow, &[128]);
        client.credentials.as_mut().unwrap().password = Password::new("wrong");
        let world = World::new(server_config(&[method], Mode::Allow, &[128]), client).run();
        assert_eq!(world.server.why(), (Some(Code::A01), "\"alice\": Access denied"));
        let (code, text) = world.client.why();
        assert_eq!(code, Some(Code::A01));
        assert!(text.contains("Access denied"), "{text}");
    }
}

#[test]
fn a_client_that_goes_instead_of_trying_again_was_still_refused() {
    let mut client = client_config(&[AuthMethod::MsChapV2], Mode::Require, &[128]);
    client.credentials.as_mut().unwrap().password = Password::new("wrong");
    let mut world = World::new(server_config(&[AuthMethod::MsChapV2], Mode::Require, &[128]), client);
    world.account.retry = true;
    let world = world.run();
    let (code, detail) = world.server.why();
    assert_eq!(code, Some(Code::A01), "{detail}");
    assert!(detail.contains("\"alice\": Access denied"), "{detail}");
}

#[test]
fn c163_an_expired_password_is_changed_on_the_way_in() {
    let mut server = server_config(&[AuthMethod::MsChapV2], Mode::Require, &[128]);
    server.change_password = true;
    let mut client = client_config(&[AuthMethod::MsChapV2], Mode::Require, &[128]);
    client.credentials.as_mut().unwrap().new_password = Some(Password::new("a new one"));
    let mut world = World::new(server, client);
    world.account.expired = true;
    let world = world.run();
    assert!(world.server.is_up() && world.client.is_up() && world.keys_meet());
    assert_eq!(world.account.password, Password::new("a new one"));
}

#[test]
fn c166_a_rechallenge_disturbs_nothing_and_its_failure_ends_the_session() {
    for method in [AuthMethod::ChapMd5, AuthMethod::MsChapV1, AuthMethod::MsChapV2] {
        let mut world = world(&[method], Mode::Allow, Mode::Prefer).run();
        let disturbed = |event: &LinkEvent| {
            matches!(event, LinkEvent::Encryption(_) | LinkEvent::NetworkDown | LinkEvent::NetworkUp(_))
        };
        let before = (world.server.count(disturbed), world.client.count(disturbed));
        for _ in 0..3 {
            world.command(Side::Server, Command::Rechallenge);
        }
        assert_eq!(world.account.asked, 4);
        assert!(world.server.is_up() && world.client.is_up());
        assert_eq!((world.server.count(disturbed), world.client.count(disturbed)), before);
        world.account.password = Password::new("changed meanwhile");
        world.command(Side::Server, Command::Rechallenge);
        world.wait(Duration::from_secs(20), || false);
        assert_eq!(world.server.why().0, Some(Code::A01));
        assert_eq!(world.client.why().0, Some(Code::A01));
    }
}

#[test]
fn c198_ccp_that_starts_again_encrypts_from_the_start_keys() {
    let mut world = up();
    let ask = b"\x12\x06\x01\x00\x00\x40";
    world.command(Side::Server, Command::NoteTraffic);
    let now = world.now;
    world.server.link.handle_proven_input(now, &cp::frame(ppp::CCP, cp::CONFIGURE_REQUEST, 99, ask));
    // The client, which has not asked for it, follows when the server persists.
    world.wait(Duration::from_secs(8), || false);
    let reported: Vec<bool> = world
        .server
        .events
        .iter()
        .filter_map(|event| match event {
            LinkEvent::Encryption(mppe) => Some(mppe.is_some()),
            _ => None,
        })
        .collect();
    assert_eq!(reported, [true, false, true]);
    assert!(world.keys_meet());
    assert!(world.server.is_up() && world.client.is_up(), "{:#?}", world.server.record());
}

#[test]
fn encryption_that_is_required_and_stays_away_ends_the_session() {
    let mut world = up();
    let now = world.now;
    world.server.link.handle_input(now, &cp::frame(ppp::CCP, cp::TERMINATE_REQUEST, 9, b""));
    let mut out = Vec::new();
    while world.server.link.poll_transmit(&mut out) {}
    // The peer says nothing any more.
    world.wait(Duration::from_secs(30), || true);
    assert_eq!(world.server.why().0, Some(Code::E08), "{}", world.server.why().1);
}

#[test]
fn a_server_that_does_not_know_the_password_is_left_by_the_client() {
    let mut world = world(&[AuthMethod::MsChapV2], Mode::Require, Mode::Require);
    // An impostor accepts every login, and invents its proof.
    world.answers = false;
    world.open();
    let ask = world.server.events.iter().rev().find_map(|event| match event {
        LinkEvent::Ask(id, _) => Some(*id),
        _ => None,
    });
    let proven = adit_crypto::proof::Proven { mschap: Some([7; 20]), ..Default::default() };
    let verdict = adit_ppp::link::Answer::Verdict(adit_ppp::auth::Verdict::Accept(proven));
    let now = world.now;
    world.server.link.handle_answer(now, ask.unwrap(), verdict);
    world.wait(Duration::from_secs(20), || false);
    let end = world.client.end().unwrap();
    assert_eq!((end.by, end.code), (Who::Us, Some(Code::A12)));
}

#[test]
fn c238_the_record_of_a_session_shows_no_secret() {
    let world = up();
    let shown = [world.server.record(), world.client.record()].concat().join("\n");
    assert!(shown.contains("Response id"), "{shown}");
    assert!(shown.contains("mppe 128 stateless"), "{shown}");
    assert!(!shown.contains("clientPass") && !shown.contains("S=") && !shown.contains("C="), "{shown}");
    for event in world.server.events.iter().chain(&world.client.events) {
        assert!(!format!("{event:?}").contains("clientPass"));
    }
    let pap = self::world(&[AuthMethod::Pap], Mode::Off, Mode::Off).run();
    let shown = [pap.server.record(), pap.client.record()].concat().join("\n");
    assert!(shown.contains("Authenticate-Request") && !shown.contains("clientPass"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Over a line that loses much at first, two ends either both come up or both end, and they always mean the same by
    /// encryption.
    #[test]
    fn two_links_agree_over_a_bad_line(
        seed: u64,
        method in 0..4_usize,
        modes in (0..4_usize, 0..4_usize),
        bits in (0..8_usize, 0..8_usize),
        losses in 0..40_u32,
    ) {
        let mode = |at: usize| [Mode::Off, Mode::Allow, Mode::Prefer, Mode::Require][at];
        let some = |bits: usize| -> Vec<u8> {
            Strength::ALL.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, s)| s.bits()).collect()
        };
        let method = METHODS[method];
        let mut world = World::new(
            server_config(&[method], mode(modes.0), &some(bits.0)),
            client_config(&[method], mode(modes.1), &some(bits.1)),
        );
        let mut rng = adit_crypto::Rng::from_number(seed);
        let mut left = losses;
        world.server.link.open(world.now);
        world.client.link.open(world.now);
        world.wait(Duration::from_secs(20), || {
            let lost = left > 0 && rng.below(2) == 0;
            left -= u32::from(lost);
            lost
        });
        world.wait(Duration::from_secs(300), || false);
        let (server, client) = (world.server.is_up(), world.client.is_up());
        prop_assert_eq!(server, client, "{:#?} {:#?}", world.server.record(), world.client.record());
        if server {
            prop_assert_eq!(world.server.encryption().is_some(), world.client.encryption().is_some());
            prop_assert!(world.server.encryption().is_none() || world.keys_meet());
            let required = mode(modes.0) == Mode::Require || mode(modes.1) == Mode::Require;
            prop_assert!(!required || world.keys_meet());
        } else {
            let ends = (world.server.end(), world.client.end());
            let records = (world.server.record(), world.client.record());
            prop_assert!(ends.0.is_some() && ends.1.is_some(), "{:#?} {:#?}", ends, records);
        }
    }
}
