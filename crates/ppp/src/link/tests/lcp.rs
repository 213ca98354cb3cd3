//! Tests of LCP packets, and of packets that arrive in the wrong phase.

use core::time::Duration;

use adit_diag::Code;
use adit_diag::note::MessageKind;
use adit_wire::lcp::{self, AuthProtocol, LcpOption, Marked, ProtocolReject};
use adit_wire::{cp, ppp};

use crate::link::testing::*;
use crate::link::{Command, Echo, LinkConfig, LinkEvent, Who};

const ANY_REQUEST: &str = "0306c0000264";

#[test]
fn c093_before_lcp_is_open_everything_else_is_dropped_silently() {
    for config in [server(), client()] {
        let mut solo = Solo::new(config);
        solo.collect();
        for protocol in [ppp::PAP, ppp::CHAP, ppp::CCP, ppp::IPCP, ppp::IPV6CP, ppp::EAP, 0x4aa1, ppp::IP] {
            assert_eq!(solo.give(protocol, 1, 1, &octets(ANY_REQUEST)), [], "{protocol:x}");
        }
        assert!(solo.host.record().iter().any(|line| line.contains("(ignored: LCP is not open)")));
    }
}

#[test]
fn a_first_request_that_came_too_early_for_the_client_is_repeated_soon_and_once() {
    let mut solo = Solo::new(server());
    let first = solo.collect();
    solo.wait(Duration::from_secs(1));
    solo.give(ppp::LCP, cp::CONFIGURE_REQUEST, 1, &lcp(&[LcpOption::Magic(lcp::Magic(MAGIC))]));
    assert_eq!(solo.wait(Duration::from_millis(299)), []);
    assert_eq!(solo.wait(Duration::from_millis(1)), first);
    assert_eq!(solo.wait(Duration::from_millis(2999)), []);
    assert_eq!(solo.wait(Duration::from_millis(1)), first);

    // The server is ready when the client's request arrives, so the answer takes one round-trip time.
    let mut solo = Solo::new(client());
    let first = solo.collect();
    solo.give(
        ppp::LCP,
        cp::CONFIGURE_REQUEST,
        1,
        &lcp(&[LcpOption::Auth(lcp::Auth(AuthProtocol::MsChapV2))]),
    );
    assert_eq!(solo.wait(Duration::from_millis(2999)), []);
    assert_eq!(solo.wait(Duration::from_millis(1)), first);
}

#[test]
fn c094_during_authentication_network_protocols_are_dropped_silently() {
    let mut solo = Solo::new(server());
    solo.open_lcp(&[]);
    for protocol in [ppp::CCP, ppp::IPCP, ppp::IPV6CP, 0x4aa1] {
        assert_eq!(solo.give(protocol, 1, 1, &octets(ANY_REQUEST)), [], "{protocol:x}");
    }
    // LCP itself is answered.
    let sent = solo.give(ppp::LCP, cp::ECHO_REQUEST, 1, &[0; 4]);
    assert_eq!(sent[0].code, cp::ECHO_REPLY);
}

#[test]
fn c107_a_peer_with_mru_200_never_gets_a_longer_information_field() {
    let mut solo = Solo::new(with_mode_off());
    solo.open_lcp(&[LcpOption::Mru(lcp::Mru(200))]);
    let reported =
        solo.host.events.iter().any(|event| matches!(event, LinkEvent::LcpUp { peer_mru: 200, .. }));
    assert!(reported);
    solo.give(0x4aa1, 1, 1, &[7; 1000]);
    solo.give(ppp::LCP, cp::ECHO_REQUEST, 1, &[0; 1000]);
    solo.give(ppp::LCP, 99, 1, &[7; 1000]);
    solo.give(ppp::IPCP, 99, 1, &[7; 1000]);
    solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &octets("030600000000"));
    solo.give(ppp::IPCP, 99, 2, &[7; 1000]);
    let longest = solo.host.sent.iter().map(|frame| ppp::frame(frame).unwrap().1.len()).max();
    assert_eq!(longest, Some(200));
}

fn with_mode_off() -> LinkConfig {
    with_mode(with_methods(server(), &[]), crate::ccp::Mode::Off)
}

#[test]
fn c108_frames_of_1500_octets_are_taken_after_a_smaller_mru_was_agreed() {
    let mut solo = Solo::new(with_mode_off());
    solo.open_lcp(&[]);
    let sent = solo.give(ppp::LCP, cp::ECHO_REQUEST, 1, &[&[0; 4][..], &[5; 1492]].concat());
    assert_eq!(sent[0].data.len(), 1496);
    assert_eq!(sent[0].data[4..], [5; 1492]);
}

