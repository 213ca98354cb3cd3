//! Conformance B: set-up and end of the control connection.

use adit_diag::Code;
use adit_wire::LocalCallId;

use super::*;

#[test]
fn c015_a_request_is_answered_with_success() {
    let mut one = One::new(ControlConfig::server());
    one.hears(request());
    let Some(Message::StartControlConnectionReply(reply)) = one.next_message() else { panic!() };
    assert_eq!(
        (reply.version, reply.result, reply.error),
        (Version::ONE, StartResult::Success, ErrorCode::None)
    );
    assert_eq!(emit(&reply.into()).len(), 156);
    let Some(ControlEvent::Established(peer)) = one.next_event() else { panic!() };
    assert_eq!(peer.vendor, b"Microsoft");
}

#[test]
fn c016_c017_revisions_are_accepted_other_versions_are_not() {
    let mut one = One::new(ControlConfig::server());
    one.hears(StartControlConnectionRequest { version: Version(0x0101), ..request() });
    let Some(Message::StartControlConnectionReply(reply)) = one.next_message() else { panic!() };
    assert_eq!((reply.version, reply.result), (Version::ONE, StartResult::Success));

    for version in [0x0000, 0x0200] {
        let mut one = One::new(ControlConfig::server());
        one.hears(StartControlConnectionRequest { version: Version(version), ..request() });
        let Some(Message::StartControlConnectionReply(reply)) = one.next_message() else { panic!() };
        assert_eq!(reply.result, StartResult::VersionUnsupported);
        assert_eq!(one.closed().1, Some(Code::C07));
    }
}

#[test]
fn c018_a_forbidden_address_is_refused_with_the_reason() {
    let mut one = One::new(ControlConfig { authorised: false, ..ControlConfig::server() });
    one.hears(request());
    let Some(Message::StartControlConnectionReply(reply)) = one.next_message() else { panic!() };
    assert_eq!(reply.result, StartResult::NotAuthorised);
    let (by, code, detail) = one.closed();
    assert_eq!((by, code), (Who::Us, Some(Code::A13)));
    assert!(detail.contains("198.51.100.7"), "{detail}");
}

#[test]
fn c019_a_second_request_is_answered_with_result_3() {
    let mut one = One::server_with_call();
    one.hears(request());
    let Some(Message::StartControlConnectionReply(reply)) = one.next_message() else { panic!() };
    assert_eq!(reply.result, StartResult::ChannelExists);
    assert_eq!(one.call_ended().1, Some(Code::C09));
    assert_eq!(one.closed().1, Some(Code::C09));
}

#[test]
fn c020_a_call_before_the_control_connection_closes_it() {
    let mut one = One::new(ControlConfig::server());
    one.hears(call_request(1));
    assert_eq!(one.next_message(), None);
    let (_, code, detail) = one.closed();
    assert_eq!(code, Some(Code::C09));
    assert!(detail.starts_with("Outgoing-Call-Request before"), "{detail}");
}

#[test]
fn c021_a_silent_client_is_closed_after_30_seconds() {
    let mut one = One::new(ControlConfig::server());
    one.waits(secs(29));
    assert!(!one.machine.is_closed());
    one.waits(secs(1));
    assert_eq!(one.closed().1, Some(Code::C10));
    assert_eq!(one.next_message(), None);
}

#[test]
fn c022_a_silent_server_is_reported_after_30_seconds() {
    let mut one = One::new(ControlConfig::client());
    assert!(matches!(one.next_message(), Some(Message::StartControlConnectionRequest(_))));
    one.waits(secs(29));
    assert!(!one.machine.is_closed());
    one.waits(secs(1));
    let (by, code, detail) = one.closed();
    assert_eq!((by, code), (Who::Neither, Some(Code::C01)));
    assert!(detail.contains("Start-Control-Connection-Reply"), "{detail}");
}

#[test]
fn c023_each_refusal_has_its_own_words() {
    let mut details = Vec::new();
    for result in 2..=6u8 {
        let mut one = One::new(ControlConfig::client());
        one.hears(reply(result.into()));
        let (by, code, detail) = one.closed();
        assert_eq!((by, code), (Who::Peer, Some(Code::C07)));
        assert!(!details.contains(&detail), "{detail}");
        details.push(detail);
    }
    let mut one = One::new(ControlConfig::client());
    one.hears(StartControlConnectionReply {
        error: ErrorCode::NoResource,
        ..reply(StartResult::GeneralError)
    });
    assert_eq!(one.closed().2, "general error: no resource");
}

