//! Capture files: any octets, and files whose frames are built around the input so that it reaches the inner layers; and
//! the verdicts of the doctor on them.

use std::time::Duration;

use adit_capture::conversation::{
    CALLS_MAX, CONVERSATIONS_MAX, Conversation, Conversations, FIRST, LAST, Secret,
};
use adit_capture::{Item, KEPT_MAX, Reader, Summary, datagram, write};
use adit_crypto::secret::Password;
use adit_doctor::from::capture;
use adit_doctor::{Facts, judge, text};
use adit_wire::{cp, gre, ipv4, ppp};

use crate::input::Input;

/// The first octet decides whether the rest is a file or builds one, the second how it is cut. Cutting never changes what
/// is read.
pub(crate) fn capture_file(data: &[u8]) {
    let mut input = Input::new(data);
    let (kind, piece) = (input.u8(), usize::from(input.u8()).max(1));
    let built;
    let file = if kind & 1 == 0 {
        input.rest()
    } else {
        built = build(input);
        &built
    };
    let whole = read(file, file.len().max(1));
    let cut = read(file, piece);
    assert_eq!(whole, cut, "pieces of {piece} octets read differently");
    converse(&whole.0, Conversations::default());
    converse(&whole.0, Conversations::with_secret(Secret { user: None, password: Password::new("fuzz") }));
}

/// The doctor's verdict: bounded, in lines without control characters.
fn verdict(facts: &Facts) {
    let verdict = judge(facts);
    assert!(verdict.causes.len() <= 3);
    for words in [verdict.to_string(), text::why(&verdict)] {
        assert!(!words.contains(|c: char| c.is_control() && c != '\n'), "a control character: {words:?}");
    }
}

/// Groups the packets; every conversation that was begun is given once and keeps its bounds.
fn converse(items: &[Item], mut conversations: Conversations) {
    let given = std::cell::Cell::new(0);
    let mut check = |conversation: Conversation| {
        assert!(conversation.calls.len() <= CALLS_MAX);
        assert!(conversation.steps.len() <= FIRST + LAST);
        for step in conversation.steps.iter() {
            let line = step.to_string();
            assert!(!line.contains(char::is_control), "a control character: {line:?}");
            assert!(step.frame <= conversation.last_frame);
            assert!(step.call.is_none_or(|call| call < conversation.calls.len()));
        }
        let (vantage, _) = capture::vantage(&conversation);
        for call in 0..=conversation.calls.len() {
            verdict(&capture::facts(&conversation, call, vantage));
        }
        given.set(given.get() + 1);
    };
    for item in items {
        match item {
            Item::Packet(packet) => conversations.take(packet),
            Item::Note(note) => conversations.take_note(note),
        }
        std::iter::from_fn(|| conversations.poll()).for_each(&mut check);
    }
    let live = conversations.len();
    assert!(live <= CONVERSATIONS_MAX);
    let before = given.get();
    conversations.finish();
    std::iter::from_fn(|| conversations.poll()).for_each(&mut check);
    assert_eq!(given.get() - before, live);
    for lookup in conversations.lookups().iter() {
        if let Some(facts) = capture::facts_of_name(conversations.lookups(), &lookup.name) {
            verdict(&facts);
        }
    }
}

fn read(file: &[u8], piece: usize) -> (Vec<Item>, Summary) {
    let mut reader = Reader::default();
    let mut items = Vec::new();
    for mut rest in file.chunks(piece) {
        while !rest.is_empty() {
            let taken = reader.push(rest);
            let before = items.len();
            items.extend(std::iter::from_fn(|| reader.poll()));
            assert!(taken > 0 || items.len() > before, "takes nothing and gives nothing");
            assert!(reader.kept() <= KEPT_MAX, "{} octets kept", reader.kept());
            rest = &rest[taken..];
        }
    }
    reader.finish();
    items.extend(std::iter::from_fn(|| reader.poll()));
    let mut frames = 0;
    for item in &items {
        let line = match item {
            Item::Packet(packet) => {
                frames += 1;
                assert_eq!(packet.number, frames);
                assert!(packet.duplicate_of.is_none_or(|first| first < frames));
                packet.to_string()
            }
            Item::Note(note) => note.to_string(),
        };
        assert!(!line.contains(char::is_control), "a control character: {line:?}");
    }
    assert_eq!(reader.summary().frames, frames);
    (items, reader.summary().clone())
}

