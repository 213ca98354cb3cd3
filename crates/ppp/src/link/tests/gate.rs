//! Tests that nothing is sent in clear if encryption is required, whatever the order of packets.

use core::time::Duration;

use adit_diag::Code;
use adit_wire::{cp, ppp};

use crate::ccp::Mode;
use crate::link::testing::*;
use crate::link::{Command, LinkEvent, Side};

const ZERO_ADDRESS: &str = "030600000000";
const H_S: &str = "120601000040";

/// The codes of the packets that a link sent with a protocol.
fn codes(sent: &[Sent], protocol: u16) -> Vec<u8> {
    of(sent, protocol).iter().map(|packet| packet.code).collect()
}

#[test]
fn c144_an_ipcp_request_before_required_encryption_is_held_and_answered_when_ccp_opens() {
    let (mut solo, sent) = admitted(server());
    let ccp = of(&sent, ppp::CCP).remove(0);
    // It is repeated, and never answered with a Terminate-Ack or anything else.
    for id in 1..4 {
        assert_eq!(solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, id, &octets(ZERO_ADDRESS)), []);
        let sent = solo.wait(Duration::from_secs(2));
        assert!(of(&sent, ppp::IPCP).is_empty(), "{sent:?}");
    }
    solo.answer(&ccp);
    let sent = solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, 1, &octets(H_S));
    let ipcp = of(&sent, ppp::IPCP);
    assert_eq!((ipcp[0].code, ipcp[1].code, ipcp[1].id), (cp::CONFIGURE_REQUEST, cp::CONFIGURE_NAK, 3));
    let held = solo.host.record().into_iter().filter(|line| line.ends_with("(held until encryption is up)"));
    assert_eq!(held.count(), 3);
}

#[test]
fn c144_a_client_holds_the_request_of_its_server_too() {
    let mut world = World::new(server(), with_mode(client(), Mode::Prefer));
    world.talk();
    assert!(world.is_up());
    let mut solo = Solo::new(client());
    let first = solo.collect();
    solo.give(ppp::LCP, cp::CONFIGURE_REQUEST, 1, &octets("0305c22381"));
    solo.answer(&first[0]);
    let value = [9; 16];
    let sent = solo.give(ppp::CHAP, 1, 1, &[&[16][..], &value].concat());
    let sent = solo.give(ppp::CHAP, 3, 1, &success(&sent[0], &value));
    assert!(of(&sent, ppp::IPCP).is_empty());
    assert_eq!(solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 5, &octets("0306c0000201")), []);
    let sent = solo.answer(&of(&sent, ppp::CCP)[0]);
    assert!(of(&sent, ppp::IPCP).is_empty());
    let sent = solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, 1, &octets(H_S));
    assert_eq!(codes(&sent, ppp::IPCP), [cp::CONFIGURE_REQUEST, cp::CONFIGURE_ACK]);
}

#[test]
fn c189_no_network_protocol_is_sent_before_encryption_runs() {
    for mode in [Mode::Require, Mode::Prefer] {
        let mut world = World::new(with_mode(server(), mode), client());
        world.talk();
        let (a, b) = (&world.a, &world.b);
        for host in [b, a] {
            let encryption = host.position(|event| matches!(event, LinkEvent::Encryption(Some(_)))).unwrap();
            let first = host.position(|event| match event {
                LinkEvent::Packet(packet) => {
                    packet.sent && packet.message.protocol == adit_wire::Protocol::Ipcp
                }
                LinkEvent::NetworkUp(_) => true,
                _ => false,
            });
            if mode == Mode::Require || host.link.config.role == Side::Client {
                assert!(encryption < first.unwrap(), "{:#?}", host.record());
            }
        }
    }
}

#[test]
fn c188_c189_lost_encryption_is_reported_at_once_and_the_network_waits_for_it() {
    let mut solo = up(server());
    solo.wait(Duration::from_secs(5));
    let before = solo.host.events.len();
    let sent = solo.prove(ppp::CCP, cp::CONFIGURE_REQUEST, 9, &octets(H_S));
    assert!(matches!(
        solo.host.events[before..].iter().find(|event| !matches!(event, LinkEvent::Packet(_))),
        Some(LinkEvent::Encryption(None))
    ));
    assert!(solo.host.network().is_some() && solo.host.mppe().is_none());
    // IPCP is not answered in the meantime.
    let meanwhile = solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 9, &octets(ZERO_ADDRESS));
    assert_eq!(of(&meanwhile, ppp::IPCP), []);
    assert_eq!(codes(&sent, ppp::CCP), [cp::CONFIGURE_REQUEST, cp::CONFIGURE_ACK]);
    solo.answer(&of(&sent, ppp::CCP)[0]);
    assert!(solo.host.mppe().is_some());
}

