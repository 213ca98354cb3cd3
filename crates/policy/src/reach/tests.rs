//! Tests of the rules: reading and writing them, and what they decide.

mod compiled;
mod packets;
mod text;

use std::net::Ipv4Addr;

use adit_wire::ipv4::{ICMP, TCP, UDP};
use ipnet::Ipv4Net;
use proptest::prelude::*;

use super::*;

fn net(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

fn rules(texts: &[&str]) -> Vec<Rule> {
    texts.iter().map(|text| Rule::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))).collect()
}

/// Networks that contain each other in every way.
fn any_net() -> impl Strategy<Value = Ipv4Net> {
    let inside = (0u8..16, 28u8..=32)
        .prop_map(|(last, length)| Ipv4Net::new(Ipv4Addr::new(10, 0, 0, last), length).unwrap().trunc());
    prop_oneof![6 => inside, 1 => Just(net("10.0.0.0/8")), 1 => Just(net("0.0.0.0/0"))]
}

/// One address of each part that these networks can make.
fn addresses() -> Vec<Ipv4Addr> {
    let inside = (0..16).map(|last| Ipv4Addr::new(10, 0, 0, last));
    inside.chain([Ipv4Addr::new(10, 1, 0, 1), Ipv4Addr::new(192, 0, 2, 1)]).collect()
}

/// One protocol and part of each kind that [`any_rule`] can tell apart.
fn kinds() -> Vec<(u8, Part)> {
    let ports = [0, 21, 22, 23, 79, 80, 85, 90, 91, 443, 65535].map(Part::Port);
    let with_ports = [TCP, UDP]
        .into_iter()
        .flat_map(|protocol| ports.into_iter().chain([Part::Later]).map(move |part| (protocol, part)));
    let without = [ICMP, 47, 99]
        .into_iter()
        .flat_map(|protocol| [Part::NoPorts, Part::Later].map(|part| (protocol, part)));
    with_ports.chain(without).collect()
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let target = prop_oneof![
        5 => any_net().prop_map(Target::Net),
        1 => Just(Target::Any),
        1 => Just(Target::Routes),
    ];
    let ranges = [(22, 22), (80, 90), (85, 91), (0, 65535), (443, 443), (0, 79), (23, 65535)];
    let ports = prop::collection::vec(prop::sample::select(ranges.to_vec()), 0..3).prop_map(Ports::new);
    let protocol = prop::sample::select(vec![None, Some(TCP), Some(UDP), Some(ICMP), Some(47)]);
    let action = prop::sample::select(vec![Action::Allow, Action::Deny]);
    (action, target, protocol, ports, any::<bool>()).prop_map(|(action, target, protocol, ports, log)| {
        let ports = if matches!(protocol, Some(TCP | UDP)) { ports } else { Ports::default() };
        Rule { action, target, protocol, ports, log }
    })
}

/// Rules, and the routes.
fn any_list() -> impl Strategy<Value = (Vec<Rule>, Option<Vec<Ipv4Net>>)> {
    let routes = prop::option::of(prop::collection::vec(any_net(), 0..3));
    (prop::collection::vec(any_rule(), 0..9), routes)
}

/// Whether a rule matches, as the documentation words it.
fn matches(rule: &Rule, routes: Option<&[Ipv4Net]>, to: Ipv4Addr, protocol: u8, part: Part) -> bool {
    let is_target = match rule.target {
        Target::Any => true,
        Target::Routes => routes.is_none_or(|routes| routes.iter().any(|net| net.contains(&to))),
        Target::Net(net) => net.contains(&to),
    };
    let is_protocol = rule.protocol.is_none_or(|wanted| wanted == protocol);
    let is_port = match part {
        _ if rule.ports.is_empty() => true,
        Part::Port(port) => rule.ports.contains(port),
        Part::Later => rule.action == Action::Allow,
        Part::NoPorts => false,
    };
    is_target && is_protocol && is_port
}
