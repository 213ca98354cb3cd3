use core::time::Duration;
use std::time::Instant;

use adit_diag::Code;
use adit_wire::Protocol;
use adit_wire::cp::{self, Opt, Packet};
use proptest::prelude::*;

use super::testing::{Pair, events, packet, packets, reply};
use super::*;
use crate::automaton::State;

/// A protocol for tests, whose options have one octet of data. It requests `request`, requires the value 7 in
/// option 1 of the peer, rejects options from 100 on, and accepts everything else.
#[derive(Debug, Default)]
struct Toy {
    requested: Vec<(u8, u8)>,
    asked: Vec<(u8, u8)>,
    failure: Option<Failure>,
    needs_option_2: bool,
    accepted: Vec<u8>,
}

impl Toy {
    fn requesting(requested: &[(u8, u8)]) -> Toy {
        Toy { requested: requested.to_vec(), ..Toy::default() }
    }
}

impl ControlProtocol for Toy {
    const PROTOCOL: Protocol = Protocol::Ppp;
    const CROSSING: Option<Duration> = Some(Duration::from_secs(1));

    fn reset(&mut self) {
        self.asked = self.requested.clone();
    }

    fn request(&self, out: &mut Vec<u8>) {
        for (kind, value) in &self.asked {
            cp::push_option(out, *kind, &[*value]);
        }
    }

    fn judge(&mut self, option: &Opt<'_>, _naks_left: bool) -> Judge {
        match (option.kind, option.data) {
            (1, [7]) => Judge::Ack,
            (1, _) => Judge::Nak(vec![7]),
            (99, _) => {
                self.failure = Some(Failure { code: Code::L01, detail: "no".to_owned() });
                Judge::Reject
            }
            (100.., _) => Judge::Reject,
            _ => Judge::Ack,
        }
    }

