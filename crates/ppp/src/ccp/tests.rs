use std::time::Instant;

use adit_crypto::Rng;
use adit_crypto::mppe::{StartKey, start_keys_v1};
use adit_crypto::secret::Password;
use adit_diag::AuthMethod;
use adit_wire::cp::{CONFIGURE_ACK, CONFIGURE_NAK, CONFIGURE_REJECT, CONFIGURE_REQUEST};
use proptest::prelude::*;

use super::*;
use crate::automaton::State;
use crate::fsm::testing::{Pair, events, packet, packets, reply};
use crate::fsm::{Event, Finish, Fsm, Timers};

const H: u32 = 0x0100_0000;
const M: u32 = 0x80;
const S: u32 = 0x40;
const L: u32 = 0x20;
const D: u32 = 0x10;
const C: u32 = 0x01;

const STATEFUL: [Stateful; 3] = [Stateful::Refuse, Stateful::Accept, Stateful::Prefer];

fn keys() -> StartKeys {
    StartKeys { send: StartKey::new([1; 16]), receive: StartKey::new([2; 16]) }
}

fn policy(mode: Mode, bits: &[u8]) -> MppePolicy {
    let strengths = Strength::ALL.into_iter().filter(|strength| bits.contains(&strength.bits())).collect();
    MppePolicy { mode, strengths, stateful: Stateful::Refuse }
}

fn end(side: Side, mode: Mode, bits: &[u8]) -> Fsm<Ccp> {
    Fsm::new(Ccp::new(side, &policy(mode, bits), Some(&keys())), Timers::default())
}

fn stateful(side: Side, mode: Mode, bits: &[u8]) -> Fsm<Ccp> {
    with_stateful(Stateful::Accept, side, mode, bits)
}

fn with_stateful(stateful: Stateful, side: Side, mode: Mode, bits: &[u8]) -> Fsm<Ccp> {
    let policy = MppePolicy { stateful, ..policy(mode, bits) };
    Fsm::new(Ccp::new(side, &policy, Some(&keys())), Timers::default())
}

/// A server that requires 128 bits and has sent its first request, and that request.
fn server() -> (Fsm<Ccp>, (u8, u8, Vec<u8>)) {
    started(end(Side::Server, Mode::Require, &[128]))
}

fn started(mut fsm: Fsm<Ccp>) -> (Fsm<Ccp>, (u8, u8, Vec<u8>)) {
    let now = Instant::now();
    fsm.open(now);
    fsm.lower_up(now);
    let request = reply(&mut fsm);
    (fsm, request)
}

fn option(bits: u32) -> Vec<u8> {
    let mut data = Vec::new();
    CcpOption::Mppe(Mppe(bits)).emit(&mut data);
    data
}

fn request(id: u8, bits: u32) -> Vec<u8> {
    packet(CONFIGURE_REQUEST, id, &option(bits))
}

/// The answer of `fsm` to a request with these bits.
fn answer(fsm: &mut Fsm<Ccp>, bits: u32) -> (u8, Vec<u8>) {
    fsm.handle_input(Instant::now(), &request(9, bits)).unwrap();
    let (code, id, data) = reply(fsm);
    assert_eq!(id, 9);
    (code, data)
}

fn nak(bits: u32) -> (u8, Vec<u8>) {
    (CONFIGURE_NAK, option(bits))
}

fn ack(bits: u32) -> (u8, Vec<u8>) {
    (CONFIGURE_ACK, option(bits))
}

/// Why the layer finished, after its Terminate-Requests were not answered.
fn finish(fsm: &mut Fsm<Ccp>) -> Finish {
    for _ in 0..50 {
        for event in events(fsm) {
            if let Event::Finished(finish) = event {
                return finish;
            }
        }
        if let Some((at, _)) = fsm.poll_timeout() {
            fsm.handle_timeout(at);
        }
        packets(fsm);
    }
    panic!("not finished, {}", fsm.state());
}

