//! Tests of which packets pass.

use adit_policy::reach::{Acl, Decider, Keys, Locals, Reach, Rule, ServerReach};

use super::*;

#[test]
fn c135_nothing_passes_before_ip_is_up_or_after_it_went_down() {
    let mut end = End::new(config());
    end.gre(&packet(0, &clear(&ping(0, 64))));
    end.ip(&pong(0, 64));
    end.command(PathCommand::Network(Some(network())));
    end.command(PathCommand::Network(None));
    end.gre(&packet(1, &clear(&ping(0, 64))));
    end.ip(&pong(0, 64));
    assert!(end.out.ip.is_empty());
    assert!(end.sent().is_empty());
    assert_eq!(end.counters().not_up, 4);
}

#[test]
fn c136_only_the_peers_own_sources_pass() {
    let mut end = server();
    let networks = vec![CLIENT.into(), "172.16.0.0/12".parse().unwrap()];
    end.command(PathCommand::Network(Some(Network { peer_networks: networks, ..network() })));
    let sources = [
        CLIENT,
        "172.31.255.255".parse().unwrap(),
        SERVER,
        "10.0.0.3".parse().unwrap(),
        "0.0.0.0".parse().unwrap(),
    ];
    for (seq, src) in sources.into_iter().enumerate() {
        end.gre(&packet(seq as u32, &clear(&ipv4_packet(src, HOST, 17, &[0; 8]))));
    }
    assert_eq!((end.out.ip.len(), end.counters().spoofed), (2, 3));
}

#[test]
fn the_access_list_names_the_destinations() {
    let mut end = server();
    let acl = Some(vec!["192.168.0.0/16".parse().unwrap()]);
    end.command(PathCommand::Network(Some(Network { acl, ..network() })));
    end.gre(&packet(0, &clear(&ping(0, 64))));
    end.gre(&packet(1, &clear(&ipv4_packet(CLIENT, SERVER, 17, &[0; 8]))));
    assert_eq!((end.out.ip.len(), end.counters().acl_denied), (1, 1));
}

fn reach(server: &str, rules: &[&str]) -> Arc<Reach> {
    let rules = rules.iter().map(|rule| Rule::parse(rule).unwrap()).collect();
    Arc::new(Reach {
        server: ServerReach::parse(server).unwrap(),
        locals: Arc::new(Locals::new([ipnet::IpNet::V4(SERVER.into())])),
        clients: None,
        acl: Arc::new(Acl::new(rules, None)),
        keys: Keys::default(),
    })
}

#[test]
fn rules_replace_the_list_of_destinations_and_are_counted() {
    let mut end = server();
    end.command(PathCommand::Network(Some(Network { acl: Some(Vec::new()), ..network() })));
    end.gre(&packet(0, &clear(&ping(0, 64))));
    assert_eq!(
        (end.out.ip.len(), end.counters().acl_denied),
        (0, 1),
        "nothing passes before there are rules"
    );
    end.command(PathCommand::Reach(reach("ping", &["allow icmp"])));
    end.gre(&packet(1, &clear(&ping(0, 64))));
    end.gre(&packet(2, &clear(&ipv4_packet(CLIENT, HOST, 17, &[0; 8]))));
    end.gre(&packet(3, &clear(&ipv4_packet(CLIENT, SERVER, 17, &[0; 8]))));
    end.gre(&packet(4, &clear(&ipv4_packet(CLIENT, HOST, 17, &[0; 3]))));
    assert_eq!((end.out.ip.len(), end.counters().acl_denied, end.counters().malformed), (1, 3, 1));
    end.ip(&pong(0, 64));
    end.ip(&ipv4_packet(HOST, CLIENT, 17, &[0; 8]));
    end.ip(&ipv4_packet(SERVER, CLIENT, 17, &[0; 8]));
    let sent = end.sent().iter().filter(|packet| packet.len() > 16).count();
    assert_eq!(sent, 2, "ICMP is named, the server is never denied");
    // Rules survive a renegotiation of IPCP.
    end.command(PathCommand::Network(None));
    end.command(PathCommand::Network(Some(Network { acl: None, ..network() })));
    end.gre(&packet(5, &clear(&ipv4_packet(CLIENT, HOST, 17, &[0; 8]))));
    assert_eq!(end.out.ip.len(), 1);
    let hits = end.path.hits();
    let of = |by, is_denied| hits.hits().iter().find(|hit| hit.by == by && hit.is_denied == is_denied);
    assert_eq!(of(Decider::Rule(0), false).unwrap().packets, 1);
    assert_eq!(of(Decider::End, true).unwrap().packets, 2);
    assert_eq!(of(Decider::Server, true).unwrap().packets, 1);
    assert_eq!(of(Decider::Source, true).unwrap().packets, 1);
    assert_eq!(hits.last_denial(), Some(Decider::End));
}