    fn missing(&mut self, request: &[Opt<'_>], _naks_left: bool) -> Vec<u8> {
        let lacks = self.needs_option_2 && request.iter().all(|option| option.kind != 2);
        if lacks { vec![2, 3, 9] } else { Vec::new() }
    }

    fn accepted(&mut self, request: &[Opt<'_>]) {
        self.accepted = request.iter().map(|option| option.kind).collect();
    }

    fn naked(&mut self, options: &[Opt<'_>]) {
        for option in options {
            if let Some(own) = self.asked.iter_mut().find(|own| own.0 == option.kind) {
                own.1 = option.data[0];
            }
        }
    }

    fn rejected(&mut self, options: &[Opt<'_>]) {
        self.asked.retain(|own| options.iter().all(|option| option.kind != own.0));
    }

    fn failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    fn extra(&mut self, packet: &Packet<'_>, _opened: bool) -> Extra {
        match packet.code {
            9 => Extra::Reply { code: 10, data: packet.data.to_vec() },
            11 => Extra::Done,
            _ => Extra::Unknown,
        }
    }
}

fn options(list: &[(u8, u8)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, value) in list {
        cp::push_option(&mut out, *kind, &[*value]);
    }
    out
}

/// A layer whose first Configure-Request (identifier 1) was collected.
fn started(toy: Toy) -> (Fsm<Toy>, Instant) {
    let now = Instant::now();
    let mut fsm = Fsm::new(toy, Timers::default());
    fsm.open(now);
    fsm.lower_up(now);
    assert_eq!(packets(&mut fsm).len(), 1);
    (fsm, now)
}

/// A layer in Opened, after the peer's request with identifier 50 and these options.
fn opened(toy: Toy, peer: &[(u8, u8)]) -> (Fsm<Toy>, Instant) {
    let own = options(&toy.requested);
    let (mut fsm, now) = started(toy);
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 50, &options(peer))).unwrap();
    fsm.handle_input(now, &packet(cp::CONFIGURE_ACK, 1, &own)).unwrap();
    assert_eq!(events(&mut fsm), [Event::Up]);
    packets(&mut fsm);
    (fsm, now)
}

#[test]
fn two_ends_agree() {
    let a = Fsm::new(Toy::requesting(&[(1, 5), (100, 1), (3, 3)]), Timers::default());
    let b = Fsm::new(Toy::requesting(&[(1, 7)]), Timers::default());
    let mut pair = Pair::new(a, b);
    pair.start();
    assert!(pair.a.is_opened() && pair.b.is_opened(), "{:#?}", pair.log);
    assert_eq!(pair.a.protocol().asked, [(1, 7), (3, 3)]);
    assert_eq!(pair.b.protocol().accepted, [1, 3]);
    assert_eq!(pair.reported.iter().filter(|(_, event)| *event == Event::Up).count(), 2);
}

#[test]
fn c095_an_ack_with_changed_reordered_or_missing_options_is_dropped() {
    let (mut fsm, now) = started(Toy::requesting(&[(1, 7), (3, 3)]));
    for bad in [&[(1, 7), (3, 4)][..], &[(3, 3), (1, 7)], &[(1, 7)], &[(1, 7), (3, 3), (4, 4)]] {
        let result = fsm.handle_input(now, &packet(cp::CONFIGURE_ACK, 1, &options(bad)));
        assert_eq!(result, Err(Ignored::NotOurOptions));
        assert_eq!(fsm.state(), State::ReqSent);
    }
    fsm.handle_input(now, &packet(cp::CONFIGURE_ACK, 1, &options(&[(1, 7), (3, 3)]))).unwrap();
    assert_eq!(fsm.state(), State::AckRcvd);
}

#[test]
fn c096_replies_with_a_stale_identifier_are_dropped() {
    let (mut fsm, now) = started(Toy::requesting(&[(1, 7)]));
    for code in [cp::CONFIGURE_ACK, cp::CONFIGURE_NAK, cp::CONFIGURE_REJECT] {
        let result = fsm.handle_input(now, &packet(code, 2, &options(&[(1, 7)])));
        assert_eq!(result, Err(Ignored::StaleId));
        assert_eq!(fsm.state(), State::ReqSent);
    }
    // A second copy of a reply is stale too: it must not take an open layer down.
    let (mut fsm, now) = opened(Toy::requesting(&[(1, 7)]), &[]);
    let again = packet(cp::CONFIGURE_ACK, 1, &options(&[(1, 7)]));
    assert_eq!(fsm.handle_input(now, &again), Err(Ignored::StaleId));
    assert!(fsm.is_opened());
}

#[test]
fn a_reject_of_what_we_did_not_send_is_dropped() {
    let (mut fsm, now) = started(Toy::requesting(&[(1, 7), (3, 3)]));
    for bad in [&[][..], &[(1, 8)], &[(3, 3), (1, 7)], &[(1, 7), (1, 7)]] {
        let result = fsm.handle_input(now, &packet(cp::CONFIGURE_REJECT, 1, &options(bad)));
        assert_eq!(result, Err(Ignored::NotOurOptions), "{bad:?}");
    }
    fsm.handle_input(now, &packet(cp::CONFIGURE_REJECT, 1, &options(&[(3, 3)]))).unwrap();
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_REQUEST, 2, options(&[(1, 7)])));
}

#[test]
fn c097_c098_a_reject_lists_only_the_refused_options_and_precedes_any_nak() {
    let (mut fsm, now) = started(Toy::default());
    let request = options(&[(1, 5), (120, 1), (3, 3), (101, 2)]);
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 9, &request)).unwrap();
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_REJECT, 9, options(&[(120, 1), (101, 2)])));

    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 10, &options(&[(1, 5), (3, 3)]))).unwrap();
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_NAK, 10, options(&[(1, 7)])));

    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 11, &options(&[(1, 7), (3, 3)]))).unwrap();
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_ACK, 11, options(&[(1, 7), (3, 3)])));
}

#[test]
fn an_option_that_comes_twice_is_rejected_the_second_time() {
    let (mut fsm, now) = started(Toy::default());
    let request = options(&[(1, 7), (3, 1), (1, 7)]);
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 9, &request)).unwrap();
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_REJECT, 9, options(&[(1, 7)])));
}