fn failure(fsm: &mut Fsm<Ccp>) -> (Code, String) {
    match finish(fsm) {
        Finish::Failed(Failure { code, detail }) => (code, detail),
        other => panic!("{other:?}"),
    }
}

fn agreed(strength: Strength) -> Option<Agreed> {
    Some(Agreed { strength, stateless: true })
}

#[test]
fn c176_our_request_has_one_strength_and_h() {
    for (bits, wanted) in [(&[128][..], S), (&[40, 128], S), (&[40, 56, 128], S), (&[40, 56], M), (&[40], L)]
    {
        let (_, (code, _, data)) = started(end(Side::Server, Mode::Require, bits));
        assert_eq!((code, data), (CONFIGURE_REQUEST, option(H | wanted)));
        let (_, (_, _, data)) = started(stateful(Side::Client, Mode::Prefer, bits));
        assert_eq!(data, option(H | wanted));
    }
}

#[test]
fn c177_c178_c179_c183_requests_that_are_naked() {
    let (mut fsm, _) = started(end(Side::Server, Mode::Require, &[40, 128]));
    for bits in [
        H | M | S | L | C,
        H | M | S | L,
        H | S | L,
        H,
        H | S | D,
        H | S | C,
        H | S | 0x0002_0000,
        S,
        S | L,
        0,
    ] {
        let mut fsm = started(end(Side::Server, Mode::Require, &[40, 128])).0;
        assert_eq!(answer(&mut fsm, bits), nak(H | S), "{bits:08x}");
        assert_eq!(answer(&mut fsm, H | S), ack(H | S));
    }
    assert_eq!(answer(&mut fsm, H | L), ack(H | L));
    // The strongest strength that both have.
    let mut fsm = started(end(Side::Server, Mode::Require, &[40, 56])).0;
    assert_eq!(answer(&mut fsm, H | M | S | L | C), nak(H | M));
    assert_eq!(answer(&mut fsm, H | S), nak(H | M));
    assert_eq!(answer(&mut fsm, H | L), ack(H | L));
}

#[test]
fn an_option_of_a_wrong_length_is_naked_with_a_right_one() {
    let (mut fsm, _) = server();
    fsm.handle_input(Instant::now(), &packet(CONFIGURE_REQUEST, 3, &[18, 3, 1])).unwrap();
    assert_eq!(reply(&mut fsm), (CONFIGURE_NAK, 3, option(H | S)));
}

#[test]
fn other_compressors_are_rejected_first() {
    let (mut fsm, _) = server();
    let deflate = [26, 4, 0x78, 0];
    let bsd = [21, 3, 0x2f];
    let data = [&deflate[..], &option(H | S | L), &bsd].concat();
    fsm.handle_input(Instant::now(), &packet(CONFIGURE_REQUEST, 3, &data)).unwrap();
    assert_eq!(reply(&mut fsm), (CONFIGURE_REJECT, 3, [&deflate[..], &bsd].concat()));
    // Without compressors the request is empty; MPPE is what is missing.
    fsm.handle_input(Instant::now(), &packet(CONFIGURE_REQUEST, 4, &[])).unwrap();
    assert_eq!(reply(&mut fsm), (CONFIGURE_NAK, 4, option(H | S)));
}

/// A published log of a Windows 10 client: it asks for H alone, sends two strengths in a Nak, and accepts the
/// offer.
#[test]
fn c178_the_windows_10_exchange() {
    let (mut fsm, (_, id, _)) = server();
    let now = Instant::now();
    assert_eq!(answer(&mut fsm, H), nak(H | S));
    fsm.handle_input(now, &packet(CONFIGURE_ACK, id, &option(H | S))).unwrap();
    assert_eq!(answer(&mut fsm, H | S), ack(H | S));
    assert_eq!(events(&mut fsm), [Event::Up]);
    assert_eq!(fsm.protocol().agreed(), agreed(Strength::Bits128));
}