#[test]
fn a_server_of_another_version_is_stopped_with_reason_2() {
    let mut one = One::new(ControlConfig::client());
    one.next_message();
    one.hears(StartControlConnectionReply { version: Version(0x0200), ..reply(StartResult::Success) });
    assert_eq!(one.next_message(), Some(stop_request(StopReason::Protocol).into()));
    one.hears(stop_reply());
    assert_eq!(one.closed().1, Some(Code::C07));
}

#[test]
fn c024_stop_is_answered_and_calls_are_cleared() {
    let mut one = One::server_with_call();
    one.hears(stop_request(StopReason::General));
    assert_eq!(one.next_message(), Some(stop_reply().into()));
    let (by, code, _) = one.call_ended();
    assert_eq!((by, code), (Who::Peer, None));
    assert_eq!(one.closed().0, Who::Peer);
    assert_eq!(one.machine.calls(), 0);
    // Nothing is read after it.
    one.hears(EchoRequest { identifier: 1 });
    assert_eq!(one.next_message(), None);

    let mut one = One::client_with_call();
    one.hears(stop_request(StopReason::LocalShutdown));
    assert_eq!(one.next_message(), Some(stop_reply().into()));
    assert_eq!(one.call_ended().1, Some(Code::C08));
    let (_, code, detail) = one.closed();
    assert_eq!(code, Some(Code::C08));
    assert!(detail.contains("local shutdown"), "{detail}");
}

#[test]
fn c025_a_local_stop_waits_a_bounded_time() {
    for (shutdown, reason) in [(false, StopReason::General), (true, StopReason::LocalShutdown)] {
        let mut one = One::server_with_call();
        one.commands(ControlCommand::Stop { shutdown });
        let Some(Message::CallDisconnectNotify(notify)) = one.next_message() else { panic!() };
        assert_eq!((notify.call_id, notify.result), (900, DisconnectResult::AdminShutdown));
        assert_eq!(one.next_message(), Some(stop_request(reason).into()));
        assert_eq!(one.call_ended().0, Who::Us);
        one.waits(secs(4));
        assert!(!one.machine.is_closed());
        one.waits(secs(1));
        assert_eq!(one.closed().1, None);
    }
}

#[test]
fn a_stop_before_the_connection_is_established_just_closes() {
    for config in [ControlConfig::server(), ControlConfig::client()] {
        let mut one = One::new(config);
        one.sent.clear();
        one.commands(ControlCommand::Stop { shutdown: false });
        assert_eq!(one.next_message(), None);
        assert_eq!(one.closed(), (Who::Us, None, "stopped here".to_owned()));
    }
}

#[test]
fn both_stop_at_the_same_moment() {
    let mut pair = Pair::new(ControlConfig::server(), ControlConfig::client());
    for one in [&mut pair.server, &mut pair.client] {
        one.events.clear();
        one.commands(ControlCommand::Stop { shutdown: false });
    }
    pair.talk();
    assert_eq!(pair.server.closed().1, None);
    assert_eq!(pair.client.closed().1, None);
}

#[test]
fn c026_an_unasked_stop_reply_is_ignored() {
    for mut one in [One::server_with_call(), One::client_with_call()] {
        one.hears(stop_reply());
        one.hears(reply(StartResult::Success));
        assert!(one.machine.is_established());
        assert_eq!((one.next_message(), one.next_event()), (None, None));
    }
}

#[test]
fn c027_loss_of_tcp_ends_every_call_in_any_state() {
    let mut one = One::server_with_call();
    one.accept = None;
    one.hears(call_request(101));
    one.next_event();
    one.commands(ControlCommand::TransportClosed);
    assert_eq!(one.call_ended().1, Some(Code::C06));
    assert_eq!(one.call_ended().1, Some(Code::C06));
    assert_eq!(one.closed().1, Some(Code::C06));
    assert_eq!(one.machine.calls(), 0);
    one.commands(ControlCommand::TransportClosed);
    assert_eq!(one.next_event(), None);

    // Before any message: a probe of a monitoring system, not a failure.
    let mut one = One::new(ControlConfig::server());
    one.commands(ControlCommand::TransportClosed);
    assert_eq!(one.closed().1, None);

    // Opened, then closed at once.
    let mut one = One::new(ControlConfig::client());
    one.commands(ControlCommand::TransportClosed);
    assert_eq!(one.closed().1, Some(Code::C03));

    // While the call is being set up.
    let mut one = One::client();
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(1) });
    one.commands(ControlCommand::TransportClosed);
    assert_eq!(one.call_ended().1, Some(Code::C06));
    assert_eq!(one.closed().1, Some(Code::C06));

    // The peer closes instead of answering our stop.
    let mut one = One::server_with_call();
    one.commands(ControlCommand::Stop { shutdown: false });
    one.call_ended();
    one.commands(ControlCommand::TransportClosed);
    assert_eq!(one.closed(), (Who::Us, None, "stopped here".to_owned()));
}

