//! Conformance D: outgoing calls, from both ends.

use adit_diag::Code;
use adit_wire::{LocalCallId, PeerCallId};

use super::*;

#[test]
fn c040_c041_the_reply_names_both_call_ids() {
    let mut one = One::server();
    for (peer, ours) in [(64234, 900), (0, 901)] {
        one.hears(call_request(peer));
        let Some(Message::OutgoingCallReply(reply)) = one.next_message() else { panic!() };
        assert_eq!((reply.call_id, reply.peer_call_id), (ours, peer));
        assert_eq!((reply.result, reply.error, reply.cause), (OutgoingResult::Connected, ErrorCode::None, 0));
        assert_eq!((reply.window, reply.connect_speed), (64, 100_000_000));
    }
}

#[test]
fn c042_odd_values_are_accepted() {
    let odd = [
        OutgoingCallRequest { phone_number: Text::new(&[b'5'; 64]), ..call_request(1) },
        OutgoingCallRequest { subaddress: Text::new(&[0xff; 64]), ..call_request(2) },
        OutgoingCallRequest { minimum_bps: u32::MAX, maximum_bps: 0, ..call_request(3) },
        OutgoingCallRequest { window: 0, ..call_request(4) },
        OutgoingCallRequest { window: 65535, processing_delay: 65535, ..call_request(5) },
        OutgoingCallRequest { bearer: Bearer(0), framing: Framing(u32::MAX), ..call_request(6) },
    ];
    let mut one = One::server();
    for request in odd {
        let window = request.window;
        one.hears(request);
        let Some(Message::OutgoingCallReply(reply)) = one.next_message() else { panic!() };
        assert_eq!(reply.result, OutgoingResult::Connected);
        assert!(matches!(one.events.back(), Some(ControlEvent::CallUp { window: w, .. }) if *w == window));
    }
}

#[test]
fn c043_a_full_server_refuses_and_stays() {
    let mut one = One::established(ControlConfig { max_calls: 1, ..ControlConfig::server() });
    one.hears(call_request(1));
    one.sent.clear();
    one.hears(call_request(2));
    let Some(Message::OutgoingCallReply(reply)) = one.next_message() else { panic!() };
    assert_eq!((reply.call_id, reply.peer_call_id), (0, 2));
    assert_eq!((reply.result, reply.error), (OutgoingResult::GeneralError, ErrorCode::NoResource));
    assert!(one.machine.is_established());

    // The caller refuses.
    let cases = [
        (Code::C05, OutgoingResult::GeneralError, ErrorCode::NoResource),
        (Code::A08, OutgoingResult::DoNotAccept, ErrorCode::None),
    ];
    for (code, result, error) in cases {
        let mut one = One::server();
        one.accept = None;
        one.hears(call_request(3));
        assert_eq!(one.next_message(), None);
        assert!(matches!(one.next_event(), Some(ControlEvent::CallRequested { handle: 0, .. })));
        let refusal = Refusal { code, detail: "500 sessions".to_owned() };
        one.commands(ControlCommand::RefuseCall { handle: 0, refusal });
        let Some(Message::OutgoingCallReply(reply)) = one.next_message() else { panic!() };
        assert_eq!((reply.peer_call_id, reply.result, reply.error), (3, result, error));
        assert_eq!(one.call_ended(), (Who::Us, Some(code), "500 sessions".to_owned()));
        assert!(one.machine.is_established());
        assert_eq!(one.machine.calls(), 0);
        // The connection remains usable.
        one.accept = Some(5);
        one.hears(call_request(3));
        assert!(
            matches!(one.next_message(), Some(Message::OutgoingCallReply(r)) if r.result == OutgoingResult::Connected)
        );
    }
}

#[test]
fn c044_the_shell_hears_of_the_call_before_the_reply_leaves() {
    let mut one = One::server();
    one.accept = None;
    one.hears(call_request(100));
    one.next_event();
    one.machine
        .handle_command(one.now, ControlCommand::AcceptCall { handle: 0, call_id: LocalCallId::new(4) });
    let up = core::iter::from_fn(|| one.machine.poll_event())
        .find(|event| matches!(event, ControlEvent::CallUp { .. }));
    let expected = ControlEvent::CallUp {
        handle: 0,
        local_call_id: LocalCallId::new(4),
        peer_call_id: PeerCallId::new(100),
        window: 64,
    };
    assert_eq!(up, Some(expected));
    let mut octets = Vec::new();
    assert!(one.machine.poll_transmit(&mut octets));
    assert!(matches!(Message::parse(&octets), Ok(Message::OutgoingCallReply(_))));
}