#[test]
fn two_ends_agree_on_the_strongest_that_both_have() {
    for (server, client, wanted) in [
        (&[128][..], &[128][..], Some(Strength::Bits128)),
        (&[40, 128], &[40], Some(Strength::Bits40)),
        (&[40], &[40, 56, 128], Some(Strength::Bits40)),
        (&[40, 56], &[56, 128], Some(Strength::Bits56)),
        (&[40, 56, 128], &[40, 56, 128], Some(Strength::Bits128)),
        (&[40, 56], &[40, 128], Some(Strength::Bits40)),
        (&[128], &[40, 56], None),
    ] {
        for (a_mode, b_mode) in [
            (Mode::Require, Mode::Require),
            (Mode::Require, Mode::Prefer),
            (Mode::Prefer, Mode::Require),
            (Mode::Prefer, Mode::Prefer),
        ] {
            let mut pair = Pair::new(end(Side::Server, a_mode, server), end(Side::Client, b_mode, client));
            pair.start();
            let got = [pair.a.protocol().agreed(), pair.b.protocol().agreed()];
            assert_eq!(got, [wanted.and_then(agreed); 2], "{server:?} {client:?} {a_mode:?} {b_mode:?}");
            let up = wanted.is_some();
            if up || a_mode == Mode::Require || b_mode == Mode::Require {
                assert_eq!((pair.a.is_opened(), pair.b.is_opened()), (up, up), "{:#?}", pair.log);
            }
        }
    }
}

#[test]
fn a_nak_is_adopted_as_far_as_the_policy_goes() {
    let now = Instant::now();
    for (naked, then) in [
        (H | L, H | L),
        (H | M, H | L),
        (H | M | L, H | L),
        (L, H | L),
        (H, H | S),
        (0, H | S),
        (H | S | L, H | S),
        (H | L | D | C, H | L),
    ] {
        let (mut fsm, (_, id, _)) = started(end(Side::Server, Mode::Require, &[40, 128]));
        fsm.handle_input(now, &packet(CONFIGURE_NAK, id, &option(naked))).unwrap();
        let (code, _, data) = reply(&mut fsm);
        assert_eq!((code, data), (CONFIGURE_REQUEST, option(then)), "{naked:08x}");
    }
    let (mut fsm, (_, id, _)) = started(stateful(Side::Server, Mode::Require, &[40, 128]));
    fsm.handle_input(now, &packet(CONFIGURE_NAK, id, &option(S))).unwrap();
    assert_eq!(reply(&mut fsm).2, option(S));
    // If encryption is not required, no bits mean that the peer does not want any.
    let (mut fsm, (_, id, _)) = started(end(Side::Server, Mode::Prefer, &[40, 128]));
    fsm.handle_input(now, &packet(CONFIGURE_NAK, id, &option(0))).unwrap();
    assert!(reply(&mut fsm).2.is_empty());
}

#[test]
fn c180_a_rejected_option_ends_what_requires_it() {
    for (side, code, detail) in [
        (Side::Server, Code::E01, "server wants mppe 128 stateless, client rejects mppe"),
        (Side::Client, Code::E02, "client wants mppe 128 stateless, server rejects mppe"),
    ] {
        let (mut fsm, (_, id, data)) = started(end(side, Mode::Require, &[128]));
        fsm.handle_input(Instant::now(), &packet(CONFIGURE_REJECT, id, &data)).unwrap();
        assert_eq!(fsm.state(), State::Closing);
        assert_eq!(failure(&mut fsm), (code, detail.to_owned()));
    }
}

