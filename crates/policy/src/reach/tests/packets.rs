//! Whole packets: the server's addresses, clients, fragments, cut headers.

use std::sync::Arc;

use adit_wire::{icmp, ipv4, ipv6};

use super::*;

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 14);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
const LAN: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 20);

fn reach(server: &str, rules_: &[&str]) -> Reach {
    let local = |text: &str| text.parse().unwrap();
    Reach {
        server: ServerReach::parse(server).unwrap(),
        locals: Arc::new(Locals::new(["10.99.0.1/32", "203.0.113.10/32", "2001:db8::1/128"].map(local))),
        clients: Some(Prefixes::v4(&[net("10.99.0.0/24")])),
        acl: Arc::new(Acl::new(rules(rules_), Some(vec![net("192.168.10.0/24")]))),
        keys: Keys::default(),
    }
}

fn packet(to: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4::Repr::new(CLIENT, to, protocol).packet(payload)
}

fn to_port(to: Ipv4Addr, protocol: u8, port: u16) -> Vec<u8> {
    let mut payload = vec![0; 20];
    payload[2..4].copy_from_slice(&port.to_be_bytes());
    packet(to, protocol, &payload)
}

/// Makes it the fragment at this offset.
fn fragment(mut packet: Vec<u8>, offset: usize) -> Vec<u8> {
    packet[6..8].copy_from_slice(&((offset / 8) as u16 | 0x2000).to_be_bytes());
    packet
}

fn judge(reach: &Reach, packet: &[u8]) -> Option<(bool, Decider)> {
    let decision = reach.judge_v4(ipv4::Packet::new_checked(packet).unwrap())?;
    Some((decision.allowed, decision.by))
}

#[test]
fn the_server_comes_before_the_rules_at_every_address_of_the_host() {
    let reach = reach("ping+dns", &["allow any"]);
    let denied = Some((false, Decider::Server));
    for to in ["10.99.0.1", "203.0.113.10", "127.0.0.1", "224.0.0.251", "239.255.255.250", "255.255.255.255"]
    {
        let to: Ipv4Addr = to.parse().unwrap();
        for port in [22, 80, 137, 1723, 5353, 8723] {
            assert_eq!(judge(&reach, &to_port(to, TCP, port)), denied, "{to} tcp {port}");
            assert_eq!(judge(&reach, &to_port(to, UDP, port)), denied, "{to} udp {port}");
        }
        assert_eq!(judge(&reach, &packet(to, 47, &[0; 16])), denied);
        assert_eq!(judge(&reach, &packet(to, 2, &[0; 16])), denied, "IGMP");
        assert_eq!(judge(&reach, &packet(to, ICMP, &[13, 0, 0, 0])), denied, "timestamp request");
        for part in [fragment(to_port(to, UDP, 53), 8), fragment(to_port(to, TCP, 53), 1_480)] {
            assert_eq!(judge(&reach, &part), denied, "a later fragment");
        }
        let allowed = Some((true, Decider::Server));
        assert_eq!(judge(&reach, &packet(to, ICMP, &icmp::echo_request(1, 1, &[]))), allowed);
        assert_eq!(judge(&reach, &fragment(packet(to, ICMP, &[0; 16]), 1_480)), allowed);
        assert_eq!(judge(&reach, &to_port(to, UDP, 53)), allowed);
        assert_eq!(judge(&reach, &to_port(to, TCP, 53)), allowed);
        assert_eq!(judge(&reach, &fragment(to_port(to, UDP, 22), 0)), denied, "a first fragment has ports");
    }
    assert_eq!(judge(&reach, &to_port(LAN, TCP, 22)), Some((true, Decider::Rule(0))));
}

#[test]
fn none_all_and_single_services() {
    let ping = packet(SERVER, ICMP, &icmp::echo_request(1, 1, &[]));
    let passes = |server: &str, packet: &[u8]| judge(&reach(server, &[]), packet).unwrap().0;
    for (server, expected) in [
        ("none", [false, false, false]),
        ("ping", [true, false, false]),
        ("dns+tcp/443", [false, true, true]),
        ("all", [true, true, true]),
    ] {
        let got = [ping.clone(), to_port(SERVER, UDP, 53), to_port(SERVER, TCP, 443)];
        assert_eq!(got.map(|packet| passes(server, &packet)), expected, "{server}");
    }
}

