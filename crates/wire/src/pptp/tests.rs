use proptest::prelude::*;

use super::*;

const SAMPLES: &str = include_str!("../../tests/data/pptp-messages.txt");

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn samples() -> Vec<(u16, Vec<u8>)> {
    SAMPLES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (kind, octets) = line.split_once(' ').unwrap();
            (kind.parse().unwrap(), hex(octets))
        })
        .collect()
}

fn sample(kind: u16) -> Vec<u8> {
    samples().into_iter().find(|(of, _)| *of == kind).unwrap().1
}

fn emit(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.emit(&mut out);
    out
}

/// All frames that a framer returns when it gets `input` in pieces of `piece` octets.
fn frames(input: &[u8], piece: usize) -> Vec<Result<Frame>> {
    let mut framer = Framer::default();
    let mut found = Vec::new();
    for mut part in input.chunks(piece) {
        while !part.is_empty() {
            let taken = framer.push(part);
            part = &part[taken..];
            while let Some(frame) = framer.next_frame() {
                found.push(frame);
            }
            assert!(taken > 0 || part.is_empty(), "no progress");
        }
        assert!(framer.pending().len() <= BUFFER_MAX);
    }
    found
}

#[test]
fn c012_samples_round_trip() {
    let mut seen = [false; 16];
    for (kind, octets) in samples() {
        let message = Message::parse(&octets).unwrap();
        assert_eq!(u16::from(message.message_type()), kind);
        assert_eq!(message.message_type().size(), octets.len());
        assert_eq!(emit(&message), octets, "{message}");
        seen[usize::from(kind)] = true;
    }
    assert!(seen[1..].iter().all(|seen| *seen), "a sample of each of the fifteen types");
}

#[test]
fn samples_read_as_tshark_reads_them() {
    let text = |kind| Message::parse(&sample(kind)).unwrap().to_string();
    assert_eq!(
        text(1),
        "Start-Control-Connection-Request version 1.0 framing async bearer analog channels 0 firmware 0 \
         host \"\" vendor \"Microsoft\""
    );
    assert_eq!(
        text(2),
        "Start-Control-Connection-Reply result success version 1.0 framing either bearer either channels 1 \
         firmware 1 host \"vpn.example\" vendor \"linux\""
    );
    assert_eq!(text(3), "Stop-Control-Connection-Request reason general request");
    assert_eq!(text(4), "Stop-Control-Connection-Reply result ok");
    assert_eq!(text(5), "Echo-Request identifier 0x00000001");
    assert_eq!(text(6), "Echo-Reply identifier 0x00000001 result ok");
    assert_eq!(
        text(7),
        "Outgoing-Call-Request call 64234 serial 1 bps 300 to 100000000 bearer either framing either window 64 \
         delay 0 subaddress e3572a57e0a2bd41b826f1454106f261"
    );
    assert_eq!(
        text(8),
        "Outgoing-Call-Reply result connected call 58378 peer's call 64234 cause 0 speed 100000000 window 16384 \
         delay 0"
    );
    assert_eq!(
        text(9),
        "Incoming-Call-Request call 1000 serial 1 bearer analog dialed \"18005551\" dialing \"5550100\""
    );
    assert_eq!(
        text(10),
        "Incoming-Call-Reply result connect call 2000 peer's call 1000 window 16384 delay 0"
    );
    assert_eq!(
        text(11),
        "Incoming-Call-Connected peer's call 2000 speed 100000000 window 64 delay 0 framing async"
    );
    assert_eq!(text(12), "Call-Clear-Request call 64234");
    assert_eq!(text(13), "Call-Disconnect-Notify call 58378 result on request cause 0");
    assert_eq!(
        text(14),
        "WAN-Error-Notify peer's call 64234 crc 1 framing 2 hardware overruns 3 buffer overruns 4 time-outs 5 \
         alignment 6"
    );
    assert_eq!(text(15), "Set-Link-Info peer's call 58378 send accm 0xffffffff receive accm 0xffffffff");
}

#[test]
fn the_ordinary_messages_are_those_of_the_samples() {
    let whole = |message: Message| assert_eq!(emit(&message), sample(message.message_type().into()));
    whole(StartControlConnectionReply::new(b"vpn.example", b"linux").into());
    let guid =
        [0xe3, 0x57, 0x2a, 0x57, 0xe0, 0xa2, 0xbd, 0x41, 0xb8, 0x26, 0xf1, 0x45, 0x41, 0x06, 0xf2, 0x61];
    whole(OutgoingCallRequest { subaddress: Text::new(&guid), ..OutgoingCallRequest::new(64234) }.into());
    whole(OutgoingCallReply { window: 16384, ..OutgoingCallReply::connected(58378, 64234) }.into());
    let (analog, async_only) = (Bearer::ANALOG, Framing::ASYNC);
    let request = StartControlConnectionRequest::new(b"", b"Microsoft");
    whole(StartControlConnectionRequest { bearer: analog, framing: async_only, ..request }.into());
}