#[test]
fn c180_a_rejected_protocol_a_silent_peer_and_a_terminate_have_their_reasons() {
    let why = |side, finish: &Finish, up| {
        let fsm = started(end(side, Mode::Require, &[40, 128])).0;
        let failure = fsm.protocol().why(finish, up).unwrap();
        (failure.code, failure.detail)
    };
    let (server, client) = (Side::Server, Side::Client);
    let want = "server wants mppe 40|128 stateless";
    assert_eq!(
        why(server, &Finish::Rejected, false),
        (Code::E01, format!("{want}, client has no CCP (Protocol-Reject)"))
    );
    assert_eq!(why(server, &Finish::NoAnswer, false), (Code::E01, format!("{want}, client does not answer")));
    assert_eq!(
        why(client, &Finish::Terminated(b"no\n".to_vec()), false),
        (Code::E02, "client wants mppe 40|128 stateless, server ended CCP: \"no\\x0a\"".to_owned())
    );
    let (code, detail) = why(server, &Finish::Terminated(Vec::new()), true);
    assert_eq!((code, detail), (Code::E08, format!("{want}, client ended CCP")));
    let fsm = started(end(Side::Server, Mode::Prefer, &[128])).0;
    assert_eq!(fsm.protocol().why(&Finish::Rejected, false), None);
    assert_eq!(server_closed(), None);
}

fn server_closed() -> Option<Failure> {
    server().0.protocol().why(&Finish::Closed, true)
}

#[test]
fn c180_no_strength_in_common_shows_both_offers() {
    let (mut fsm, _) = server();
    let now = Instant::now();
    for n in 0..5 {
        assert_eq!(answer(&mut fsm, H | L), nak(H | S), "{n}");
    }
    // Max-Failure is reached: Reject, and then the end.
    fsm.handle_input(now, &request(9, H | L)).unwrap();
    let sent: Vec<u8> = packets(&mut fsm).iter().map(|packet| packet[0]).collect();
    assert!(sent.contains(&cp::TERMINATE_REQUEST), "{sent:?}");
    let detail = "server wants mppe 128 stateless, client offers mppe 40 stateless";
    assert_eq!(failure(&mut fsm), (Code::E03, detail.to_owned()));
}

#[test]
fn c183_a_peer_that_insists_on_stateful_mode_has_a_reason_of_its_own() {
    let (mut fsm, _) = server();
    for _ in 0..5 {
        assert_eq!(answer(&mut fsm, S), nak(H | S));
    }
    fsm.handle_input(Instant::now(), &request(9, S)).unwrap();
    packets(&mut fsm);
    let detail = "server wants mppe 128 stateless, client offers mppe 128 stateful";
    assert_eq!(failure(&mut fsm), (Code::E07, detail.to_owned()));
    // The same with Naks of our request.
    let (mut fsm, (_, mut id, _)) = server();
    let now = Instant::now();
    for _ in 0..5 {
        fsm.handle_input(now, &packet(CONFIGURE_NAK, id, &option(S))).unwrap();
        let (code, next, data) = reply(&mut fsm);
        assert_eq!((code, data), (CONFIGURE_REQUEST, option(H | S)));
        id = next;
    }
    fsm.handle_input(now, &packet(CONFIGURE_NAK, id, &option(S))).unwrap();
    assert_eq!(failure(&mut fsm), (Code::E07, detail.to_owned()));
}

#[test]
fn a_peer_without_encryption_is_refused_where_it_is_required() {
    let (mut fsm, _) = server();
    let now = Instant::now();
    for _ in 0..5 {
        fsm.handle_input(now, &packet(CONFIGURE_REQUEST, 3, &[])).unwrap();
        assert_eq!(reply(&mut fsm), (CONFIGURE_NAK, 3, option(H | S)));
    }
    fsm.handle_input(now, &packet(CONFIGURE_REQUEST, 3, &[])).unwrap();
    packets(&mut fsm);
    let detail = "server wants mppe 128 stateless, client offers no encryption";
    assert_eq!(failure(&mut fsm), (Code::E01, detail.to_owned()));
}