#[test]
fn clients_do_not_reach_each_other_unless_they_may() {
    let mut reach = reach("ping+dns", &["allow any"]);
    let other = to_port(Ipv4Addr::new(10, 99, 0, 15), TCP, 445);
    assert_eq!(judge(&reach, &other), Some((false, Decider::Clients)));
    let back = ipv4::Repr::new(Ipv4Addr::new(10, 99, 0, 15), CLIENT, TCP).packet(&[0; 20]);
    let back = ipv4::Packet::new_checked(&back).unwrap();
    assert_eq!(reach.admits_v4(back), Decision { allowed: false, by: Decider::Clients });
    reach.clients = None;
    assert_eq!(judge(&reach, &other), Some((true, Decider::Rule(0))));
    assert!(reach.admits_v4(back).allowed);
}

#[test]
fn later_fragments_follow_a_rule_that_names_them() {
    let reach = reach(
        "none",
        &["deny 192.168.10.20 tcp 22", "allow 192.168.10.20 tcp 443", "allow 192.168.10.7 udp"],
    );
    let first = |port| judge(&reach, &fragment(to_port(LAN, TCP, port), 0));
    assert_eq!(first(443), Some((true, Decider::Rule(1))));
    assert_eq!(first(22), Some((false, Decider::Rule(0))));
    assert_eq!(first(80), Some((false, Decider::End)));
    assert_eq!(judge(&reach, &fragment(to_port(LAN, TCP, 22), 64)), Some((true, Decider::Rule(1))));
    assert_eq!(
        judge(&reach, &fragment(to_port(LAN, UDP, 443), 64)),
        Some((false, Decider::End)),
        "no rule names UDP"
    );
    let whole = Ipv4Addr::new(192, 168, 10, 7);
    assert_eq!(judge(&reach, &fragment(packet(whole, UDP, &[1]), 64)), Some((true, Decider::Rule(2))));
}

#[test]
fn a_header_that_is_cut_off_is_no_packet() {
    let reach = reach("all", &["allow any"]);
    for protocol in [TCP, UDP] {
        assert_eq!(judge(&reach, &packet(LAN, protocol, &[0, 1, 2])), None);
        assert!(judge(&reach, &packet(LAN, protocol, &[0, 1, 2, 3])).unwrap().0);
    }
    assert_eq!(judge(&reach, &packet(SERVER, ICMP, &[])), None);
    assert!(judge(&reach, &packet(LAN, 99, &[])).unwrap().0, "an unknown protocol has no ports");
}

fn from(source: &str, protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4::Repr::new(source.parse().unwrap(), CLIENT, protocol).packet(payload)
}

#[test]
fn packets_to_the_client_pass_only_from_networks_that_an_allow_rule_names() {
    let admits = |rules: &[&str], packet: &[u8]| {
        reach("none", rules).admits_v4(ipv4::Packet::new_checked(packet).unwrap()).allowed
    };
    let acl = ["deny 192.168.10.99", "allow 192.168.10.0/24 tcp 443", "allow icmp", "deny any"];
    assert!(admits(&acl, &from("192.168.10.20", UDP, &[0; 8])), "whatever the port");
    assert!(admits(&acl, &from("10.99.0.1", TCP, &[0; 20])), "the server itself");
    assert!(!admits(&acl, &from("192.168.10.99", TCP, &[0; 20])), "denied before");
    assert!(!admits(&acl, &from("192.168.20.5", TCP, &[0; 20])));
    assert!(admits(&acl, &from("192.168.20.5", ICMP, &[8, 0, 0, 0])));
    let closed = ["allow 192.168.10.0/24 tcp 443"];
    assert!(!admits(&closed, &from("192.168.20.5", ICMP, &[8, 0, 0, 0])));
    // A router on the way reports that a packet to an allowed network is too large.
    let quoted = |to: &str| {
        let inner = ipv4::Repr::new(CLIENT, to.parse().unwrap(), TCP).packet(&[0; 8]);
        from("192.168.77.1", ICMP, &icmp::message(3, 4, [0, 0, 5, 0], &inner))
    };
    assert!(admits(&closed, &quoted("192.168.10.20")));
    assert!(!admits(&closed, &quoted("192.168.20.5")));
    assert!(!admits(&closed, &quoted("10.99.0.15")));
}

