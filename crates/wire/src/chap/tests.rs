use proptest::prelude::*;

use super::*;

const PROOF: [u8; 20] = [
    0x40, 0x7a, 0x55, 0x89, 0x11, 0x5f, 0xd0, 0xd6, 0x20, 0x9f, 0x51, 0x0f, 0xe9, 0xc0, 0x45, 0x66, 0x93,
    0x2c, 0xda, 0x56,
];
const CHALLENGE_16: [u8; 16] =
    [0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f, 0x3e, 0x3c, 0x2c, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28];

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect()
}

fn packet(bytes: &[u8]) -> cp::Packet<'_> {
    cp::Packet::parse(Protocol::Chap, bytes).unwrap()
}

/// The sample packets of the specification, without the protocol number, with their text form.
#[test]
fn samples_are_read_written_and_shown() {
    let samples = [
        ("01010018105b5d7c7d7b3f2f3e3c2c60213226262876706e", "Challenge: 16 octets from \"vpn\""),
        (
            "0201003a3121402324255e262a28295f2b3a337c7e000000000000000082309ecd8d708b5ea08faa3981cd83544233114a\
             3d85d6df0055736572",
            "Response: 49 octets, name \"User\"",
        ),
        (
            "0301003f533d34303741353538393131354644304436323039463531304645394330343536363933324344413536204d3d\
             416363657373206772616e746564",
            "Success: with proof, \"Access granted\"",
        ),
        (
            "04010044453d36393120523d3120433d354235443743374437423346324633453343324336303231333232363236323820\
             563d33204d3d4163636573732064656e696564",
            "Failure: E=691 (wrong name or password), another try allowed, \"Access denied\"",
        ),
    ];
    for (hex, shown) in samples {
        let bytes = octets(hex);
        let packet = packet(&bytes);
        let message = Message::parse(&packet).unwrap();
        assert_eq!(message.to_string(), shown);
        let mut out = Vec::new();
        message.emit(&mut out, packet.id);
        assert_eq!(out, bytes);
        match message {
            Message::Response { value, .. } => {
                assert_eq!(MsChapV2Response::parse(value).unwrap().to_bytes(), value);
            }
            Message::Success(text) => assert_eq!(Success::parse(text).to_vec(), text),
            Message::Failure(text) => assert_eq!(Failure::parse(text).to_vec(), text),
            _ => {}
        }
    }
}

#[test]
fn c238_nothing_that_helps_a_search_for_the_password_is_shown() {
    let value = MsChapV2Response { peer_challenge: [0xab; 16], nt_response: [0xcd; 24] };
    let response = Message::Response { value: &value.to_bytes(), name: b"bob" };
    let success = format!("S={} M=hi", "AB".repeat(20));
    let odd = format!("S={}", "AB".repeat(19));
    let failure = format!("E=691 R=0 C={} V=3", "AB".repeat(16));
    let nothing_but_c = format!("C={}", "AB".repeat(16));
    let change = ChangePassword {
        encrypted_password: [0xab; 516],
        encrypted_hash: [0xab; 16],
        peer_challenge: [0xab; 16],
        nt_response: [0xab; 24],
    };
    for message in [
        response,
        Message::Challenge { value: &[0xab; 16], name: b"vpn" },
        Message::Success(success.as_bytes()),
        Message::Success(odd.as_bytes()),
        Message::Failure(failure.as_bytes()),
        Message::Failure(nothing_but_c.as_bytes()),
        Message::ChangePassword(Box::new(change)),
    ] {
        let shown = format!("{message} {message:?}").to_lowercase();
        assert!(!shown.contains("abab") && !shown.contains("cdcd") && !shown.contains("171"), "{shown}");
    }
}

