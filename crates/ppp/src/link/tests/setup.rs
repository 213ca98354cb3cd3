//! Tests of set-up, successful and failed.

use adit_crypto::mppe::Strength;
use adit_crypto::secret::Password;
use adit_diag::{AuthMethod, Code};
use adit_wire::{cp, ppp};

use crate::auth::Credentials;
use crate::ccp::Mode;
use crate::link::testing::*;
use crate::link::{LinkConfig, LinkEvent, Network, Who};

#[test]
fn a_server_and_a_client_come_up_with_keys_that_fit() {
    let mut world = World::new(server(), client());
    world.talk();
    assert!(world.is_up(), "{:#?}", world.a.record());
    let (a, b) = (world.a.network().unwrap(), world.b.network().unwrap());
    assert_eq!((a.local, a.peer), (LOCAL, GIVEN));
    assert_eq!((b.local, b.peer, &b.dns[..]), (GIVEN, LOCAL, &[DNS][..]));
    let (a, b) = (world.a.mppe().unwrap(), world.b.mppe().unwrap());
    assert_eq!((a.strength, a.stateless), (Strength::Bits128, true));
    assert!(a.keys.send == b.keys.receive && a.keys.receive == b.keys.send);
    let authenticated = |host: &Host| {
        host.events.iter().find_map(|event| match event {
            LinkEvent::Authenticated { name, method, server_proved } => {
                Some((name.clone(), *method, *server_proved))
            }
            _ => None,
        })
    };
    let wanted = Some((std::sync::Arc::from(*b"User"), AuthMethod::MsChapV2, true));
    assert_eq!((authenticated(&world.a), authenticated(&world.b)), (wanted.clone(), wanted));
    // No time was needed, and nothing is pending but the keep-alive.
    assert_eq!((world.now, world.a.link.poll_timeout().unwrap().1), (world.start, "LCP echo"));
}

#[test]
fn the_record_reads_like_a_conversation() {
    let mut world = World::new(server(), client());
    world.talk();
    let record = world.b.record();
    for line in [
        "> LCP Configure-Request id 1: mru 1400, magic ",
        "< LCP Configure-Request id 1: mru 1400, auth mschap-v2, magic ",
        "> LCP Configure-Ack id 1: mru 1400, auth mschap-v2, magic ",
        "> CCP Configure-Request id 1: mppe 128 stateless",
        "> IPCP Configure-Request id 1: address 0.0.0.0, dns1 0.0.0.0, dns2 0.0.0.0",
        "< IPCP Configure-Reject id 1: dns2 0.0.0.0",
        "< IPCP Configure-Nak id 2: address 192.0.2.100, dns1 192.0.2.53",
        "< IPCP Configure-Ack id 3: address 192.0.2.100, dns1 192.0.2.53",
    ] {
        assert!(record.iter().any(|found| found.starts_with(line)), "{line} in {record:#?}");
    }
}

const METHODS: [AuthMethod; 4] =
    [AuthMethod::MsChapV2, AuthMethod::MsChapV1, AuthMethod::ChapMd5, AuthMethod::Pap];
const MODES: [Mode; 4] = [Mode::Off, Mode::Allow, Mode::Prefer, Mode::Require];

#[test]
fn every_method_with_every_policy_of_both_ends_is_up_or_fails_with_a_reason() {
    for method in METHODS {
        for (a, b) in MODES.into_iter().flat_map(|a| MODES.map(|b| (a, b))) {
            let case = format!("{method}, server {a:?}, client {b:?}");
            let a_config = with_mode(with_methods(server(), &[method]), a);
            let b_config = with_mode(with_methods(client(), &[method]), b);
            let mut world = World::new(a_config, b_config);
            world.seconds(60);
            let (codes, up) = ((world.a.code(), world.b.code()), world.is_up());
            let encrypted = world.a.mppe().is_some() && world.b.mppe().is_some();
            let required = a == Mode::Require || b == Mode::Require;
            if required && !method.gives_keys() {
                assert!(!up, "{case}");
                assert!(codes.0 == Some(Code::E06) || codes.1 == Some(Code::E06), "{case}: {codes:?}");
            } else if a == Mode::Require && b == Mode::Off {
                assert_eq!((up, codes.0), (false, Some(Code::E01)), "{case}: {:#?}", world.a.record());
                assert_eq!(codes.1, Some(Code::E01), "{case}: {:#?}", world.b.record());
            } else if b == Mode::Require && a == Mode::Off {
                assert_eq!((up, codes.1), (false, Some(Code::E02)), "{case}: {:#?}", world.b.record());
                assert_eq!(codes.0, Some(Code::E02), "{case}: {:#?}", world.a.record());
            } else {
                assert!(up, "{case}: {codes:?} {:#?}", world.a.record());
                let asked = a.asks() || b.asks();
                let wanted = method.gives_keys() && a != Mode::Off && b != Mode::Off && asked;
                assert_eq!(encrypted, wanted, "{case}: {:#?}", world.a.record());
            }
        }
    }
}

