//! IP: fragments, headers in headers, ICMP, DNS, copies.

#![cfg(test)]

mod world;

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use adit_capture::{Answer, Content, INCOMPLETE_MAX, Missing, Upper, What, datagram, write};
use adit_wire::{gre, ipv4};
use world::{
    CLIENT, LCP, SERVER, START, at, gre_of, gre_packet, ip, one, packets, pcap, pptp_gre, read, reported,
    udp, v4, v6,
};

const RAW: u16 = 101;

/// A GRE packet in pieces of at most `mtu` octets.
fn fragments(seq: u32, mtu: usize) -> Vec<Vec<u8>> {
    let frame = [&[0, 0xfd][..], &[seq as u8; 300]].concat();
    let mut packet = v4(CLIENT, SERVER, gre::IP_PROTOCOL, &gre_of(seq, &frame));
    packet[5] = seq as u8;
    let packet = ipv4::Packet::new_checked(&packet).unwrap();
    let mut fragments = ipv4::Fragments::new(packet, mtu).unwrap();
    let mut out = [0; 1500];
    std::iter::from_fn(|| fragments.next_into(&mut out).map(|len| out[..len].to_vec())).collect()
}

#[test]
fn fragments_in_any_order_make_the_packet() {
    let pieces = fragments(5, 124);
    assert_eq!(pieces.len(), 4);
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let frames: Vec<_> = order.iter().map(|n| pieces[*n].clone()).collect();
        let items = read(&pcap(RAW, &frames));
        let packets = packets(&items);
        assert_eq!(reported(&items), []);
        let gre = pptp_gre(&packets[3]);
        assert_eq!((gre.seq, gre.frame.len(), gre.payload_len, gre.defect), (Some(5), 302, 302, None));
        let network = packets[3].network.as_ref().unwrap();
        assert_eq!((network.total, &network.fragments[..]), (334, &[1, 2, 3, 4][..]));
        assert!(matches!(packets[0].content, Content::Fragment { .. }));
    }
}

#[test]
fn the_missing_fragment_is_named() {
    let pieces = fragments(5, 124);
    let cases = [
        (vec![1, 2, 3], Missing::First),
        (vec![0, 1, 2], Missing::Last),
        (vec![0, 1, 3], Missing::Middle),
        (vec![1, 2], Missing::FirstAndLast),
    ];
    for (kept, expected) in cases {
        let frames: Vec<_> = kept.iter().map(|n| pieces[*n].clone()).collect();
        let reported = reported(&read(&pcap(RAW, &frames)));
        let [What::Fragments { missing, frames, source, beginning, .. }] = &reported[..] else {
            panic!("{reported:?}")
        };
        assert_eq!((*missing, frames.len(), *source), (expected, kept.len(), ip(CLIENT)));
        let upper = beginning.map(|beginning| beginning.upper);
        let is_known = kept[0] == 0;
        assert_eq!(upper, is_known.then_some(Upper::Gre { call_id: 99, payload: 302 }));
    }
}

#[test]
fn fragments_are_given_up_after_a_minute_and_when_there_are_too_many() {
    let mut file = write::header(RAW).to_vec();
    let piece = &fragments(1, 124)[0];
    write::frame(&mut file, START, piece, piece.len());
    let later = gre_packet(1);
    write::frame(&mut file, START + Duration::from_secs(61), &later, later.len());
    let items = read(&file);
    assert!(
        matches!(items[1], adit_capture::Item::Note(_)),
        "reported before the packet that shows how late it is"
    );

    let firsts: Vec<_> = (0..INCOMPLETE_MAX + 10).map(|n| fragments(n as u32, 124).swap_remove(0)).collect();
    let reported = reported(&read(&pcap(RAW, &firsts)));
    let full = reported.iter().filter(|what| matches!(what, What::Full { .. })).count();
    assert_eq!((full, reported.len() - full), (1, INCOMPLETE_MAX + 10));
}

#[test]
fn fragments_of_ipv6_and_of_a_tunnel() {
    let inner = gre_packet(9);
    let fragment = |offset: u16, more: bool, data: &[u8]| {
        let place = offset | u16::from(more);
        let header = [&[4, 0][..], &place.to_be_bytes(), &[0, 0, 0, 77]].concat();
        v6(44, &[&header, data].concat())
    };
    let frames = [fragment(0, true, &inner[..24]), fragment(24, false, &inner[24..])];
    let packets = packets(&read(&pcap(RAW, &frames)));
    assert_eq!(pptp_gre(&packets[1]).frame, LCP);
    let network = packets[1].network.as_ref().unwrap();
    let server = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    assert_eq!(network.via, [(Ipv6Addr::LOCALHOST.into(), server.into())]);
    assert_eq!(network.fragments, [1, 2]);
    assert_eq!(network.destination, ip(SERVER));
}