#[test]
fn c112_a_looped_line_ends_with_l02() {
    for config in [server(), client()] {
        let mut solo = Solo::new(config);
        let mut frames: Vec<Vec<u8>> = Vec::new();
        solo.collect();
        frames.append(&mut solo.host.sent);
        for _ in 0..50 {
            for frame in core::mem::take(&mut frames) {
                solo.raw(&frame);
            }
            frames.append(&mut solo.host.sent);
        }
        solo.wait(Duration::from_secs(10));
        let end = solo.host.end().unwrap();
        assert_eq!((end.by, end.code), (Who::Us, Some(Code::L02)), "{}", end.detail);
    }
}

#[test]
fn c116_missing_echo_replies_end_the_link_after_the_limit() {
    let echo = Some(Echo { every: Duration::from_secs(30), lost: 4 });
    let mut solo = up(LinkConfig { echo, ..server() });
    let began = solo.now;
    let sent = solo.wait(Duration::from_secs(149));
    let echoes: Vec<_> = sent.iter().filter(|packet| packet.code == cp::ECHO_REQUEST).collect();
    assert_eq!((echoes.len(), sent.len()), (4, 4));
    assert!(solo.host.end().is_none());
    solo.wait(Duration::from_secs(1));
    let end = solo.host.end().unwrap();
    assert_eq!((end.by, end.code), (Who::Neither, Some(Code::L04)));
    assert_eq!(end.detail, "the client left 4 Echo-Requests without an answer for 150 s");
    assert_eq!(solo.now - began, Duration::from_secs(150));
    assert!(solo.host.network().is_none() && solo.host.mppe().is_none());
}

#[test]
fn c115_echo_replies_and_traffic_are_signs_of_life_but_not_our_own_magic() {
    let mut solo = up(server());
    for _ in 0..20 {
        let sent = solo.wait(Duration::from_secs(30));
        let echo = &of(&sent, ppp::LCP)[0];
        assert_eq!(echo.code, cp::ECHO_REQUEST);
        solo.give(ppp::LCP, cp::ECHO_REPLY, echo.id, &MAGIC.to_be_bytes());
    }
    assert!(solo.host.end().is_none());

    // With traffic no echo is sent.
    for _ in 0..20 {
        assert_eq!(solo.wait(Duration::from_secs(20)), []);
        solo.host.link.handle_command(solo.now, Command::NoteTraffic);
    }

    // Replies with our own Magic-Number are no sign of life of the peer.
    for _ in 0..4 {
        let sent = solo.wait(Duration::from_secs(30));
        let own = sent[0].data.clone();
        solo.give(ppp::LCP, cp::ECHO_REPLY, sent[0].id, &own);
    }
    solo.wait(Duration::from_secs(30));
    assert_eq!(solo.host.code(), Some(Code::L04));
}

#[test]
fn without_keep_alive_nothing_is_sent_and_nothing_ends() {
    let mut solo = up(LinkConfig { echo: None, ..server() });
    assert_eq!(solo.host.link.poll_timeout(), None);
    assert_eq!(solo.wait(Duration::from_secs(3600)), []);
    assert!(solo.host.end().is_none());
}

#[test]
fn c113_c117_echo_is_answered_and_discard_ignored() {
    let mut solo = up(server());
    let sent = solo.give(ppp::LCP, cp::ECHO_REQUEST, 9, &[&MAGIC.to_be_bytes()[..], b"data"].concat());
    assert_eq!((sent[0].code, sent[0].id, &sent[0].data[4..]), (cp::ECHO_REPLY, 9, &b"data"[..]));
    assert_ne!(sent[0].data[..4], MAGIC.to_be_bytes());
    assert_eq!(solo.give(ppp::LCP, cp::DISCARD_REQUEST, 9, &MAGIC.to_be_bytes()), []);
}

#[test]
fn a_client_is_sent_its_remaining_time() {
    let mut world = World::new(server(), client());
    world.talk();
    let command = Command::TimeRemaining { seconds: 300, message: "maintenance".to_owned() };
    world.a.link.handle_command(world.now, command);
    world.talk();
    let last = world.b.record().pop().unwrap();
    assert!(last.ends_with("Time-Remaining id 2: 300 s \"maintenance\""), "{last}");
}

