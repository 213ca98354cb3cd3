//! Tests with the packets of calls and typical rules.

use std::net::Ipv4Addr;

use super::*;
use crate::read::{iptables, nft};

const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

fn nftables(script_json: &str) -> Ruleset {
    nft::read(script_json).unwrap()
}

/// A ruleset with one base chain and these rules, in the JSON of nft.
fn chain(hook: &str, policy: &str, rules: &[&str]) -> Ruleset {
    let head = format!(
        r#"{{"chain": {{"family": "inet", "table": "filter", "name": "c", "hook": "{hook}", "prio": 0, "type": "filter", "policy": "{policy}"}}}}"#
    );
    let rule = |(n, expr): (usize, &&str)| {
        format!(
            r#", {{"rule": {{"family": "inet", "table": "filter", "chain": "c", "handle": {n}, "expr": [{expr}]}}}}"#
        )
    };
    let rules: String = rules.iter().enumerate().map(rule).collect();
    nftables(&format!(r#"{{"nftables": [{head}{rules}]}}"#))
}

fn control(rules: &Ruleset) -> Outcome {
    walk(rules, &Packet::control_in("eth0", SERVER, 1723), PathHook::In)
}

fn gre(rules: &Ruleset) -> Outcome {
    walk(rules, &Packet::gre_in("eth0", SERVER, false), PathHook::In)
}

fn gre_out(rules: &Ruleset) -> Outcome {
    walk(rules, &Packet::gre_out("eth0", SERVER, false), PathHook::Out)
}

const ESTABLISHED: &str = r#"{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}, {"accept": null}"#;
const INVALID: &str = r#"{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "invalid"}}, {"counter": {"packets": 9, "bytes": 9}}, {"drop": null}"#;
const LOOPBACK: &str =
    r#"{"match": {"op": "==", "left": {"meta": {"key": "iif"}}, "right": "lo"}}, {"accept": null}"#;
const PORT: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 1723}}, {"counter": {"packets": 812, "bytes": 9}}, {"accept": null}"#;
const PORTS: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [22, {"range": [1700, 1800]}]}}}, {"accept": null}"#;
const PORT_47: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 47}}, {"accept": null}"#;
const GRE: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "protocol"}}, "right": "gre"}}, {"accept": null}"#;
const GRE_META: &str = r#"{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"set": ["esp", 47]}}}, {"accept": null}"#;
const GRE_DROP: &str = r#"{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "gre"}}, {"counter": {"packets": 3041, "bytes": 9}}, {"drop": null}"#;
const OFFICE_ONLY: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": {"prefix": {"addr": "192.0.2.0", "len": 24}}}}, {"accept": null}"#;
const ALL_BUT_OFFICE: &str = r#"{"match": {"op": "!=", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": {"prefix": {"addr": "192.0.2.0", "len": 24}}}}, {"drop": null}"#;
const BANNED: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@banned"}}, {"drop": null}"#;
const STRANGE: &str =
    r#"{"match": {"op": "==", "left": {"socket": {"key": "transparent"}}, "right": 1}}, {"drop": null}"#;
const V6: &str =
    r#"{"match": {"op": "==", "left": {"meta": {"key": "nfproto"}}, "right": "ipv6"}}, {"drop": null}"#;

#[test]
fn the_usual_firewall() {
    let rules = chain("input", "drop", &[ESTABLISHED, INVALID, LOOPBACK, V6, PORT, GRE]);
    let tcp = control(&rules);
    assert_eq!((tcp.fate, tcp.by.as_ref().and_then(|by| by.packets)), (Fate::Accepted, Some(812)));
    assert_eq!(tcp.by.unwrap().text, "tcp dport 1723 accept");
    assert_eq!(gre(&rules).fate, Fate::Accepted);
    assert_eq!(gre_out(&rules).fate, Fate::Accepted);
    assert!(tcp.doubts.is_empty() && tcp.exceptions.is_empty());
}

#[test]
fn packets_that_no_rule_accepts_get_the_policy() {
    let rules = chain("input", "drop", &[ESTABLISHED, PORTS]);
    assert_eq!(control(&rules).fate, Fate::Accepted);
    let outcome = gre(&rules);
    assert_eq!(outcome.fate, Fate::Dropped);
    let by = outcome.by.unwrap();
    assert_eq!(
        (by.chain.to_string().as_str(), by.text.as_str(), by.policy),
        ("inet filter c", "policy drop", true)
    );
    // If a helper tracks the call, GRE is related.
    let helped = walk(&rules, &Packet::gre_in("eth0", SERVER, true), PathHook::In);
    assert_eq!(helped.fate, Fate::Accepted);
}