#[test]
fn extension_headers_and_tunnels_are_walked() {
    let options = [&[4, 0, 1, 4, 0, 0, 0, 0][..], &gre_packet(1)].concat();
    let hop_by_hop = v6(0, &[&[60, 0, 1, 4, 0, 0, 0, 0][..], &options].concat());
    assert_eq!(pptp_gre(&one(RAW, &hop_by_hop)).seq, Some(1));
    let mut nested = gre_packet(2);
    for _ in 0..3 {
        nested = v4(SERVER, CLIENT, 4, &nested);
    }
    let packet = one(RAW, &v4(SERVER, CLIENT, 41, &v6(4, &nested)));
    let network = packet.network.as_ref().unwrap();
    assert_eq!((network.via.len(), network.protocol), (4, 4), "no deeper than the bound");
}

#[test]
fn wrong_lengths_are_clamped() {
    let mut packet = gre_packet(1);
    packet[2..4].copy_from_slice(&14_373u16.to_be_bytes());
    let packet = one(RAW, &packet);
    assert_eq!(packet.network.as_ref().unwrap().total, 44);
    assert_eq!(pptp_gre(&packet).frame, LCP);
    assert_eq!(packet.network.as_ref().unwrap().header_sum, Some(false));

    let mut offloaded = gre_packet(1);
    offloaded[2..4].fill(0);
    assert_eq!(one(RAW, &offloaded).network.unwrap().total, 44);
}

#[test]
fn gre_that_breaks_a_rule_is_read_and_the_rule_is_named() {
    let with = |gre: &[u8]| one(RAW, &v4(CLIENT, SERVER, 47, gre));
    let defect = |gre: &[u8]| pptp_gre(&with(gre)).defect.unwrap().field;
    assert_eq!(defect(&[0x20, 1, 0x88, 0x0b, 0, 2, 0, 9, 0xc0, 0x21]), "Sequence Number");
    assert_eq!(defect(&[0x30, 1, 0x88, 0x0b, 0, 0, 0, 9, 0, 0, 0, 1]), "Payload Length");
    assert_eq!(defect(&[0x30, 1, 0x88, 0x0b, 0, 9, 0, 9, 0, 0, 0, 1, 0xc0]), "Payload Length");
    let no_key = with(&[0x10, 1, 0x88, 0x0b, 0, 0, 0, 1, 0xc0, 0x21]);
    assert_eq!(pptp_gre(&no_key).defect.unwrap().field, "Flags and Version");
    assert_eq!((pptp_gre(&no_key).call_id, pptp_gre(&no_key).payload_len), (None, 2));
    let checksum = with(&[0xb0, 1, 0x88, 0x0b, 1, 2, 0, 0, 0, 2, 0, 9, 0, 0, 0, 1, 0xc0, 0x21]);
    assert_eq!((pptp_gre(&checksum).call_id, pptp_gre(&checksum).seq), (Some(9), Some(1)));
    let plain = with(&[0, 0, 8, 0, 0x45]);
    assert_eq!(plain.content, Content::OtherGre { version: 0, protocol: 0x0800 });
}

#[test]
fn icmp_errors_contain_the_packet_they_are_about() {
    let quote = &gre_packet(1)[..28];
    let unreachable = v4(SERVER, CLIENT, 1, &[&[3, 2, 0, 0, 0, 0, 0, 0][..], quote].concat());
    let Content::Icmp(icmp) = one(RAW, &unreachable).content else { panic!() };
    assert_eq!((icmp.kind, icmp.code, icmp.mtu), (3, 2, None));
    let quoted = icmp.quoted.unwrap();
    assert_eq!((quoted.source, quoted.total), (ip(CLIENT), 44));
    assert_eq!(quoted.upper, Upper::Gre { call_id: 99, payload: 12 });
    assert_eq!(quoted.to_string(), "PPTP GRE 192.0.2.2 > 203.0.113.1 call 99, 44 octets");

    let too_big = v4(SERVER, CLIENT, 1, &[&[3, 4, 0, 0, 0, 0, 5, 0x14][..], quote].concat());
    let Content::Icmp(icmp) = one(RAW, &too_big).content else { panic!() };
    assert_eq!(icmp.mtu, Some(1300));
    let echo = v4(SERVER, CLIENT, 1, &[8, 0, 0, 0, 0, 1, 0, 1]);
    let Content::Icmp(icmp) = one(RAW, &echo).content else { panic!() };
    assert_eq!(icmp.quoted, None);
    let v6_error = v6(58, &[&[2, 0, 0, 0, 0, 0, 5, 0][..], &v6(47, &gre_of(1, LCP))].concat());
    let Content::Icmp(icmp) = one(RAW, &v6_error).content else { panic!() };
    assert_eq!((icmp.v6, icmp.mtu), (true, Some(1280)));
    assert!(matches!(icmp.quoted.unwrap().upper, Upper::Gre { .. }));
}

