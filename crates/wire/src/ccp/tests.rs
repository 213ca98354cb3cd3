use proptest::prelude::*;

use super::*;
use crate::cp::{ConfigOption, UnknownOption};

fn show(bytes: &[u8]) -> String {
    describe(&cp::Packet::parse(Protocol::Ccp, bytes).unwrap()).to_string()
}

#[test]
fn packets_as_a_person_reads_them() {
    assert_eq!(show(b"\x01\x04\0\x0a\x12\x06\x01\0\0\x40"), "Configure-Request id 4: mppe 128 stateless");
    assert_eq!(
        show(b"\x01\x05\0\x0a\x12\x06\x01\0\0\xe1"),
        "Configure-Request id 5: mppe 40|56|128 stateless +mppc"
    );
    assert_eq!(
        show(b"\x01\x06\0\x0a\x12\x06\x01\0\0\0"),
        "Configure-Request id 6: mppe of any strength, stateless"
    );
    assert_eq!(show(b"\x01\x06\0\x0a\x12\x06\0\0\0\0"), "Configure-Request id 6: no mppe");
    assert_eq!(show(b"\x01\x06\0\x0a\x12\x06\0\0\0\x01"), "Configure-Request id 6: no mppe +mppc");
    assert_eq!(
        show(b"\x01\x06\0\x0e\x12\x06\0\x02\0\x70\x1a\x04\x78\0"),
        "Configure-Request id 6: mppe 40|128 stateful (obsolete bit D) (unknown bits 00020000), deflate 7800"
    );
    assert_eq!(
        show(b"\x04\x06\0\x07\x12\x03\x01"),
        "Configure-Reject id 6: option 18 01 (CCP MPPE Length at octet 1: expected 6, found 3)"
    );
    assert_eq!(show(b"\x0e\x06\0\x04"), "Reset-Request id 6");
    assert_eq!(show(b"\x0f\x06\0\x04"), "Reset-Ack id 6");
}

proptest! {
    #[test]
    fn parse_reads_what_emit_wrote(bits: u32, kind: u8, data in proptest::collection::vec(any::<u8>(), 0..254)) {
        prop_assume!(kind != Mppe::KIND);
        for option in [CcpOption::Mppe(Mppe(bits)), CcpOption::Other(UnknownOption { kind, data: &data })] {
            let mut out = Vec::new();
            option.emit(&mut out);
            let opt = cp::Options::new(Protocol::Ccp, &out).next().unwrap().unwrap();
            prop_assert_eq!(opt.raw, &out[..]);
            prop_assert_eq!(CcpOption::parse(&opt), Ok(option));
        }
    }

    #[test]
    fn no_octets_panic_and_the_text_is_bounded(code: u8, data in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let text = describe(&cp::Packet { code, id: 0, data: &data }).to_string();
        prop_assert!(text.len() < 4000);
    }
}