#[test]
fn c198_a_restart_of_ccp_begins_anew_with_the_start_keys() {
    let mut solo = up(server());
    let first = solo.host.mppe().unwrap().clone();
    solo.wait(Duration::from_secs(5));
    let sent = solo.prove(ppp::CCP, cp::CONFIGURE_REQUEST, 9, &octets(H_S));
    solo.answer(&of(&sent, ppp::CCP)[0]);
    let reported = solo.host.events.iter().filter(|event| matches!(event, LinkEvent::Encryption(Some(_))));
    assert_eq!(reported.count(), 2);
    let again = solo.host.mppe().unwrap();
    assert!(
        again.keys == first.keys && (again.strength, again.stateless) == (first.strength, first.stateless)
    );
}

#[test]
fn a_request_that_crossed_our_ack_does_not_take_encryption_down() {
    let (mut solo, _) = encrypted(server());
    let sent = solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, 2, &octets(H_S));
    assert_eq!(codes(&sent, ppp::CCP), [cp::CONFIGURE_ACK]);
    assert!(solo.host.mppe().is_some());
    // After traffic it is a restart.
    solo.host.link.handle_command(solo.now, Command::NoteTraffic);
    solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, 3, &octets(H_S));
    assert!(solo.host.mppe().is_none());
}

#[test]
fn c180_a_peer_that_rejects_ccp_or_its_option_ends_a_session_that_requires_it() {
    // By Protocol-Reject.
    let (mut solo, sent) = admitted(server());
    let ccp = of(&sent, ppp::CCP).remove(0);
    let sent = solo.give(ppp::LCP, cp::PROTOCOL_REJECT, 1, &octets("80fd0101000a120601000040"));
    assert_eq!(codes(&sent, ppp::LCP), [cp::TERMINATE_REQUEST]);
    solo.give(ppp::LCP, cp::TERMINATE_ACK, sent[0].id, &[]);
    let end = solo.host.end().unwrap();
    assert_eq!(end.code, Some(Code::E01));
    assert_eq!(end.detail, "server wants mppe 128 stateless, client has no CCP (Protocol-Reject)");

    // By Configure-Reject.
    let (mut solo, _) = admitted(server());
    let sent = solo.give(ppp::CCP, cp::CONFIGURE_REJECT, ccp.id, &ccp.data);
    assert!(codes(&sent, ppp::LCP).contains(&cp::TERMINATE_REQUEST), "{sent:?}");
    solo.wait(Duration::from_secs(20));
    assert_eq!(solo.host.code(), Some(Code::E01), "{:?}", solo.host.end());

    // By timeout.
    let (mut solo, _) = admitted(server());
    let sent = solo.wait(Duration::from_secs(60));
    assert!(of(&sent, ppp::IPCP).is_empty());
    let end = solo.host.end().unwrap();
    assert_eq!(end.code, Some(Code::E01));
    assert!(end.detail.contains("does not answer"), "{}", end.detail);
}

#[test]
fn c181_a_peer_without_ccp_works_in_clear_where_that_is_allowed() {
    for mode in [Mode::Allow, Mode::Prefer] {
        let (mut solo, _) = admitted(with_mode(server(), mode));
        if mode == Mode::Prefer {
            solo.give(ppp::LCP, cp::PROTOCOL_REJECT, 1, &octets("80fd0101000a120601000040"));
        }
        let sent = solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &octets("0306c0000264"));
        solo.answer(&of(&sent, ppp::IPCP)[0]);
        assert!(solo.host.network().is_some() && solo.host.mppe().is_none());
        solo.wait(Duration::from_secs(20));
        assert!(solo.host.end().is_none(), "{:?}", solo.host.end());
    }
}

#[test]
fn the_first_packets_do_not_go_in_clear_while_encryption_is_being_negotiated() {
    let opened = |mode| {
        let (mut solo, _) = admitted(with_mode(server(), mode));
        let sent = solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, 1, &octets(H_S));
        let ipcp = solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &octets("0306c0000264"));
        solo.answer(&of(&ipcp, ppp::IPCP)[0]);
        assert!(solo.host.network().is_none(), "{mode:?}");
        let request = solo
            .host
            .sent
            .iter()
            .map(|frame| parse(frame))
            .find(|packet| (packet.protocol, packet.code) == (ppp::CCP, cp::CONFIGURE_REQUEST));
        assert_eq!(codes(&sent, ppp::CCP).last(), Some(&cp::CONFIGURE_ACK));
        (solo, request.unwrap())
    };
    for mode in [Mode::Allow, Mode::Prefer] {
        // An answer: then the network is up, encrypted from its first packet on.
        let (mut solo, request) = opened(mode);
        solo.wait(Duration::from_secs(5));
        solo.answer(&request);
        let encryption = solo.host.position(|event| matches!(event, LinkEvent::Encryption(Some(_))));
        let network = solo.host.position(|event| matches!(event, LinkEvent::NetworkUp(_)));
        assert!(encryption.unwrap() < network.unwrap());

        // No answer: after a while the network is up in clear, which is allowed.
        let (mut solo, _) = opened(mode);
        solo.wait(Duration::from_millis(9_999));
        assert!(solo.host.network().is_none());
        solo.wait(Duration::from_millis(1));
        assert!(solo.host.network().is_some() && solo.host.mppe().is_none());
    }
}