#[test]
fn c028_two_control_connections_of_one_address() {
    let mut first = One::server_with_call();
    let mut second = One::server_with_call();
    for one in [&mut first, &mut second] {
        one.hears(EchoRequest { identifier: 1 });
        assert!(matches!(one.next_message(), Some(Message::EchoReply(_))));
    }
}

#[test]
fn c029_of_two_colliding_connections_the_higher_address_keeps_its_own() {
    use super::super::collision::{Keep, decide};

    let (low, high) = (SERVER, CLIENT);
    assert!(high > low);
    assert_eq!(decide(high, low), Keep::Ours);
    assert_eq!(decide(low, high), Keep::Theirs);
    assert_eq!(decide(low, low), Keep::Both);

    // Both hosts open a connection at the same time, and accept the other's before any request is answered.
    let mut high_opened = One::new(ControlConfig::client());
    let mut low_opened = One::new(ControlConfig::client());
    let mut high_accepted = One::new(ControlConfig::server());
    let mut low_accepted = One::new(ControlConfig::server());
    // The host with the lower address closes the connection that it opened without sending anything; the
    // other sends nothing on the one that it accepted.
    low_opened.sent.clear();
    low_opened.commands(ControlCommand::Yield);
    high_accepted.commands(ControlCommand::Yield);
    for one in [&mut low_opened, &mut high_accepted] {
        assert_eq!(one.next_message(), None);
        assert_eq!(one.closed().1, None);
        one.hears(request());
        assert_eq!(one.next_message(), None);
    }
    // The lower host answers on the connection of the higher one.
    low_accepted.hears(high_opened.next_message().unwrap());
    high_opened.hears(low_accepted.next_message().unwrap());
    assert!(high_opened.machine.is_established() && low_accepted.machine.is_established());
}

#[test]
fn c030_c031_capabilities_and_channels_change_nothing() {
    for (framing, bearer) in [(0, 0), (1, 1), (3, 3), (u32::MAX, u32::MAX)] {
        for maximum_channels in [0, 1, 65535] {
            let (framing, bearer) = (Framing(framing), Bearer(bearer));
            let mut one = One::new(ControlConfig::server());
            one.hears(StartControlConnectionRequest { framing, bearer, maximum_channels, ..request() });
            one.hears(call_request(7));
            assert!(matches!(one.next_message(), Some(Message::StartControlConnectionReply(_))));
            let Some(Message::OutgoingCallReply(answer)) = one.next_message() else { panic!() };
            assert_eq!(answer.result, OutgoingResult::Connected);

            let mut one = One::new(ControlConfig::client());
            let success = reply(StartResult::Success);
            one.hears(StartControlConnectionReply { framing, bearer, maximum_channels, ..success });
            assert!(one.machine.is_established());
        }
    }
}

#[test]
fn the_configured_values_are_sent() {
    let mut config = ControlConfig::client();
    config.host_name = b"branch".to_vec();
    config.vendor = b"x".repeat(100);
    config.call.phone_number = b"RELAY_PPP1".to_vec();
    let mut one = One::new(config);
    let Some(Message::StartControlConnectionRequest(request)) = one.next_message() else { panic!() };
    assert_eq!((request.host_name.name(), request.vendor.name().len()), (&b"branch"[..], 64));
    assert_eq!((request.framing, request.maximum_channels), (Framing::EITHER, 0));
    one.hears(reply(StartResult::Success));
    one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(5) });
    let Some(Message::OutgoingCallRequest(call)) = one.next_message() else { panic!() };
    assert_eq!(call.phone_number.name(), b"RELAY_PPP1");
    assert_eq!((call.serial, call.minimum_bps, call.maximum_bps, call.window), (1, 300, 100_000_000, 64));
}
