//! Tests of the end of a link, by either side and by neither.

use core::time::Duration;

use adit_diag::{AuthMethod, Code};
use adit_wire::{cp, ppp};

use crate::ccp::Mode;
use crate::link::testing::*;
use crate::link::{Command, LinkEvent, Who};

#[test]
fn a_local_close_sends_the_reason_and_ends_both_sides() {
    let mut world = World::new(server(), client());
    world.talk();
    world.a.link.handle_command(world.now, Command::Close { reason: "maintenance".to_owned() });
    world.seconds(5);
    let (a, b) = (world.a.end().unwrap(), world.b.end().unwrap());
    assert_eq!((a.by, a.code, &a.detail[..]), (Who::Us, None, "closed here: maintenance"));
    assert_eq!((b.by, b.code), (Who::Peer, Some(Code::L03)));
    assert_eq!(b.detail, "the server ended the link: \"maintenance\"");
    for host in [&world.a, &world.b] {
        assert!(host.network().is_none() && host.mppe().is_none());
        assert!(matches!(host.events.last(), Some(LinkEvent::Ended(_))));
        assert_eq!(host.link.poll_timeout(), None);
    }
}

#[test]
fn c100_a_peer_that_does_not_answer_a_close_is_left_after_two_requests() {
    let mut solo = up(server());
    solo.host.link.handle_command(solo.now, Command::Close { reason: "enough".to_owned() });
    let sent = solo.wait(Duration::from_secs(20));
    assert_eq!(sent.iter().map(|packet| packet.code).collect::<Vec<_>>(), [cp::TERMINATE_REQUEST; 2]);
    assert_eq!(sent[0].data, b"enough");
    assert!(solo.host.end().is_some());
}

#[test]
fn c123_a_terminate_request_is_acked_at_once_and_ends_the_link_one_period_later() {
    // On an encrypted link it is verified first: `forged.rs`.
    let mut solo = clear(server());
    let sent = solo.give(ppp::LCP, cp::TERMINATE_REQUEST, 9, &octets("478a3c1e003ccd7400000397"));
    assert_eq!((sent[0].code, sent[0].id), (cp::TERMINATE_ACK, 9));
    assert!(solo.host.network().is_none() && solo.host.end().is_none());
    solo.wait(Duration::from_secs(3));
    let end = solo.host.end().unwrap();
    assert_eq!((end.by, end.code), (Who::Peer, Some(Code::L03)));
    assert_eq!(end.detail, "the client ended the link: Windows error 919");
}

#[test]
fn a_terminate_request_reports_its_phase() {
    let detail = |mut solo: Solo| {
        solo.give(ppp::LCP, cp::TERMINATE_REQUEST, 9, b"no");
        solo.wait(Duration::from_secs(10));
        let end = solo.host.end().unwrap();
        assert_eq!((end.by, end.code), (Who::Peer, Some(Code::L03)));
        end.detail.clone()
    };
    let mut early = Solo::new(server());
    early.collect();
    assert_eq!(detail(early), "the client ended the link during LCP: \"no\"");
    let mut authenticating = Solo::new(server());
    authenticating.open_lcp(&[]);
    assert_eq!(detail(authenticating), "the client ended the link during authentication: \"no\"");
    let (before, _) = admitted(server());
    assert_eq!(detail(before), "the client ended the link before the network was up: \"no\"");
    assert_eq!(detail(up(server())), "the client ended the link: \"no\"");
}

#[test]
fn a_terminate_request_with_a_code_names_the_layer_unless_this_side_sees_it() {
    let (mut solo, _) = admitted(server());
    solo.give(ppp::LCP, cp::TERMINATE_REQUEST, 9, b"I01 no address is left");
    solo.wait(Duration::from_secs(10));
    let end = solo.host.end().unwrap();
    assert_eq!((end.by, end.code), (Who::Peer, Some(Code::I01)));
    assert_eq!(end.detail, "the client says: \"no address is left\"");
    for text in [&b"G01 nothing heard"[..], b"I01", b"I99 no", b"S09 locked", b"\xff\xff\xff I01"] {
        let (mut solo, _) = admitted(server());
        solo.give(ppp::LCP, cp::TERMINATE_REQUEST, 9, text);
        solo.wait(Duration::from_secs(10));
        assert_eq!(solo.host.code(), Some(Code::L03));
    }
}

#[test]
fn pppd_that_wants_another_encryption_is_e03_until_encryption_was_up() {
    let text = b"MPPE required but peer negotiation failed";
    let code = |mut solo: Solo, text: &[u8]| {
        solo.give(ppp::LCP, cp::TERMINATE_REQUEST, 9, text);
        solo.wait(Duration::from_secs(10));
        let end = solo.host.end().unwrap();
        assert!(end.detail.contains("MPPE"), "{}", end.detail);
        end.code
    };
    assert_eq!(code(admitted(server()).0, text), Some(Code::E03));
    // With optional encryption, the network may be up before pppd gives up CCP.
    assert_eq!(code(admitted(with_mode(server(), Mode::Allow)).0, text), Some(Code::E03));
    assert_eq!(code(up(server()), text), Some(Code::L03));
    assert_eq!(code(admitted(server()).0, b"MPPE disabled"), Some(Code::L03));
}

