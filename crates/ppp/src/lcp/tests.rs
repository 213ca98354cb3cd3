use std::time::Instant;

use adit_crypto::Rng;
use adit_diag::Code;
use adit_wire::cp::{self, ConfigOption};
use adit_wire::lcp::{self, Marked};
use adit_wire::ppp;
use proptest::prelude::*;

use super::*;
use crate::automaton::State;
use crate::fsm::testing::{Pair, events, packet, packets, reply};
use crate::fsm::{ControlProtocol, Event, Finish, Fsm, Timers};

const V2: AuthProtocol<'static> = AuthProtocol::MsChapV2;
const PAP: AuthProtocol<'static> = AuthProtocol::Pap;

fn lcp(auth: Auth, seed: u64) -> Fsm<Lcp> {
    let config = LcpConfig { mru: 1400, auth, pfc: false, acfc: false };
    Fsm::new(Lcp::new(config, Rng::from_number(seed)), Timers::default())
}

fn server() -> Fsm<Lcp> {
    lcp(Auth::Ask(vec![V2]), 1)
}

fn client() -> Fsm<Lcp> {
    lcp(Auth::Answer(vec![V2]), 2)
}

fn start(mut fsm: Fsm<Lcp>) -> (Fsm<Lcp>, Instant) {
    let now = Instant::now();
    fsm.open(now);
    fsm.lower_up(now);
    packets(&mut fsm);
    (fsm, now)
}

fn octets(options: &[LcpOption<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    options.iter().for_each(|option| option.emit(&mut out));
    out
}

/// The answer of `fsm` to a Configure-Request with these options.
fn answer(fsm: &mut Fsm<Lcp>, now: Instant, options: &[LcpOption<'_>]) -> (u8, Vec<u8>) {
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 1, &octets(options))).unwrap();
    let (code, _, data) = reply(fsm);
    (code, data)
}