#[test]
fn c045_c046_the_client_accepts_call_id_0_and_window_0() {
    let mut one = One::client();
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(100) });
    one.hears(OutgoingCallReply { window: 0, ..call_reply(100, 0) });
    let expected = ControlEvent::CallUp {
        handle: 0,
        local_call_id: LocalCallId::new(100),
        peer_call_id: PeerCallId::new(0),
        window: 0,
    };
    assert_eq!(one.next_event(), Some(expected));
    one.commands(ControlCommand::EndCall { handle: 0, end: CallEnd::Request });
    one.call_ended();
    one.hears(notify(0, DisconnectResult::Request));
    assert_eq!(one.machine.calls(), 0);

    // The same for our own calls.
    let mut one = One::client();
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(0) });
    one.hears(call_reply(0, 0));
    let Some(ControlEvent::CallUp { local_call_id, peer_call_id, .. }) = one.next_event() else {
        panic!("the call is not up")
    };
    assert_eq!((local_call_id, peer_call_id), (LocalCallId::new(0), PeerCallId::new(0)));
}

#[test]
fn c047_each_refusal_of_a_call_has_its_own_words() {
    let mut details = Vec::new();
    for result in 2..=8u8 {
        let mut one = One::client();
        one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(100) });
        one.hears(OutgoingCallReply { result: result.into(), cause: 34, ..call_reply(100, 0) });
        let (by, code, detail) = one.call_ended();
        assert_eq!((by, code), (Who::Peer, Some(Code::C05)));
        assert!(detail.contains("cause code 34"), "{detail}");
        assert!(!details.contains(&detail), "{detail}");
        details.push(detail);
        assert!(one.machine.is_established());
    }
    let mut one = One::client();
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(100) });
    let result = OutgoingResult::GeneralError;
    one.hears(OutgoingCallReply { result, error: ErrorCode::NoResource, ..call_reply(100, 0) });
    assert_eq!(one.call_ended().2, "general error: no resource");
}

#[test]
fn c048_a_reply_to_an_unknown_call_is_ignored() {
    let mut one = One::client();
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(100) });
    one.hears(call_reply(55, 900));
    assert_eq!(one.next_event(), None);
    one.hears(call_reply(100, 900));
    assert!(matches!(one.next_event(), Some(ControlEvent::CallUp { .. })));
    // A second reply has no effect.
    one.hears(call_reply(100, 901));
    assert_eq!(one.next_event(), None);
}

#[test]
fn a_rewritten_call_id_is_named_when_the_time_is_up() {
    let mut one = One::client();
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(100) });
    one.hears(call_reply(55, 900));
    one.waits(secs(60));
    let (_, code, detail) = one.call_ended();
    assert_eq!(code, Some(Code::G04));
    assert_eq!(detail, "the reply to call 100 came for call 55");

    // The server usually gives up first, because it waits for our GRE packets.
    let mut one = One::client();
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(100) });
    one.hears(call_reply(55, 900));
    one.hears(notify(900, DisconnectResult::LostCarrier));
    let (by, code, detail) = one.call_ended();
    assert_eq!((by, code), (Who::Peer, Some(Code::G04)));
    assert!(detail.starts_with("the reply to call 100 came for call 55; then "), "{detail}");
}

#[test]
fn c049_no_reply_in_60_seconds_closes_the_connection() {
    let mut one = One::client();
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(100) });
    one.sent.clear();
    for _ in 0..59 {
        one.waits(secs(1));
        one.hears(EchoRequest { identifier: 1 });
        one.sent.clear();
    }
    assert_eq!(one.next_event(), None);
    one.waits(secs(1));
    let (by, code, detail) = one.call_ended();
    assert_eq!((by, code), (Who::Neither, Some(Code::C10)));
    assert!(detail.contains("Outgoing-Call-Reply"), "{detail}");
    // The call is cleared and the connection stopped in order; the server need not answer.
    assert_eq!(one.next_message(), Some(CallClearRequest { call_id: 100 }.into()));
    one.waits(secs(3));
    assert_eq!(one.next_message(), Some(stop_request(StopReason::General).into()));
    one.waits(secs(5));
    assert_eq!(one.closed().1, Some(Code::C10));
}