/// A DNS message about `vpn.example`, with records given as (type, data).
fn dns(flags: u16, kind: u16, records: &[(u16, &[u8])]) -> Vec<u8> {
    let counts = [0x1234, flags, 1, records.len() as u16, 0, 0];
    let mut message = counts.map(u16::to_be_bytes).concat();
    message.extend(b"\x03vpn\x07example\0");
    message.extend([kind, 1].map(u16::to_be_bytes).concat());
    for (kind, data) in records {
        message.extend([0xc00c, *kind, 1, 0, 60, data.len() as u16].map(u16::to_be_bytes).concat());
        message.extend(*data);
    }
    message
}

#[test]
fn dns_queries_and_answers_are_decoded() {
    let ask = |message: &[u8]| match one(RAW, &v4(SERVER, CLIENT, 17, &udp(53, 4000, message))).content {
        Content::Dns(dns) => dns,
        other => panic!("{other:?}"),
    };
    let query = ask(&dns(0x0100, 28, &[]));
    assert_eq!((query.name.as_str(), query.kind, query.is_response), ("vpn.example", 28, false));
    assert_eq!(ask(&dns(0x8183, 1, &[])).rcode, 3);
    let answer =
        ask(&dns(0x8180, 1, &[(5, b"\x03srv\xc0\x10"), (1, &[203, 0, 113, 1]), (16, b"x"), (28, &[0; 16])]));
    assert_eq!(answer.answers[0], Answer::Alias("srv.example".to_owned()));
    assert_eq!(answer.answers[2], Answer::Other(16));
    let addresses: Vec<IpAddr> = answer.addresses().collect();
    assert_eq!(addresses, [ip(SERVER), Ipv6Addr::UNSPECIFIED.into()]);
    // A name that refers to itself.
    let mut looped = dns(0x8180, 1, &[(5, b"\xc0\x00")]);
    let at = looped.len() - 1;
    looped[at] = at as u8 - 1;
    assert_eq!(ask(&looped).answers, []);
}

#[test]
fn the_same_packet_within_a_millisecond_was_captured_twice() {
    let mut file = write::header(RAW).to_vec();
    let packet = gre_packet(1);
    let mut forwarded = packet.clone();
    forwarded[8] -= 1;
    forwarded[10] = 0;
    let micros = [0u64, 100, 900, 5000];
    for (packet, micros) in [&packet, &forwarded, &gre_packet(2), &packet].into_iter().zip(micros) {
        write::frame(&mut file, START + Duration::from_micros(micros), packet, packet.len());
    }
    let copies: Vec<_> = packets(&read(&file)).iter().map(|packet| packet.duplicate_of).collect();
    assert_eq!(copies, [None, Some(1), None, None]);
}

#[test]
fn a_packet_from_inside_the_tunnel_is_decoded_alone() {
    let (network, content) = datagram(&v4(CLIENT, SERVER, 17, &udp(4000, 53, &dns(0x0100, 1, &[]))));
    assert_eq!(network.unwrap().source, ip(CLIENT));
    assert!(matches!(content, Content::Dns(_)));
    assert!(matches!(datagram(&[]).1, Content::Broken(_)));
    assert!(matches!(datagram(&fragments(1, 124)[1]).1, Content::Fragment { offset: 104, .. }));
}

#[test]
fn time_that_goes_back_is_reported_once() {
    let mut file = write::header(RAW).to_vec();
    for n in [9usize, 800, 3, 900, 4] {
        let packet = gre_packet(n as u32);
        write::frame(&mut file, at(n), &packet, packet.len());
    }
    assert_eq!(reported(&read(&file)), [What::TimeGoesBack]);
}