#[test]
fn lossy_lines_come_up_all_the_same() {
    for seed in 0..40 {
        let mut world = World::seeded(server(), client(), seed);
        world.loss = 20;
        world.seconds(60);
        assert!(world.is_up(), "{seed}: {:?} {:?} {:#?}", world.a.end(), world.b.end(), world.b.record());
        let (a, b) = (world.a.mppe().unwrap(), world.b.mppe().unwrap());
        assert!(a.keys.send == b.keys.receive && a.keys.receive == b.keys.send);
    }
}

#[test]
fn a_wrong_password_is_named_on_both_sides_and_read_before_the_link_ends() {
    let config =
        LinkConfig { credentials: Some(Credentials::new("User", Password::new("wrong"))), ..client() };
    let mut world = World::new(server(), config);
    world.seconds(20);
    let (a, b) = (world.a.end().unwrap(), world.b.end().unwrap());
    assert_eq!((a.by, a.code), (Who::Us, Some(Code::A01)));
    assert_eq!((b.by, b.code), (Who::Peer, Some(Code::A01)));
    assert!(b.detail.contains("691"), "{}", b.detail);
    let failure = world.a.record().iter().position(|line| line.starts_with("> CHAP Failure")).unwrap();
    let terminate = world.a.record().iter().position(|line| line.contains("LCP Terminate-")).unwrap();
    assert!(failure < terminate);
}

#[test]
fn a_refused_client_that_does_not_go_is_sent_away() {
    let mut solo = Solo::new(with_mode(with_methods(server(), &[AuthMethod::Pap]), Mode::Off));
    solo.open_lcp(&[]);
    let sent = solo.give(ppp::PAP, 1, 1, b"\x04User\x05wrong");
    assert_eq!((sent[0].protocol, sent[0].code), (ppp::PAP, 3));
    // The peer did not receive the answer and asks again: the answer is repeated, without another question.
    let again = solo.give(ppp::PAP, 1, 1, b"\x04User\x05wrong");
    assert_eq!(again, sent);
    assert_eq!(solo.host.asked, 1);
    let sent = solo.wait(core::time::Duration::from_secs(5));
    assert_eq!(sent[0].code, cp::TERMINATE_REQUEST);
    solo.wait(core::time::Duration::from_secs(10));
    assert_eq!(solo.host.code(), Some(Code::A01));
}

#[test]
fn c146_no_common_method_ends_with_a05_on_both_sides() {
    let mut world = World::new(server(), with_methods(client(), &[AuthMethod::Pap]));
    world.seconds(40);
    for end in [world.a.end().unwrap(), world.b.end().unwrap()] {
        assert_eq!(end.code, Some(Code::A05));
        assert!(end.detail.contains("pap") && end.detail.contains("mschap-v2"), "{}", end.detail);
    }
}

#[test]
fn c145_the_first_method_in_common_is_used() {
    let a = with_mode(
        with_methods(server(), &[AuthMethod::MsChapV2, AuthMethod::ChapMd5, AuthMethod::Pap]),
        Mode::Allow,
    );
    let b = with_mode(with_methods(client(), &[AuthMethod::Pap]), Mode::Allow);
    let mut world = World::new(a, b);
    world.talk();
    assert!(world.is_up());
    let method = world.a.events.iter().find_map(|event| match event {
        LinkEvent::Authenticated { method, .. } => Some(*method),
        _ => None,
    });
    assert_eq!(method, Some(AuthMethod::Pap));
}

