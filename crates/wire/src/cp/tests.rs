use proptest::prelude::*;

use super::*;

fn options(data: &[u8]) -> Vec<Result<Opt<'_>>> {
    Options::new(Protocol::Lcp, data).collect()
}

#[test]
fn a_frame_is_header_and_packet() {
    let frame = frame(ppp::IPCP, CONFIGURE_REJECT, 7, &[3, 6, 0, 0, 0, 0]);
    assert_eq!(frame, [0xff, 3, 0x80, 0x21, 4, 7, 0, 10, 3, 6, 0, 0, 0, 0]);
}

#[test]
fn c103_padding_is_ignored_and_a_bad_length_refused() {
    let padded = [1, 7, 0, 6, 0xaa, 0xbb, 0, 0, 0];
    assert_eq!(Packet::parse(Protocol::Lcp, &padded), Ok(Packet { code: 1, id: 7, data: &[0xaa, 0xbb] }));

    let below_four = Packet::parse(Protocol::Lcp, &[1, 7, 0, 3]).unwrap_err();
    assert_eq!((below_four.field, below_four.offset, below_four.found), ("Length", 2, 3));
    let beyond = Packet::parse(Protocol::Ccp, &[1, 7, 0, 5]).unwrap_err();
    assert_eq!((beyond.protocol, beyond.found), (Protocol::Ccp, 5));
    assert!(Packet::parse(Protocol::Lcp, &[1, 7, 0]).is_err());
}

#[test]
fn c102_an_option_of_length_0_or_1_or_beyond_the_packet_ends_the_walk() {
    for bad in [&[3, 0][..], &[3, 1], &[3, 5, 0xc2, 0x23], &[3]] {
        let data = [&[1, 4, 5, 0x78], bad].concat();
        let walked = options(&data);
        assert_eq!(walked.len(), 2, "{bad:02x?}");
        assert_eq!(walked[0], Ok(Opt { kind: 1, data: &[5, 0x78], raw: &[1, 4, 5, 0x78] }));
        assert_eq!(walked[1].unwrap_err().offset, 5);
    }
}

#[test]
fn a_terminate_request_reads_well() {
    let shown = |data| TerminateData::new(data).to_string();
    assert_eq!(shown(b"MPPE required"), "\"MPPE required\"");
    assert_eq!(shown(&[1, 2, 3, 4, 0, 0x3c, 0xcd, 0x74, 0, 0, 3, 0x97]), "Windows error 919");
    assert_eq!(shown(&[1, 2, 3, 4, 0, 0x3c, 0xcd, 0x74, 0, 0, 0, 0]), "Windows closed it, no error given");
}

#[test]
fn long_octets_are_cut_for_people() {
    assert_eq!(Hex(&[0xab; 3]).to_string(), "ababab");
    assert_eq!(Hex(&[0; 40]).to_string(), format!("{}... (40 octets)", "00".repeat(32)));
}

proptest! {
    #[test]
    fn what_is_emitted_reads_back(code: u8, id: u8, data: Vec<u8>, padding: Vec<u8>) {
        let mut bytes = Vec::new();
        emit(&mut bytes, code, id, &data);
        bytes.extend_from_slice(&padding);
        prop_assert_eq!(Packet::parse(Protocol::Lcp, &bytes), Ok(Packet { code, id, data: &data }));
    }

    #[test]
    fn options_read_back(list in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..20)), 0..9)) {
        let mut data = Vec::new();
        for (kind, value) in &list {
            push_option(&mut data, *kind, value);
        }
        let walked: Vec<_> = Options::new(Protocol::Ipcp, &data).map(|o| o.map(|o| (o.kind, o.data.to_vec()))).collect();
        prop_assert_eq!(walked, list.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn a_walk_over_anything_ends(data: Vec<u8>) {
        prop_assert!(options(&data).len() <= data.len());
    }
}
