use proptest::prelude::*;

use super::*;
use crate::cp::ConfigOption;
use crate::{Protocol, ppp};

/// The samples `pkt-ppp-*` that are LCP packets: octets and text form.
const SAMPLES: [(&str, &str); 12] = [
    (
        "c02101000015010405780506478a3c1e070208020d0306",
        "Configure-Request id 0: mru 1400, magic 478a3c1e, pfc, acfc, callback by CBCP",
    ),
    (
        "c02101010017010405780305c223810506b5d12a0707020802",
        "Configure-Request id 1: mru 1400, auth mschap-v2, magic b5d12a07, pfc, acfc",
    ),
    ("c021040000070d0306", "Configure-Reject id 0: callback by CBCP"),
    ("c0210c020012478a3c1e4d5352415356352e3230", "Identification id 2: \"MSRASV5.20\""),
    ("c0210c030017478a3c1e4d535241532d302d434c49454e5431", "Identification id 3: \"MSRAS-0-CLIENT1\""),
    ("c02109010008b5d12a07", "Echo-Request id 1: magic b5d12a07"),
    ("c0210a010008478a3c1e", "Echo-Reply id 1: magic 478a3c1e"),
    ("c0210803001480570101000e010a02aabbfffeccddee", "Protocol-Reject id 3 of IPV6CP"),
    ("c02105040004", "Terminate-Request id 4"),
    ("c02106040004", "Terminate-Ack id 4"),
    ("c02107050008c8010004", "Code-Reject id 5 of code 200 id 1"),
    ("c0210d06000cb5d12a070000012c", "Time-Remaining id 6: 300 s"),
];

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn samples_read_well_and_write_back_to_the_same_octets() {
    for (hex, line) in SAMPLES {
        let bytes = octets(hex);
        let (protocol, information) = ppp::frame(&bytes).unwrap();
        assert_eq!(protocol, ppp::LCP);
        let packet = cp::Packet::parse(Protocol::Lcp, information).unwrap();
        assert_eq!(describe(&packet).to_string(), line);

        let mut again = Vec::new();
        ppp::push_header(&mut again, protocol, true, false);
        packet.emit(&mut again);
        assert_eq!(again, bytes, "{line}");
    }
}

#[test]
fn c125_an_identification_of_raw_octets_is_shown_escaped() {
    let packet =
        cp::Packet { code: cp::IDENTIFICATION, id: 4, data: &[0, 0, 0, 1, 0x1b, b'[', b'2', b'J', 0xff, 0] };
    let line = describe(&packet).to_string();
    assert!(line.is_ascii() && !line.contains('\u{1b}') && line.contains("[2J"), "{line}");
}

#[test]
fn every_option_of_the_table_has_a_name() {
    let shown = |kind, data: &[u8]| {
        let mut raw = Vec::new();
        cp::push_option(&mut raw, kind, data);
        let opt = cp::Options::new(Protocol::Lcp, &raw).next().unwrap().unwrap();
        LcpOption::parse(&opt).unwrap().to_string()
    };
    assert_eq!(shown(Auth::KIND, &[0xc2, 0x27]), "auth eap");
    assert_eq!(shown(Auth::KIND, &[0xc2, 0x23, 6]), "auth chap algorithm 6");
    assert_eq!(shown(Auth::KIND, &[0xc0, 0x25]), "auth LQR");
    assert_eq!(shown(4, &[0xc0, 0x25, 0, 0, 0, 9]), "quality protocol c02500000009");
    assert_eq!(shown(Endpoint::KIND, &[1, 0xaa]), "endpoint class 1 aa");
    assert_eq!(shown(Mrru::KIND, &[6, 0x4e]), "mrru 1614");
    assert_eq!(shown(15, &[]), "compound frames");
    assert_eq!(shown(29, &[]), "option 29");
}

#[test]
fn a_wrong_length_names_the_right_one() {
    let opt = cp::Opt { kind: Mru::KIND, data: &[5], raw: &[1, 3, 5] };
    let error = LcpOption::parse(&opt).unwrap_err();
    assert_eq!(error.to_string(), "LCP MRU Length at octet 1: expected 4, found 3");
}

#[test]
fn a_protocol_reject_is_cut_to_the_mru() {
    let reject = ProtocolReject { protocol: ppp::IPV6CP, information: &[7; 2000] };
    let mut bytes = Vec::new();
    cp::emit(&mut bytes, cp::PROTOCOL_REJECT, 1, &reject.to_vec(1400));
    assert_eq!(bytes.len(), 1400);
}

proptest! {
    #[test]
    fn options_read_back_to_the_same_octets(kind: u8, data in prop::collection::vec(any::<u8>(), 0..30)) {
        let mut raw = Vec::new();
        cp::push_option(&mut raw, kind, &data);
        let opt = cp::Options::new(Protocol::Lcp, &raw).next().unwrap().unwrap();
        if let Ok(option) = LcpOption::parse(&opt) {
            let mut again = Vec::new();
            option.emit(&mut again);
            prop_assert_eq!(again, raw.clone());
        }
    }

    #[test]
    fn any_packet_is_one_bounded_printable_line(code in 0u8..20, id: u8, data in prop::collection::vec(any::<u8>(), 0..1500)) {
        let packet = cp::Packet { code, id, data: &data };
        let line = describe(&packet).to_string();
        prop_assert!(line.len() < 2600, "{}", line.len());
        prop_assert!(line.chars().all(|c| c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric()), "{}", line);
    }
}