#[test]
fn c175_a_method_without_keys_ends_a_session_that_requires_encryption() {
    let mut world =
        World::new(with_methods(server(), &[AuthMethod::Pap]), with_methods(client(), &[AuthMethod::Pap]));
    world.seconds(20);
    let end = world.a.end().unwrap();
    assert_eq!(end.code, Some(Code::E06));
    assert!(end.detail.contains("pap gives no keys"), "{}", end.detail);
    assert!(of(&world.a.sent.iter().map(|f| parse(f)).collect::<Vec<_>>(), ppp::IPCP).is_empty());
}

#[test]
fn a_client_that_requires_encryption_does_not_go_on_without_authentication() {
    let mut world = World::new(with_mode(with_methods(server(), &[]), Mode::Off), client());
    world.seconds(20);
    assert_eq!(world.b.code(), Some(Code::E06));
    assert!(!world.is_up());
}

#[test]
fn without_a_configured_method_no_authentication_is_required() {
    let mut world = World::new(
        with_mode(with_methods(server(), &[]), Mode::Off),
        with_mode(with_methods(client(), &[]), Mode::Allow),
    );
    world.talk();
    assert!(world.is_up(), "{:#?}", world.a.record());
}

#[test]
fn c177_strengths_that_differ_end_with_e03_on_both_sides() {
    let mut weak = client();
    weak.mppe.strengths = vec![Strength::Bits40];
    let mut world = World::new(server(), weak);
    world.seconds(40);
    assert_eq!((world.a.code(), world.b.code()), (Some(Code::E03), Some(Code::E03)), "{:?}", world.b.end());
}

#[test]
fn an_account_source_that_never_answers_ends_with_a07() {
    let mut world = World::new(server(), client());
    world.a.mute = true;
    world.seconds(120);
    assert_eq!(world.a.code(), Some(Code::A07), "{:?}", world.a.end());
    assert!(world.b.code().is_some());
}

#[test]
fn a_client_that_does_not_answer_the_challenge_ends_with_a14() {
    let mut solo = Solo::new(server());
    let sent = solo.open_lcp(&[]);
    assert_eq!(of(&sent, ppp::CHAP)[0].code, 1);
    solo.wait(core::time::Duration::from_secs(60));
    assert_eq!(solo.host.code(), Some(Code::A14));
}

#[test]
fn an_empty_pool_ends_with_i01() {
    let mut world = World::new(server(), client());
    world.a.address = None;
    world.seconds(20);
    assert_eq!(world.a.code(), Some(Code::I01));
    let end = world.b.end().unwrap();
    assert_eq!((end.by, end.code), (Who::Peer, Some(Code::I01)));
    assert!(end.detail.contains("there is no address for the client"), "{}", end.detail);
}

#[test]
fn a_question_for_an_address_without_an_answer_ends_with_i06() {
    let mut solo = Solo::new(with_mode(with_methods(server(), &[]), Mode::Off));
    solo.host.mute = true;
    solo.open_lcp(&[]);
    solo.wait(core::time::Duration::from_secs(60));
    assert_eq!(solo.host.code(), Some(Code::I06));
    assert!(solo.host.end().unwrap().detail.contains("question"), "{:?}", solo.host.end());
}

#[test]
fn the_clients_address_request_is_in_the_question() {
    let fixed = "192.0.2.100".parse().unwrap();
    let mut world = World::new(server(), LinkConfig { address: Some(fixed), ..client() });
    world.talk();
    let wanted = world.a.events.iter().find_map(|event| match event {
        LinkEvent::Ask(_, crate::link::Question::Address { wanted }) => Some(*wanted),
        _ => None,
    });
    assert_eq!(wanted, Some(Some(fixed)));
    assert!(world.is_up());
}

#[test]
fn c128_a_fixed_address_that_is_not_granted_ends_with_i02() {
    let fixed = "198.51.100.7".parse().unwrap();
    let mut world = World::new(server(), LinkConfig { address: Some(fixed), ..client() });
    world.seconds(40);
    let codes = [world.a.code(), world.b.code()];
    assert!(codes.contains(&Some(Code::I02)), "{codes:?}");
    assert!(!world.is_up());
}

