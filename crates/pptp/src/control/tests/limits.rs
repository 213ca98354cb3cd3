//! Limits: no input of a peer makes a queue grow.

use adit_diag::Code;

use super::*;

#[test]
fn a_peer_that_never_reads_is_given_up() {
    let config = ControlConfig { max_calls: 1, ..ControlConfig::server() };
    let mut one = One::established(config);
    // Each refused call causes a reply, and the replies are not collected.
    let request = emit(&call_request(1).into());
    for _ in 0..=MESSAGES_MAX + 1 {
        one.machine.handle_input(one.now, &request);
    }
    one.collect();
    assert_eq!(one.next_message(), None, "nothing more is sent");
    let Some(ControlEvent::Closed { code, .. }) = one.events.back() else { panic!() };
    assert_eq!(*code, Some(Code::C06));
}

#[test]
fn a_flood_of_steps_loses_steps_only() {
    let mut one = One::server_with_call();
    one.steps.clear();
    let info = emit(&SetLinkInfo { peer_call_id: 0, send_accm: 0, receive_accm: 0 }.into());
    one.machine.handle_input(one.now, &info.repeat(10_000));
    one.collect();
    assert_eq!(one.steps.len(), STEPS_MAX);
    assert!(one.machine.is_established());
    assert_eq!(one.machine.counters().set_link_infos, 10_000);
}

#[test]
fn a_flood_of_calls_in_one_segment_is_given_up() {
    let mut one = One::server();
    let mut calls = emit(&call_request(1).into());
    calls.extend(emit(&CallClearRequest { call_id: 1 }.into()));
    let mut events = 0;
    one.machine.handle_input(one.now, &calls.repeat(1000));
    let mut last = None;
    while let Some(event) = one.machine.poll_event() {
        events += 1;
        last = Some(event);
    }
    assert!(events <= EVENTS_MAX + 10, "{events} events");
    assert!(matches!(last, Some(ControlEvent::Closed { code: Some(Code::C06 | Code::C09), .. })));
}

#[test]
fn no_more_calls_than_configured() {
    let mut one = One::server();
    for call_id in 0..100 {
        one.hears(call_request(call_id));
    }
    assert_eq!(one.machine.calls(), 8);
    let refused = one.sent.iter().filter(
        |message| matches!(message, Message::OutgoingCallReply(r) if r.result == OutgoingResult::GeneralError),
    );
    assert_eq!(refused.count(), 92);
}