#[test]
fn a_rule_that_drops_is_named_with_its_counter() {
    let outcome = gre(&chain("input", "accept", &[PORT, GRE_DROP, GRE]));
    let by = outcome.by.unwrap();
    assert_eq!((outcome.fate, by.handle, by.packets), (Fate::Dropped, Some(1), Some(3041)));
    let outcome = gre_out(&chain("output", "accept", &[GRE_DROP]));
    assert_eq!(outcome.fate, Fate::Dropped);
    assert_eq!(gre(&chain("output", "accept", &[GRE_DROP])).fate, Fate::Accepted);
}

#[test]
fn port_47_is_not_protocol_47() {
    let rules = chain("input", "drop", &[PORT, PORT_47]);
    assert_eq!(gre(&rules).fate, Fate::Dropped);
    let found = mistakes(&rules);
    assert_eq!(found.port_47.len(), 1);
    assert_eq!(found.port_47[0].text, "tcp dport 47 accept");
    assert!(mistakes(&chain("input", "drop", &[PORTS, GRE_META])).port_47.is_empty());
    assert_eq!(mistakes(&chain("input", "drop", &[INVALID])).invalid_dropped[0].packets, Some(9));
}

#[test]
fn clients_that_a_rule_names_are_exceptions() {
    let outcome = control(&chain("input", "drop", &[OFFICE_ONLY]));
    assert_eq!(outcome.fate, Fate::Dropped);
    assert_eq!(outcome.exceptions.len(), 1);
    assert_eq!(outcome.exceptions[0].by.text, "ip saddr 192.0.2.0/24 accept");
    // The same, negated.
    let outcome = control(&chain("input", "accept", &[ALL_BUT_OFFICE]));
    assert_eq!(outcome.fate, Fate::Dropped);
    assert_eq!(outcome.exceptions.len(), 1, "{outcome:?}");
    // A list of banned addresses bans no ordinary client, even when nft does not show what is in it.
    let outcome = control(&chain("input", "accept", &[BANNED, PORT]));
    assert_eq!(outcome.fate, Fate::Accepted);
    // What another chain drops for all packets, it drops for these too.
    let mut both = chain("input", "drop", &[OFFICE_ONLY]);
    let other = chain("prerouting", "drop", &[]);
    let (name, second) = other.chains.into_iter().next().unwrap();
    both.chains.insert(ChainName { chain: "other".to_owned(), ..name }, second);
    let outcome = control(&both);
    assert_eq!((outcome.fate, outcome.exceptions.len()), (Fate::Dropped, 0));
}