#[test]
fn c182_a_request_without_any_bit_is_acked_where_encryption_is_not_required() {
    for mode in [Mode::Off, Mode::Allow, Mode::Prefer] {
        for empty in ["", "120600000000"] {
            let (mut solo, _) = admitted(with_mode(server(), mode));
            let sent = solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, 1, &octets(empty));
            let answer = of(&sent, ppp::CCP).into_iter().find(|packet| packet.code != cp::CONFIGURE_REQUEST);
            let code = answer.unwrap().code;
            assert_eq!(code, cp::CONFIGURE_ACK, "{mode:?} {empty}");
        }
    }
}

#[test]
fn c183_a_stateful_offer_is_naked_with_the_stateless_bit() {
    let (mut solo, _) = admitted(server());
    let sent = solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, 1, &octets("120600000040"));
    assert_eq!(sent[0].code, cp::CONFIGURE_NAK);
    assert_eq!(sent[0].data, octets(H_S));
}

#[test]
fn a_peer_that_offers_only_stateful_mode_ends_with_e07() {
    let (mut solo, _) = admitted(server());
    for id in 1..10 {
        solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, id, &octets("120600000040"));
    }
    solo.wait(Duration::from_secs(20));
    assert_eq!(solo.host.code(), Some(Code::E07), "{:?}", solo.host.end());
}

#[test]
fn encryption_that_the_peer_switches_off_and_not_on_again_ends_with_e08() {
    let mut solo = up(server());
    solo.wait(Duration::from_secs(5));
    let sent = solo.prove(ppp::CCP, cp::TERMINATE_REQUEST, 9, &[]);
    assert_eq!(codes(&sent, ppp::CCP), [cp::TERMINATE_ACK]);
    assert!(solo.host.mppe().is_none() && solo.host.end().is_none());
    solo.wait(Duration::from_secs(9));
    assert!(solo.host.end().is_none());
    solo.wait(Duration::from_secs(10));
    assert_eq!(solo.host.code(), Some(Code::E08));

    // If CCP is Opened again in time, the link continues.
    let mut solo = up(server());
    solo.wait(Duration::from_secs(5));
    solo.prove(ppp::CCP, cp::TERMINATE_REQUEST, 9, &[]);
    solo.wait(Duration::from_secs(4));
    let sent = solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, 10, &octets(H_S));
    solo.answer(&of(&sent, ppp::CCP)[0]);
    assert!(solo.host.mppe().is_some());
    solo.wait(Duration::from_secs(20));
    assert!(solo.host.end().is_none());
}

#[test]
fn a_peer_that_rejects_ccp_in_mid_call_ends_it_with_e08() {
    let mut solo = up(server());
    solo.give(ppp::LCP, cp::PROTOCOL_REJECT, 1, &octets("80fd"));
    solo.wait(Duration::from_secs(10));
    assert_eq!(solo.host.code(), Some(Code::E08));
}

#[test]
fn a_peer_that_leaves_because_we_refused_encryption_is_understood() {
    let (mut solo, _) = admitted(with_mode(server(), Mode::Off));
    let sent = solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, 1, &octets(H_S));
    assert!(codes(&sent, ppp::CCP).contains(&cp::CONFIGURE_REJECT));
    solo.give(ppp::LCP, cp::TERMINATE_REQUEST, 1, &octets("478a3c1e003ccd74000002e6"));
    solo.wait(Duration::from_secs(4));
    let end = solo.host.end().unwrap();
    assert_eq!(end.code, Some(Code::E02));
    assert!(end.detail.contains("Windows error 742"), "{}", end.detail);
}

#[test]
fn protocols_that_were_never_sent_and_are_rejected_show_different_keys() {
    let mut solo = up(server());
    for protocol in 0..9u8 {
        assert!(solo.host.end().is_none());
        // The caller reports the packets that were sent meanwhile.
        let sent = 40 + 10 * u64::from(protocol);
        solo.host.link.handle_command(solo.now, Command::CountTraffic { received: 40, sent });
        solo.wait(Duration::from_secs(1));
        solo.give(ppp::LCP, cp::PROTOCOL_REJECT, protocol, &[0x4a, (protocol << 1) | 1, 1, 2, 3]);
    }
    solo.wait(Duration::from_secs(10));
    let end = solo.host.end().unwrap();
    assert_eq!(end.code, Some(Code::E05));
}

#[test]
fn the_policy_of_an_account_holds_when_it_is_set_before_the_verdict() {
    let mut solo = Solo::new(with_mode(server(), Mode::Require));
    let sent = solo.open_lcp(&[]);
    solo.host.link.set_mppe(crate::ccp::MppePolicy { mode: Mode::Off, ..Default::default() });
    let challenge = of(&sent, ppp::CHAP).remove(0);
    let sent = solo.give(ppp::CHAP, 2, challenge.id, &response(&challenge, "User", PASSWORD));
    assert!(of(&sent, ppp::CCP).is_empty());
}
