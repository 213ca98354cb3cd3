use proptest::prelude::*;

use super::*;

fn packet(bytes: &[u8]) -> cp::Packet<'_> {
    cp::Packet::parse(Protocol::Pap, bytes).unwrap()
}

#[test]
fn a_request_as_a_client_sends_it() {
    let bytes = b"\x01\x01\x00\x14\x04User\x0aclientPass";
    let message = Message::parse(&packet(bytes)).unwrap();
    assert_eq!(message, Message::Request { name: b"User", password: b"clientPass" });
    assert_eq!(message.to_string(), "Authenticate-Request: name \"User\"");
    assert_eq!(describe(&packet(bytes)).to_string(), "Authenticate-Request id 1: name \"User\"");
    assert_eq!(
        describe(&packet(b"\x07\x09\0\x04")).to_string(),
        "code 7 id 9 (PAP Code at octet 0: expected 1 to 3, found 7)"
    );
    let mut out = Vec::new();
    message.emit(&mut out, 1);
    assert_eq!(out, bytes);
}

#[test]
fn c238_neither_display_nor_debug_shows_a_password() {
    let message = Message::Request { name: b"bob", password: b"hunter2" };
    assert!(!format!("{message} {message:?}").contains("hunter2"));
}

#[test]
fn answers() {
    let ack = packet(b"\x02\x01\x00\x05\x00");
    assert_eq!(Message::parse(&ack).unwrap().to_string(), "Authenticate-Ack");
    let nak = packet(b"\x03\x01\x00\x11\x0cLogin failed");
    assert_eq!(Message::parse(&nak).unwrap().to_string(), "Authenticate-Nak: \"Login failed\"");
    // Windows omits the length octet.
    assert_eq!(Message::parse(&packet(b"\x02\x01\x00\x04")), Ok(Message::Ack { message: b"" }));
}

#[test]
fn c147_inner_lengths_beyond_the_packet() {
    let error = |bytes| Message::parse(&packet(bytes)).unwrap_err().to_string();
    assert_eq!(error(b"\x01\x01\x00\x04"), "PAP Peer-ID Length at octet 4: expected 1 octet, found 0");
    let left = "expected at most the octets that are left";
    assert_eq!(error(b"\x01\x01\x00\x07\x03ab"), format!("PAP Peer-ID Length at octet 4: {left}, found 3"));
    assert_eq!(
        error(b"\x01\x01\x00\x08\x01a\x02b"),
        format!("PAP Passwd-Length at octet 6: {left}, found 2")
    );
    assert_eq!(error(b"\x01\x01\x00\x06\x01a"), "PAP Passwd-Length at octet 6: expected 1 octet, found 0");
    assert_eq!(error(b"\x02\x01\x00\x05\x01"), format!("PAP Msg-Length at octet 4: {left}, found 1"));
    assert_eq!(error(b"\x09\x01\x00\x04"), "PAP Code at octet 0: expected 1 to 3, found 9");
}

proptest! {
    #[test]
    fn parse_reads_what_emit_wrote(
        name in proptest::collection::vec(any::<u8>(), 0..256),
        password in proptest::collection::vec(any::<u8>(), 0..256),
        id: u8,
    ) {
        let all = [
            Message::Request { name: &name, password: &password },
            Message::Ack { message: &name },
            Message::Nak { message: &password },
        ];
        for message in all {
            let mut out = Vec::new();
            message.emit(&mut out, id);
            let packet = packet(&out);
            prop_assert_eq!(packet.id, id);
            prop_assert_eq!(Message::parse(&packet), Ok(message));
        }
    }

    #[test]
    fn no_octets_panic(code in 0..6_u8, data: Vec<u8>) {
        let _ = describe(&cp::Packet { code, id: 0, data: &data }).to_string();
    }
}