#[test]
fn c118_an_unknown_protocol_in_the_network_phase_is_rejected_with_its_number_and_data() {
    let mut solo = up(server());
    for protocol in [0x4aa1, ppp::EAP, ppp::BCP, ppp::CBCP, ppp::VJ_COMPRESSED, ppp::PAP] {
        let sent = solo.give(protocol, 1, 7, b"data");
        assert_eq!((sent[0].protocol, sent[0].code), (ppp::LCP, cp::PROTOCOL_REJECT));
        let information = [&[1, 7, 0, 8][..], b"data"].concat();
        assert_eq!(sent[0].data, ProtocolReject { protocol, information: &information }.to_vec(1500));
        solo.wait(Duration::from_millis(200));
    }
    // Encrypted packets may be in flight when CCP goes down, and data is not a control packet.
    for protocol in [ppp::COMPRESSED, ppp::IP, ppp::IPV6] {
        assert_eq!(solo.give(protocol, 0x90, 0, &[]), []);
    }
}

#[test]
fn c119_a_protocol_reject_of_ipv6cp_closes_only_that() {
    let mut solo = up(LinkConfig { ipv6: true, ..server() });
    solo.give(ppp::LCP, cp::PROTOCOL_REJECT, 1, &octets("80570101000e010a02aabbfffeccddee"));
    let sent = solo.wait(Duration::from_secs(20));
    assert!(of(&sent, ppp::IPV6CP).is_empty());
    assert!(solo.host.network().is_some() && solo.host.end().is_none());
}

#[test]
fn c120_a_protocol_reject_of_lcp_or_of_the_authentication_in_use_ends_the_link() {
    for (protocol, code) in [(ppp::LCP, Code::L01), (ppp::CHAP, Code::A05)] {
        let mut solo = Solo::new(server());
        solo.open_lcp(&[]);
        solo.give(ppp::LCP, cp::PROTOCOL_REJECT, 1, &protocol.to_be_bytes());
        solo.wait(Duration::from_secs(10));
        assert_eq!(solo.host.code(), Some(code));

        let mut solo = up(server());
        solo.give(ppp::LCP, cp::PROTOCOL_REJECT, 1, &protocol.to_be_bytes());
        solo.wait(Duration::from_secs(10));
        assert_eq!(solo.host.code(), Some(code));
    }
    // A Protocol-Reject of a protocol that is not in use is ignored.
    let mut solo = up(server());
    solo.give(ppp::LCP, cp::PROTOCOL_REJECT, 1, &ppp::PAP.to_be_bytes());
    solo.wait(Duration::from_secs(10));
    assert!(solo.host.end().is_none());
}

#[test]
fn a_code_reject_of_a_code_of_lcp_ends_the_link_and_of_identification_not() {
    let mut solo = up(server());
    solo.prove(ppp::LCP, cp::CODE_REJECT, 1, &[cp::IDENTIFICATION, 1, 0, 4]);
    assert!(solo.host.network().is_some());
    let mut sent = solo.prove(ppp::LCP, cp::CODE_REJECT, 2, &[cp::CONFIGURE_ACK, 1, 0, 4]);
    assert!(solo.host.network().is_none() && solo.host.mppe().is_none());
    sent.extend(solo.wait(Duration::from_secs(10)));
    assert!(sent.iter().all(|packet| packet.code == cp::TERMINATE_REQUEST), "{sent:?}");
    assert_eq!(solo.host.code(), Some(Code::L01));
}

#[test]
fn c121_protocol_rejects_are_limited_to_ten_a_second() {
    let mut solo = up(server());
    let mut sent = 0;
    for _ in 0..500 {
        sent += solo.give(0x4aa1, 1, 1, b"noise").len();
    }
    assert_eq!(sent, 10);
    solo.wait(Duration::from_secs(1));
    assert_eq!(solo.give(0x4aa1, 1, 1, b"noise").len(), 1);
}

#[test]
fn c122_lcp_codes_1_to_7_have_the_whole_header_after_compression_was_agreed() {
    let mut solo = Solo::new(with_mode_off());
    solo.open_lcp(&[LcpOption::Pfc(lcp::Pfc), LcpOption::Acfc(lcp::Acfc)]);
    solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &octets("030600000000"));
    solo.give(ppp::LCP, cp::ECHO_REQUEST, 1, &Marked { magic: 5, rest: &[] }.to_vec());
    solo.give(ppp::LCP, 99, 1, &[]);
    solo.host.link.handle_command(solo.now, Command::Close { reason: "bye".to_owned() });
    solo.collect();
    let mut short = 0;
    for frame in &solo.host.sent {
        let packet = parse(frame);
        let basic = packet.protocol == ppp::LCP && packet.code <= 7;
        assert!(!basic || frame.starts_with(&[0xff, 0x03, 0xc0, 0x21]), "{frame:02x?}");
        short += usize::from(!frame.starts_with(&[0xff, 0x03]));
    }
    assert!(short >= 2, "IPCP and the Echo-Reply are short");
    let codes: Vec<u8> = solo.host.sent.iter().map(|frame| parse(frame).code).collect();
    assert!(codes.contains(&cp::CODE_REJECT) && codes.contains(&cp::TERMINATE_REQUEST));
}

