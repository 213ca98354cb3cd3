use proptest::prelude::*;

use super::*;

const REPR: Repr = Repr {
    src: Ipv4Addr::new(10, 0, 0, 2),
    dst: Ipv4Addr::new(192, 0, 2, 1),
    protocol: UDP,
    tos: 0,
    identification: 0x1234,
    dont_fragment: false,
    ttl: 64,
    payload_len: 8,
};

fn packet(repr: Repr) -> Vec<u8> {
    let mut octets = repr.emit().to_vec();
    octets.extend((0..repr.payload_len).map(|n| n as u8));
    octets
}

/// Reassembles fragments.
fn join(fragments: &[Vec<u8>]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (n, octets) in fragments.iter().enumerate() {
        let fragment = Packet::new_checked(octets).unwrap();
        assert!(fragment.checksum_is_right());
        assert_eq!(fragment.fragment_offset(), payload.len());
        assert_eq!(fragment.more_fragments(), n + 1 < fragments.len());
        payload.extend_from_slice(fragment.payload());
    }
    payload
}

fn cut(octets: &[u8], mtu: usize) -> Option<Vec<Vec<u8>>> {
    let mut fragments = Fragments::new(Packet::new_checked(octets).unwrap(), mtu)?;
    let mut out = Vec::new();
    let mut buffer = [0; 2000];
    while let Some(len) = fragments.next_into(&mut buffer) {
        assert!(len <= mtu);
        out.push(buffer[..len].to_vec());
    }
    Some(out)
}

#[test]
fn a_packet_has_the_length_of_its_payload() {
    let header = Repr::new(REPR.src, REPR.dst, UDP);
    for len in [0, 1, 1400, 65_515, 65_516, 70_000] {
        let payload: Vec<u8> = (0..len).map(|n| n as u8).collect();
        let octets = Repr { payload_len: 3, ..header }.packet(&payload);
        let packet = Packet::new_checked(&octets).unwrap();
        assert!(packet.checksum_is_right());
        assert_eq!((packet.src(), packet.dst(), packet.protocol()), (REPR.src, REPR.dst, UDP));
        assert_eq!((packet.ttl(), packet.dont_fragment(), packet.is_fragment()), (64, false, false));
        assert_eq!(packet.payload(), &payload[..len.min(65_515)]);
        assert_eq!(octets.len(), HEADER_MIN + packet.payload().len());
    }
}

#[test]
fn a_header_is_read_back() {
    let octets = packet(REPR);
    let read = Packet::new_checked(&octets).unwrap();
    assert!(read.checksum_is_right());
    assert_eq!((read.src(), read.dst(), read.protocol(), read.ttl()), (REPR.src, REPR.dst, UDP, 64));
    assert_eq!((read.identification(), read.dont_fragment(), read.is_fragment()), (0x1234, false, false));
    assert_eq!(read.payload(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(read.to_string(), "10.0.0.2 > 192.0.2.1 protocol 17, 28 octets");
}

#[test]
fn lengths_that_lie_are_refused() {
    for (at, value, field) in
        [(0, 0x65, "Version"), (0, 0x44, "IHL"), (3, 19, "Total Length"), (2, 1, "Total Length")]
    {
        let mut octets = packet(REPR);
        octets[at] = value;
        assert_eq!(Packet::new_checked(&octets).unwrap_err().field, field);
    }
    assert_eq!(Packet::new_checked(&packet(REPR)[..19]).unwrap_err().field, "header");
}

#[test]
fn c068_options_move_the_payload() {
    let mut octets = packet(REPR);
    octets[0] = 0x46;
    assert_eq!(Packet::new_checked(&octets).unwrap().payload(), [4, 5, 6, 7]);
    octets[0] = 0x47;
    assert!(Packet::new_checked(&octets).unwrap().payload().is_empty());
    octets[0] = 0x48;
    assert!(Packet::new_checked(&octets).is_err());
}

#[test]
fn fragments_keep_the_payload() {
    let octets = packet(Repr { payload_len: 1000, ..REPR });
    let fragments = cut(&octets, 500).unwrap();
    assert_eq!(fragments.iter().map(Vec::len).collect::<Vec<_>>(), [500, 500, 60]);
    assert_eq!(join(&fragments), octets[20..]);
}

#[test]
fn fragments_of_a_fragment() {
    let mut octets = packet(Repr { payload_len: 64, ..REPR });
    octets[6] = 0x20;
    octets[7] = 5;
    let fragments = cut(&octets, 52).unwrap();
    let offsets: Vec<_> =
        fragments.iter().map(|octets| Packet::new_checked(octets).unwrap().fragment_offset()).collect();
    assert_eq!(offsets, [40, 72]);
    assert!(fragments.iter().all(|octets| Packet::new_checked(octets).unwrap().more_fragments()));
}

#[test]
fn only_options_that_ask_for_it_are_copied() {
    let mut octets = packet(Repr { payload_len: 108, ..REPR });
    // Record Route (7), No Operation, then Stream Identifier (0x88), which must be copied.
    octets[20..32].copy_from_slice(&[7, 4, 4, 0, 1, 0x88, 4, 9, 9, 0, 0, 0]);
    octets[0] = 0x48;
    let fragments = cut(&octets, 80).unwrap();
    assert_eq!(fragments[0][..2], octets[..2]);
    assert_eq!(fragments[0][20..32], octets[20..32]);
    assert_eq!(fragments[1][0], 0x46);
    assert_eq!(fragments[1][20..24], [0x88, 4, 9, 9]);
    assert_eq!(join(&fragments), octets[32..]);
}

#[test]
fn no_fragments_where_none_may_be() {
    assert!(cut(&packet(Repr { dont_fragment: true, ..REPR }), 500).is_none());
    assert!(cut(&packet(REPR), 27).is_none());
    assert_eq!(cut(&packet(REPR), 28).unwrap(), [packet(REPR)]);
}

proptest! {
    #[test]
    fn any_octets_parse_or_are_refused(mut octets in proptest::collection::vec(any::<u8>(), 0..120), mtu in 0usize..100) {
        if let Some(first) = octets.first_mut() {
            *first = 0x40 | *first & 0x0f;
        }
        if octets.len() > 4 {
            octets[2] = 0;
        }
        if let Ok(packet) = Packet::new_checked(&octets) {
            let _ = (packet.payload(), packet.to_string(), packet.checksum_is_right());
            if let Some(mut fragments) = Fragments::new(packet, mtu) {
                let mut buffer = [0; 120];
                while fragments.next_into(&mut buffer).is_some() {}
            }
        }
    }

    #[test]
    fn any_packet_survives_fragments(payload_len in 1u16..1500, mtu in 28usize..600) {
        let octets = packet(Repr { payload_len, ..REPR });
        let fragments = cut(&octets, mtu).unwrap();
        prop_assert_eq!(join(&fragments), &octets[20..]);
    }
}