#[test]
fn c181_a_peer_without_ccp_is_admitted_where_encryption_is_optional() {
    for mode in [Mode::Off, Mode::Allow, Mode::Prefer] {
        let fsm = end(Side::Server, mode, &[128]);
        for finish in [Finish::NoAnswer, Finish::Rejected, Finish::Terminated(Vec::new())] {
            assert_eq!(fsm.protocol().why(&finish, false), None);
        }
        assert_eq!(fsm.protocol().agreed(), None);
    }
    // The same with a peer that rejects the option.
    let (mut fsm, (_, id, data)) = started(end(Side::Server, Mode::Prefer, &[128]));
    let now = Instant::now();
    fsm.handle_input(now, &packet(CONFIGURE_REJECT, id, &data)).unwrap();
    let (code, id, data) = reply(&mut fsm);
    assert_eq!((code, &data[..]), (CONFIGURE_REQUEST, &[][..]));
    fsm.handle_input(now, &packet(CONFIGURE_ACK, id, &[])).unwrap();
    fsm.handle_input(now, &packet(CONFIGURE_REQUEST, 1, &[])).unwrap();
    assert_eq!(reply(&mut fsm).0, CONFIGURE_ACK);
    assert!(fsm.is_opened());
    assert_eq!(fsm.protocol().agreed(), None);
}

#[test]
fn c182_an_all_zero_request_is_acknowledged_where_encryption_is_not_required() {
    for mode in [Mode::Off, Mode::Allow, Mode::Prefer] {
        let mut fsm = end(Side::Server, mode, &[128]);
        fsm.listen();
        fsm.handle_input(Instant::now(), &request(1, 0)).unwrap();
        let sent = packets(&mut fsm);
        let packet = sent.iter().find(|packet| packet[0] == CONFIGURE_ACK).unwrap();
        assert_eq!(packet[4..], option(0));
    }
}

#[test]
fn off_rejects_the_option_and_reports_what_it_refused() {
    for (side, code, detail) in [
        (Side::Server, Code::E02, "client wants mppe 128 stateless, server encryption is off"),
        (Side::Client, Code::E01, "server wants mppe 128 stateless, client encryption is off"),
    ] {
        let mut fsm = end(side, Mode::Off, &[128]);
        fsm.listen();
        assert_eq!(fsm.protocol().refusal(), None);
        fsm.handle_input(Instant::now(), &request(1, H | S)).unwrap();
        let sent = packets(&mut fsm);
        assert!(sent.contains(&packet(CONFIGURE_REJECT, 1, &option(H | S))), "{sent:?}");
        assert_eq!(fsm.protocol().refusal(), Some(Failure { code, detail: detail.to_owned() }));
    }
}

#[test]
fn without_keys_there_is_nothing_to_offer() {
    let ccp = Ccp::new(Side::Server, &policy(Mode::Prefer, &[40, 128]), None);
    let (mut fsm, (_, _, data)) = started(Fsm::new(ccp, Timers::default()));
    assert!(data.is_empty());
    assert_eq!(answer(&mut fsm, H | S).0, CONFIGURE_REJECT);
    let failure = no_keys(AuthMethod::Pap);
    assert_eq!(failure.code, Code::E06);
    assert_eq!(failure.detail, "encryption is required, and pap gives no keys for it");
    // MS-CHAPv1 with only a hash in the store derives keys of 128 bits only.
    let v1 = start_keys_v1(&Password::new("x").nt_hash(), &[1; 8], None);
    let ccp = Ccp::new(Side::Server, &policy(Mode::Require, &[40, 56, 128]), Some(&v1));
    let (mut fsm, _) = started(Fsm::new(ccp, Timers::default()));
    assert_eq!(answer(&mut fsm, H | L), nak(H | S));
}