#[test]
fn c158_sizes_that_are_wrong_are_refused_and_reserved_octets_ignored() {
    for size in [0, 1, 48, 50, 255] {
        assert!(MsChapV2Response::parse(&vec![0; size]).is_err(), "{size}");
        assert!(MsChapV1Response::parse(&vec![0; size]).is_err(), "{size}");
    }
    let clean = MsChapV2Response { peer_challenge: [1; 16], nt_response: [2; 24] };
    let mut value = clean.to_bytes();
    value[16..24].fill(0xff);
    value[48] = 0xff;
    assert_eq!(MsChapV2Response::parse(&value), Ok(clean));

    let error = |bytes| Message::parse(&packet(bytes)).unwrap_err().to_string();
    assert_eq!(error(b"\x01\x01\0\x04"), "CHAP Value-Size at octet 4: expected 1 octet, found 0");
    let left = "expected 1 to the octets that are left";
    assert_eq!(error(b"\x02\x01\0\x06\0a"), format!("CHAP Value-Size at octet 4: {left}, found 0"));
    assert_eq!(error(b"\x02\x01\0\x06\x02a"), format!("CHAP Value-Size at octet 4: {left}, found 2"));
    assert_eq!(error(b"\x05\x01\0\x04"), "CHAP Code at octet 0: expected 1 to 4 or 7, found 5");
    assert_eq!(error(b"\x07\x01\0\x05a"), "CHAP Change-Password Length at octet 2: expected 586, found 5");
}

#[test]
fn c160_success_in_every_form_that_was_seen() {
    let digits = "407A5589115FD0D6209F510FE9C04566932CDA56";
    let cases: [(String, Option<&[u8]>); 6] = [
        (format!("S={digits} M=Access granted"), Some(b"Access granted")),
        (format!("S={digits}"), None),
        (format!("S={digits}M=Thank you"), Some(b"Thank you")),
        (format!("S={} M=", digits.to_lowercase()), Some(b"")),
        (format!("M=Hello S={digits}"), Some(b"Hello")),
        (format!("S={digits} M=S=0 is not it"), Some(b"S=0 is not it")),
    ];
    for (text, message) in cases {
        assert_eq!(Success::parse(text.as_bytes()), Success { response: Some(PROOF), message }, "{text}");
    }
}

#[test]
fn c159_success_without_a_readable_proof() {
    for text in ["", "M=ok", "Access granted", "S=", "S=407A", "S =407A5589115FD0D6209F510FE9C04566932CDA56"]
    {
        assert_eq!(Success::parse(text.as_bytes()).response, None, "{text}");
    }
    let odd = "S=407A5589115FD0D6209F510FE9C04566932CDA5 M=39 digits";
    assert_eq!(Success::parse(odd.as_bytes()), Success { response: None, message: Some(b"39 digits") });
}

#[test]
fn c161_failure_is_written_as_specified() {
    let failure = Failure {
        error: Some(MsChapError::PasswordExpired),
        retry: true,
        challenge: Some(CHALLENGE_16.to_vec()),
        version: Some(3),
        message: Some(b"Password expired"),
    };
    let text = b"E=648 R=1 C=5B5D7C7D7B3F2F3E3C2C602132262628 V=3 M=Password expired";
    assert_eq!(failure.to_vec(), text);
    assert_eq!(Failure::parse(text), failure);
}

#[test]
fn failure_in_any_order_and_with_holes() {
    let parse = |text: &'static str| Failure::parse(text.as_bytes());
    let full = Failure {
        error: Some(MsChapError::AuthenticationFailure),
        retry: true,
        challenge: Some(CHALLENGE_16.to_vec()),
        version: Some(3),
        message: Some(b"no"),
    };
    assert_eq!(parse("V=3 C=5b5d7c7d7b3f2f3e3c2c602132262628 R=1 X=unknown E=691 M=no"), full);
    assert_eq!(parse("M=no V=3 C=5b5d7c7d7b3f2f3e3c2c602132262628 R=1 E=691"), full);
    assert_eq!(parse("  E=691R=1C=5b5d7c7d7b3f2f3e3c2c602132262628V=3M=no"), full);
    let bare = parse("E=691 R=1");
    assert_eq!((bare.retry, bare.challenge, bare.version, bare.message), (true, None, None, None));
    assert_eq!(parse("E=691 C=5b5d M=x").challenge, None);
    assert_eq!(parse("E=649 R=0 C=0011223344556677 V=2").challenge, Some(octets("0011223344556677")));
    assert_eq!(parse("E=99999999999999999999").error, Some(MsChapError::Other(u32::MAX)));
    assert_eq!(parse("E= R=x C= V=").error, None);
    assert_eq!(parse("Bad password").error, None);
    // The text after M= contains no fields.
    assert_eq!(parse("E=647 R=0 M=see E=691 R=1").message, Some(&b"see E=691 R=1"[..]));
    assert!(!parse("E=647 R=0 M=see E=691 R=1").retry);
}

