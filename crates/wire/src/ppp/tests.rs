use proptest::prelude::*;

use super::*;

#[test]
fn c086_all_four_forms_of_the_header_are_accepted() {
    for header in [&[0xff, 0x03, 0x00, 0x21][..], &[0xff, 0x03, 0x21], &[0x00, 0x21], &[0x21]] {
        let bytes = [header, &[0x45, 0x00]].concat();
        assert_eq!(frame(&bytes), Ok((IP, &[0x45, 0x00][..])), "{header:02x?}");
    }
}

#[test]
fn what_is_no_frame_is_refused_with_the_place() {
    assert_eq!(frame(&[]), Err(Error::new(Protocol::Ppp, "Protocol", 0, "1 or 2 octets", 0)));
    assert_eq!(frame(&[0xff, 0x03]), Err(Error::new(Protocol::Ppp, "Protocol", 2, "1 or 2 octets", 0)));
    assert_eq!(frame(&[0x00]), Err(Error::new(Protocol::Ppp, "Protocol", 0, "1 or 2 octets", 1)));
    let even = frame(&[0x80, 0x20, 0x01]).unwrap_err();
    assert_eq!((even.expected, even.found), ("an odd last octet", 0x8020));
}

#[test]
fn an_unknown_protocol_is_named_by_its_number() {
    assert_eq!(ProtocolNumber(IPCP).to_string(), "IPCP");
    assert_eq!(ProtocolNumber(0x4aa1).to_string(), "protocol 0x4aa1");
}

proptest! {
    #[test]
    fn a_pushed_header_reads_back(high in 0u8..=127, low in 0u8..=127, acfc: bool, pfc: bool, data: Vec<u8>) {
        let protocol = u16::from_be_bytes([high << 1, (low << 1) | 1]);
        let mut bytes = Vec::new();
        push_header(&mut bytes, protocol, acfc, pfc);
        prop_assert!(bytes.len() <= HEADER_MAX);
        bytes.extend_from_slice(&data);
        prop_assert_eq!(frame(&bytes), Ok((protocol, &data[..])));
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = frame(&bytes);
    }
}

#[test]
fn a_control_protocol_is_known_by_its_number() {
    assert_eq!((protocol(EAP), protocol(CBCP)), (Protocol::Eap, Protocol::Ppp));
}
