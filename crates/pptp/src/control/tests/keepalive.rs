//! Conformance C: keep-alive.

use adit_diag::Code;

use super::*;

#[test]
fn c032_c033_echo_is_answered_with_the_same_identifier() {
    for mut one in [One::server_with_call(), One::client_with_call()] {
        for identifier in [1, 0, u32::MAX] {
            one.hears(EchoRequest { identifier });
            let reply = one.next_message().unwrap();
            let expected = EchoReply { identifier, result: PlainResult::Ok, error: ErrorCode::None };
            assert_eq!(reply, expected.into());
            assert_eq!(emit(&reply).len(), 20);
        }
    }
}

/// The identifier of the Echo-Request that was just sent.
#[track_caller]
fn asked(one: &mut One) -> u32 {
    match one.next_message() {
        Some(Message::EchoRequest(request)) => request.identifier,
        other => panic!("{other:?}"),
    }
}

fn answer(identifier: u32) -> EchoReply {
    EchoReply { identifier, result: PlainResult::Ok, error: ErrorCode::None }
}

#[test]
fn c034_an_echo_request_after_60_silent_seconds() {
    for mut one in [One::server_with_call(), One::client_with_call()] {
        one.waits(secs(59));
        assert_eq!(one.next_message(), None);
        one.waits(secs(1));
        let first = asked(&mut one);
        one.hears(answer(first));
        one.waits(secs(60));
        assert_ne!(asked(&mut one), first);
    }
}

#[test]
fn c035_no_echo_reply_in_60_seconds_closes() {
    for mut one in [One::server_with_call(), One::client_with_call()] {
        one.waits(secs(119));
        asked(&mut one);
        assert!(one.machine.is_established());
        one.waits(secs(1));
        let (by, code, _) = one.call_ended();
        assert_eq!((by, code), (Who::Neither, Some(Code::C06)));
        let (_, code, detail) = one.closed();
        assert_eq!(code, Some(Code::C06));
        assert!(detail.contains("60 s"), "{detail}");
    }
}

#[test]
fn c036_any_message_restarts_the_idle_timer() {
    let messages: [Message; 4] = [
        EchoRequest { identifier: 9 }.into(),
        SetLinkInfo { peer_call_id: 1, send_accm: 0, receive_accm: 0 }.into(),
        stop_reply().into(),
        WanErrorNotify::default().into(),
    ];
    for message in messages {
        let mut one = One::server_with_call();
        one.waits(secs(59));
        one.hears(message.clone());
        one.sent.clear();
        one.waits(secs(59));
        assert_eq!(one.next_message(), None, "{message}");
        one.waits(secs(1));
        asked(&mut one);
        // The same while an Echo-Reply is outstanding.
        one.waits(secs(50));
        one.hears(message);
        one.sent.clear();
        one.waits(secs(59));
        assert!(one.machine.is_established());
    }
}

#[test]
fn c037_an_unknown_echo_reply_is_no_sign_of_life() {
    let mut one = One::server_with_call();
    one.hears(answer(77));
    one.waits(secs(60));
    let identifier = asked(&mut one);
    one.waits(secs(30));
    one.hears(answer(identifier.wrapping_add(1)));
    one.waits(secs(30));
    assert_eq!(one.call_ended().1, Some(Code::C06));
}

#[test]
fn an_echo_reply_of_an_old_stack_counts() {
    let mut one = One::client_with_call();
    one.waits(secs(60));
    let mut octets = emit(&answer(asked(&mut one)).into());
    octets.truncate(16);
    octets[1] = 16;
    one.hears_octets(&octets);
    one.waits(secs(59));
    assert!(one.machine.is_established());
    assert_eq!(one.next_message(), None);
}

#[test]
fn c038_an_echo_flood_is_answered_ten_times_a_second() {
    let mut one = One::server_with_call();
    let request = emit(&EchoRequest { identifier: 3 }.into());
    for second in 1..=3u64 {
        for _ in 0..10 {
            one.hears_octets(&request.repeat(100));
        }
        assert_eq!(one.sent.len(), 10);
        assert_eq!(one.machine.counters().echo_unanswered, second * 990);
        one.sent.clear();
        one.waits(secs(1));
    }
    assert!(one.machine.is_established());
}

#[test]
fn c039_echo_is_configurable_and_can_be_off() {
    let mut config = ControlConfig::server();
    (config.echo_every, config.echo_timeout) = (Some(secs(5)), secs(7));
    let mut one = One::established(config);
    one.hears(call_request(1));
    one.sent.clear();
    one.waits(secs(5));
    asked(&mut one);
    one.waits(secs(6));
    assert!(one.machine.is_established());
    one.waits(secs(1));
    assert!(one.machine.is_closed());

    for echo_every in [None, Some(Duration::ZERO)] {
        let mut one = One::established(ControlConfig { echo_every, ..ControlConfig::server() });
        one.accept = None;
        one.hears(call_request(1));
        assert_ne!(one.machine.poll_timeout().unwrap().1, "Echo-Request due");
    }

    let mut config = ControlConfig::server();
    config.echo_timeout = Duration::ZERO;
    let mut one = One::established(config);
    one.accept = Some(1);
    one.hears(call_request(1));
    one.sent.clear();
    one.machine.handle_timeout(one.now + secs(60));
    assert_eq!(one.machine.poll_timeout(), None, "no Echo-Reply is waited for");
}

#[test]
fn a_probe_asks_at_once_and_once() {
    let mut one = One::client_with_call();
    let before = one.machine.last_heard().unwrap();
    one.waits(secs(10));
    one.commands(ControlCommand::Probe);
    one.commands(ControlCommand::Probe);
    let identifier = asked(&mut one);
    assert_eq!(one.next_message(), None);
    assert_eq!(one.machine.last_heard(), Some(before));
    one.hears(answer(identifier));
    assert_eq!(one.machine.last_heard(), Some(before + secs(10)));
    // The reply to a probe has the same timeout as any other.
    one.commands(ControlCommand::Probe);
    one.waits(secs(60));
    assert!(one.machine.is_closed());
    one.commands(ControlCommand::Probe);
    assert_eq!(one.machine.last_heard(), None);
}