#[test]
fn nothing_is_sent_when_the_layer_below_is_down() {
    let mut solo = up(server());
    solo.host.link.handle_command(solo.now, Command::LowerDown);
    assert_eq!(solo.collect(), []);
    let end = solo.host.end().unwrap();
    assert_eq!((end.by, end.code), (Who::Neither, None));
    assert!(solo.host.network().is_none() && solo.host.mppe().is_none());

    // The earlier cause is kept.
    let mut solo = up(server());
    solo.give(ppp::LCP, cp::TERMINATE_REQUEST, 9, &[]);
    solo.host.link.handle_command(solo.now, Command::LowerDown);
    solo.collect();
    assert_eq!(solo.host.code(), Some(Code::L03));
}

#[test]
fn a_peer_whose_goodbye_was_lost_probably_went_over_what_it_did_not_get() {
    let ended = |mut solo: Solo| {
        solo.host.link.handle_command(solo.now, Command::LowerDown);
        solo.collect();
        solo.host.end().unwrap().clone()
    };
    let mut server_wants_pap = Solo::new(client());
    server_wants_pap.give(ppp::LCP, cp::CONFIGURE_REQUEST, 1, &octets("0304c023"));
    let end = ended(server_wants_pap);
    assert_eq!((end.by, end.code), (Who::Peer, Some(Code::A05)));
    assert_eq!(end.detail, "the layer below went down; the server insists on pap, we allow mschap-v2");

    let (mut client_wants_mppe, _) = admitted(with_mode(server(), Mode::Off));
    client_wants_mppe.give(ppp::CCP, cp::CONFIGURE_REQUEST, 1, &octets("120601000040"));
    assert_eq!(ended(client_wants_mppe).code, Some(Code::E02));
}

#[test]
fn an_ended_link_stays_silent_whatever_comes() {
    let mut solo = up(server());
    solo.host.link.handle_command(solo.now, Command::LowerDown);
    solo.collect();
    let events = solo.host.events.len();
    for code in 0..16 {
        assert_eq!(solo.give(ppp::LCP, code, 1, &[]), []);
    }
    solo.host.link.handle_command(solo.now, Command::Close { reason: String::new() });
    solo.host.link.handle_command(solo.now, Command::Rechallenge);
    solo.host.link.open(solo.now);
    assert_eq!(solo.wait(Duration::from_secs(100)), []);
    assert_eq!(solo.host.events.len(), events);
}

#[test]
fn a_link_that_was_never_opened_can_be_closed() {
    let mut host = Host::new(server(), 1);
    let now = std::time::Instant::now();
    host.link.handle_input(now, &[0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4]);
    host.link.handle_command(now, Command::Close { reason: "no".to_owned() });
    assert!(matches!(host.link.poll_event(), Some(LinkEvent::Ended(_))));
    assert_eq!(host.link.poll_timeout(), None);
}

#[test]
fn c166_a_rechallenge_does_not_disturb_the_network() {
    let mut world = World::new(server(), client());
    world.talk();
    let before = (world.a.events.len(), world.b.events.len());
    for _ in 0..3 {
        world.a.link.handle_command(world.now, Command::Rechallenge);
        world.seconds(10);
    }
    assert_eq!(world.a.asked, 4);
    let quiet = |host: &Host, from: usize| {
        host.events[from..].iter().all(|event| matches!(event, LinkEvent::Packet(_) | LinkEvent::Ask(..)))
    };
    assert!(quiet(&world.a, before.0) && quiet(&world.b, before.1));
    assert!(world.is_up());
}

#[test]
fn c166_a_rechallenge_that_fails_ends_the_session() {
    let mut solo = up(server());
    solo.host.link.handle_command(solo.now, Command::Rechallenge);
    let sent = solo.collect();
    assert_eq!((sent[0].protocol, sent[0].code), (ppp::CHAP, 1));
    solo.give(ppp::CHAP, 2, sent[0].id, &response(&sent[0], "User", "other"));
    assert!(solo.host.network().is_none() && solo.host.mppe().is_none());
    solo.wait(Duration::from_secs(20));
    assert_eq!(solo.host.code(), Some(Code::A01));
}

#[test]
fn a_server_that_cannot_prove_itself_is_left_with_a12() {
    let mut solo = Solo::new(client());
    let first = solo.collect();
    solo.give(ppp::LCP, cp::CONFIGURE_REQUEST, 1, &octets("0305c22381"));
    solo.answer(&first[0]);
    solo.give(ppp::CHAP, 1, 1, &[&[16][..], &[9; 16]].concat());
    let sent = solo.give(ppp::CHAP, 3, 1, format!("S={}", "00".repeat(20)).as_bytes());
    assert_eq!((sent[0].protocol, sent[0].code), (ppp::LCP, cp::TERMINATE_REQUEST));
    solo.wait(Duration::from_secs(10));
    let end = solo.host.end().unwrap();
    assert_eq!((end.by, end.code), (Who::Us, Some(Code::A12)));
}

#[test]
fn a_close_while_a_refusal_is_read_keeps_the_cause() {
    let mut solo = Solo::new(with_mode(with_methods(server(), &[AuthMethod::Pap]), Mode::Off));
    solo.open_lcp(&[]);
    solo.give(ppp::PAP, 1, 1, b"\x04User\x05wrong");
    solo.host.link.handle_command(solo.now, Command::Close { reason: "shutdown".to_owned() });
    solo.wait(Duration::from_secs(10));
    assert_eq!(solo.host.code(), Some(Code::A01));
}