#[test]
fn ipv6_follows_the_rules_for_any_destination() {
    let packet = |to: &str, next_header: u8, payload: &[u8]| {
        let (src, dst) = ("fe80::2".parse().unwrap(), to.parse().unwrap());
        let repr = ipv6::Repr { src, dst, next_header, hop_limit: 64, payload_len: payload.len() as u16 };
        [&repr.emit()[..], payload].concat()
    };
    let judge = |server: &str, rules: &[&str], packet: &[u8]| {
        let decision = reach(server, rules).judge_v6(ipv6::Packet::new_checked(packet).unwrap());
        decision.map(|decision| decision.allowed)
    };
    let tcp = |to: &str, port: u8| packet(to, TCP, &[0, 0, 0, port, 0, 0, 0, 0]);
    for local in ["fe80::1", "ff02::1", "2001:db8::1"] {
        assert_eq!(judge("ping+dns", &["allow any"], &tcp(local, 22)), Some(false), "{local}");
        assert_eq!(judge("ping+dns", &[], &tcp(local, 53)), Some(true));
        assert_eq!(judge("ping+dns", &[], &packet(local, ipv6::ICMPV6, &[128, 0, 0, 0])), Some(true));
        assert_eq!(judge("ping+dns", &[], &packet(local, ipv6::ICMPV6, &[133, 0, 0, 0])), Some(false));
        assert_eq!(judge("all", &[], &tcp(local, 22)), Some(true));
    }
    assert_eq!(judge("none", &["allow any"], &tcp("2001:db8::7", 22)), Some(true));
    assert_eq!(judge("none", &["allow any tcp 22"], &tcp("2001:db8::7", 23)), Some(false));
    assert_eq!(judge("none", &["allow 0.0.0.0/0", "allow routes"], &tcp("2001:db8::7", 22)), Some(false));
    assert_eq!(judge("none", &["allow icmp"], &packet("2001:db8::7", ipv6::ICMPV6, &[128])), Some(true));
    assert_eq!(judge("all", &["allow any"], &packet("2001:db8::7", UDP, &[0, 0, 0])), None);
}

#[test]
fn hits_are_counted_for_a_bounded_number_of_rules() {
    let many: Vec<Rule> = (0..200).map(|_| Rule::new(Action::Deny, Target::Any)).collect();
    let reach = Reach { acl: Arc::new(Acl::new(many, None)), ..reach("none", &[]) };
    let mut hits = Hits::new(Arc::new(reach));
    for rule in 0..200 {
        hits.count(Decider::Rule(rule), true, (rule < 100).then_some(7));
        hits.count(Decider::Rule(3), true, None);
    }
    assert_eq!(hits.hits().len(), 64);
    assert_eq!(hits.others(), 200 - 64);
    assert!(
        hits.hits().contains(&Hit {
            by: Decider::Rule(3),
            is_denied: true,
            packets: 201,
            unicast: 1,
            last: 7
        }),
        "{hits:?}"
    );
    assert_eq!(hits.last_denial(), Some(Decider::Rule(99)));
    assert!(hits.take_changed() && !hits.take_changed());
    let same = Reach::clone(hits.reach().unwrap());
    hits.set_reach(Arc::new(Reach { locals: Arc::default(), ..same.clone() }));
    assert_eq!(hits.hits().len(), 64, "other addresses of the host change no rule");
    hits.set_reach(Arc::new(Reach { acl: Arc::new(Acl::new(rules(&["deny any"]), None)), ..same }));
    assert_eq!((hits.hits().len(), hits.others(), hits.last_denial()), (0, 0, None));
}