#[test]
fn an_option_that_must_be_there_is_added_to_the_nak() {
    let (mut fsm, now) = started(Toy { needs_option_2: true, ..Toy::default() });
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 9, &options(&[(1, 5)]))).unwrap();
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_NAK, 9, options(&[(1, 7), (2, 9)])));
}

#[test]
fn c099_ten_requests_three_seconds_apart_then_the_layer_is_finished() {
    let (mut fsm, start) = started(Toy::default());
    let mut times = vec![0];
    while let Some((due, _)) = fsm.poll_timeout() {
        fsm.handle_timeout(due);
        times.extend(packets(&mut fsm).iter().map(|_| (due - start).as_secs()));
        if !fsm.state().is_timed() {
            assert_eq!(due - start, Duration::from_secs(30));
        }
    }
    assert_eq!(times, [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
    assert_eq!(events(&mut fsm), [Event::Finished(Finish::NoAnswer)]);
    assert_eq!(fsm.state(), State::Stopped);
}

#[test]
fn c099_timers_and_counters_are_configurable() {
    let now = Instant::now();
    let timers = Timers { restart: Duration::from_millis(200), max_configure: 3, ..Timers::default() };
    let mut fsm = Fsm::new(Toy::default(), timers);
    fsm.open(now);
    fsm.lower_up(now);
    let mut end = now;
    while let Some((due, _)) = fsm.poll_timeout() {
        fsm.handle_timeout(due);
        end = due;
    }
    assert_eq!(packets(&mut fsm).len(), 3);
    assert_eq!(end - now, Duration::from_millis(600));
}

#[test]
fn c100_at_most_two_terminate_requests_with_the_reason_then_down() {
    let (mut fsm, now) = opened(Toy::default(), &[]);
    fsm.close(now, "enough");
    assert_eq!(events(&mut fsm), [Event::Down]);
    let mut sent = packets(&mut fsm);
    while let Some((due, _)) = fsm.poll_timeout() {
        fsm.handle_timeout(due);
        sent.extend(packets(&mut fsm));
    }
    assert_eq!(
        sent,
        [packet(cp::TERMINATE_REQUEST, 2, b"enough"), packet(cp::TERMINATE_REQUEST, 3, b"enough")]
    );
    assert_eq!(events(&mut fsm), [Event::Finished(Finish::Closed)]);
    assert_eq!(fsm.state(), State::Closed);
}

#[test]
fn c101_after_max_failure_naks_the_option_is_rejected() {
    let (mut fsm, now) = started(Toy::default());
    for id in 1..=5 {
        fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, id, &options(&[(1, 5)]))).unwrap();
        assert_eq!(reply(&mut fsm), (cp::CONFIGURE_NAK, id, options(&[(1, 7)])));
    }
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 6, &options(&[(1, 5)]))).unwrap();
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_REJECT, 6, options(&[(1, 5)])));
}

#[test]
fn after_max_failure_naks_received_our_option_is_given_up_and_a_peer_that_goes_on_ends_it() {
    let (mut fsm, now) = started(Toy::requesting(&[(3, 3)]));
    let mut id = 1;
    for value in 0..5 {
        fsm.handle_input(now, &packet(cp::CONFIGURE_NAK, id, &options(&[(3, value)]))).unwrap();
        let request = reply(&mut fsm);
        assert_eq!(request.2, options(&[(3, value)]));
        id = request.1;
    }
    fsm.handle_input(now, &packet(cp::CONFIGURE_NAK, id, &options(&[(3, 77)]))).unwrap();
    assert!(reply(&mut fsm).2.is_empty());

    for _ in 0..100 {
        id += 1;
        if fsm.handle_input(now, &packet(cp::CONFIGURE_NAK, id, &options(&[(3, 77)]))).is_err() {
            break;
        }
    }
    assert_eq!(fsm.state(), State::Closing);
    while let Some((due, _)) = fsm.poll_timeout() {
        fsm.handle_timeout(due);
    }
    let [Event::Finished(Finish::Failed(failure))] = &events(&mut fsm)[..] else { panic!("not finished") };
    assert_eq!(failure.code, Code::L01);
    assert_eq!(failure.detail, "the peer refused our PPP requests 27 times, last over option 3 4d");
}