/// An open layer after a negotiation with these options of a simulated peer.
fn opened(fsm: Fsm<Lcp>, peer: &[LcpOption<'_>]) -> (Fsm<Lcp>, Instant) {
    let (mut fsm, now) = start(fsm);
    assert_eq!(answer(&mut fsm, now, peer), (cp::CONFIGURE_ACK, octets(peer)));
    let mut own = Vec::new();
    fsm.protocol().request(&mut own);
    fsm.handle_input(now, &packet(cp::CONFIGURE_ACK, 1, &own)).unwrap();
    assert_eq!(events(&mut fsm), [Event::Up]);
    (fsm, now)
}

fn failure(fsm: &mut Fsm<Lcp>) -> Failure {
    while let Some((due, _)) = fsm.poll_timeout() {
        fsm.handle_timeout(due);
    }
    events(fsm)
        .into_iter()
        .find_map(|event| match event {
            Event::Finished(Finish::Failed(failure)) => Some(failure),
            _ => None,
        })
        .expect("failed")
}

#[test]
fn a_server_and_a_client_agree_in_one_round() {
    let mut pair = Pair::new(server(), client());
    pair.start();
    assert!(pair.a.is_opened() && pair.b.is_opened());
    assert_eq!(pair.log.len(), 4, "{:#?}", pair.log);
    let (server, client) = (pair.a.protocol().agreed(), pair.b.protocol().agreed());
    assert_eq!((server.peer_proves, server.we_prove), (Some(V2), None));
    assert_eq!((client.peer_proves, client.we_prove), (None, Some(V2)));
    assert_eq!((server.peer_mru, client.peer_mru), (1400, 1400));
    assert_ne!(pair.a.protocol().magic(), pair.b.protocol().magic());
}

#[test]
fn c106_mru_1400_and_65535_are_acked_and_0_to_127_naked() {
    let (mut fsm, now) = start(server());
    for mru in [128, 1400, 1500, 65_535] {
        assert_eq!(answer(&mut fsm, now, &[LcpOption::Mru(lcp::Mru(mru))]).0, cp::CONFIGURE_ACK);
        assert_eq!(fsm.protocol().agreed().peer_mru, mru);
    }
    for mru in [0, 1, 127] {
        let (code, data) = answer(&mut fsm, now, &[LcpOption::Mru(lcp::Mru(mru))]);
        assert_eq!((code, data), (cp::CONFIGURE_NAK, octets(&[LcpOption::Mru(lcp::Mru(128))])));
    }
}

#[test]
fn c109_callback_is_rejected_and_the_retry_without_it_acked() {
    let (mut fsm, now) = start(server());
    let callback = LcpOption::Callback(lcp::Callback { operation: 6, message: &[] });
    let asked = [
        LcpOption::Mru(lcp::Mru(1400)),
        LcpOption::Magic(lcp::Magic(7)),
        LcpOption::Pfc(lcp::Pfc),
        LcpOption::Acfc(lcp::Acfc),
    ];
    let with = [&asked[..], &[callback]].concat();
    assert_eq!(answer(&mut fsm, now, &with), (cp::CONFIGURE_REJECT, octets(&[callback])));
    assert_eq!(answer(&mut fsm, now, &asked).0, cp::CONFIGURE_ACK);
    let agreed = fsm.protocol().agreed();
    assert!(agreed.pfc && agreed.acfc);
}

#[test]
fn c110_multilink_and_the_rest_of_the_table_are_rejected() {
    let (mut fsm, now) = start(client());
    let refused = [
        LcpOption::Mrru(lcp::Mrru(1614)),
        LcpOption::ShortSequence(lcp::ShortSequence),
        LcpOption::Endpoint(lcp::Endpoint { class: 1, address: &[9; 20] }),
        LcpOption::Other(cp::UnknownOption { kind: 0, data: &[0; 4] }),
        LcpOption::Other(cp::UnknownOption { kind: 4, data: &[0xc0, 0x25] }),
        LcpOption::Other(cp::UnknownOption { kind: 9, data: &[1] }),
        LcpOption::Other(cp::UnknownOption { kind: 10, data: &[4] }),
        LcpOption::Other(cp::UnknownOption { kind: 11, data: &[1] }),
        LcpOption::Other(cp::UnknownOption { kind: 15, data: &[] }),
        LcpOption::Other(cp::UnknownOption { kind: 22, data: &[] }),
    ];
    let with = [&[LcpOption::Mru(lcp::Mru(1400))][..], &refused].concat();
    assert_eq!(answer(&mut fsm, now, &with), (cp::CONFIGURE_REJECT, octets(&refused)));
}

#[test]
fn c111_any_accm_is_acked() {
    let (mut fsm, now) = start(server());
    for map in [0, 0xffff_ffff, 0x000a_0000] {
        assert_eq!(answer(&mut fsm, now, &[LcpOption::Accm(lcp::Accm(map))]).0, cp::CONFIGURE_ACK);
    }
}

#[test]
fn an_understood_option_of_a_wrong_length_is_naked_with_a_right_one() {
    let (mut fsm, now) = start(server());
    for (raw, right) in [
        (&[lcp::Mru::KIND, 3, 5][..], LcpOption::Mru(lcp::Mru(1500))),
        (&[lcp::Accm::KIND, 3, 0], LcpOption::Accm(lcp::Accm(0))),
        (&[lcp::Pfc::KIND, 3, 0], LcpOption::Pfc(lcp::Pfc)),
        (&[lcp::Acfc::KIND, 3, 0], LcpOption::Acfc(lcp::Acfc)),
    ] {
        fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 1, raw)).unwrap();
        assert_eq!(reply(&mut fsm), (cp::CONFIGURE_NAK, 1, octets(&[right])));
        assert_eq!(answer(&mut fsm, now, &[]).0, cp::CONFIGURE_ACK);
    }
}