#[test]
fn texts_without_fields_are_shown_escaped() {
    let show = |message: Message<'_>| message.to_string();
    assert_eq!(show(Message::Success(b"welcome\n")), "Success: \"welcome\\x0a\"");
    assert_eq!(show(Message::Success(b"")), "Success");
    assert_eq!(show(Message::Failure(b"go away")), "Failure: \"go away\"");
    let long = vec![b'x'; 60_000];
    assert!(show(Message::Response { value: &[1], name: &long }).len() < 400);
    assert!(show(Message::Failure(&long)).len() < 400);
}

#[test]
fn a_packet_in_one_line() {
    let show = |bytes| describe(&packet(bytes)).to_string();
    assert_eq!(show(b"\x01\x45\0\x0a\x02abvpn"), "Challenge id 69: 2 octets from \"vpn\"");
    assert_eq!(show(b"\x03\x45\0\x04"), "Success id 69");
    assert_eq!(
        show(b"\x02\x45\0\x04"),
        "Response id 69 (CHAP Value-Size at octet 4: expected 1 octet, found 0)"
    );
    assert_eq!(
        show(b"\x63\x45\0\x04"),
        "code 99 id 69 (CHAP Code at octet 0: expected 1 to 4 or 7, found 99)"
    );
}

#[test]
fn error_numbers() {
    for number in [0, 645, 646, 647, 648, 649, 650, 691, 709, u32::MAX] {
        assert_eq!(MsChapError::from(number).number(), number);
    }
}

proptest! {
    #[test]
    fn parse_reads_what_emit_wrote(
        value in proptest::collection::vec(any::<u8>(), 1..256),
        name: Vec<u8>,
        id: u8,
    ) {
        let all = [
            Message::Challenge { value: &value, name: &name },
            Message::Response { value: &value, name: &name },
            Message::Success(&name),
            Message::Failure(&value),
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
    fn a_change_is_read_as_it_was_written(data in proptest::collection::vec(any::<u8>(), 582)) {
        let change = ChangePassword::parse(&data).unwrap();
        prop_assert_eq!(ChangePassword::parse(&change.to_vec()), Ok(change));
    }

    #[test]
    fn success_and_failure_are_read_as_they_were_written(
        response: [u8; 20],
        challenge: [u8; 16],
        message: Option<Vec<u8>>,
        error: u32,
        version: u32,
        retry: bool,
    ) {
        let message = message.as_deref();
        let success = Success { response: Some(response), message };
        let text = success.to_vec();
        prop_assert_eq!(Success::parse(&text), success);
        let failure = Failure {
            error: Some(MsChapError::from(error)),
            retry,
            challenge: Some(challenge.to_vec()),
            version: Some(version),
            message,
        };
        let text = failure.to_vec();
        prop_assert_eq!(Failure::parse(&text), failure);
    }

    #[test]
    fn no_octets_panic(code in 0..9_u8, data: Vec<u8>) {
        let text = describe(&cp::Packet { code, id: 0, data: &data }).to_string();
        prop_assert!(text.len() < 2000);
        let _ = (MsChapV1Response::parse(&data), MsChapV2Response::parse(&data));
    }

    #[test]
    fn no_text_panics(text in "([SMERCV]=|[0-9A-Fa-f ]{0,5}|.){0,40}") {
        let (success, failure) = (Success::parse(text.as_bytes()), Failure::parse(text.as_bytes()));
        let _ = format!("{success} {failure}");
    }
}