#[test]
fn c102_a_request_with_a_bad_option_length_is_dropped() {
    let (mut fsm, now) = started(Toy::default());
    for bad in [&[3, 0][..], &[3, 1, 7], &[1, 3, 7, 3, 9, 1], &[3]] {
        let result = fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 4, bad));
        assert!(matches!(result, Err(Ignored::Malformed(_))), "{bad:02x?}");
        assert!(packets(&mut fsm).is_empty());
    }
}

#[test]
fn c103_a_bad_length_field_drops_the_packet_and_padding_is_ignored() {
    let (mut fsm, now) = started(Toy::default());
    for bad in [&[1, 9, 0, 3][..], &[1, 9, 0, 5], &[1, 9, 0], &[]] {
        assert!(matches!(fsm.handle_input(now, bad), Err(Ignored::Malformed(_))));
    }
    let mut padded = packet(cp::CONFIGURE_REQUEST, 9, &options(&[(3, 1)]));
    padded.extend_from_slice(&[0xff; 9]);
    fsm.handle_input(now, &padded).unwrap();
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_ACK, 9, options(&[(3, 1)])));
}

#[test]
fn c104_an_unknown_code_is_rejected_with_the_packet_cut_to_the_mru() {
    let (mut fsm, now) = started(Toy::default());
    let unknown = packet(200, 9, &[0xaa; 40]);
    fsm.handle_input(now, &unknown).unwrap();
    let (code, _, data) = reply(&mut fsm);
    assert_eq!((code, data), (cp::CODE_REJECT, unknown.clone()));

    fsm.set_peer_mru(20);
    fsm.handle_input(now, &unknown).unwrap();
    let (_, _, data) = reply(&mut fsm);
    assert_eq!(data, unknown[..16]);
}

#[test]
fn a_code_reject_of_a_code_of_the_protocol_ends_the_layer_and_another_does_not() {
    let (mut fsm, now) = opened(Toy::default(), &[]);
    fsm.handle_input(now, &packet(cp::CODE_REJECT, 1, &packet(12, 1, &[]))).unwrap();
    assert!(fsm.is_opened());
    fsm.handle_input(now, &packet(cp::CODE_REJECT, 1, &[cp::CONFIGURE_REQUEST])).unwrap();
    assert_eq!(fsm.state(), State::Stopping);
    while let Some((due, _)) = fsm.poll_timeout() {
        fsm.handle_timeout(due);
    }
    assert_eq!(events(&mut fsm), [Event::Down, Event::Finished(Finish::Rejected)]);
}

#[test]
fn c123_a_terminate_request_is_acked_at_once_and_the_layer_finishes_one_timer_period_later() {
    let (mut fsm, now) = opened(Toy::default(), &[]);
    fsm.handle_input(now, &packet(cp::TERMINATE_REQUEST, 77, b"bye")).unwrap();
    assert_eq!(reply(&mut fsm), (cp::TERMINATE_ACK, 77, vec![]));
    assert_eq!(events(&mut fsm), [Event::TerminateRequest(b"bye".to_vec()), Event::Down]);

    // Our Terminate-Ack was lost and the peer repeats its request, which is still answered.
    fsm.handle_input(now, &packet(cp::TERMINATE_REQUEST, 78, b"bye")).unwrap();
    assert_eq!(reply(&mut fsm), (cp::TERMINATE_ACK, 78, vec![]));
    events(&mut fsm);

    let (due, _) = fsm.poll_timeout().unwrap();
    assert_eq!(due - now, Duration::from_secs(3));
    fsm.handle_timeout(due);
    assert!(packets(&mut fsm).is_empty());
    assert_eq!(events(&mut fsm), [Event::Finished(Finish::Terminated(b"bye".to_vec()))]);
}