#[test]
fn c112_magic_0_and_our_own_are_naked_with_another() {
    let (mut fsm, now) = start(server());
    let own = fsm.protocol().magic();
    for bad in [0, own] {
        let (code, data) = answer(&mut fsm, now, &[LcpOption::Magic(lcp::Magic(bad))]);
        let suggested = u32::from_be_bytes(data[2..].try_into().unwrap());
        assert_eq!((code, data[0]), (cp::CONFIGURE_NAK, lcp::Magic::KIND));
        assert!(suggested != 0 && suggested != own);
    }
    assert_eq!(answer(&mut fsm, now, &[LcpOption::Magic(lcp::Magic(own ^ 1))]).0, cp::CONFIGURE_ACK);
}

#[test]
fn c112_a_looped_line_is_found_and_closed() {
    for fsm in [server(), client(), lcp(Auth::Ask(vec![]), 9)] {
        let now = Instant::now();
        let mut fsm = fsm;
        fsm.open(now);
        fsm.lower_up(now);
        let mut carried = 0;
        while fsm.state() != State::Closing {
            for packet in packets(&mut fsm) {
                let _ = fsm.handle_input(now, &packet);
                carried += 1;
            }
            assert!(carried < 100 && !fsm.is_opened());
        }
        packets(&mut fsm);
        let failure = failure(&mut fsm);
        assert_eq!(failure.code, Code::L02, "{}", failure.detail);
    }
}

#[test]
fn two_ends_with_the_same_number_by_chance_still_agree() {
    let (mut fsm, now) = start(server());
    let own = fsm.protocol().magic();
    answer(&mut fsm, now, &[LcpOption::Magic(lcp::Magic(own))]);
    fsm.handle_input(now, &packet(cp::CONFIGURE_NAK, 1, &octets(&[LcpOption::Magic(lcp::Magic(3))])))
        .unwrap();
    reply(&mut fsm);
    assert_ne!(fsm.protocol().magic(), own);
    assert_eq!(answer(&mut fsm, now, &[LcpOption::Magic(lcp::Magic(8))]).0, cp::CONFIGURE_ACK);
}

#[test]
fn c145_a_nak_to_an_allowed_method_is_followed() {
    let server = lcp(Auth::Ask(vec![V2, AuthProtocol::ChapMd5, PAP]), 1);
    let mut pair = Pair::new(server, lcp(Auth::Answer(vec![PAP]), 2));
    pair.start();
    assert_eq!(pair.a.protocol().agreed().peer_proves, Some(PAP));
    assert_eq!(pair.b.protocol().agreed().we_prove, Some(PAP));
}

#[test]
fn c146_a_client_with_pap_only_against_mschapv2_ends_with_the_reason_on_both_sides() {
    let mut pair = Pair::new(server(), lcp(Auth::Answer(vec![PAP]), 2));
    pair.start();
    pair.wait(core::time::Duration::from_secs(20));
    let reported = |side| {
        pair.reported.iter().find_map(|(who, event)| match event {
            Event::Finished(Finish::Failed(failure)) if *who == side => Some(failure.clone()),
            _ => None,
        })
    };
    let (server, client) = (reported('a'), reported('b'));
    // The side that gives up first reports it; the other may learn it from the Terminate-Request.
    let first = server.or(client).unwrap();
    assert_eq!(first.code, Code::A05);
    assert!(first.detail.contains("mschap-v2") && first.detail.contains("pap"), "{}", first.detail);
}

#[test]
fn a_client_naks_eap_first_as_windows_servers_offer_it() {
    let (mut fsm, now) = start(client());
    let (code, data) = answer(&mut fsm, now, &[LcpOption::Auth(lcp::Auth(AuthProtocol::Eap))]);
    assert_eq!((code, data), (cp::CONFIGURE_NAK, octets(&[LcpOption::Auth(lcp::Auth(V2))])));
    assert_eq!(answer(&mut fsm, now, &[LcpOption::Auth(lcp::Auth(V2))]).0, cp::CONFIGURE_ACK);
    assert_eq!(fsm.protocol().agreed().we_prove, Some(V2));
}

#[test]
fn a_server_does_not_prove_itself_twice() {
    let (mut fsm, now) = start(server());
    let asked = [LcpOption::Auth(lcp::Auth(V2))];
    assert_eq!(answer(&mut fsm, now, &asked), (cp::CONFIGURE_REJECT, octets(&asked)));
}

