//! The same packet on every link.

#![cfg(test)]

mod world;

use adit_capture::{Content, Direction, NotIp, PppOn, What};
use world::{LCP, at, ethernet, gre_packet, notes, one, packets, pcap, pptp_gre, read, v6};

/// Link type and frame with the GRE packet, and which way it went.
fn links() -> Vec<(&'static str, u16, Vec<u8>, Option<Direction>)> {
    let packet = gre_packet(3);
    let with = |header: &[u8]| [header, &packet].concat();
    let vlan = |tags: &[u8]| [&[2; 12], tags, &[8, 0], &packet].concat();
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let wifi = |header: &[u8], rest: &[u8]| [header, rest, &snap, &packet].concat();
    let mut data = [0; 24];
    data[0] = 0x08;
    let mut retry = data;
    retry[1] = 0x0a;
    let mut qos = data;
    qos[0] = 0x88;
    let mut bridged = data;
    bridged[1] = 0x03;
    let tap = |octets: &[u8]| [&[0, 0, 4 + octets.len() as u8, 0], octets].concat();
    let cooked_v1 = |kind: u8| [&[0, kind, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0], &packet[..]].concat();
    let cooked_v2 = [&[8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 1, 2, 3, 4, 5, 6, 0, 0], &packet[..]].concat();
    let pppoe = |code: u8| {
        let len = (packet.len() as u16 + 2).to_be_bytes();
        [&[0x11, code, 0, 9, len[0], len[1], 0, 0x21], &packet[..], &[0; 4]].concat()
    };
    let sent = Some(Direction::Sent);
    let received = Some(Direction::Received);
    vec![
        ("Ethernet", 1, ethernet(0x0800, &packet), None),
        ("802.1Q", 1, vlan(&[0x81, 0, 0, 5]), None),
        ("QinQ", 1, vlan(&[0x88, 0xa8, 0, 7, 0x81, 0, 0, 5]), None),
        ("Ethernet with LLC and SNAP", 1, [&[2; 12][..], &[0, 60], &snap, &packet].concat(), None),
        ("PPPoE on Ethernet", 1, ethernet(0x8864, &pppoe(0)), None),
        ("PPPoE", 51, pppoe(0), None),
        ("cooked, received", 113, cooked_v1(0), received),
        ("cooked, sent", 113, cooked_v1(4), sent),
        ("cooked v2", 276, cooked_v2, sent),
        ("raw 12", 12, packet.clone(), None),
        ("raw 14", 14, packet.clone(), None),
        ("raw", 101, packet.clone(), None),
        ("IPv4", 228, packet.clone(), None),
        ("IPv6", 229, v6(4, &packet), None),
        ("NULL, little", 0, with(&[2, 0, 0, 0]), None),
        ("NULL, big", 0, with(&[0, 0, 0, 2]), None),
        ("NULL, IPv6 of macOS", 0, [&[30, 0, 0, 0], &v6(4, &packet)[..]].concat(), None),
        ("LOOP", 108, with(&[0, 0, 0, 2]), None),
        ("PPP", 9, with(&[0xff, 3, 0, 0x21]), None),
        ("PPP, short", 9, with(&[0x21]), None),
        ("PPP in HDLC", 50, with(&[0xff, 3, 0, 0x21]), None),
        ("PPP of pppd, received", 166, with(&[0, 3, 0, 0x21]), received),
        ("PPP of pppd, sent", 166, with(&[1, 3, 0, 0x21]), sent),
        ("PPP with direction, received", 204, with(&[0, 0xff, 3, 0, 0x21]), received),
        ("PPP with direction, sent", 204, with(&[1, 0, 0x21]), sent),
        ("802.11", 105, wifi(&data, &[]), None),
        ("802.11 with QoS", 105, wifi(&qos, &[0, 0]), None),
        ("802.11 between access points", 105, wifi(&bridged, &[0; 6]), None),
        ("802.11 again", 105, wifi(&retry, &[]), None),
        ("radiotap", 127, [tap(&[0, 0, 0, 0]), wifi(&data, &[])].concat(), None),
        (
            "radiotap with time, flags and check sequence",
            127,
            [tap(&[3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x10]), wifi(&data, &[]), vec![0xee; 4]].concat(),
            None,
        ),
        (
            "radiotap with two presence words",
            127,
            [
                tap(&[3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x10]),
                wifi(&data, &[]),
                vec![0xee; 4],
            ]
            .concat(),
            None,
        ),
    ]
}

