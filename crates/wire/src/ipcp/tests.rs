use proptest::prelude::*;

use super::*;

fn line(hex: &str) -> String {
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
    let packet = cp::Packet::parse(Protocol::Ipcp, &bytes).unwrap();
    describe(&packet).to_string()
}

#[test]
fn samples_read_well() {
    assert_eq!(
        line("01060022030600000000810600000000820600000000830600000000840600000000"),
        "Configure-Request id 6: address 0.0.0.0, dns1 0.0.0.0, wins1 0.0.0.0, dns2 0.0.0.0, wins2 0.0.0.0"
    );
    assert_eq!(
        line("04060010820600000000840600000000"),
        "Configure-Reject id 6: wins1 0.0.0.0, wins2 0.0.0.0"
    );
    assert_eq!(
        line("030700160306c00002648106c00002358306c0000236"),
        "Configure-Nak id 7: address 192.0.2.100, dns1 192.0.2.53, dns2 192.0.2.54"
    );
    assert_eq!(line("0101000a0206002d0f01"), "Configure-Request id 1: VJ compression");
    assert_eq!(
        line("0101000e010ac0000201c0000202"),
        "Configure-Request id 1: old addresses 192.0.2.1 192.0.2.2"
    );
}

proptest! {
    #[test]
    fn options_read_back_to_the_same_octets(
        kind in prop_oneof![0u8..6, 128u8..134],
        data in prop::collection::vec(any::<u8>(), 0..10),
    ) {
        let mut raw = Vec::new();
        cp::push_option(&mut raw, kind, &data);
        let opt = cp::Options::new(Protocol::Ipcp, &raw).next().unwrap().unwrap();
        if let Ok(option) = IpcpOption::parse(&opt) {
            let mut again = Vec::new();
            option.emit(&mut again);
            prop_assert_eq!(again, raw.clone());
        }
    }
}
