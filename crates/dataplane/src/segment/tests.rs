use std::net::Ipv4Addr;

use adit_wire::checksum;
use proptest::prelude::*;

use super::*;

const SRC: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const DST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// A TCP super-packet with `len` octets of data and 12 octets of options; the checksum is incomplete, as the
/// kernel leaves it.
fn tcp_v4(len: usize, flags: u8) -> Vec<u8> {
    let mut segment = vec![0x10, 0, 0, 80, 0xff, 0xff, 0xff, 0x00, 0, 0, 0, 1, 0x80, flags, 1, 0, 0, 0, 0, 0];
    segment.extend([1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8]);
    segment.extend((0..len).map(|n| n as u8));
    let header = ipv4::Repr::new(SRC, DST, ipv4::TCP);
    ipv4::Repr { identification: 0xfffe, dont_fragment: true, ..header }.packet(&segment)
}

fn tcp_v6(len: usize) -> Vec<u8> {
    let segment = tcp_v4(len, tcp::ACK)[20..].to_vec();
    let header = ipv6::Repr {
        src: "fe80::1".parse().unwrap(),
        dst: "fe80::2".parse().unwrap(),
        next_header: ipv4::TCP,
        hop_limit: 64,
        payload_len: segment.len() as u16,
    };
    [&header.emit()[..], &segment].concat()
}

fn header(gso: Gso, gso_size: u16) -> VnetHeader {
    VnetHeader { needs_checksum: true, gso, gso_size, ..VnetHeader::default() }
}

fn cut(header: VnetHeader, packet: &[u8]) -> Vec<Vec<u8>> {
    let mut segments = Segments::new(header, packet).unwrap();
    let mut out = Vec::new();
    let mut buffer = vec![0; 70_000];
    while let Some(len) = segments.next_into(&mut buffer) {
        out.push(buffer[..len].to_vec());
    }
    out
}

fn transport_sum(packet: &[u8], protocol: u8) -> u16 {
    if packet[0] >> 4 == 4 {
        let ip = ipv4::Packet::new_checked(packet).unwrap();
        let len = ip.payload().len() as u16;
        Sum::default().pseudo_v4(ip.src(), ip.dst(), protocol, len).with(ip.payload()).finish()
    } else {
        let ip = ipv6::Packet::new_checked(packet).unwrap();
        let len = ip.payload().len() as u32;
        Sum::default().pseudo_v6(ip.src(), ip.dst(), protocol, len).with(ip.payload()).finish()
    }
}

#[test]
fn tcp_is_cut_as_a_network_card_would() {
    let whole = tcp_v4(3000, tcp::ACK | tcp::PSH | tcp::FIN | tcp::CWR);
    let packets = cut(header(Gso::TcpV4, 1348), &whole);
    assert_eq!(packets.iter().map(Vec::len).collect::<Vec<_>>(), [1400, 1400, 52 + 304]);
    let mut data = Vec::new();
    for (n, octets) in packets.iter().enumerate() {
        let ip = ipv4::Packet::new_checked(octets).unwrap();
        assert!(ip.checksum_is_right());
        assert_eq!(ip.identification(), 0xfffe_u16.wrapping_add(n as u16));
        assert_eq!(transport_sum(octets, ipv4::TCP), 0);
        let segment = tcp::Packet::new_checked(ip.payload()).unwrap();
        assert_eq!(segment.seq(), 0xffff_ff00_u32.wrapping_add(data.len() as u32));
        let expected = match n {
            0 => tcp::ACK | tcp::CWR,
            1 => tcp::ACK,
            _ => tcp::ACK | tcp::PSH | tcp::FIN,
        };
        assert_eq!(segment.flags(), expected);
        data.extend_from_slice(segment.payload());
    }
    assert_eq!(data, whole[52..]);
}