#[test]
fn what_is_not_understood_is_a_doubt_only_where_it_matters() {
    assert_eq!(gre(&chain("input", "accept", &[STRANGE])).fate, Fate::Unknown);
    assert_eq!(gre(&chain("input", "drop", &[STRANGE])).fate, Fate::Dropped);
    assert_eq!(gre(&chain("input", "drop", &[GRE, STRANGE])).fate, Fate::Accepted);
    let outcome = gre(&chain("input", "accept", &[STRANGE, GRE]));
    assert_eq!(outcome.fate, Fate::Unknown);
    assert_eq!(outcome.doubts[0].by.handle, Some(0));
    // A rule about another protocol that cannot be interpreted does not matter.
    let other = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 22}}, {"xt": null}"#;
    assert_eq!(gre(&chain("input", "accept", &[other])).fate, Fate::Accepted);
    assert_eq!(control(&chain("input", "accept", &[r#"{"queue": {"num": 3}}"#])).fate, Fate::Unknown);
}

#[test]
fn rate_limits_and_reverse_path_checks() {
    let within = r#"{"limit": {"rate": 10, "per": "second"}}, {"accept": null}"#;
    let over = r#"{"limit": {"rate": 10, "per": "second", "inv": true}}, {"drop": null}"#;
    assert_eq!(gre(&chain("input", "drop", &[within])).fate, Fate::Accepted);
    assert_eq!(gre(&chain("input", "accept", &[over])).fate, Fate::Accepted);
    let no_way_back = r#"{"match": {"op": "==", "left": {"fib": {"result": "oif", "flags": ["saddr", "iif"]}}, "right": 0}}, {"drop": null}"#;
    assert_eq!(gre(&chain("input", "accept", &[no_way_back])).fate, Fate::Accepted);
    let udp = r#"{"match": {"op": "!=", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 53}}, {"drop": null}"#;
    assert_eq!(gre(&chain("input", "accept", &[udp])).fate, Fate::Accepted);
}

/// The output of a real nft for rules of many kinds (version 1.0.6).
const MANY: &str = include_str!("../../tests/data/many.nft.json");

#[test]
fn rules_as_nft_prints_them() {
    let rules = nftables(MANY);
    let input = &rules.chains
        [&ChainName { family: "inet".to_owned(), table: "filter".to_owned(), chain: "input".to_owned() }];
    let unknown = |rule: &&Rule| {
        rule.steps.iter().any(|step| match step {
            Step::If(condition) => condition.of.fields.contains(&Field::Unknown),
            Step::Do(action) => matches!(action, Action::Unknown(_)),
            Step::Map(of, rows) => of.incomplete || rows.is_empty(),
        })
    };
    let strange: Vec<&str> = input.rules.iter().filter(unknown).map(|rule| rule.text.as_str()).collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert!(input.rules.len() > 35);
    let texts: Vec<&str> = input.rules.iter().map(|rule| rule.text.as_str()).collect();
    for text in [
        "iif lo accept",
        "ct state vmap { invalid : drop, established : accept, related : accept }",
        "ct state established,related accept comment \"hello\"",
        "iifname . tcp dport { eth0 . 22, eth0 . 1723 } accept",
        "tcp dport vmap @pv",
        "meta l4proto vmap { icmp : jump pptp, gre : accept }",
        "ip saddr { 10.0.0.0/8, 192.0.2.1-192.0.2.9 } accept",
        "tcp flags syn tcp dport 1723 limit rate 10/second accept",
        "ct helper set \"pptp-std\"",
        "log reject with icmpx admin-prohibited",
        "ip daddr 203.0.113.10 tcp dport >= 1024 accept",
    ] {
        assert!(texts.iter().any(|shown| shown.ends_with(text)), "{text} is not in {texts:#?}");
    }
    // TCP is taken by the set of interfaces and ports, GRE by its protocol; new connections pass on to both.
    let tcp = control(&rules);
    assert_eq!(tcp.fate, Fate::Redirected(Target::Address(Ipv4Addr::new(192, 168, 1, 5))));
    let packet = Packet { destination_port: Some(22), ..Packet::control_in("eth0", SERVER, 22) };
    assert_eq!(walk(&rules, &packet, PathHook::In).fate, Fate::Accepted);
    let out = gre_out(&rules);
    assert_eq!(out.source.as_ref().map(|(to, _)| *to), Some(Target::Own));
}

#[test]
fn maps_jumps_and_gotos() {
    let json = |rules: &str| {
        format!(
            r#"{{"nftables": [
            {{"chain": {{"family": "inet", "table": "f", "name": "in", "hook": "input", "prio": 0, "policy": "drop"}}}},
            {{"chain": {{"family": "inet", "table": "f", "name": "vpn"}}}},
            {{"chain": {{"family": "inet", "table": "f", "name": "loop"}}}},
            {{"rule": {{"family": "inet", "table": "f", "chain": "vpn", "expr": [{GRE}]}}}},
            {{"rule": {{"family": "inet", "table": "f", "chain": "loop", "expr": [{{"jump": {{"target": "loop"}}}}]}}}}
            {rules}]}}"#
        )
    };
    let rule = |expr: &str| {
        format!(r#", {{"rule": {{"family": "inet", "table": "f", "chain": "in", "expr": [{expr}]}}}}"#)
    };
    let to = |word: &str, chain: &str| rule(&format!(r#"{{"{word}": {{"target": "{chain}"}}}}"#));
    let fate = |rules: String| gre(&nftables(&json(&rules))).fate;
    assert_eq!(fate(to("jump", "vpn")), Fate::Accepted);
    assert_eq!(fate(to("goto", "vpn")), Fate::Accepted);
    assert_eq!(fate(to("jump", "nowhere")), Fate::Unknown);
    assert_eq!(fate(to("jump", "loop")), Fate::Unknown);
    assert_eq!(fate(rule(r#"{"return": null}"#) + &to("jump", "vpn")), Fate::Dropped);
    let vmap = r#"{"vmap": {"key": {"meta": {"key": "l4proto"}}, "data": {"set": [["tcp", {"accept": null}], ["gre", {"jump": {"target": "vpn"}}]]}}}"#;
    assert_eq!(fate(rule(vmap)), Fate::Accepted);
    // A goto does not return; TCP does not stop in vpn and gets the policy, not the next rule.
    let tcp = |rules: String| control(&nftables(&json(&rules))).fate;
    assert_eq!(tcp(to("goto", "vpn") + &rule(r#"{"accept": null}"#)), Fate::Dropped);
    assert_eq!(tcp(to("jump", "vpn") + &rule(r#"{"accept": null}"#)), Fate::Accepted);
}

/// `iptables-save -c` of both kinds (version 1.8.9).
const NFT_KIND: &str = include_str!("../../tests/data/iptables-nft.txt");
const LEGACY_KIND: &str = include_str!("../../tests/data/iptables-legacy.txt");
const NFT_SHOWS: &str = include_str!("../../tests/data/iptables-nft.nft.json");

#[test]
fn iptables_of_both_kinds_give_the_same_verdicts() {
    for (text, nftables) in [(NFT_KIND, true), (LEGACY_KIND, false)] {
        let saved = iptables::read(text).unwrap();
        assert_eq!(saved.nftables, nftables);
        let mut rules = saved.rules;
        // Without the redirection, to evaluate the input chain.
        rules.chains.retain(|name, _| name.table != "nat");
        let tcp = control(&rules);
        assert_eq!(tcp.fate, Fate::Accepted);
        assert_eq!(tcp.by.unwrap().text, "-A VPN -m limit --limit 10/sec -j ACCEPT");
        assert_eq!(tcp.helper.map(|(name, _)| name).as_deref(), Some("pptp"));
        assert_eq!(gre(&rules).by.unwrap().text, "-A INPUT -p gre -j ACCEPT");
        let other = Packet { destination_port: Some(25), ..Packet::control_in("eth0", SERVER, 25) };
        assert_eq!(walk(&rules, &other, PathHook::In).fate, Fate::Rejected);
        let web = Packet { destination_port: Some(85), ..Packet::control_in("eth0", SERVER, 85) };
        assert_eq!(walk(&rules, &web, PathHook::In).fate, Fate::Accepted);
        assert_eq!(mistakes(&rules).port_47.len(), 1);
        let through = Packet::forward("adit0", &[], Interface::Named("eth1".to_owned()), &[]);
        assert!(walk(&rules, &through, PathHook::Through).clamped);
    }
}

#[test]
fn what_nft_cannot_show_of_iptables_is_taken_from_iptables() {
    let mut rules = nftables(NFT_SHOWS);
    // With nft only: matches of extensions are unknown.
    assert_eq!(gre(&rules).fate, Fate::Unknown);
    rules.absorb(iptables::read(NFT_KIND).unwrap());
    assert_eq!(gre(&rules).fate, Fate::Accepted);
    assert_eq!(control(&rules).fate, Fate::Redirected(Target::Address(Ipv4Addr::new(192, 168, 1, 5))));
    // The legacy rules are added to those of nft.
    let mut both = chain("input", "drop", &[PORT]);
    both.absorb(iptables::read(LEGACY_KIND).unwrap());
    assert_eq!(gre(&both).fate, Fate::Dropped);
}

#[test]
fn forwarding_from_the_tunnel() {
    let pools = ["10.99.0.0/24".parse().unwrap()];
    let reach = ["192.168.10.0/24".parse().unwrap()];
    let packet = Packet::forward("adit0", &pools, Interface::Named("eth1".to_owned()), &reach);
    let fate = |rules: &Ruleset, packet: &Packet| walk(rules, packet, PathHook::Through).fate;
    let closed = chain("forward", "drop", &[ESTABLISHED]);
    assert_eq!(fate(&closed, &packet), Fate::Dropped);
    assert_eq!(fate(&closed, &packet.backward()), Fate::Accepted);
    let from_pool = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": {"prefix": {"addr": "10.99.0.0", "len": 16}}}}, {"accept": null}"#;
    assert_eq!(fate(&chain("forward", "drop", &[from_pool]), &packet), Fate::Accepted);
    let some_of_it = from_pool.replace("16", "25");
    assert_eq!(fate(&chain("forward", "drop", &[&some_of_it]), &packet), Fate::Unknown);
    let web_only = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 443}}, {"accept": null}"#;
    assert_eq!(fate(&chain("forward", "drop", &[web_only]), &packet), Fate::Unknown);
}