#[test]
fn ipv6_comes_up_beside_ipv4_where_both_want_it() {
    let with = |config| LinkConfig { ipv6: true, ..config };
    let mut world = World::new(with(server()), with(client()));
    world.talk();
    let Network { ipv6, .. } = world.a.network().unwrap();
    let (own, peer) = ipv6.unwrap();
    assert_eq!(world.b.network().unwrap().ipv6, Some((peer, own)));

    // One end without IPv6: IPV6CP is rejected, and IPv4 continues.
    let mut world = World::new(server(), with(client()));
    world.seconds(40);
    assert!(world.is_up());
    assert_eq!(world.b.network().unwrap().ipv6, None);
}

#[test]
fn a_silent_line_ends_with_l05_and_a_close_before_that_ends_at_once() {
    for config in [server(), client()] {
        let mut solo = Solo::new(config);
        solo.wait(core::time::Duration::from_secs(31));
        let end = solo.host.end().unwrap();
        assert_eq!((end.by, end.code), (Who::Neither, Some(Code::L05)));
        assert!(end.detail.ends_with("sent no LCP packet"), "{}", end.detail);
        assert_eq!(solo.host.link.poll_timeout(), None);
    }
}

#[test]
fn l01_is_a_peer_that_does_not_agree_and_l05_a_silent_one() {
    let mut solo = Solo::new(server());
    solo.give(ppp::LCP, cp::CONFIGURE_REQUEST, 1, &[]);
    solo.wait(core::time::Duration::from_secs(40));
    assert_eq!(solo.host.code(), Some(Code::L05));

    let mut solo = Solo::new(server());
    for id in 0..20 {
        solo.give(ppp::LCP, cp::CONFIGURE_REQUEST, id, &[]);
        solo.wait(core::time::Duration::from_secs(2));
    }
    assert_eq!(solo.host.code(), Some(Code::L01), "{:?}", solo.host.end());
}

#[test]
fn the_client_of_windows_10_comes_up_as_in_the_public_log() {
    let mut solo = Solo::new(server());
    solo.collect();
    let lcp = |hex: &str| octets(hex);
    // mru 1400, magic, pfc, acfc, callback
    let sent = solo.give(ppp::LCP, 1, 0, &lcp("010405780506478a3c1e070208020d0306"));
    assert_eq!((sent[0].code, &sent[0].data[..]), (cp::CONFIGURE_REJECT, &octets("0d0306")[..]));
    let request = parse(&solo.host.sent[0]);
    solo.answer(&request);
    let sent = solo.give(ppp::LCP, 1, 1, &lcp("010405780506478a3c1e07020802"));
    assert_eq!(sent[0].code, cp::CONFIGURE_ACK);
    let challenge = &of(&sent, ppp::CHAP)[0];
    for (id, text) in [(2, &b"MSRASV5.20"[..]), (3, b"MSRAS-0-CLIENT1"), (4, &[0x9c; 16])] {
        assert!(
            solo.give(ppp::LCP, cp::IDENTIFICATION, id, &[&MAGIC.to_be_bytes()[..], text].concat())
                .is_empty()
        );
    }
    let response = response(challenge, "User", PASSWORD);
    let sent = solo.give(ppp::CHAP, 2, challenge.id, &response);
    assert_eq!((sent[0].protocol, sent[0].code), (ppp::CHAP, 3));
    let ccp = of(&sent, ppp::CCP);
    assert_eq!(ccp[0].data, octets("120601000040"));
    // IPV6CP: rejected. CCP with H alone, which asks for a suggestion. IPCP: held.
    let sent = solo.give(ppp::IPV6CP, 1, 5, &octets("010a02aabbfffeccddee"));
    assert_eq!((sent[0].protocol, sent[0].code), (ppp::LCP, cp::PROTOCOL_REJECT));
    let sent = solo.give(ppp::CCP, 1, 6, &octets("120601000000"));
    assert_eq!((sent[0].code, &sent[0].data[..]), (cp::CONFIGURE_NAK, &octets("120601000040")[..]));
    let all = octets("030600000000810600000000820600000000830600000000840600000000");
    assert!(solo.give(ppp::IPCP, 1, 7, &all).is_empty());
    solo.answer(&ccp[0]);
    let sent = solo.give(ppp::CCP, 1, 8, &octets("120601000040"));
    assert_eq!(sent[0].code, cp::CONFIGURE_ACK);
    assert!(solo.host.mppe().is_some());
    // The held request is answered at once: a Reject for unsupported options, before any Nak.
    let ipcp = of(&sent, ppp::IPCP);
    assert_eq!(ipcp[0].code, cp::CONFIGURE_REQUEST);
    assert_eq!((ipcp[1].code, ipcp[1].id), (cp::CONFIGURE_REJECT, 7));
    assert_eq!(ipcp[1].data, octets("820600000000830600000000840600000000"));
    solo.answer(&ipcp[0]);
    let sent = solo.give(ppp::IPCP, 1, 9, &octets("030600000000810600000000"));
    assert_eq!(
        (sent[0].code, &sent[0].data[..]),
        (cp::CONFIGURE_NAK, &octets("0306c00002648106c0000235")[..])
    );
    solo.give(ppp::IPCP, 1, 10, &octets("0306c00002648106c0000235"));
    assert!(solo.host.network().is_some(), "{:#?}", solo.host.record());
}

