//! Tests of packet sizes.

use super::*;

/// Octets of information in a sent frame.
fn information(packet: &[u8]) -> usize {
    let packet = adit_wire::gre::Packet::new_checked(packet).unwrap();
    adit_wire::ppp::frame(packet.payload()).unwrap().1.len()
}

#[test]
fn c091_syn_and_syn_ack_are_clamped_both_ways() {
    for flags in [tcp::SYN, tcp::SYN | tcp::ACK] {
        let mut end = server();
        end.ip(&tcp_segment(HOST, CLIENT, flags, 1460));
        let sent = end.sent();
        let inner = &sent[0][16..];
        assert_eq!(mss_of(inner), 1360);
        assert!(tcp_is_right(inner));
        end.gre(&packet(0, &clear(&tcp_segment(CLIENT, HOST, flags, 1460))));
        assert_eq!(mss_of(&end.out.ip[0]), 1360);
        assert!(tcp_is_right(&end.out.ip[0]));
        end.gre(&packet(1, &clear(&tcp_segment(CLIENT, HOST, flags, 1200))));
        assert_eq!(mss_of(&end.out.ip[1]), 1200);
    }
    let mut end = server();
    end.gre(&packet(0, &clear(&tcp_segment(CLIENT, HOST, tcp::ACK, 1460))));
    assert_eq!(mss_of(&end.out.ip[0]), 1460, "only a SYN announces a size");
    for (max, expected) in [(1300, 1300), (1450, 1360)] {
        let mut end = End::new(PathConfig { max_mss: Some(max), ..config() });
        end.command(PathCommand::Network(Some(network())));
        end.gre(&packet(0, &clear(&tcp_segment(CLIENT, HOST, tcp::SYN, 1460))));
        assert_eq!(mss_of(&end.out.ip[0]), expected, "never more than what fits");
    }
    let mut end = End::new(PathConfig { max_mss: None, ..config() });
    end.command(PathCommand::Network(Some(network())));
    end.gre(&packet(0, &clear(&tcp_segment(CLIENT, HOST, tcp::SYN, 1460))));
    assert_eq!(mss_of(&end.out.ip[0]), 1460);
}

#[test]
fn c091_the_clamp_follows_the_mru_of_the_peer() {
    let (mut server, mut client) = encrypted_pair();
    server.command(PathCommand::Link { peer_mru: 1000, pfc: false, acfc: false });
    server.ip(&tcp_segment(HOST, CLIENT, tcp::SYN, 1460));
    client.gre(&server.sent()[0]);
    assert_eq!(mss_of(&client.out.ip[0]), 1000 - 4 - 40);
}

#[test]
fn c107_c199_no_frame_is_larger_than_the_peers_mru() {
    for (peer_mru, largest) in [(1000, 996), (1400, 1396), (1500, 1400), (128, 124)] {
        let (mut end, _) = encrypted_pair();
        end.command(PathCommand::Link { peer_mru, pfc: false, acfc: false });
        assert_eq!(end.path.mtu(), largest);
        end.ip(&pong(0, usize::from(largest)));
        let sent = end.sent();
        assert_eq!(information(&sent[0]), usize::from(largest) + 4);
        assert!(information(&sent[0]) <= usize::from(peer_mru));
        end.ip(&pong(0, usize::from(largest) + 1));
        assert!(end.sent().is_empty());
        assert_eq!(end.counters().too_big, 1);
    }
    let mut end = server();
    end.command(PathCommand::Link { peer_mru: 1000, pfc: false, acfc: false });
    end.ip(&pong(0, 1000));
    assert_eq!(information(&end.sent()[0]), 1000);
}

#[test]
fn c090_too_big_with_df_is_answered_to_the_sender() {
    let mut end = server();
    let big = ipv4_packet(HOST, CLIENT, ipv4::UDP, &[0; 1400]);
    end.ip(&big);
    assert!(end.sent().is_empty());
    let ip = ipv4::Packet::new_checked(&end.out.ip[0]).unwrap();
    assert_eq!((ip.src(), ip.dst()), (CLIENT, HOST));
    let answer = icmp::Packet::new_checked(ip.payload()).unwrap();
    assert_eq!((answer.kind(), answer.code(), answer.mtu()), (3, 4, 1400));
    assert_eq!(answer.payload(), &big[..28]);
    // An ICMP error that is too large itself is dropped silently.
    let mut error = vec![0; 1400];
    error[0] = icmp::UNREACHABLE;
    end.ip(&ipv4_packet(HOST, CLIENT, ipv4::ICMP, &error));
    assert_eq!((end.out.ip.len(), end.counters().too_big), (1, 2));
}

#[test]
fn c090_a_narrow_path_outside_lowers_the_tunnel_mtu() {
    let mut end = server();
    end.command(PathCommand::Mtu(1200));
    end.ip(&ipv4_packet(HOST, CLIENT, ipv4::UDP, &[0; 1300]));
    let ip = ipv4::Packet::new_checked(&end.out.ip[0]).unwrap();
    assert_eq!(icmp::Packet::new_checked(ip.payload()).unwrap().mtu(), 1200);
    end.command(PathCommand::Mtu(1300));
    assert_eq!(end.path.mtu(), 1200, "never raised");
}

#[test]
fn too_big_without_df_is_sent_in_fragments() {
    let (mut server, mut client) = encrypted_pair();
    let payload: Vec<u8> = (0..4000u16).map(|n| n as u8).collect();
    let mut big = ipv4_packet(HOST, CLIENT, ipv4::UDP, &payload);
    big[6] = 0;
    let sum = {
        big[10..12].fill(0);
        checksum::of(&big[..20])
    };
    big[10..12].copy_from_slice(&sum.to_be_bytes());
    server.ip(&big);
    let sent = server.sent();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|packet| information(packet) <= 1404));
    for packet in &sent {
        client.gre(packet);
    }
    let mut joined = Vec::new();
    for octets in &client.out.ip {
        let fragment = ipv4::Packet::new_checked(octets).unwrap();
        assert!(fragment.checksum_is_right());
        assert_eq!(fragment.fragment_offset(), joined.len());
        joined.extend_from_slice(fragment.payload());
    }
    assert_eq!(joined, payload);
    assert_eq!((server.counters().fragmented, server.counters().tx_packets), (1, 3));
}

#[test]
fn c108_larger_packets_from_the_peer_are_taken() {
    let mut end = server();
    end.gre(&packet(0, &clear(&ping(0, 1500))));
    assert_eq!(end.out.ip, [ping(0, 1500)]);
}

#[test]
fn an_mru_too_small_for_any_packet_stops_packets_only() {
    let mut end = server();
    end.command(PathCommand::Link { peer_mru: 0, pfc: false, acfc: false });
    let mut packet = pong(0, 64);
    end.ip(&packet);
    packet[6] = 0;
    end.ip(&packet);
    assert!(end.sent().is_empty());
    end.frame(&LCP_ECHO);
    assert_eq!(end.sent().len(), 1);
}