/// A pcap file of one link type; each frame is made of a few decisions and a chunk.
fn build(mut input: Input<'_>) -> Vec<u8> {
    const LINKS: [u16; 16] = [1, 0, 108, 101, 229, 9, 50, 51, 166, 204, 113, 276, 105, 127, 101, 101];
    let link = LINKS[usize::from(input.u8()) % LINKS.len()];
    let mut file = write::header(link).to_vec();
    let mut time = Duration::from_secs(1_700_000_000);
    while !input.is_empty() {
        let (kind, choice) = (input.u8(), input.u8());
        time += Duration::from_micros(u64::from(choice).pow(3));
        let frame = match kind % 6 {
            _ if link != 101 => input.chunk().to_vec(),
            0 => input.chunk().to_vec(),
            1 => packet(choice, gre::IP_PROTOCOL, 0, &tunnelled(&mut input, kind)),
            2 => packet(choice, [1, 4, 17, 41, 47, 58][usize::from(kind >> 3) % 6], 0, input.chunk()),
            3 => {
                // A fragment: more follow, and an offset within what a few pieces make.
                let place = u16::from(kind >> 7) << 13 | u16::from(kind >> 3 & 7);
                packet(choice & 3, gre::IP_PROTOCOL, place, input.chunk())
            }
            _ => packet(choice & 1, ipv4::TCP, 0, &segment(&mut input, kind, choice & 1)),
        };
        let total = frame.len() + usize::from(kind >= 250) * 100;
        write::frame(&mut file, time, &frame, total);
        if file.len() > 1 << 16 {
            break;
        }
    }
    file
}

fn packet(choice: u8, protocol: u8, place: u16, payload: &[u8]) -> Vec<u8> {
    let ends = [[192, 0, 2, 1].into(), [203, 0, 113, 1].into()];
    let (src, dst) = if choice & 1 == 0 { (ends[0], ends[1]) } else { (ends[1], ends[0]) };
    let header = ipv4::Repr { identification: u16::from(choice >> 1), ..ipv4::Repr::new(src, dst, protocol) };
    let mut packet = header.packet(payload);
    packet[6..8].copy_from_slice(&place.to_be_bytes());
    packet
}

const CONTROL: [u16; 8] =
    [ppp::LCP, ppp::LCP, ppp::CHAP, ppp::PAP, ppp::EAP, ppp::CCP, ppp::IPCP, ppp::IPV6CP];

fn tunnelled(input: &mut Input<'_>, kind: u8) -> Vec<u8> {
    let seq = (kind & 0x40 == 0).then(|| u32::from(input.u8()));
    let ack = (kind & 0x80 != 0).then(|| u32::from(input.u8()));
    let frame = match CONTROL.get(usize::from(kind >> 3 & 15)) {
        // A control packet whose code and options are the input.
        Some(protocol) => {
            let (code, id) = (input.u8() % 16, input.u8() & 3);
            let mut frame = Vec::new();
            ppp::push_header(&mut frame, *protocol, kind & 1 == 0, false);
            cp::emit(&mut frame, code, id, input.chunk());
            frame
        }
        None => input.chunk().to_vec(),
    };
    let frame = frame.as_slice();
    let _ = datagram(frame);
    gre::packet(u16::from(kind >> 4), seq, ack, frame)
}

/// A segment near the beginning of one of four connections; its data may be a control message or a piece of one.
fn segment(input: &mut Input<'_>, kind: u8, direction: u8) -> Vec<u8> {
    let flags = input.u8();
    let ports = [1723u16, 1024 + u16::from(kind >> 6)];
    let (from, to) = if direction == 0 { (ports[1], ports[0]) } else { (ports[0], ports[1]) };
    let mut out = [from.to_be_bytes(), to.to_be_bytes()].concat();
    out.extend(u32::from(input.u16() & 0x03ff).to_be_bytes());
    out.extend(u32::from(input.u16() & 0x03ff).to_be_bytes());
    out.extend([0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    if kind & 0x20 != 0 {
        // An Echo-Request, whole or its beginning.
        let message = b"\0\x10\0\x01\x1a\x2b\x3c\x4d\0\x05\0\0\0\0\0\x07";
        out.extend(&message[..message.len() - usize::from(kind >> 3 & 3) * 4]);
    }
    out.extend(input.chunk());
    out
}
