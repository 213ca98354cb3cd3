use proptest::prelude::*;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|p| u8::from_str_radix(core::str::from_utf8(p).unwrap(), 16).unwrap())
        .collect()
}

type Sample = (&'static str, u16, u16, Option<u32>, Option<u32>);

/// The samples of RFC 2637 traffic: octets, Call ID, Payload Length, Sequence Number, Acknowledgment Number.
const SAMPLES: [Sample; 5] = [
    ("3001880b0019e40a00000000ff03c02101000015010405780506478a3c1e070208020d0306", 58378, 25, Some(0), None),
    (
        "3081880b0019faea0000000000000000ff03c02102000015010405780506478a3c1e070208020d0306",
        64234,
        25,
        Some(0),
        Some(0),
    ),
    ("2081880b0000e40a00000000", 58378, 0, None, Some(0)),
    (
        "3081880b000ce40afffffffffffffffeff03c0210901000800000000",
        58378,
        12,
        Some(u32::MAX),
        Some(u32::MAX - 1),
    ),
    ("3001880b0008e40a0000000500fd9000deadbeef", 58378, 8, Some(5), None),
];

#[test]
fn c063_c064_c065_samples_are_read_and_written_back() {
    for (text, call_id, payload_len, seq, ack) in SAMPLES {
        let octets = hex(text);
        let packet = Packet::new_checked(&octets).unwrap();
        assert_eq!(packet.repr(), Repr { call_id, seq, ack, payload_len });
        assert_eq!(packet.payload(), &octets[octets.len() - usize::from(payload_len)..]);
        let (header, len) = packet.repr().emit();
        assert_eq!(header[..len], octets[..octets.len() - usize::from(payload_len)]);
    }
    // 0x2001, neither number: useless, but valid.
    assert_eq!(Repr::parse(&hex("2001880b00000001")).unwrap().header_len(), 8);
}

#[test]
fn a_whole_packet_is_header_and_frame() {
    for (text, call_id, payload_len, seq, ack) in SAMPLES {
        let octets = hex(text);
        let frame = &octets[octets.len() - usize::from(payload_len)..];
        assert_eq!(packet(call_id, seq, ack, frame), octets, "{text}");
    }
    let cut = packet(1, Some(2), None, &[0xff; 70_000]);
    assert_eq!(Packet::new_checked(&cut).unwrap().payload().len(), 65_535);
}

#[test]
fn c066_foreign_headers_are_refused() {
    for first in
        ["b001880b", "7001880b", "1001880b", "3801880b", "3101880b", "3009880b", "3000880b", "3002880b"]
    {
        let octets = hex(&format!("{first}000100010000000041"));
        assert_eq!(Repr::parse(&octets).unwrap_err().field, "Flags and Version", "{first}");
    }
    for first in ["30010800", "00000800", "00006558"] {
        assert_eq!(
            Repr::parse(&hex(&format!("{first}000100010000000041"))).unwrap_err().field,
            "Protocol Type"
        );
    }
}

#[test]
fn c067_payload_length_against_the_packet() {
    let longer = hex("3001880b000500010000000041414141");
    assert_eq!(Repr::parse(&longer).unwrap_err().field, "Payload Length");
    let padded = hex("3001880b00020001000000004141000000");
    assert_eq!(Packet::new_checked(&padded).unwrap().payload(), b"AA");
}

#[test]
fn c085_sequence_number_without_payload_is_refused() {
    assert_eq!(Repr::parse(&hex("3001880b0000000100000000")).unwrap_err().field, "Payload Length");
}

#[test]
fn a_cut_header_names_the_field() {
    for cut in 0..16 {
        let error = Repr::parse(&hex("3081880b0001000100000000000000004100")[..cut]).unwrap_err();
        let field = match cut {
            0..8 => "header",
            8..12 => "Sequence Number",
            _ => "Acknowledgment Number",
        };
        assert_eq!(error.field, field, "{cut} octets");
    }
}

#[test]
fn prepend_needs_headroom() {
    let repr = Repr { call_id: 7, seq: Some(1), ack: Some(2), payload_len: 1 };
    let mut buffer = [0x55; 32];
    assert_eq!(repr.prepend(&mut buffer, 15), None);
    assert_eq!(repr.prepend(&mut buffer, 40), None);
    assert_eq!(buffer, [0x55; 32]);
    assert_eq!(repr.prepend(&mut buffer, 20), Some(4));
    assert_eq!(Repr::parse(&buffer[4..]).unwrap(), repr);
    assert_eq!(buffer[3], 0x55);
    assert_eq!(buffer[20], 0x55);
}

#[test]
fn people_read_the_numbers() {
    let repr = Repr { call_id: 7, seq: Some(1), ack: None, payload_len: 25 };
    assert_eq!(repr.to_string(), "GRE call 7 seq 1 payload 25");
}

proptest! {
    #[test]
    fn any_octets_parse_or_are_refused(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(packet) = Packet::new_checked(&octets) {
            let (header, len) = packet.repr().emit();
            prop_assert_eq!(&header[..len], &octets[..len]);
            prop_assert_eq!(packet.payload().len(), usize::from(packet.repr().payload_len));
        }
    }

    #[test]
    fn emit_is_read_back(call_id: u16, seq: u32, ack: Option<u32>, payload in proptest::collection::vec(any::<u8>(), 1..64)) {
        let repr = Repr { call_id, seq: Some(seq), ack, payload_len: payload.len() as u16 };
        let (header, len) = repr.emit();
        let mut octets = header[..len].to_vec();
        octets.extend_from_slice(&payload);
        let packet = Packet::new_checked(&octets).unwrap();
        prop_assert_eq!(packet.repr(), repr);
        prop_assert_eq!(packet.payload(), &payload[..]);
    }
}
