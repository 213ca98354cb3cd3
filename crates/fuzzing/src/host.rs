//! What tools and /proc print of a host: any text to every reader, and rules built around the input, with the packets of a
//! call sent through them.

use std::net::Ipv4Addr;

use adit_inspect::bypass::{self, Asked};
use adit_inspect::filter::{Fate, Outcome, Packet, PathHook, Ruleset, mistakes, walk};
use adit_inspect::read::{ip, iptables, nft, proc};
use serde_json::{Value, json};

use crate::input::Input;

/// The address of the host.
const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// Exceptions and doubts that are kept of one packet.
const KEPT: usize = 16;

/// The first octet chooses the reader.
pub(crate) fn host_texts(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.u8();
    if kind % 6 == 5 {
        return built(input);
    }
    let text = String::from_utf8_lossy(input.rest());
    match kind % 6 {
        0 => {
            if let Ok(rules) = nft::read(&text) {
                follow(&rules);
            }
        }
        1 => {
            if let Ok(saved) = iptables::read(&text) {
                follow(&saved.rules);
                let mut beside = Ruleset::default();
                beside.absorb(saved.clone());
                assert_eq!(beside, saved.rules, "nothing was there to be replaced");
            }
        }
        2 => {
            let (routes, rules) = (ip::routes(&text), ip::rules(&text));
            if let (Ok(routes), Ok(rules)) = (routes, rules) {
                let _ = ip::way(&rules, &routes, Ipv4Addr::LOCALHOST, Ipv4Addr::BROADCAST, Some("eth0"));
            }
            let _ = (ip::links(&text), ip::neighbours(&text));
            let asked = Asked { interface: "eth0".to_owned(), addresses: vec![SERVER] };
            bypass::read_any(&text, &asked).iter().for_each(|obstacle| line(&obstacle.to_string()));
        }
        3 => {
            let _ = proc::sockets("/proc/net/tcp", &text);
            let _ = proc::counter(&text, "TcpExt", "IPReversePathFilter");
            let _ = proc::sysctl("sysctl", &text);
        }
        _ => {
            let _ = proc::conntrack(&text);
        }
    }
}

fn follow(rules: &Ruleset) {
    let obstacles = bypass::rules::obstacles(rules, "eth0", &[SERVER]);
    obstacles.iter().for_each(|obstacle| line(&obstacle.to_string()));
    for (packet, path) in [
        (Packet::control_in("eth0", SERVER, 1723), PathHook::In),
        (Packet::control_out("eth0", SERVER, 1723), PathHook::Out),
        (Packet::gre_in("eth0", SERVER, false), PathHook::In),
        (Packet::gre_out("eth0", SERVER, true), PathHook::Out),
    ] {
        let outcome = walk(rules, &packet, path);
        check(&outcome);
        let is_gre = packet.protocol == Some(47);
        assert!(
            !is_gre || !obstacles.is_empty() || !outcome.fate.is_lost(),
            "GRE may bypass rules that drop it: {outcome:?}"
        );
        assert_eq!(outcome, walk(rules, &packet, path), "the same packet, the same answer");
    }
    for by in mistakes(rules).port_47 {
        line(&by.text);
    }
}

fn check(outcome: &Outcome) {
    assert!(outcome.exceptions.len() <= KEPT && outcome.doubts.len() <= KEPT);
    assert!(outcome.fate != Fate::Dropped || outcome.by.is_some(), "what drops is named");
    outcome.by.iter().for_each(|by| line(&by.text));
}

fn line(text: &str) {
    assert!(!text.contains(char::is_control), "a control character: {text:?}");
}