#[test]
fn c126_a_retransmission_keeps_its_identifier_and_the_late_ack_counts() {
    let (mut fsm, now) = started(Toy::requesting(&[(3, 3)]));
    let due = now + Duration::from_secs(3);
    fsm.handle_timeout(due);
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_REQUEST, 1, options(&[(3, 3)])));
    fsm.handle_input(due, &packet(cp::CONFIGURE_ACK, 1, &options(&[(3, 3)]))).unwrap();
    assert_eq!(fsm.state(), State::AckRcvd);

    // The peer has answered: a request after that is a new one.
    fsm.handle_timeout(due + Duration::from_secs(3));
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_REQUEST, 2, options(&[(3, 3)])));
}

#[test]
fn a_request_in_opened_renegotiates_from_the_start() {
    let (mut fsm, now) = opened(Toy::requesting(&[(3, 3)]), &[(4, 4)]);
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 51, &options(&[(4, 5)]))).unwrap();
    assert_eq!(events(&mut fsm), [Event::Down]);
    let sent = packets(&mut fsm);
    assert_eq!(
        sent,
        [
            packet(cp::CONFIGURE_REQUEST, 2, &options(&[(3, 3)])),
            packet(cp::CONFIGURE_ACK, 51, &options(&[(4, 5)])),
        ]
    );
    assert_eq!(fsm.state(), State::AckSent);
}

#[test]
fn a_crossing_is_acked_without_falling_out_of_opened() {
    let (mut fsm, now) = opened(Toy::default(), &[(4, 4)]);
    let same = options(&[(4, 4)]);
    fsm.handle_input(now + Duration::from_millis(900), &packet(cp::CONFIGURE_REQUEST, 51, &same)).unwrap();
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_ACK, 51, same.clone()));
    assert!(fsm.is_opened() && events(&mut fsm).is_empty());

    // A retransmission has the same identifier: our Ack was lost, however long ago.
    fsm.handle_input(now + Duration::from_secs(3), &packet(cp::CONFIGURE_REQUEST, 50, &same)).unwrap();
    assert_eq!(reply(&mut fsm), (cp::CONFIGURE_ACK, 50, same.clone()));

    // Not later with another identifier, not with other options, not after traffic.
    for change in 0..3 {
        let (mut fsm, mut now) = opened(Toy::default(), &[(4, 4)]);
        let mut request = packet(cp::CONFIGURE_REQUEST, 50, &same);
        match change {
            0 => {
                now += Duration::from_secs(1);
                request = packet(cp::CONFIGURE_REQUEST, 51, &same);
            }
            1 => request = packet(cp::CONFIGURE_REQUEST, 50, &options(&[(4, 5)])),
            _ => fsm.note_traffic(),
        }
        fsm.handle_input(now, &request).unwrap();
        assert_eq!(events(&mut fsm), [Event::Down], "{change}");
    }
}

#[test]
fn extra_codes_are_answered_in_opened_only() {
    let (mut fsm, now) = started(Toy::default());
    fsm.handle_input(now, &packet(9, 5, b"data")).unwrap();
    assert!(packets(&mut fsm).is_empty());
    assert_eq!(fsm.send(11, b"x"), None);

    let (mut fsm, now) = opened(Toy::default(), &[]);
    fsm.handle_input(now, &packet(9, 5, b"data")).unwrap();
    assert_eq!(reply(&mut fsm), (10, 5, b"data".to_vec()));
    fsm.handle_input(now, &packet(11, 5, b"data")).unwrap();
    assert!(packets(&mut fsm).is_empty());
    assert_eq!(fsm.send(11, b"x"), Some(2));
}

#[test]
fn a_failure_of_the_protocol_closes_the_layer_with_its_words() {
    let (mut fsm, now) = started(Toy::default());
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 5, &options(&[(99, 1)]))).unwrap();
    assert_eq!(reply(&mut fsm), (cp::TERMINATE_REQUEST, 2, b"no".to_vec()));
    fsm.handle_input(now, &packet(cp::TERMINATE_ACK, 2, &[])).unwrap();
    let failure = Failure { code: Code::L01, detail: "no".to_owned() };
    assert_eq!(events(&mut fsm), [Event::Finished(Finish::Failed(failure))]);
}