#[test]
fn tcp_over_ipv6_is_cut() {
    let whole = tcp_v6(2500);
    let packets = cut(header(Gso::TcpV6, 1000), &whole);
    assert_eq!(packets.iter().map(Vec::len).collect::<Vec<_>>(), [1072, 1072, 572]);
    assert!(packets.iter().all(|packet| transport_sum(packet, ipv4::TCP) == 0));
}

#[test]
fn udp_is_cut_into_datagrams() {
    let whole = udp::datagram_v4((SRC, 1), (DST, 2), &[7; 2500]);
    let packets = cut(header(Gso::Udp, 1200), &whole);
    let lens: Vec<_> = packets
        .iter()
        .map(|octets| {
            let ip = ipv4::Packet::new_checked(octets).unwrap();
            assert_eq!(transport_sum(octets, ipv4::UDP), 0);
            udp::Packet::new_checked(ip.payload()).unwrap().payload().len()
        })
        .collect();
    assert_eq!(lens, [1200, 1200, 100]);
}

#[test]
fn a_super_packet_of_one_piece_and_of_none() {
    assert_eq!(cut(header(Gso::TcpV4, 1400), &tcp_v4(100, tcp::ACK)).len(), 1);
    let empty = cut(header(Gso::TcpV4, 1400), &tcp_v4(0, tcp::ACK));
    assert_eq!(empty.iter().map(Vec::len).collect::<Vec<_>>(), [52]);
    assert_eq!(cut(header(Gso::TcpV4, 100), &tcp_v4(200, tcp::ACK)).len(), 2, "no empty last piece");
}

#[test]
fn what_is_not_as_announced_is_refused() {
    let packet = tcp_v4(100, tcp::ACK);
    for (gso, size) in [(Gso::TcpV4, 0), (Gso::Udp, 10), (Gso::None, 10), (Gso::Unknown(3), 10)] {
        assert!(Segments::new(header(gso, size), &packet).is_none());
    }
    assert!(Segments::new(header(Gso::TcpV4, 10), &packet[..60]).is_none());
    assert!(Segments::new(header(Gso::TcpV4, 10), &[]).is_none());
}

#[test]
fn a_checksum_is_completed() {
    let mut packet = udp::datagram_v4((SRC, 1), (DST, 2), b"abc");
    let right = packet[26..28].to_vec();
    let partial = Sum::default().pseudo_v4(SRC, DST, ipv4::UDP, 11).partial();
    packet[26..28].copy_from_slice(&partial.to_be_bytes());
    let header =
        VnetHeader { needs_checksum: true, checksum_start: 20, checksum_offset: 6, ..VnetHeader::default() };
    assert!(complete_checksum(header, &mut packet));
    assert_eq!(packet[26..28], right);
    assert!(!complete_checksum(VnetHeader { checksum_start: 30, ..header }, &mut packet));
    assert!(!complete_checksum(VnetHeader { checksum_start: 9999, ..header }, &mut packet));
    assert!(complete_checksum(VnetHeader::default(), &mut []));
    assert_eq!(checksum::of(&packet[..20]), 0);
}

proptest! {
    #[test]
    fn any_packet_is_cut_or_refused(
        mut octets in proptest::collection::vec(any::<u8>(), 0..200),
        version in prop_oneof![Just(0x45u8), Just(0x60), any::<u8>()],
        size: u16,
        kind in 0u8..4,
    ) {
        if octets.len() > 9 {
            let len = octets.len() as u16;
            octets[0] = version;
            (octets[2], octets[3]) = (0, len as u8);
            (octets[4], octets[5]) = (0, (len as u8).saturating_sub(40));
            octets[6] = 6;
            octets[9] = 6;
        }
        let gso = [Gso::TcpV4, Gso::TcpV6, Gso::Udp, Gso::None][usize::from(kind)];
        if let Some(mut segments) = Segments::new(header(gso, size), &octets) {
            let mut buffer = [0; 300];
            let mut n = 0;
            while segments.next_into(&mut buffer).is_some() {
                n += 1;
                prop_assert!(n <= 200);
            }
        }
    }
}