#[test]
fn a_client_without_credentials_fails_at_once() {
    let (mut fsm, now) = start(lcp(Auth::Answer(vec![]), 3));
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 1, &octets(&[LcpOption::Auth(lcp::Auth(V2))])))
        .unwrap();
    packets(&mut fsm);
    let failure = failure(&mut fsm);
    assert_eq!(failure.code, Code::A05);
    assert_eq!(failure.detail, "the server insists on mschap-v2, we allow no method");
}

#[test]
fn what_the_peer_naks_or_rejects_leaves_our_request() {
    let (mut fsm, now) = start(lcp(Auth::Ask(vec![V2]), 1));
    let magic = LcpOption::Magic(lcp::Magic(fsm.protocol().magic()));
    fsm.handle_input(now, &packet(cp::CONFIGURE_NAK, 1, &octets(&[LcpOption::Mru(lcp::Mru(9000))]))).unwrap();
    assert_eq!(
        reply(&mut fsm).2,
        octets(&[LcpOption::Mru(lcp::Mru(1500)), LcpOption::Auth(lcp::Auth(V2)), magic])
    );
    fsm.handle_input(
        now,
        &packet(cp::CONFIGURE_REJECT, 2, &octets(&[LcpOption::Mru(lcp::Mru(1500)), magic])),
    )
    .unwrap();
    assert_eq!(reply(&mut fsm).2, octets(&[LcpOption::Auth(lcp::Auth(V2))]));
    assert_eq!(fsm.protocol().magic(), 0);
    fsm.handle_input(now, &packet(cp::CONFIGURE_REJECT, 3, &octets(&[LcpOption::Auth(lcp::Auth(V2))])))
        .unwrap();
    packets(&mut fsm);
    assert_eq!(failure(&mut fsm).detail, "the client refuses to authenticate; we ask for mschap-v2");
}

#[test]
fn c105_identification_and_time_remaining_are_never_code_rejected() {
    let (mut fsm, now) = start(client());
    let magic = [0, 0, 0, 9];
    for code in [cp::IDENTIFICATION, cp::TIME_REMAINING, cp::DISCARD_REQUEST] {
        for data in [&magic[..], &[&magic[..], b"MSRASV5.20"].concat(), &[]] {
            fsm.handle_input(now, &packet(code, 7, data)).unwrap();
            assert!(packets(&mut fsm).is_empty());
        }
    }
}

#[test]
fn c113_c114_an_echo_request_is_answered_in_opened_with_our_magic_and_the_same_data() {
    let echo = |magic: u32| Marked { magic, rest: b"ping" }.to_vec();
    let (mut fsm, now) = start(client());
    fsm.handle_input(now, &packet(cp::ECHO_REQUEST, 7, &echo(9))).unwrap();
    assert!(packets(&mut fsm).is_empty());

    let (mut fsm, now) = opened(client(), &[LcpOption::Magic(lcp::Magic(9)), LcpOption::Auth(lcp::Auth(V2))]);
    let own = fsm.protocol().magic();
    for magic in [9, 0, 1234] {
        fsm.handle_input(now, &packet(cp::ECHO_REQUEST, 7, &echo(magic))).unwrap();
        assert_eq!(reply(&mut fsm), (cp::ECHO_REPLY, 7, echo(own)));
    }
}

#[test]
fn c107_a_reply_never_exceeds_the_mru_of_the_peer() {
    let (mut fsm, now) = opened(client(), &[LcpOption::Mru(lcp::Mru(200)), LcpOption::Magic(lcp::Magic(9))]);
    fsm.set_peer_mru(fsm.protocol().agreed().peer_mru);
    fsm.handle_input(now, &packet(cp::ECHO_REQUEST, 7, &[0; 600])).unwrap();
    assert_eq!(reply(&mut fsm).2.len(), 196);
}