#[test]
fn a_listening_layer_sends_nothing_until_the_peer_asks() {
    let now = Instant::now();
    let mut fsm = Fsm::new(Toy::requesting(&[(3, 3)]), Timers::default());
    fsm.listen();
    assert!(packets(&mut fsm).is_empty() && fsm.poll_timeout().is_none());
    fsm.handle_input(now, &packet(cp::CONFIGURE_REQUEST, 5, &[])).unwrap();
    let sent = packets(&mut fsm);
    assert_eq!(
        sent,
        [packet(cp::CONFIGURE_REQUEST, 1, &options(&[(3, 3)])), packet(cp::CONFIGURE_ACK, 5, &[])]
    );
}

#[test]
fn nothing_is_taken_before_the_lower_layer_is_up() {
    let now = Instant::now();
    let mut fsm = Fsm::new(Toy::default(), Timers::default());
    let request = packet(cp::CONFIGURE_REQUEST, 5, &[]);
    assert_eq!(fsm.handle_input(now, &request), Err(Ignored::NotUp));
    fsm.open(now);
    assert_eq!(fsm.handle_input(now, &request), Err(Ignored::NotUp));
    fsm.lower_up(now);
    packets(&mut fsm);
    fsm.lower_down(now);
    assert_eq!((fsm.state(), fsm.poll_timeout()), (State::Starting, None));
}

/// An event in the life of a layer.
#[derive(Clone, Debug)]
enum Happening {
    Packet(u8, u8, Vec<u8>),
    Octets(Vec<u8>),
    Wait(u64),
    LowerDown,
    LowerUp,
    Open,
    Close,
    ProtocolRejected,
}

fn happening() -> impl Strategy<Value = Happening> {
    let data = prop_oneof![
        prop::collection::vec((0u8..130, any::<u8>()), 0..6).prop_map(|list| options(&list)),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop_oneof![
        12 => (0u8..16, 0u8..6, data).prop_map(|(code, id, data)| Happening::Packet(code, id, data)),
        2 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Happening::Octets),
        4 => (0u64..40).prop_map(Happening::Wait),
        1 => Just(Happening::LowerDown),
        1 => Just(Happening::LowerUp),
        1 => Just(Happening::Open),
        1 => Just(Happening::Close),
        1 => Just(Happening::ProtocolRejected),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_the_output_is_bounded_and_up_and_down_alternate(
        script in prop::collection::vec(happening(), 0..60),
    ) {
        let mut now = Instant::now();
        let mut fsm = Fsm::new(Toy::requesting(&[(1, 1), (3, 3)]), Timers::default());
        let mut up = false;
        for step in script {
            match step {
                Happening::Packet(code, id, data) => {
                    let _ = fsm.handle_input(now, &packet(code, id, &data));
                }
                Happening::Octets(octets) => {
                    let _ = fsm.handle_input(now, &octets);
                }
                Happening::Wait(seconds) => {
                    now += Duration::from_secs(seconds);
                    fsm.handle_timeout(now);
                }
                Happening::LowerDown => fsm.lower_down(now),
                Happening::LowerUp => fsm.lower_up(now),
                Happening::Open => fsm.open(now),
                Happening::Close => fsm.close(now, "close"),
                Happening::ProtocolRejected => fsm.protocol_rejected(now),
            }
            prop_assert!(packets(&mut fsm).len() <= 2);
            for event in events(&mut fsm) {
                match event {
                    Event::Up => prop_assert!(!std::mem::replace(&mut up, true)),
                    Event::Down => prop_assert!(std::mem::replace(&mut up, false)),
                    Event::TerminateRequest(_) | Event::Finished(_) => {}
                }
            }
            prop_assert_eq!(up, fsm.is_opened());
            prop_assert_eq!(fsm.poll_timeout().is_some(), fsm.state().is_timed());
        }
    }
}
