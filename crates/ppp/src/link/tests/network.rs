//! Tests of IPCP and IPV6CP inside a link.

use core::time::Duration;

use adit_diag::Code;
use adit_wire::{cp, ppp};

use crate::ccp::Mode;
use crate::ipcp::PLACEHOLDER;
use crate::link::testing::*;
use crate::link::{Answer, LinkConfig, LinkEvent, Question};

const IDENTIFIER: &str = "010a02aabbfffeccddee";

/// A client without authentication and encryption in the network phase, and its IPCP request.
fn plain_client(config: LinkConfig) -> (Solo, Sent) {
    let mut solo = Solo::new(with_mode(config, Mode::Off));
    let first = solo.collect();
    solo.give(ppp::LCP, cp::CONFIGURE_REQUEST, 1, &[]);
    let sent = solo.answer(&first[0]);
    (solo, of(&sent, ppp::IPCP).remove(0))
}

#[test]
fn c134_a_server_without_an_address_gets_a_placeholder_or_the_configured_one() {
    for (peer_address, expected) in [(None, PLACEHOLDER), (Some(LOCAL), LOCAL)] {
        let (mut solo, request) = plain_client(LinkConfig { peer_address, request_dns: false, ..client() });
        solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &[]);
        let sent = solo.give(ppp::IPCP, cp::CONFIGURE_NAK, request.id, &octets("0306c0000264"));
        solo.answer(&sent[0]);
        let network = solo.host.network().unwrap();
        assert_eq!((network.local, network.peer), (GIVEN, expected));
    }
}

#[test]
fn c141_ipv6cp_that_is_not_wanted_is_rejected_as_a_protocol_and_ipv4_is_not_disturbed() {
    let mut solo = up(server());
    let sent = solo.give(ppp::IPV6CP, cp::CONFIGURE_REQUEST, 1, &octets(IDENTIFIER));
    assert_eq!((sent[0].protocol, sent[0].code), (ppp::LCP, cp::PROTOCOL_REJECT));
    assert_eq!(sent[0].data[..2], [0x80, 0x57]);
    assert!(solo.host.network().is_some());
}

#[test]
fn c142_a_peer_that_closes_ipv6cp_keeps_its_ipv4() {
    let mut solo = up(LinkConfig { ipv6: true, ..server() });
    let first = solo.host.sent.iter().map(|frame| parse(frame)).find(|packet| packet.protocol == ppp::IPV6CP);
    solo.answer(&first.unwrap());
    solo.give(ppp::IPV6CP, cp::CONFIGURE_REQUEST, 1, &octets(IDENTIFIER));
    let with = solo.host.network().unwrap().clone();
    assert_eq!(with.ipv6.map(|(_, peer)| peer), Some(0x02aa_bbff_fecc_ddee));

    solo.prove(ppp::IPV6CP, cp::TERMINATE_REQUEST, 2, &[]);
    let without = solo.host.network().unwrap();
    assert_eq!((without.local, without.ipv6), (with.local, None));
    solo.wait(Duration::from_secs(25));
    assert!(solo.host.network().is_some() && solo.host.end().is_none());
}

#[test]
fn c143_no_ipv6cp_where_the_mtu_is_below_1280() {
    for (mru, expected) in [(1284, true), (1283, false)] {
        let mut solo = up(LinkConfig { ipv6: true, mru, ..server() });
        let sent = solo.give(ppp::IPV6CP, cp::CONFIGURE_REQUEST, 1, &octets(IDENTIFIER));
        let rejected = sent.iter().any(|packet| packet.code == cp::PROTOCOL_REJECT);
        assert_eq!(!rejected, expected, "{mru}");
    }
}

#[test]
fn ipcp_that_goes_down_is_reported_and_ends_the_link_unless_it_returns() {
    let mut solo = up(server());
    solo.prove(ppp::IPCP, cp::TERMINATE_REQUEST, 9, &[]);
    assert!(solo.host.network().is_none());
    solo.wait(Duration::from_secs(5));
    let sent = solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 10, &octets("0306c0000264"));
    solo.answer(&of(&sent, ppp::IPCP)[0]);
    assert!(solo.host.network().is_some());

    solo.prove(ppp::IPCP, cp::TERMINATE_REQUEST, 11, &[]);
    solo.wait(Duration::from_secs(29));
    assert!(solo.host.end().is_none());
    solo.wait(Duration::from_secs(10));
    let end = solo.host.end().unwrap();
    assert_eq!(end.code, Some(Code::I06));
    assert!(end.detail.contains("ended IPCP"), "{}", end.detail);
}

#[test]
fn a_peer_that_does_not_do_ipcp_or_does_not_answer_it_ends_the_link() {
    let (mut solo, _) = plain_client(client());
    solo.give(ppp::LCP, cp::PROTOCOL_REJECT, 1, &octets("8021"));
    solo.wait(Duration::from_secs(10));
    assert_eq!(solo.host.code(), Some(Code::I05));

    let (mut solo, _) = plain_client(client());
    solo.wait(Duration::from_secs(60));
    assert_eq!(solo.host.code(), Some(Code::I06));
}

#[test]
fn a_server_that_is_not_asked_for_an_address_begins_by_itself() {
    let mut solo = Solo::new(with_mode(with_methods(server(), &[]), Mode::Off));
    let sent = solo.open_lcp(&[]);
    assert!(of(&sent, ppp::IPCP).is_empty());
    let sent = solo.wait(Duration::from_secs(3));
    assert_eq!(of(&sent, ppp::IPCP).len(), 1);
}

#[test]
fn a_late_or_foreign_answer_has_no_effect() {
    let mut solo = Solo::new(with_mode(with_methods(server(), &[]), Mode::Off));
    solo.host.mute = true;
    solo.open_lcp(&[]);
    solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &octets("030600000000"));
    let id = solo.host.events.iter().find_map(|event| match event {
        LinkEvent::Ask(id, Question::Address { wanted: None }) => Some(*id),
        _ => None,
    });
    let id = id.unwrap();
    solo.host.link.handle_answer(solo.now, id + 1, Answer::Address(Some(grant())));
    assert_eq!(solo.collect(), []);
    solo.host.link.handle_answer(solo.now, id, Answer::Address(Some(grant())));
    let sent = solo.collect();
    assert_eq!((sent[0].code, sent[1].code), (cp::CONFIGURE_REQUEST, cp::CONFIGURE_NAK));
    solo.host.link.handle_answer(solo.now, id, Answer::Address(None));
    assert!(solo.collect().is_empty() && solo.host.end().is_none());
}

#[test]
fn c135_the_network_is_reported_only_when_ipcp_is_open_both_ways() {
    let (mut solo, _) = encrypted(server());
    let sent = solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &octets("0306c0000264"));
    assert!(solo.host.network().is_none());
    solo.answer(&of(&sent, ppp::IPCP)[0]);
    assert!(solo.host.network().is_some());
}