#[test]
fn c115_an_echo_reply_with_our_own_magic_is_no_sign_of_life_but_of_a_loop() {
    let (mut fsm, now) = opened(client(), &[LcpOption::Magic(lcp::Magic(9))]);
    let own = fsm.protocol().magic();
    for magic in [9_u32, 0, 77] {
        fsm.handle_input(now, &packet(cp::ECHO_REPLY, 7, &magic.to_be_bytes())).unwrap();
        assert_eq!(fsm.protocol_mut().poll_notice(), Some(Notice::EchoReply(7)), "{magic}");
    }
    let mut seen = 0;
    while fsm.is_opened() {
        fsm.handle_input(now, &packet(cp::ECHO_REPLY, 7, &own.to_be_bytes())).unwrap();
        assert_eq!(fsm.protocol_mut().poll_notice(), None);
        seen += 1;
    }
    assert_eq!(seen, 10);
    packets(&mut fsm);
    assert_eq!(failure(&mut fsm).code, Code::L02);
}

#[test]
fn c117_a_discard_request_is_ignored() {
    let (mut fsm, now) = opened(client(), &[LcpOption::Magic(lcp::Magic(9))]);
    fsm.handle_input(now, &packet(cp::DISCARD_REQUEST, 7, &[0, 0, 0, 9, 1, 2, 3])).unwrap();
    assert!(packets(&mut fsm).is_empty() && fsm.is_opened() && events(&mut fsm).is_empty());
}

#[test]
fn a_protocol_reject_is_sent_in_opened_only() {
    let reject = packet(cp::PROTOCOL_REJECT, 1, &[0x80, 0x57, 1, 2]);
    let (mut fsm, now) = start(client());
    fsm.handle_input(now, &reject).unwrap();
    assert_eq!(fsm.protocol_mut().poll_notice(), None);
    let (mut fsm, now) = opened(client(), &[]);
    fsm.handle_input(now, &reject).unwrap();
    assert_eq!(fsm.protocol_mut().poll_notice(), Some(Notice::ProtocolReject(ppp::IPV6CP)));
}

fn any_auth() -> impl Strategy<Value = Vec<AuthProtocol<'static>>> {
    prop::sample::subsequence(vec![V2, AuthProtocol::MsChapV1, AuthProtocol::ChapMd5, PAP], 0..=4)
}

proptest! {
    #[test]
    fn any_two_configurations_open_or_fail_with_a_code(
        asks in any_auth(), answers in any_auth(), mru in 0u16..3000, seed: u64,
        short: (bool, bool, bool, bool),
    ) {
        let (pfc, acfc) = (short.0, short.1);
        let make = |config, seed| Fsm::new(Lcp::new(config, Rng::from_number(seed)), Timers::default());
        let a = make(LcpConfig { mru: 1400, auth: Auth::Ask(asks.clone()), pfc, acfc }, seed);
        let (pfc, acfc) = (short.2, short.3);
        let b = make(LcpConfig { mru, auth: Auth::Answer(answers.clone()), pfc, acfc }, !seed);
        let mut pair = Pair::new(a, b);
        pair.start();
        pair.wait(core::time::Duration::from_secs(60));
        let common = asks.is_empty() || asks.iter().any(|method| answers.contains(method));
        if common {
            prop_assert!(pair.a.is_opened() && pair.b.is_opened(), "{:#?}", pair.log);
            prop_assert_eq!(pair.a.protocol().agreed().peer_proves, pair.b.protocol().agreed().we_prove);
            prop_assert_eq!(pair.a.protocol().agreed().pfc, short.2);
            prop_assert_eq!(pair.b.protocol().agreed().acfc, short.1);
        } else {
            prop_assert!(!pair.a.is_opened() && !pair.b.is_opened());
            let codes: Vec<_> = pair.reported.iter().filter_map(|(_, event)| match event {
                Event::Finished(Finish::Failed(failure)) => Some(failure.code),
                _ => None,
            }).collect();
            prop_assert!(codes.contains(&Code::A05), "{:?} {:#?}", codes, pair.log);
        }
    }
}