#[test]
fn the_server_of_windows_takes_our_client_as_in_the_public_log() {
    let mut solo = Solo::new(client());
    let first = solo.collect();
    // mru 1400, auth EAP, magic, pfc, acfc, endpoint of 20 octets
    let endpoint = format!("131701{}", "ab".repeat(20));
    let sent = solo.give(ppp::LCP, 1, 0, &octets(&format!("010405780304c2270506478a3c1e07020802{endpoint}")));
    assert_eq!((sent[0].code, &sent[0].data[..]), (cp::CONFIGURE_REJECT, &octets(&endpoint)[..]));
    let sent = solo.give(ppp::LCP, 1, 1, &octets("010405780304c2270506478a3c1e07020802"));
    assert_eq!((sent[0].code, &sent[0].data[..]), (cp::CONFIGURE_NAK, &octets("0305c22381")[..]));
    let sent = solo.give(ppp::LCP, 1, 2, &octets("010405780305c223810506478a3c1e07020802"));
    assert_eq!(sent[0].code, cp::CONFIGURE_ACK);
    solo.answer(&first[0]);
    let value = [7; 16];
    let sent = solo.give(ppp::CHAP, 1, 0, &[&[16][..], &value, b"SERVER"].concat());
    assert_eq!((sent[0].protocol, sent[0].code), (ppp::CHAP, 2));
    // A Success without M=.
    let sent = solo.give(ppp::CHAP, 3, 0, &success(&sent[0], &value));
    let ccp = of(&sent, ppp::CCP);
    // IPCP arrives while CCP still negotiates.
    assert!(solo.give(ppp::IPCP, 1, 5, &octets("0306c0000201")).is_empty());
    let sent = solo.give(ppp::CCP, 1, 4, &octets("1206010000e1"));
    assert_eq!((sent[0].code, &sent[0].data[..]), (cp::CONFIGURE_NAK, &octets("120601000040")[..]));
    solo.answer(&ccp[0]);
    let sent = solo.give(ppp::CCP, 1, 6, &octets("120601000040"));
    let ipcp = of(&sent, ppp::IPCP);
    assert_eq!((ipcp[1].code, ipcp[1].id), (cp::CONFIGURE_ACK, 5));
    assert_eq!(ipcp[0].data, octets("030600000000810600000000830600000000"));
    let sent = solo.give(ppp::IPCP, cp::CONFIGURE_REJECT, ipcp[0].id, &octets("830600000000"));
    let sent = solo.give(ppp::IPCP, cp::CONFIGURE_NAK, sent[0].id, &octets("0306c00002648106c0000235"));
    solo.answer(&sent[0]);
    let network = solo.host.network().unwrap();
    assert_eq!((network.local, network.peer, &network.dns[..]), (GIVEN, LOCAL, &[DNS][..]));
}