#[test]
fn c124_a_configure_request_in_opened_takes_network_and_keys_down_and_begins_again() {
    let mut solo = up(server());
    let before = solo.host.events.len();
    let sent = solo.prove(ppp::LCP, cp::CONFIGURE_REQUEST, 99, &lcp(&[LcpOption::Magic(lcp::Magic(MAGIC))]));
    let reported: Vec<_> =
        solo.host.events[before..].iter().filter(|event| !matches!(event, LinkEvent::Packet(_))).collect();
    assert!(matches!(&reported[..], [LinkEvent::NetworkDown, LinkEvent::Encryption(None)]), "{reported:?}");
    assert_eq!((sent[0].code, sent[1].code), (cp::CONFIGURE_REQUEST, cp::CONFIGURE_ACK));

    // Authentication starts again with another challenge, and no address is requested twice.
    let sent = solo.answer(&sent[0]);
    let challenge = of(&sent, ppp::CHAP).remove(0);
    let sent = solo.give(ppp::CHAP, 2, challenge.id, &response(&challenge, "User", PASSWORD));
    assert_eq!(solo.host.asked, 2);
    solo.answer(&of(&sent, ppp::CCP)[0]);
    let sent = solo.give(ppp::CCP, cp::CONFIGURE_REQUEST, 1, &octets("120601000040"));
    let ipcp = of(&sent, ppp::IPCP).remove(0);
    solo.give(ppp::IPCP, cp::CONFIGURE_REQUEST, 1, &octets(ANY_REQUEST));
    solo.answer(&ipcp);
    assert!(solo.host.network().is_some());
}

#[test]
fn more_than_three_restarts_in_a_minute_end_the_link() {
    let mut solo = Solo::new(with_mode_off());
    solo.open_lcp(&[LcpOption::Magic(lcp::Magic(MAGIC))]);
    for id in 0..4 {
        assert!(solo.host.end().is_none());
        let sent =
            solo.give(ppp::LCP, cp::CONFIGURE_REQUEST, 90 + id, &lcp(&[LcpOption::Magic(lcp::Magic(MAGIC))]));
        solo.answer(&sent[0]);
    }
    solo.wait(Duration::from_secs(10));
    let end = solo.host.end().unwrap();
    assert_eq!(end.code, Some(Code::L01));
    assert!(end.detail.contains("4 times within a minute"), "{}", end.detail);

    // A client that never reaches the network phase may restart ten times.
    let mut solo = Solo::new(server());
    solo.open_lcp(&[LcpOption::Magic(lcp::Magic(MAGIC))]);
    for id in 0..11 {
        assert!(solo.host.end().is_none(), "{id}");
        let sent =
            solo.give(ppp::LCP, cp::CONFIGURE_REQUEST, 90 + id, &lcp(&[LcpOption::Magic(lcp::Magic(MAGIC))]));
        solo.answer(&sent[0]);
    }
    solo.wait(Duration::from_secs(10));
    let end = solo.host.end().unwrap();
    assert_eq!(end.detail, "the client restarted LCP 11 times before authentication was done");

    // Less frequent restarts are allowed.
    let mut solo = Solo::new(with_mode_off());
    solo.open_lcp(&[LcpOption::Magic(lcp::Magic(MAGIC))]);
    for id in 0..10 {
        solo.wait(Duration::from_secs(25));
        let sent =
            solo.give(ppp::LCP, cp::CONFIGURE_REQUEST, 90 + id, &lcp(&[LcpOption::Magic(lcp::Magic(MAGIC))]));
        solo.answer(&sent[0]);
    }
    assert!(solo.host.end().is_none());
}

#[test]
fn c125_text_of_the_peer_is_printable_in_the_record() {
    let mut solo = up(server());
    solo.give(
        ppp::LCP,
        cp::IDENTIFICATION,
        1,
        &[&MAGIC.to_be_bytes()[..], &[0x1b, b'[', b'J', 0xff]].concat(),
    );
    solo.raw(&[0xff, 0x03, 0xc0]);
    solo.raw(&[]);
    for line in solo.host.record() {
        assert!(line.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{line}");
    }
    let malformed = |event: &LinkEvent| match event {
        LinkEvent::Packet(packet) => packet.message.kind == MessageKind::MalformedFrame,
        _ => false,
    };
    assert_eq!(solo.host.events.iter().filter(|event| malformed(event)).count(), 2);
}