#[test]
fn c050_clear_request_is_answered_with_result_4() {
    let mut one = One::server_with_call();
    one.hears(CallClearRequest { call_id: 100 });
    assert_eq!(one.next_message(), Some(notify(900, DisconnectResult::Request).into()));
    let (by, code, _) = one.call_ended();
    assert_eq!((by, code), (Who::Peer, None));
    assert!(one.machine.is_established());
    assert_eq!(one.machine.calls(), 0);
}

#[test]
fn a_call_may_be_cleared_before_it_is_answered() {
    let mut one = One::server();
    one.accept = None;
    one.hears(call_request(100));
    one.next_event();
    one.hears(CallClearRequest { call_id: 100 });
    assert_eq!(one.next_message(), Some(notify(0, DisconnectResult::Request).into()));
    assert_eq!(one.call_ended().0, Who::Peer);
    // The caller's answer is too late.
    one.commands(ControlCommand::AcceptCall { handle: 0, call_id: LocalCallId::new(5) });
    assert_eq!((one.next_message(), one.next_event()), (None, None));
}

#[test]
fn c051_clear_request_for_an_unknown_call_is_ignored() {
    let mut one = One::server_with_call();
    one.hears(CallClearRequest { call_id: 900 });
    one.hears(CallClearRequest { call_id: 5 });
    assert_eq!((one.next_message(), one.next_event()), (None, None));
    assert_eq!(one.machine.counters().ignored, 2);
}

#[test]
fn c052_the_server_ends_a_call_then_the_connection() {
    let cases = [
        (CallEnd::AdminShutdown, DisconnectResult::AdminShutdown, ErrorCode::None),
        (CallEnd::LostCarrier, DisconnectResult::LostCarrier, ErrorCode::None),
        (CallEnd::Request, DisconnectResult::Request, ErrorCode::None),
        (CallEnd::GeneralError, DisconnectResult::GeneralError, ErrorCode::PacError),
    ];
    for (end, result, error) in cases {
        let mut one = One::server_with_call();
        one.hears(call_request(101));
        one.sent.clear();
        one.events.clear();
        one.commands(ControlCommand::EndCall { handle: 0, end });
        assert_eq!(one.next_message(), Some(CallDisconnectNotify { error, ..notify(900, result) }.into()));
        assert_eq!(one.next_message(), None, "a call is left");
        one.commands(ControlCommand::EndCall { handle: 1, end });
        assert_eq!(one.next_message(), Some(CallDisconnectNotify { error, ..notify(901, result) }.into()));
        assert_eq!(one.next_message(), Some(stop_request(StopReason::General).into()));
        one.call_ended();
        one.call_ended();
        one.hears(stop_reply());
        assert_eq!(one.closed().1, None);
    }
}

#[test]
fn c053_disconnect_with_either_id_and_any_result() {
    let put_off = Code::C08;
    for (call_id, result, expected) in
        [(900, 1, Code::G05), (900, 3, put_off), (100, 3, put_off), (900, 0, put_off), (4242, 0, put_off)]
    {
        let mut one = One::client_with_call();
        one.hears(CallDisconnectNotify { cause: 16, ..notify(call_id, result.into()) });
        let (by, code, detail) = one.call_ended();
        assert_eq!((by, code), (Who::Peer, Some(expected)), "id {call_id}");
        assert!(detail.contains("cause code 16"), "{detail}");
        assert!(one.machine.is_established());
    }

    // With two calls the id must match, and the server's own id is tried first.
    let mut one = One::client_with_call();
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(900) });
    one.hears(call_reply(900, 800));
    one.events.clear();
    one.hears(notify(4242, DisconnectResult::Request));
    assert_eq!(one.next_event(), None);
    one.hears(notify(900, DisconnectResult::Request));
    assert!(matches!(one.next_event(), Some(ControlEvent::CallEnded { handle: 0, .. })));
    one.hears(notify(800, DisconnectResult::Request));
    assert!(matches!(one.next_event(), Some(ControlEvent::CallEnded { handle: 1, .. })));
}