#[test]
fn a_refusal_names_the_call_and_why_and_nothing_else() {
    let refusal = OutgoingCallReply::refused(64234, OutgoingResult::GeneralError, ErrorCode::NoResource);
    let mut octets = Vec::new();
    Header::emit(MessageType::OutgoingCallReply, &mut octets);
    octets.extend([0, 0, 0xfa, 0xea, 2, 4]);
    octets.resize(MessageType::OutgoingCallReply.size(), 0);
    assert_eq!(emit(&refusal.into()), octets);
}

#[test]
fn c009_reserved_fields_are_sent_as_zero() {
    for (at, message) in samples().into_iter().map(|(_, octets)| Message::parse(&octets).unwrap()).enumerate()
    {
        let out = emit(&message);
        assert_eq!(out[10..12], [0, 0], "Reserved0 of {at}");
        let reserved = match message.message_type() {
            MessageType::StopControlConnectionRequest => 13..16,
            MessageType::EchoReply | MessageType::CallDisconnectNotify => 18..20,
            MessageType::OutgoingCallRequest => 38..40,
            MessageType::IncomingCallReply => 22..24,
            MessageType::StartControlConnectionRequest
            | MessageType::StopControlConnectionReply
            | MessageType::IncomingCallConnected
            | MessageType::CallClearRequest
            | MessageType::WanErrorNotify
            | MessageType::SetLinkInfo => 14..16,
            _ => 10..12,
        };
        assert!(out[reserved.clone()].iter().all(|octet| *octet == 0), "{reserved:?} of {message}");
    }
}

#[test]
fn c010_reserved_fields_are_ignored() {
    for (kind, reserved) in [
        (1, 14..16),
        (3, 13..16),
        (4, 14..16),
        (6, 18..20),
        (7, 38..40),
        (10, 22..24),
        (12, 14..16),
        (13, 18..20),
    ] {
        let octets = sample(kind);
        let mut dirty = octets.clone();
        dirty[10..12].fill(0xff);
        dirty[reserved].fill(0xff);
        assert_eq!(Message::parse(&dirty), Message::parse(&octets));
    }
}

#[test]
fn c013_names_may_fill_their_field() {
    let mut octets = sample(1);
    octets[28..92].fill(b'h');
    octets[92..156].fill(0xfe);
    let message = Message::parse(&octets).unwrap();
    assert_eq!(emit(&message), octets);
    let text = message.to_string();
    assert!(text.contains(&"h".repeat(64)) && text.contains(&"\\xfe".repeat(64)), "{text}");
    assert_eq!(Text::<4>::new(b"abcdef").name(), b"abcd");
    assert_eq!(Text::<4>::new(b"ab").octets(), b"ab\0\0");
}

#[test]
fn c001_one_octet_at_a_time() {
    let stream: Vec<u8> = samples().into_iter().flat_map(|(_, octets)| octets).collect();
    let whole = frames(&stream, stream.len());
    assert_eq!(whole.len(), samples().len());
    assert_eq!(frames(&stream, 1), whole);
}

#[test]
fn c002_several_messages_in_one_segment() {
    let mut stream = sample(1);
    stream.extend(sample(7));
    stream.extend(sample(5));
    let types: Vec<_> = frames(&stream, 4096)
        .into_iter()
        .map(|frame| match frame.unwrap() {
            Frame::Message(message) => u16::from(message.message_type()),
            Frame::Unknown(header) => panic!("{header:?}"),
        })
        .collect();
    assert_eq!(types, [1, 7, 5]);
}

#[test]
fn c003_c004_a_wrong_header_loses_the_stream() {
    for (at, field) in [(4, "Magic Cookie"), (3, "PPTP Message Type")] {
        let mut stream = sample(5);
        stream[at] ^= 2;
        // A valid message after it must not be found: there is no resynchronisation.
        stream.extend(sample(5));
        let found = frames(&stream, 3);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].as_ref().unwrap_err().field, field);
    }
}

#[test]
fn c005_a_short_length_loses_the_stream() {
    for (kind, length) in [(5, 0), (5, 11), (5, 12), (5, 15), (1, 155), (9, 219), (6, 15), (99, 11)] {
        let mut stream = vec![0; 300];
        stream[..2].copy_from_slice(&u16::to_be_bytes(length));
        stream[2..8].copy_from_slice(&[0, 1, 0x1a, 0x2b, 0x3c, 0x4d]);
        stream[8..10].copy_from_slice(&u16::to_be_bytes(kind));
        let found = frames(&stream, 7);
        assert_eq!(found.len(), 1, "type {kind} length {length}");
        assert_eq!(found[0].as_ref().unwrap_err().field, "Length");
    }
}

#[test]
fn c006_a_surplus_is_ignored() {
    for (kind, octets) in samples() {
        for length in [octets.len() + 1, 512, octets.len() + 512] {
            let mut stream = octets.clone();
            stream[..2].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
            stream.resize(length, 0xee);
            stream.extend(sample(5));
            let found = frames(&stream, 100);
            assert_eq!(found.len(), 2, "type {kind} length {length}");
            assert_eq!(found[0], Ok(Frame::Message(Message::parse(&octets).unwrap())));
        }
    }
}