#[test]
fn c231_dhcp_inform_is_handed_over() {
    let mut end = server();
    end.gre(&packet(0, &clear(&dhcp_inform())));
    assert_eq!((end.out.ip.len(), end.out.dhcp.len()), (1, 0), "not ours to answer");
    let acl = Some(vec!["192.168.0.0/16".parse().unwrap()]);
    end.command(PathCommand::Network(Some(Network { answer_dhcp: true, acl, ..network() })));
    end.gre(&packet(1, &clear(&dhcp_inform())));
    assert_eq!(end.out.dhcp, [dhcp_inform()]);
    let mut discover = dhcp_inform();
    discover[20 + 8 + 242] = 1;
    end.gre(&packet(2, &clear(&discover)));
    assert_eq!((end.out.dhcp.len(), end.counters().acl_denied), (1, 1));
}

#[test]
fn what_is_no_ip_packet_is_counted() {
    let mut end = server();
    end.gre(&packet(0, &clear(&ping(0, 64)[..63])));
    end.gre(&packet(1, &clear(&[])));
    end.gre(&packet(2, &[0x57, 0x60, 0]));
    end.ip(&pong(0, 64)[..63]);
    end.ip(&[0x45]);
    assert_eq!(end.counters().malformed, 5);
    end.ip(&[]);
    end.ip(&[0x00; 40]);
    assert_eq!(end.counters().not_up, 2);
    assert!(end.out.ip.is_empty() && end.sent().is_empty());
}

fn ipv6_packet(src: u64, dst: u64, payload: &[u8]) -> Vec<u8> {
    let address = |id: u64| (0xfe80_u128 << 112 | u128::from(id)).into();
    let repr = adit_wire::ipv6::Repr {
        src: address(src),
        dst: address(dst),
        next_header: 59,
        hop_limit: 64,
        payload_len: payload.len() as u16,
    };
    [&repr.emit()[..], payload].concat()
}

#[test]
fn ipv6_passes_when_it_is_up() {
    let mut end = server();
    let to_us = [&[0x57][..], &ipv6_packet(2, 1, &[])].concat();
    end.gre(&packet(0, &to_us));
    end.ip(&ipv6_packet(1, 2, &[]));
    assert_eq!(end.counters().not_up, 2);

    let ipv6 = Some(NetworkV6::link_local(1, 2));
    end.command(PathCommand::Network(Some(Network { ipv6, ..network() })));
    end.gre(&packet(1, &to_us));
    end.gre(&packet(2, &[&[0x57][..], &ipv6_packet(3, 1, &[])].concat()));
    assert_eq!((end.out.ip.len(), end.counters().spoofed), (1, 1));
    end.ip(&ipv6_packet(1, 2, &[]));
    assert_eq!(
        adit_wire::gre::Packet::new_checked(&end.sent()[0]).unwrap().payload()[..4],
        [0xff, 3, 0, 0x57]
    );
}

#[test]
fn an_ipv6_packet_that_is_too_big_is_answered() {
    let mut end = server();
    let ipv6 = Some(NetworkV6::link_local(1, 2));
    end.command(PathCommand::Network(Some(Network { ipv6, ..network() })));
    end.ip(&ipv6_packet(5, 2, &[0; 1400]));
    assert!(end.sent().is_empty());
    let answer = adit_wire::ipv6::Packet::new_checked(&end.out.ip[0]).unwrap();
    assert_eq!((answer.src(), answer.dst()), ("fe80::2".parse().unwrap(), "fe80::5".parse().unwrap()));
    assert_eq!(answer.payload()[..2], [2, 0]);
    assert_eq!(answer.payload()[4..8], 1400u32.to_be_bytes());
}