#[test]
fn c054_a_missing_disconnect_is_waited_for_briefly() {
    let mut one = One::client_with_call();
    one.commands(ControlCommand::EndCall { handle: 0, end: CallEnd::Request });
    assert_eq!(one.next_message(), Some(CallClearRequest { call_id: 100 }.into()));
    assert_eq!(one.call_ended().0, Who::Us);
    one.commands(ControlCommand::Stop { shutdown: false });
    assert_eq!(one.next_message(), None, "the stop waits for Call-Disconnect-Notify");
    one.waits(secs(3));
    assert_eq!(one.next_message(), Some(stop_request(StopReason::General).into()));
    one.waits(secs(5));
    assert_eq!(one.closed().1, None);

    // The notify ends the wait early.
    let mut one = One::client_with_call();
    one.commands(ControlCommand::EndCall { handle: 0, end: CallEnd::Request });
    one.commands(ControlCommand::Stop { shutdown: false });
    one.next_message();
    one.hears(notify(900, DisconnectResult::Request));
    assert_eq!(one.next_message(), Some(stop_request(StopReason::General).into()));

    // Without a stop the id is free again after the wait.
    let mut one = One::client_with_call();
    one.commands(ControlCommand::EndCall { handle: 0, end: CallEnd::Request });
    assert_eq!(one.machine.calls(), 1);
    one.waits(secs(3));
    assert_eq!(one.machine.calls(), 0);
    assert!(one.machine.is_established());
}

#[test]
fn a_call_given_up_before_its_reply() {
    for connected in [true, false] {
        let mut one = One::client();
        one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(100) });
        one.commands(ControlCommand::EndCall { handle: 0, end: CallEnd::Request });
        assert_eq!(one.call_ended().0, Who::Us);
        let result = if connected { OutgoingResult::Connected } else { OutgoingResult::Busy };
        one.hears(OutgoingCallReply { result, ..call_reply(100, 900) });
        assert_eq!(one.next_event(), None);
        assert_eq!(one.machine.calls(), usize::from(connected));
        one.hears(notify(900, DisconnectResult::Request));
        assert_eq!(one.machine.calls(), 0);
        assert_eq!(one.next_event(), None);
    }
}

#[test]
fn c055_c056_set_link_info_has_no_effect() {
    for mut one in [One::server(), One::client(), One::server_with_call(), One::client_with_call()] {
        for peer_call_id in [0, 100, 900, 65535] {
            for accm in [0, 0x000a_0000, u32::MAX] {
                one.hears(SetLinkInfo { peer_call_id, send_accm: accm, receive_accm: accm });
            }
        }
        assert_eq!((one.next_message(), one.next_event()), (None, None));
        assert!(one.machine.is_established());
        assert_eq!(one.machine.counters().set_link_infos, 12);
    }
}

#[test]
fn c057_wan_error_notify_is_counted() {
    for mut one in [One::server_with_call(), One::client_with_call()] {
        one.hears(WanErrorNotify { peer_call_id: 100, crc_errors: 4, ..WanErrorNotify::default() });
        assert_eq!(one.machine.counters().wan_error_notifies, 1);
        assert!(one.steps.iter().any(|step| words(step).contains("crc 4")));
        assert_eq!((one.next_message(), one.next_event()), (None, None));
    }
}

#[test]
fn c060_a_second_call_does_not_disturb_the_first() {
    let mut one = One::server_with_call();
    one.hears(call_request(101));
    assert!(matches!(one.next_message(), Some(Message::OutgoingCallReply(r)) if r.call_id == 901));
    one.events.clear();
    // Another call under an id in use would mix up the GRE packets that we send.
    one.hears(call_request(100));
    let Some(Message::OutgoingCallReply(reply)) = one.next_message() else { panic!() };
    assert_eq!((reply.result, reply.error), (OutgoingResult::GeneralError, ErrorCode::BadCallId));
    one.hears(CallClearRequest { call_id: 101 });
    assert!(matches!(one.next_event(), Some(ControlEvent::CallEnded { handle: 1, .. })));
    assert_eq!(one.machine.calls(), 1);
}

#[test]
fn a_client_takes_no_outgoing_calls() {
    let mut one = One::client();
    one.hears(call_request(5));
    let Some(Message::OutgoingCallReply(reply)) = one.next_message() else { panic!() };
    assert_eq!((reply.peer_call_id, reply.result), (5, OutgoingResult::DoNotAccept));
    assert_eq!(one.next_event(), None);
}

