//! Conformance A: framing of the control connection, as the machine sees it.

use adit_diag::Code;
use adit_wire::LocalCallId;
use proptest::prelude::*;

use super::*;

#[test]
fn c001_messages_cut_into_octets() {
    let mut one = One::new(ControlConfig::server());
    for octet in emit(&request().into()).iter().chain(&emit(&call_request(100).into())) {
        one.hears_octets(&[*octet]);
    }
    assert!(matches!(one.next_message(), Some(Message::StartControlConnectionReply(_))));
    assert!(matches!(one.next_message(), Some(Message::OutgoingCallReply(_))));
}

#[test]
fn c002_an_eager_client_sends_both_requests_in_one_segment() {
    let mut one = One::new(ControlConfig::server());
    let mut segment = emit(&request().into());
    segment.extend(emit(&call_request(100).into()));
    one.hears_octets(&segment);
    assert!(matches!(one.next_message(), Some(Message::StartControlConnectionReply(_))));
    assert!(matches!(one.next_message(), Some(Message::OutgoingCallReply(_))));
    assert_eq!(one.next_message(), None);
}

#[test]
fn c003_a_wrong_cookie_closes_without_an_answer() {
    let mut octets = emit(&EchoRequest { identifier: 1 }.into());
    octets[4] = 0x1b;
    octets.extend(emit(&request().into()));
    for mut one in [One::new(ControlConfig::server()), One::server_with_call()] {
        one.hears_octets(&octets);
        assert_eq!(one.next_message(), None);
        assert!(one.machine.is_closed());
        let Some(ControlEvent::Closed { code, detail, .. }) = one.events.back() else { panic!() };
        assert_eq!(*code, Some(Code::C09));
        assert!(detail.contains("Magic Cookie"), "{detail}");
        one.hears(request());
        assert_eq!(one.next_message(), None);
    }
}

#[test]
fn c004_c005_c007_wrong_type_or_length_closes() {
    for (at, octet) in [(3, 2), (1, 11), (0, 200)] {
        let mut octets = emit(&request().into());
        octets[at] = octet;
        let mut one = One::new(ControlConfig::server());
        one.hears_octets(&octets);
        assert_eq!(one.closed().1, Some(Code::C09));
        assert_eq!(one.next_message(), None);
    }
}

#[test]
fn c006_c008_surplus_and_unknown_types_do_no_harm() {
    let mut one = One::server_with_call();
    let mut long = emit(&EchoRequest { identifier: 5 }.into());
    long[..2].copy_from_slice(&500u16.to_be_bytes());
    long.resize(500, 0xee);
    one.hears_octets(&long);
    assert!(matches!(one.next_message(), Some(Message::EchoReply(EchoReply { identifier: 5, .. }))));
    for kind in [0u16, 16, 65535] {
        let mut unknown = emit(&EchoRequest { identifier: 6 }.into());
        unknown[8..10].copy_from_slice(&kind.to_be_bytes());
        one.hears_octets(&unknown);
    }
    assert_eq!(one.next_message(), None);
    assert!(one.machine.is_established());
    assert_eq!(one.machine.counters().unknown, 3);
    assert!(one.steps.iter().any(|step| words(step) == "unknown control message of type 16, 16 octets"));
}

#[test]
fn c011_each_message_is_one_write() {
    let mut one = One::client_with_call();
    one.machine.handle_command(one.now, ControlCommand::EndCall { handle: 0, end: CallEnd::Request });
    one.machine.handle_input(one.now, &emit(&notify(900, DisconnectResult::Request).into()));
    one.machine.handle_command(one.now, ControlCommand::Stop { shutdown: false });
    // Two messages wait; each call returns exactly one.
    let mut octets = Vec::new();
    assert!(one.machine.poll_transmit(&mut octets));
    assert!(matches!(Message::parse(&octets), Ok(Message::CallClearRequest(_))));
    assert_eq!(octets.len(), 16);
    octets.clear();
    assert!(one.machine.poll_transmit(&mut octets));
    assert!(matches!(Message::parse(&octets), Ok(Message::StopControlConnectionRequest(_))));
    assert_eq!(octets.len(), 16);
    assert!(!one.machine.poll_transmit(&mut octets));
}