#[test]
fn the_packet_is_found_on_every_link() {
    for (name, link, frame, direction) in links() {
        let packet = one(link, &frame);
        let gre = match &packet.content {
            Content::Gre(gre) => gre,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!((gre.seq, gre.call_id, &gre.frame[..]), (Some(3), Some(99), LCP), "{name}");
        let network = packet.network.as_ref().unwrap();
        assert_eq!(
            (network.source, network.ttl, network.total),
            (world::ip(world::CLIENT), 64, 44),
            "{name}"
        );
        assert_eq!(packet.direction, direction, "{name}");
        assert_eq!(packet.is_retry, name == "802.11 again");
        let inside = name.contains("IPv6");
        assert_eq!(network.via.len(), usize::from(inside), "{name}: the header around it");
        assert_eq!(network.padding, 0, "{name}");
    }
}

#[test]
fn frames_cut_anywhere_are_read_up_to_the_cut() {
    for (name, link, frame, _) in links() {
        for len in 0..frame.len() {
            let mut file = adit_capture::write::header(link).to_vec();
            adit_capture::write::frame(&mut file, at(0), &frame[..len], frame.len());
            let packets = packets(&read(&file));
            assert_eq!(packets.len(), 1, "{name} cut to {len}");
            assert!(packets[0].is_cut());
            if let Content::Gre(gre) = &packets[0].content {
                assert_eq!(gre.payload_len, LCP.len(), "{name} cut to {len}: the length on the wire");
                assert!(LCP.starts_with(&gre.frame), "{name} cut to {len}");
                assert_eq!(gre.defect, None, "{name} cut to {len}: a cut is no defect of the sender");
            }
        }
    }
}

#[test]
fn padding_is_counted_and_is_no_payload() {
    let mut frame = ethernet(0x0800, &gre_packet(1));
    frame.resize(60, 0xee);
    let packet = one(1, &frame);
    assert_eq!(packet.network.as_ref().unwrap().padding, 2);
    assert_eq!(pptp_gre(&packet).frame, LCP);
}

#[test]
fn what_is_not_ip_is_named() {
    let not_ip = |link, frame: &[u8]| match one(link, frame).content {
        Content::NotIp(kind) => kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(not_ip(1, &ethernet(0x0806, &[0; 28])), NotIp::EtherType(0x0806));
    assert_eq!(not_ip(1, &ethernet(38, &[0x42, 0x42, 3])), NotIp::Llc);
    assert_eq!(not_ip(1, &ethernet(0x8863, &[0x11, 9, 0, 0, 0, 0])), NotIp::PppoeDiscovery);
    assert_eq!(not_ip(105, &[0x80, 0, 0, 0]), NotIp::WifiControl);
    assert_eq!(not_ip(105, &[0x08, 0x40, 0, 0]), NotIp::WifiEncrypted);
    assert_eq!(not_ip(1, &[1, 2, 3]), NotIp::TooShort);
    let lcp = one(1, &ethernet(0x8864, &[&[0x11, 0, 0, 9, 0, 10], &LCP[2..]].concat()));
    assert_eq!(lcp.content, Content::Ppp { on: PppOn::Pppoe { session: 9 }, frame: LCP[2..].to_vec() });
}

#[test]
fn a_link_that_cannot_be_read_is_reported_once() {
    let items = read(&pcap(220, &[vec![0; 64], vec![0; 64]]));
    assert_eq!(packets(&items).len(), 2);
    let notes = notes(&items);
    assert_eq!(notes.len(), 1);
    assert_eq!((notes[0].frame, &notes[0].what), (1, &What::UnknownLink { link: 220 }));
}