#[test]
fn two_directions_that_differ_are_no_agreement() {
    let (mut fsm, (_, id, _)) = started(end(Side::Server, Mode::Require, &[40, 128]));
    let now = Instant::now();
    // First ours is acknowledged: then the peer is asked for the same.
    fsm.handle_input(now, &packet(CONFIGURE_ACK, id, &option(H | S))).unwrap();
    assert_eq!(answer(&mut fsm, H | L), nak(H | S));
    assert_eq!(answer(&mut fsm, H | S), ack(H | S));
    assert_eq!(fsm.protocol().agreed(), agreed(Strength::Bits128));
    // The peer's first: then our Nak leads to the same result, and an Ack to the end.
    let (mut fsm, (_, id, _)) = started(end(Side::Server, Mode::Require, &[40, 128]));
    assert_eq!(answer(&mut fsm, H | L), ack(H | L));
    fsm.handle_input(now, &packet(CONFIGURE_ACK, id, &option(H | S))).unwrap();
    let detail = "client agreed to mppe 128 stateless towards server and asked for mppe 40 stateless \
                  towards itself";
    assert_eq!(failure(&mut fsm), (Code::E03, detail.to_owned()));
}

#[test]
fn c198_a_request_in_opened_begins_anew() {
    let mut pair =
        Pair::new(end(Side::Server, Mode::Require, &[128]), end(Side::Client, Mode::Require, &[128]));
    pair.start();
    pair.reported.clear();
    pair.a.note_traffic();
    let again = request(77, H | S);
    pair.a.handle_input(pair.now, &again).unwrap();
    assert!(!pair.a.is_opened());
    assert_eq!(events(&mut pair.a), [Event::Down]);
    // Nothing is agreed until both have acknowledged again; then the result is new: count 0, start keys.
    assert_eq!(pair.a.protocol().agreed(), None);
    pair.talk();
    assert!(pair.a.is_opened() && pair.b.is_opened());
    assert!(pair.reported.contains(&('a', Event::Up)));
    assert_eq!(pair.a.protocol().agreed(), agreed(Strength::Bits128));
}

#[test]
fn c198_a_crossing_right_after_opened_changes_nothing() {
    let crossing = |wait, traffic: bool, bits| {
        let (mut fsm, (_, id, _)) = server();
        let now = Instant::now();
        fsm.handle_input(now, &packet(CONFIGURE_ACK, id, &option(H | S))).unwrap();
        fsm.handle_input(now, &request(5, H | S)).unwrap();
        packets(&mut fsm);
        assert_eq!(events(&mut fsm), [Event::Up]);
        if traffic {
            fsm.note_traffic();
        }
        fsm.handle_input(now + wait, &request(6, bits)).unwrap();
        assert!(packets(&mut fsm).iter().any(|packet| packet[1] == 6));
        events(&mut fsm).is_empty() && fsm.is_opened()
    };
    let ms = Duration::from_millis;
    assert!(crossing(ms(900), false, H | S));
    assert!(!crossing(ms(1100), false, H | S));
    assert!(!crossing(ms(900), true, H | S));
    assert!(!crossing(ms(900), false, H | S | L));
}

#[test]
fn c197_a_reset_request_is_acknowledged_and_changes_nothing_in_stateless_mode() {
    let mut pair =
        Pair::new(end(Side::Server, Mode::Require, &[128]), end(Side::Client, Mode::Require, &[128]));
    pair.start();
    pair.a.handle_input(pair.now, &packet(cp::RESET_REQUEST, 9, &[])).unwrap();
    assert_eq!(reply(&mut pair.a), (cp::RESET_ACK, 9, Vec::new()));
    assert!(pair.a.is_opened() && events(&mut pair.a).is_empty());
    pair.a.handle_input(pair.now, &packet(cp::RESET_ACK, 9, &[])).unwrap();
    assert!(packets(&mut pair.a).is_empty());
    assert_eq!(pair.a.protocol().agreed(), agreed(Strength::Bits128));
}

#[test]
fn stateful_mode_is_followed_where_the_policy_allows_it() {
    // Our own side asks for H, but follows a peer that does not want it.
    let (mut fsm, (_, id, _)) = started(stateful(Side::Server, Mode::Require, &[128]));
    let now = Instant::now();
    fsm.handle_input(now, &packet(CONFIGURE_NAK, id, &option(S))).unwrap();
    let (_, id, data) = reply(&mut fsm);
    fsm.handle_input(now, &packet(CONFIGURE_ACK, id, &data)).unwrap();
    assert_eq!(answer(&mut fsm, S), ack(S));
    assert_eq!(fsm.protocol().agreed(), Some(Agreed { strength: Strength::Bits128, stateless: false }));
    assert_eq!(fsm.protocol().agreed().unwrap().to_string(), "mppe 128 stateful");
    fsm.handle_input(now, &packet(cp::RESET_REQUEST, 3, &[])).unwrap();
    assert_eq!(reply(&mut fsm), (cp::RESET_ACK, 3, Vec::new()));
}

