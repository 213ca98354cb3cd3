use proptest::prelude::*;

use super::*;

fn shown(protocol: u16, information: &[u8]) -> String {
    describe(&ppp(protocol, information))
}

#[test]
fn control_messages_read_as_before() {
    let messages: [pptp::Message; 4] = [
        pptp::StartControlConnectionRequest::new(b"windows\n", b"Microsoft").into(),
        pptp::OutgoingCallRequest::new(2483).into(),
        pptp::EchoRequest { identifier: 7 }.into(),
        pptp::CallClearRequest { call_id: 9 }.into(),
    ];
    for message in messages {
        let note = pptp(&message);
        assert_eq!(describe(&note), message.to_string());
        assert!(note.octets.0.last() != Some(&0));
    }
    let unknown =
        pptp::Frame::Unknown(pptp::Header { length: 40, message_type: pptp::MessageType::Unknown(77) });
    assert_eq!(describe(&pptp_frame(&unknown)), unknown.to_string());
}

#[test]
fn no_secret_is_kept() {
    let mut packet = Vec::new();
    pap::Message::Request { name: b"bob", password: b"hunter2" }.emit(&mut packet, 1);
    let note = ppp(ppp::PAP, &packet);
    assert_eq!(note.octets.0, [&[3][..], b"bob", &[7]].concat());
    assert_eq!((note.kind, note.length), (MessageKind::AuthenticateRequest, 12));
    let mut rejected = ppp::PAP.to_be_bytes().to_vec();
    rejected.extend_from_slice(&packet);
    let mut reject = Vec::new();
    cp::emit(&mut reject, cp::PROTOCOL_REJECT, 4, &rejected);
    assert_eq!(ppp(ppp::LCP, &reject).octets.0, ppp::PAP.to_be_bytes());

    let mut response = Vec::new();
    chap::Message::Response { value: &[0xaa; 49], name: b"bob" }.emit(&mut response, 1);
    assert!(!ppp(ppp::CHAP, &response).octets.0.contains(&0xaa));
    let mut success = Vec::new();
    let text = chap::Success { response: Some([0xaa; 20]), message: Some(b"welcome") }.to_vec();
    chap::Message::Success(&text).emit(&mut success, 1);
    let kept = ppp(ppp::CHAP, &success).octets.0;
    assert!(!kept.windows(2).any(|pair| pair == b"AA"));
    assert_eq!(shown(ppp::CHAP, &success), crate::describe::information(ppp::CHAP, &success));
    // A malformed packet is not parsed further.
    let cut = ppp(ppp::PAP, &packet[..8]);
    assert_eq!((cut.kind, cut.octets.0.len()), (MessageKind::Malformed, 4));
}

fn protocols() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![
        ppp::LCP,
        ppp::PAP,
        ppp::CHAP,
        ppp::CCP,
        ppp::IPCP,
        ppp::IPV6CP,
        ppp::EAP,
        0xc02b,
    ])
}

/// Texts with the fields of MS-CHAP, intact and damaged.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let parts = prop::sample::select(vec![
        "S=0123456789ABCDEF0123456789ABCDEF01234567",
        "S=01",
        "E=691",
        "R=1",
        "R=0",
        "C=0123456789ABCDEF0123456789ABCDEF",
        "C=01",
        "V=3",
        "M=Access denied",
        "M=",
        " ",
        "hello",
        "\n",
    ]);
    prop::collection::vec(parts, 0..7).prop_map(|parts| parts.concat().into_bytes())
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..700),
        // Options with valid and invalid lengths.
        prop::collection::vec((0u8..20, prop::collection::vec(any::<u8>(), 0..9)), 0..20).prop_map(
            |options| {
                options
                    .into_iter()
                    .flat_map(|(kind, data)| [vec![kind, data.len() as u8 + 2], data].concat())
                    .collect()
            }
        ),
        texts(),
        (1u8..60, prop::collection::vec(any::<u8>(), 0..300))
            .prop_map(|(size, rest)| [vec![size], rest].concat()),
        Just(vec![7; 582]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_note_has_the_content_of_its_packet(
        protocol in protocols(), code in 0u8..18, id in any::<u8>(), data in data(), cut in 0usize..8,
    ) {
        let mut information = Vec::new();
        cp::emit(&mut information, code, id, &data);
        // Sometimes the packet is truncated, or has a surplus.
        match cut {
            1 => information.truncate(information.len().saturating_sub(3)),
            2 => information.truncate(2),
            3 => information.extend_from_slice(&[1, 2, 3]),
            _ => {}
        }
        prop_assert_eq!(shown(protocol, &information), crate::describe::information(protocol, &information));
    }

    #[test]
    fn a_malformed_frame_has_a_reason(frame in prop::collection::vec(any::<u8>(), 0..8)) {
        if let Err(error) = ppp::frame(&frame) {
            prop_assert_eq!(describe(&malformed_frame(&frame)), format!("malformed: {error}"));
        }
    }
}