/// A ruleset of nft, of a few chains; each rule is made of a few decisions.
fn built(mut input: Input<'_>) {
    const HOOKS: [&str; 5] = ["input", "prerouting", "output", "postrouting", "ingress"];
    let mut items = Vec::new();
    for n in 0..4u8 {
        let choice = input.u8();
        let mut chain = json!({"family": "inet", "table": "t", "name": format!("c{n}")});
        if n < 2 {
            chain["hook"] = HOOKS[usize::from(choice) % HOOKS.len()].into();
            chain["prio"] = i64::from(choice % 7).into();
            chain["policy"] = if choice & 0x80 == 0 { "drop" } else { "accept" }.into();
            chain["type"] = if choice & 0x40 == 0 { "filter" } else { "nat" }.into();
        }
        items.push(json!({ "chain": chain }));
    }
    items.push(json!({"set": {"family": "inet", "table": "t", "name": "s", "elem": [47, "gre", {"range": [1700, 1800]}]}}));
    let mut rules = 0;
    while !input.is_empty() && rules < 200 {
        rules += 1;
        let chain = format!("c{}", input.u8() % 4);
        let count = input.u8() % 4;
        let expr: Vec<Value> = (0..count).map(|_| expression(&mut input)).collect();
        items.push(json!({"rule": {"family": "inet", "table": "t", "chain": chain, "expr": expr}}));
    }
    let text = json!({ "nftables": items }).to_string();
    let read = nft::read(&text);
    assert!(read.is_ok(), "{read:?}");
    if let Ok(rules) = read {
        follow(&rules);
    }
}

fn expression(input: &mut Input<'_>) -> Value {
    let target = json!({"target": format!("c{}", input.u8() % 5)});
    match input.u8() % 14 {
        0 => json!({"accept": null}),
        1 => json!({"drop": null}),
        2 => json!({ "jump": target }),
        3 => json!({ "goto": target }),
        4 => json!({"return": null}),
        5 => json!({"counter": {"packets": input.u8(), "bytes": 0}}),
        6 => json!({"vmap": {"key": field(input), "data": {"set": [
            [value(input), {"accept": null}], ["*", { "jump": target }], [value(input), {"drop": null}]]}}}),
        7 => json!({"limit": {"rate": 1, "inv": input.u8() & 1 == 1}}),
        8 => json!({"snat": {"addr": "192.0.2.1"}}),
        9 => json!({"notrack": null}),
        10 => json!({"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}),
        11 => json!({"xt": {"type": "match", "name": "conntrack"}}),
        _ => {
            const OPERATORS: [&str; 5] = ["==", "!=", "in", "<", ">="];
            let operator = OPERATORS[usize::from(input.u8()) % OPERATORS.len()];
            json!({"match": {"op": operator, "left": field(input), "right": value(input)}})
        }
    }
}

fn field(input: &mut Input<'_>) -> Value {
    match input.u8() % 10 {
        0 => json!({"meta": {"key": "l4proto"}}),
        1 => json!({"payload": {"protocol": "ip", "field": "saddr"}}),
        2 => json!({"payload": {"protocol": "tcp", "field": "dport"}}),
        3 => json!({"payload": {"protocol": "th", "field": "sport"}}),
        4 => json!({"ct": {"key": "state"}}),
        5 => json!({"meta": {"key": "iifname"}}),
        6 => json!({"meta": {"key": "mark"}}),
        7 => json!({"concat": [{"meta": {"key": "l4proto"}}, {"meta": {"key": "iifname"}}]}),
        8 => json!({"fib": {"result": "type", "flags": ["daddr"]}}),
        _ => json!({"rt": {"key": "mtu"}}),
    }
}

fn value(input: &mut Input<'_>) -> Value {
    match input.u8() % 10 {
        0 => json!(47),
        1 => json!("gre"),
        2 => json!(1723),
        3 => json!("@s"),
        4 => json!("@unknown"),
        5 => json!({"prefix": {"addr": "10.0.0.0", "len": input.u8()}}),
        6 => json!({"set": [["new"], "invalid", {"range": [input.u8(), 1723]}]}),
        7 => json!({"concat": ["gre", "eth0"]}),
        8 => json!("local"),
        _ => json!(String::from_utf8_lossy(input.chunk())),
    }
}