#[test]
fn two_ends_use_stateful_mode_only_if_one_prefers_it_and_the_other_allows_it() {
    for server in STATEFUL {
        for client in STATEFUL {
            let mut pair = Pair::new(
                with_stateful(server, Side::Server, Mode::Require, &[128]),
                with_stateful(client, Side::Client, Mode::Require, &[128]),
            );
            pair.start();
            let both = [server, client];
            let stateless = !both.contains(&Stateful::Prefer) || both.contains(&Stateful::Refuse);
            let wanted = Some(Agreed { strength: Strength::Bits128, stateless });
            let got = [pair.a.protocol().agreed(), pair.b.protocol().agreed()];
            assert_eq!(got, [wanted; 2], "{both:?} {:#?}", pair.log);
        }
    }
}

/// A client that prefers stateful mode and has sent its first request, and that request.
fn prefers_stateful() -> (Fsm<Ccp>, (u8, u8, Vec<u8>)) {
    started(with_stateful(Stateful::Prefer, Side::Client, Mode::Require, &[40, 128]))
}

#[test]
fn preferred_stateful_mode_is_requested_and_a_nak_with_h_ends_the_preference() {
    let (mut fsm, (code, id, data)) = prefers_stateful();
    assert_eq!((code, data), (CONFIGURE_REQUEST, option(S)));
    assert_eq!(answer(&mut fsm, H | S), nak(S));
    // A Nak with another strength and without H changes the strength alone.
    let now = Instant::now();
    fsm.handle_input(now, &packet(CONFIGURE_NAK, id, &option(L))).unwrap();
    let (_, id, data) = reply(&mut fsm);
    assert_eq!(data, option(L));
    assert_eq!(answer(&mut fsm, H | L), nak(L));
    fsm.handle_input(now, &packet(CONFIGURE_NAK, id, &option(H | S))).unwrap();
    let (_, id, data) = reply(&mut fsm);
    assert_eq!(data, option(H | S));
    assert_eq!(answer(&mut fsm, H | S), ack(H | S));
    fsm.handle_input(now, &packet(CONFIGURE_ACK, id, &data)).unwrap();
    assert_eq!(fsm.protocol().agreed(), agreed(Strength::Bits128));
}

#[test]
fn a_peer_that_insists_on_stateless_mode_has_it_when_no_naks_are_left() {
    // Its answer to our request is lost.
    let (mut fsm, (_, id, _)) = prefers_stateful();
    for n in 0..5 {
        assert_eq!(answer(&mut fsm, H | S), nak(S), "{n}");
    }
    assert_eq!(answer(&mut fsm, H | S), ack(H | S));
    fsm.handle_input(Instant::now(), &packet(CONFIGURE_NAK, id, &option(H | S))).unwrap();
    let (_, id, data) = reply(&mut fsm);
    fsm.handle_input(Instant::now(), &packet(CONFIGURE_ACK, id, &data)).unwrap();
    assert_eq!(fsm.protocol().agreed(), agreed(Strength::Bits128));
}

#[test]
fn a_rejected_preference_is_explained_with_its_mode() {
    let (mut fsm, (_, id, data)) = prefers_stateful();
    fsm.handle_input(Instant::now(), &packet(CONFIGURE_REJECT, id, &data)).unwrap();
    let detail = "client wants mppe 40|128 stateful, server rejects mppe";
    assert_eq!(failure(&mut fsm), (Code::E02, detail.to_owned()));
}