#[test]
fn c007_a_length_beyond_the_bound_is_refused_before_it_is_stored() {
    for length in [16 + 513, u16::MAX] {
        let mut head = sample(5);
        head[..2].copy_from_slice(&length.to_be_bytes());
        let found = frames(&head, 16);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].as_ref().unwrap_err().found, u64::from(length));
    }
    let mut framer = Framer::default();
    assert_eq!(framer.push(&[0; 100_000]), BUFFER_MAX);
    assert!(framer.buffer.capacity() <= 2 * BUFFER_MAX);
    assert!(framer.next_frame().unwrap().is_err());
    assert_eq!(framer.push(&[0; 100_000]), 100_000);
    assert_eq!(framer.next_frame(), None);
    assert_eq!(framer.pending(), [0; 48]);
    assert!(framer.buffer.capacity() < 100);
}

#[test]
fn c008_unknown_types_are_skipped() {
    for kind in [0u16, 16, 65535] {
        for length in [12u16, 40, 512] {
            let mut stream = sample(5);
            let mut unknown = vec![0xaa; length.into()];
            unknown[..2].copy_from_slice(&length.to_be_bytes());
            unknown[2..8].copy_from_slice(&[0, 1, 0x1a, 0x2b, 0x3c, 0x4d]);
            unknown[8..10].copy_from_slice(&kind.to_be_bytes());
            stream.splice(0..0, unknown);
            let found = frames(&stream, 5);
            assert_eq!(found.len(), 2);
            let Ok(Frame::Unknown(header)) = found[0] else { panic!("{:?}", found[0]) };
            assert_eq!((header.length, u16::from(header.message_type)), (length, kind));
        }
    }
}

#[test]
fn an_old_echo_reply_has_no_result() {
    let mut octets = sample(6);
    octets.truncate(16);
    octets[1] = 16;
    let Ok(Message::EchoReply(reply)) = Message::parse(&octets) else { panic!() };
    assert_eq!((reply.identifier, reply.result), (1, PlainResult::Other(0)));
}

#[test]
fn unknown_codes_are_kept() {
    for value in 0..=255u8 {
        assert_eq!(u8::from(StartResult::from(value)), value);
        assert_eq!(u8::from(StopReason::from(value)), value);
        assert_eq!(u8::from(PlainResult::from(value)), value);
        assert_eq!(u8::from(OutgoingResult::from(value)), value);
        assert_eq!(u8::from(IncomingResult::from(value)), value);
        assert_eq!(u8::from(DisconnectResult::from(value)), value);
        assert_eq!(u8::from(ErrorCode::from(value)), value);
    }
    assert_eq!(OutgoingResult::from(9).to_string(), "code 9");
}

prop_compose! {
    fn name()(octets in prop::array::uniform32(any::<u8>()), length in 0..=32usize) -> Text<64> {
        Text::new(&octets[..length])
    }
}

prop_compose! {
    /// A message of any type with any values: random octets after a valid header, parsed and written once.
    fn any_message()(kind in 1..=15u16, octets in prop::collection::vec(any::<u8>(), 220), host in name())
        -> Message
    {
        let message_type = MessageType::from(kind);
        let mut whole = Vec::new();
        Header::emit(message_type, &mut whole);
        whole.extend_from_slice(&octets[..message_type.size() - HEADER_LEN]);
        match Message::parse(&whole).unwrap() {
            Message::StartControlConnectionRequest(request) => {
                StartControlConnectionRequest { host_name: host, ..request }.into()
            }
            other => other,
        }
    }
}

proptest! {
    #[test]
    fn c014_random_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..2000), piece in 1..500usize) {
        let _ = Message::parse(&octets);
        for frame in frames(&octets, piece).into_iter().flatten() {
            prop_assert!(!frame.to_string().contains('\n'));
        }
    }

    #[test]
    fn random_octets_behind_a_cookie_never_panic(
        head in 0..800u16, kind in 0..20u16, octets in prop::collection::vec(any::<u8>(), 0..900),
    ) {
        let mut whole = head.to_be_bytes().to_vec();
        whole.extend_from_slice(&[0, 1, 0x1a, 0x2b, 0x3c, 0x4d]);
        whole.extend_from_slice(&kind.to_be_bytes());
        whole.extend_from_slice(&octets);
        let _ = Message::parse(&whole);
        let whole_at_once = frames(&whole, whole.len());
        prop_assert_eq!(frames(&whole, 1), whole_at_once);
    }

    #[test]
    fn what_is_written_is_read(message in any_message()) {
        let octets = emit(&message);
        prop_assert_eq!(octets.len(), message.message_type().size());
        prop_assert_eq!(Message::parse(&octets).unwrap(), message);
    }

    #[test]
    fn the_cut_of_the_stream_does_not_matter(
        messages in prop::collection::vec(any_message(), 1..8), piece in 1..900usize,
    ) {
        let stream: Vec<u8> = messages.iter().flat_map(emit).collect();
        let expected: Vec<_> = messages.into_iter().map(|message| Ok(Frame::Message(message))).collect();
        prop_assert_eq!(frames(&stream, piece), expected);
    }
}
