use proptest::prelude::*;

use super::*;

const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

fn ipv4_packet(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let (src, dst) = (Ipv4Addr::new(192, 0, 2, 7), Ipv4Addr::new(10, 0, 0, 9));
    let header = ipv4::Repr { identification: 1, dont_fragment: true, ..ipv4::Repr::new(src, dst, protocol) };
    header.packet(payload)
}

fn answer(original: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    fragmentation_needed(ipv4::Packet::new_checked(original).unwrap(), 1400, ROUTER, &mut out).then_some(out)
}

#[test]
fn a_message_has_a_right_checksum() {
    let octets = echo_request(0x1234, 9, &[0x55; 21]);
    assert_eq!((octets.len(), &octets[..2], &octets[4..8]), (29, &[8, 0][..], &[0x12, 0x34, 0, 9][..]));
    assert_eq!(octets[8..], [0x55; 21]);
    assert!(Packet::new_checked(&octets).is_ok());
    let octets = message(UNREACHABLE, 13, [1, 2, 3, 4], &[]);
    assert_eq!((octets.len(), &octets[..2], &octets[4..]), (8, &[3, 13][..], &[1, 2, 3, 4][..]));
    assert!(Packet::new_checked(&octets).is_ok());
}

#[test]
fn c090_fragmentation_needed_quotes_the_packet_and_names_the_mtu() {
    let original = ipv4_packet(6, &[9; 1480]);
    let octets = answer(&original).unwrap();
    let ip = ipv4::Packet::new_checked(&octets).unwrap();
    assert!(ip.checksum_is_right());
    assert_eq!((ip.src(), ip.dst(), ip.protocol()), (ROUTER, Ipv4Addr::new(192, 0, 2, 7), ipv4::ICMP));
    let icmp = Packet::new_checked(ip.payload()).unwrap();
    assert_eq!((icmp.kind(), icmp.code(), icmp.mtu()), (3, 4, 1400));
    assert_eq!(icmp.payload(), &original[..28]);
    assert_eq!(icmp.to_string(), "ICMP 3/4");
}

#[test]
fn no_error_about_errors_fragments_or_many_hosts() {
    assert!(answer(&ipv4_packet(1, &[ECHO_REQUEST, 0, 0, 0, 0, 0, 0, 0])).is_some());
    assert!(answer(&ipv4_packet(1, &[UNREACHABLE, 0, 0, 0, 0, 0, 0, 0])).is_none());
    assert!(answer(&ipv4_packet(1, &[])).is_none());
    let mut fragment = ipv4_packet(6, &[0; 100]);
    fragment[7] = 1;
    assert!(answer(&fragment).is_none());
    for (at, first) in [(12, 0), (12, 127), (12, 224), (12, 255), (16, 224), (16, 255)] {
        let mut octets = ipv4_packet(6, &[0; 100]);
        octets[at..at + 4].copy_from_slice(&[first; 4]);
        assert!(answer(&octets).is_none(), "{first} at {at}");
    }
}

fn ipv6_packet(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let repr = ipv6::Repr {
        src: "2001:db8::1".parse().unwrap(),
        dst: "2001:db8::2".parse().unwrap(),
        next_header,
        hop_limit: 64,
        payload_len: payload.len() as u16,
    };
    [&repr.emit()[..], payload].concat()
}

fn answer_v6(original: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let from = "fe80::9".parse().unwrap();
    packet_too_big(ipv6::Packet::new_checked(original).unwrap(), 1400, from, &mut out).then_some(out)
}

#[test]
fn c090_packet_too_big_has_a_right_checksum_and_fits_every_link() {
    let original = ipv6_packet(6, &[9; 1460]);
    let octets = answer_v6(&original).unwrap();
    assert_eq!(octets.len(), 1280);
    let ip = ipv6::Packet::new_checked(&octets).unwrap();
    assert_eq!((ip.dst(), ip.next_header()), ("2001:db8::1".parse().unwrap(), ipv6::ICMPV6));
    let message = ip.payload();
    let sum = checksum::Sum::default().pseudo_v6(ip.src(), ip.dst(), 58, message.len() as u32);
    assert_eq!(sum.with(message).finish(), 0);
    assert_eq!(message[..2], [2, 0]);
    assert_eq!(message[4..8], 1400u32.to_be_bytes());
    assert_eq!(message[8..], original[..1232]);
}

#[test]
fn no_icmpv6_error_about_errors() {
    assert!(answer_v6(&ipv6_packet(58, &[128, 0, 0, 0])).is_some());
    for kind in [1, 2, 127, 137] {
        assert!(answer_v6(&ipv6_packet(58, &[kind, 0, 0, 0])).is_none());
    }
    let mut octets = ipv6_packet(6, &[0; 20]);
    octets[8..24].fill(0);
    assert!(answer_v6(&octets).is_none());
}

#[test]
fn a_wrong_checksum_is_no_message() {
    let octets = answer(&ipv4_packet(6, &[0; 100])).unwrap();
    let mut message = octets[20..].to_vec();
    message[9] ^= 1;
    assert_eq!(Packet::new_checked(&message).unwrap_err().field, "Checksum");
    assert_eq!(Packet::new_checked(&message[..7]).unwrap_err().field, "header");
}

proptest! {
    #[test]
    fn any_packet_is_answered_or_not(mut octets in proptest::collection::vec(any::<u8>(), 0..120)) {
        let mut out = Vec::new();
        if let Ok(packet) = ipv6::Packet::new_checked(&octets) {
            packet_too_big(packet, 1400, Ipv6Addr::LOCALHOST, &mut out);
        }
        if let Some(first) = octets.first_mut() {
            *first = 0x45;
        }
        if let Ok(packet) = ipv4::Packet::new_checked(&octets) {
            fragmentation_needed(packet, 1400, ROUTER, &mut out);
        }
        let _ = Packet::new_checked(&octets).map(|packet| packet.to_string());
    }
}