/// A packet between random and valid.
fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    let bits = prop_oneof![
        any::<u32>(),
        (0..64_u32).prop_map(|n| [H, M, S, L, D, C]
            .iter()
            .enumerate()
            .fold(0, |bits, (at, bit)| bits | if n >> at & 1 == 1 { *bit } else { 0 })),
    ];
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        (0..17_u8, 0..6_u8, bits).prop_map(|(code, id, bits)| packet(code, id, &option(bits))),
        (0..17_u8, 0..6_u8, proptest::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(code, id, data)| packet(code, id, &data)),
    ]
}

proptest! {
    #[test]
    fn no_packets_panic_and_nothing_is_agreed_that_the_policy_forbids(
        stream in proptest::collection::vec((any_packet(), 0..4000_u64), 0..80),
        mode in 0..4_usize,
        bits in 0..8_usize,
        stateful in 0..3_usize,
    ) {
        let stateful = STATEFUL[stateful];
        let mode = [Mode::Off, Mode::Allow, Mode::Prefer, Mode::Require][mode];
        let strengths: Vec<Strength> =
            Strength::ALL.into_iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, s)| s).collect();
        let policy = MppePolicy { mode, strengths: strengths.clone(), stateful };
        let mut fsm = Fsm::new(Ccp::new(Side::Server, &policy, Some(&keys())), Timers::default());
        let mut now = Instant::now();
        fsm.open(now);
        fsm.lower_up(now);
        for (packet, wait) in stream {
            let _ = fsm.handle_input(now, &packet);
            packets(&mut fsm);
            if fsm.is_opened() {
                match fsm.protocol().agreed() {
                    Some(agreed) => {
                        prop_assert!(mode != Mode::Off && strengths.contains(&agreed.strength));
                        prop_assert!(agreed.stateless || stateful != Stateful::Refuse);
                    }
                    None => prop_assert!(mode != Mode::Require),
                }
            }
            now += Duration::from_millis(wait);
            fsm.handle_timeout(now);
        }
    }

    /// Whatever the two policies are, the two ends never disagree about what was agreed.
    #[test]
    fn two_ends_agree_or_do_not(a in 0..8_usize, b in 0..8_usize, modes in (0..4_usize, 0..4_usize), flags in (0..3_usize, 0..3_usize), seed: u64) {
        let modes = [modes.0, modes.1].map(|at| [Mode::Off, Mode::Allow, Mode::Prefer, Mode::Require][at]);
        let make = |side, mode, bits: usize, stateful: usize| {
            let strengths =
                Strength::ALL.into_iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, s)| s).collect();
            let policy = MppePolicy { mode, strengths, stateful: STATEFUL[stateful] };
            Fsm::new(Ccp::new(side, &policy, Some(&keys())), Timers::default())
        };
        let mut pair = Pair::new(make(Side::Server, modes[0], a, flags.0), make(Side::Client, modes[1], b, flags.1));
        // Started in any order.
        let late = Duration::from_millis(Rng::from_number(seed).below(5000));
        for (mode, fsm) in [(modes[0], &mut pair.a), (modes[1], &mut pair.b)] {
            if mode.asks() {
                fsm.open(pair.now);
            } else {
                fsm.listen();
            }
        }
        if modes[0].asks() {
            pair.a.lower_up(pair.now);
        }
        pair.wait(late);
        if modes[1].asks() {
            pair.b.lower_up(pair.now);
        }
        pair.wait(Duration::from_secs(60));
        if pair.a.is_opened() && pair.b.is_opened() {
            prop_assert_eq!(pair.a.protocol().agreed(), pair.b.protocol().agreed());
        }
        if a & b != 0 && modes.iter().all(|mode| *mode != Mode::Off) && modes.iter().any(|mode| mode.asks()) {
            prop_assert!(pair.a.is_opened() && pair.b.is_opened(), "{:#?}", pair.log);
            prop_assert!(pair.a.protocol().agreed().is_some());
        }
    }
}