#[test]
fn c013_long_names_are_shown_escaped() {
    let mut one = One::new(ControlConfig::server());
    one.hears(StartControlConnectionRequest { host_name: Text::new(&[b'\n'; 64]), ..request() });
    let Some(ControlEvent::Established(peer)) = one.next_event() else { panic!() };
    assert_eq!(peer.host_name, [b'\n'; 64]);
    assert!(one.steps.iter().all(|step| !words(step).contains('\n')));
    assert!(one.steps.iter().any(|step| words(step).contains("\\x0a")));
}

#[test]
fn another_protocol_on_the_port_is_named() {
    let mut one = One::new(ControlConfig::client());
    one.hears_octets(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
    let (by, code, detail) = one.closed();
    assert_eq!((by, code), (Who::Us, Some(Code::C04)));
    assert!(detail.contains("SSH-2.0-OpenSSH_9.2p1 Debian-2\\x0d\\x0a"), "{detail}");

    let mut one = One::new(ControlConfig::client());
    one.hears_octets(b"220 ftp");
    one.waits(secs(30));
    let (_, code, detail) = one.closed();
    assert_eq!(code, Some(Code::C04));
    assert!(detail.contains("220 ftp"), "{detail}");
}

/// A list of messages, each in a valid format, in an invalid order.
fn rude() -> impl Strategy<Value = Vec<u8>> {
    (1..=15u16, prop::collection::vec(0..4u8, 220), prop::option::of(0..220usize)).prop_map(
        |(kind, body, flip)| {
            let message_type = MessageType::from(kind);
            let mut octets = (message_type.size() as u16).to_be_bytes().to_vec();
            octets.extend_from_slice(&[0, 1, 0x1a, 0x2b, 0x3c, 0x4d]);
            octets.extend_from_slice(&kind.to_be_bytes());
            octets.extend_from_slice(&body[..message_type.size() - 10]);
            if message_type.size() > 12 && (kind == 1 || kind == 2) {
                octets[12] = 1;
            }
            // Mostly intact; sometimes one octet differs.
            if let Some(at) = flip.filter(|at| at % 10 == 0 && *at < octets.len()) {
                octets[at] ^= 0x40;
            }
            octets
        },
    )
}

proptest! {
    #[test]
    fn c014_rude_peers_neither_panic_nor_hang(
        server: bool,
        polite: bool,
        messages in prop::collection::vec((rude(), 0..8u8, 0..90u64), 0..40),
    ) {
        let config = if server { ControlConfig::server() } else { ControlConfig::client() };
        let mut one = if polite { One::established(config) } else { One::new(config) };
        for (octets, command, wait) in messages {
            one.hears_octets(&octets);
            let handle = u32::from(command & 1);
            match command {
                0 | 1 => one.commands(ControlCommand::EndCall { handle, end: CallEnd::Request }),
                2 => one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(wait as u16 & 3) }),
                3 if wait == 0 => one.commands(ControlCommand::Stop { shutdown: true }),
                _ => {}
            }
            one.waits(secs(if wait % 4 == 0 { wait } else { 0 }));
            prop_assert!(one.machine.calls() <= 8);
        }
        one.commands(ControlCommand::Stop { shutdown: true });
        one.waits(secs(30));
        prop_assert!(one.machine.is_closed());
        // Each handle ends once, and nothing follows the end.
        let mut ended: Vec<Handle> = one
            .events
            .iter()
            .filter_map(|event| match event {
                ControlEvent::CallEnded { handle, .. } => Some(*handle),
                _ => None,
            })
            .collect();
        ended.sort_unstable();
        let count = ended.len();
        ended.dedup();
        prop_assert_eq!(ended.len(), count);
        let last = one.events.back();
        prop_assert!(matches!(last, Some(ControlEvent::Closed { .. })), "{:?}", last);
        for event in &one.events {
            if let ControlEvent::CallRequested { handle, .. } | ControlEvent::CallUp { handle, .. } = event {
                prop_assert!(ended.contains(handle), "{:?} never ended", handle);
            }
        }
    }
}
