//! Conformance D: incoming calls.

use adit_diag::Code;
use adit_wire::{LocalCallId, PeerCallId};

use super::*;

fn ring(call_id: u16) -> IncomingCallRequest {
    IncomingCallRequest {
        call_id,
        serial: 1,
        bearer: Bearer::ANALOG,
        physical_channel: 0,
        dialed_number: Text::new(b"18005551"),
        dialing_number: Text::new(b"5550100"),
        subaddress: Text::default(),
    }
}

fn connected(peer_call_id: u16) -> IncomingCallConnected {
    IncomingCallConnected {
        peer_call_id,
        connect_speed: 64_000,
        window: 16,
        transmit_delay: 0,
        framing: Framing::SYNC,
    }
}

fn answered(call_id: u16, peer_call_id: u16, result: IncomingResult, error: ErrorCode) -> IncomingCallReply {
    let window = if result == IncomingResult::Connect { 64 } else { 0 };
    IncomingCallReply { call_id, peer_call_id, result, error, window, transmit_delay: 0 }
}

fn accepting() -> ControlConfig {
    ControlConfig { accept_incoming: true, ..ControlConfig::client() }
}

#[test]
fn c058_incoming_calls_are_refused_with_result_3() {
    for mut one in [One::server(), One::client()] {
        one.hears(ring(1000));
        let refused = answered(0, 1000, IncomingResult::DoNotAccept, ErrorCode::None);
        assert_eq!(one.next_message(), Some(refused.into()));
        assert_eq!(one.next_event(), None);
        assert!(one.machine.is_established());
    }
}

#[test]
fn c059_reply_and_connected_without_a_request_are_dropped() {
    for mut one in [One::server_with_call(), One::client_with_call()] {
        for id in [0, 100, 900] {
            one.hears(answered(5, id, IncomingResult::Connect, ErrorCode::None));
            one.hears(connected(id));
        }
        assert_eq!((one.next_message(), one.next_event()), (None, None));
        assert_eq!(one.machine.counters().ignored, 6);
    }
}

#[test]
fn an_incoming_call_is_answered_connected_and_cleared() {
    let mut one = One::established(accepting());
    one.hears(ring(1000));
    let Some(ControlEvent::CallRequested { request, .. }) = one.next_event() else { panic!() };
    assert_eq!(request.call_id(), PeerCallId::new(1000));
    assert!(request.to_string().contains("18005551"));
    assert_eq!(
        one.next_message(),
        Some(answered(900, 1000, IncomingResult::Connect, ErrorCode::None).into())
    );
    assert_eq!(one.next_event(), None, "not up before Incoming-Call-Connected");
    one.hears(connected(900));
    let up = ControlEvent::CallUp {
        handle: 0,
        local_call_id: LocalCallId::new(900),
        peer_call_id: PeerCallId::new(1000),
        window: 16,
    };
    assert_eq!(one.next_event(), Some(up));
    // We are the PNS, so the end is a Call-Clear-Request with our id.
    one.commands(ControlCommand::EndCall { handle: 0, end: CallEnd::Request });
    assert_eq!(one.next_message(), Some(CallClearRequest { call_id: 900 }.into()));
    assert_eq!(one.call_ended().0, Who::Us);
    one.hears(notify(1000, DisconnectResult::Request));
    assert_eq!(one.machine.calls(), 0);
}

#[test]
fn an_incoming_call_can_be_refused_by_the_shell() {
    let cases = [
        (Code::C05, IncomingResult::GeneralError, ErrorCode::NoResource),
        (Code::A06, IncomingResult::DoNotAccept, ErrorCode::None),
    ];
    for (code, result, error) in cases {
        let mut one = One::established(accepting());
        one.accept = None;
        one.hears(ring(1000));
        one.next_event();
        let refusal = Refusal { code, detail: String::new() };
        one.commands(ControlCommand::RefuseCall { handle: 0, refusal });
        assert_eq!(one.next_message(), Some(answered(0, 1000, result, error).into()));
        assert_eq!(one.call_ended().1, Some(code));
    }
}

#[test]
fn a_full_pns_has_no_resource() {
    let mut one = One::established(ControlConfig { max_calls: 1, ..accepting() });
    one.hears(ring(1000));
    one.sent.clear();
    one.hears(ring(1001));
    let refused = answered(0, 1001, IncomingResult::GeneralError, ErrorCode::NoResource);
    assert_eq!(one.next_message(), Some(refused.into()));
}

#[test]
fn an_incoming_call_that_is_never_connected_closes() {
    let mut one = One::established(accepting());
    one.hears(ring(1000));
    one.next_event();
    one.waits(secs(60));
    let (_, code, detail) = one.call_ended();
    assert_eq!(code, Some(Code::C10));
    assert!(detail.contains("Incoming-Call-Connected"), "{detail}");
}

#[test]
fn a_server_places_an_incoming_call() {
    let mut pair = Pair::new(ControlConfig::server(), accepting());
    pair.server.events.clear();
    pair.client.events.clear();
    pair.server.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(7) });
    pair.talk();
    let up = |local, peer| {
        Some(ControlEvent::CallUp { handle: 0, local_call_id: local, peer_call_id: peer, window: 64 })
    };
    assert_eq!(pair.server.next_event(), up(LocalCallId::new(7), PeerCallId::new(900)));
    assert!(matches!(pair.client.next_event(), Some(ControlEvent::CallRequested { .. })));
    assert_eq!(pair.client.next_event(), up(LocalCallId::new(900), PeerCallId::new(7)));
    // The PAC ends the call with Call-Disconnect-Notify, and the connection, which has no call left.
    pair.server.commands(ControlCommand::EndCall { handle: 0, end: CallEnd::AdminShutdown });
    pair.talk();
    assert_eq!(pair.server.call_ended().0, Who::Us);
    assert_eq!(pair.client.call_ended().0, Who::Peer);
    assert_eq!(pair.server.closed().1, None);
}

#[test]
fn a_refused_or_unanswered_offer_ends() {
    let mut one = One::server();
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(7) });
    one.hears(answered(0, 7, IncomingResult::DoNotAccept, ErrorCode::None));
    let (by, code, detail) = one.call_ended();
    assert_eq!((by, code), (Who::Peer, Some(Code::C05)));
    assert!(detail.contains("does not accept"), "{detail}");

    // Windows as PNS drops the request silently.
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(8) });
    one.waits(secs(60));
    assert_eq!(one.call_ended().1, Some(Code::C10));

    // Ended by the caller before the answer.
    let mut one = One::server();
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(9) });
    one.next_message();
    one.commands(ControlCommand::EndCall { handle: 0, end: CallEnd::AdminShutdown });
    assert_eq!(one.next_message(), Some(notify(9, DisconnectResult::AdminShutdown).into()));
}