#[test]
fn an_unanswered_shell_refuses_in_the_end() {
    let mut one = One::server();
    one.accept = None;
    one.hears(call_request(5));
    one.next_event();
    one.waits(secs(60));
    one.sent.retain(|message| matches!(message, Message::OutgoingCallReply(_)));
    assert!(
        matches!(one.next_message(), Some(Message::OutgoingCallReply(r)) if r.result == OutgoingResult::GeneralError)
    );
    assert_eq!(one.call_ended().1, Some(Code::C10));
    assert!(one.machine.is_established());
}

#[test]
fn a_connection_without_calls_is_stopped() {
    let mut one = One::server();
    one.waits(secs(29));
    assert_eq!(one.next_message(), None);
    one.waits(secs(1));
    assert_eq!(one.next_message(), Some(stop_request(StopReason::General).into()));
    one.hears(stop_reply());
    assert_eq!(one.closed().1, Some(Code::C10));

    let mut one = One::server_with_call();
    one.hears(CallClearRequest { call_id: 100 });
    one.events.clear();
    one.waits(secs(35));
    assert_eq!(one.closed().1, None, "it had a call");
}

#[test]
fn placing_a_call_too_early_or_too_often_fails_at_once() {
    let mut one = One::new(ControlConfig::client());
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(1) });
    assert_eq!(one.call_ended().2, "no control connection");
    let mut one = One::established(ControlConfig { max_calls: 1, ..ControlConfig::client() });
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(1) });
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(2) });
    assert_eq!(one.call_ended().2, "too many calls");
}

#[test]
fn a_whole_conversation() {
    let mut pair = Pair::new(ControlConfig::server(), ControlConfig::client());
    assert!(matches!(pair.server.next_event(), Some(ControlEvent::Established(_))));
    assert!(matches!(pair.client.next_event(), Some(ControlEvent::Established(_))));
    pair.client.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(100) });
    pair.talk();
    assert!(matches!(pair.server.next_event(), Some(ControlEvent::CallRequested { .. })));
    let (server, client) = (pair.server.next_event(), pair.client.next_event());
    let window = 64;
    assert_eq!(
        server,
        Some(ControlEvent::CallUp {
            handle: 0,
            local_call_id: LocalCallId::new(900),
            peer_call_id: PeerCallId::new(100),
            window
        })
    );
    assert_eq!(
        client,
        Some(ControlEvent::CallUp {
            handle: 0,
            local_call_id: LocalCallId::new(100),
            peer_call_id: PeerCallId::new(900),
            window
        })
    );
    // Echoes fill an hour of silence.
    pair.waits(secs(3600));
    assert_eq!((pair.server.next_event(), pair.client.next_event()), (None, None));
    pair.client.commands(ControlCommand::EndCall { handle: 0, end: CallEnd::Request });
    pair.client.commands(ControlCommand::Stop { shutdown: true });
    pair.talk();
    assert_eq!(pair.client.call_ended().1, None);
    assert_eq!(pair.server.call_ended().1, None);
    assert_eq!(pair.client.closed().1, None);
    assert_eq!(pair.server.closed().0, Who::Peer);
}

#[test]
fn c061_ten_thousand_calls_on_one_connection_leave_nothing() {
    let mut pair = Pair::new(ControlConfig::server(), ControlConfig::client());
    for n in 0..10_000u32 {
        let call_id = n as u16;
        pair.client.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(call_id) });
        pair.talk();
        let handle = n;
        match n % 3 {
            0 => pair.client.commands(ControlCommand::EndCall { handle, end: CallEnd::Request }),
            _ => pair.client.hears(notify(call_id, DisconnectResult::AdminShutdown)),
        }
        if n % 3 != 0 {
            pair.server.hears(CallClearRequest { call_id });
            pair.server.sent.clear();
        }
        pair.talk();
        assert_eq!((pair.server.machine.calls(), pair.client.machine.calls()), (0, 0), "call {n}");
        pair.server.events.clear();
        pair.client.events.clear();
        pair.server.accept = Some(1);
        pair.server.steps.clear();
        pair.client.steps.clear();
    }
}
