//! Rules of nftables, as `nft` lists them.

use crate::{hosts, obstacles, texts};

/// A table with an input chain of these rules.
fn input(rules: &str) -> String {
    format!(
        "table inet t {{\ncounter named {{ }}\nset banned {{ type ipv4_addr; flags interval; }}\n\
         set learned {{ type ipv4_addr; flags dynamic,timeout; timeout 1h; }}\n\
         set counted {{ type ipv4_addr; counter; elements = {{ 198.51.100.7 }}; }}\n\
         set counted_own {{ type ipv4_addr; counter; elements = {{ 192.0.2.2 }}; }}\n\
         map verdicts {{ type inet_proto : verdict; elements = {{ tcp : accept }}; }}\n\
         map counted_verdicts {{ type inet_proto : verdict; counter; elements = {{ 47 : accept, tcp : drop }}; }}\n\
         chain a {{ }}\nchain b {{\ncounter\n}}\nchain c {{\njump b\n}}\n\
         chain i {{ type filter hook input priority 0; policy accept;\n{rules}\n}}\n}}"
    )
}

/// A table with one base chain.
fn chain(kind: &str, rules: &str) -> String {
    format!("table inet t {{\nchain x {{\ntype {kind};\n{rules}\n}}\n}}")
}

const HARMLESS: &[&str] = &[
    "",
    "accept",
    "meta l4proto 47 accept; drop",
    "ip protocol 47 accept; drop",
    "iifname eth0 accept; drop",
    "ct state established,related accept; ct state new,untracked accept; drop",
    "ct state vmap { established : accept, related : accept, new : jump a, untracked : jump a, invalid : drop }",
    "ct state invalid counter drop",
    "tcp dport 1723 counter accept; udp dport 53 log drop",
    "meta l4proto { tcp, udp } jump c",
    "meta nfproto ipv6 counter drop",
    "iifname lo counter accept; iifname != eth0 drop",
    "ip daddr 198.51.100.0/24 counter drop",
    "ip saddr @banned drop",
    "meta l4proto vmap { tcp : jump c, 47 : accept }; drop",
    "meta l4proto vmap @verdicts",
    "tcp dport 22 add @learned { ip saddr } accept",
    "meta hour \"09:00\"-\"17:00\" accept; accept",
    "meta mark 7 drop",
    "fib daddr type != local drop",
    "meta pkttype != host drop",
    "jump a; goto a",
    "icmp type echo-request limit rate 5/second accept",
];

/// Rules, and what the obstacle contains.
const OBSTACLES: &[(&str, &str)] = &[
    ("meta l4proto 47 counter accept", "inet t i handle"),
    ("meta l4proto 47 counter accept", "does count received GRE packets"),
    ("counter name named", "does count"),
    ("counter name meta l4proto map { 47 : named, tcp : named }", "does count"),
    ("jump c", "inet t b handle"),
    ("meta l4proto vmap @counted_verdicts", "may count"),
    ("ip saddr @counted accept", "may count"),
    ("ip daddr != @counted_own drop", "does count"),
    ("ip saddr { 198.51.100.1, 198.51.100.9 } drop", "may drop"),
    ("ip saddr != 198.51.100.0/24 accept; drop", "may drop"),
    ("ip saddr @learned drop", "may drop"),
    ("add @learned { ip saddr }", "does record"),
    ("update @learned { ip saddr limit rate 10/second } accept", "does record"),
    ("log prefix \"x\" accept", "does log"),
    ("log group 5", "does log"),
    ("limit rate 100/second accept", "does apply a limit"),
    ("quota over 500 mbytes drop", "does apply a limit"),
    ("ct count over 20 drop", "does apply a limit"),
    ("meta mark set 7", "does set a mark"),
    ("ct mark set 7", "does set a mark"),
    ("meta nftrace set 1", "does trace"),
    ("ip dscp set cs1", "does change ip dscp of"),
    ("ip ttl set 9", "does change ip ttl of"),
    ("meta priority set 1:1", "does change meta priority of"),
    ("ct state new drop", "does drop received GRE packets in state new ("),
    ("ct state established accept; drop", "in state new, related, untracked"),
    ("meta l4proto 47 reject", "does reject"),
    ("ct mark 0 accept; drop", "may drop"),
    ("ct status dnat drop", "may drop"),
    ("meta cgroup 5 drop", "may drop"),
    ("meta hour \"09:00\"-\"17:00\" drop", "may drop"),
    ("meta length > 1400 drop", "may drop"),
    ("ip length > 1400 drop", "may drop"),
    ("th dport 34827 drop", "does drop"),
    ("th sport 12289 drop", "may drop"),
    ("@th,16,16 0x880b drop", "does drop"),
    ("@th,32,16 0x10 drop", "may drop"),
    ("fib daddr . iif type != local drop", "may drop"),
    ("fib saddr . iif oif missing drop", "may drop"),
    ("numgen inc mod 2 0 accept", "does apply numgen"),
    ("numgen inc mod 2 vmap { 0 : accept, 1 : accept }", "does apply numgen"),
    ("meta l4proto != tcp counter", "does count"),
    ("meta l4proto != tcp jump a; meta l4proto 47 goto b", "inet t b handle"),
];

/// Base chains, and what the obstacle contains; nothing if there is none.
const CHAINS: &[(&str, &str, &str)] = &[
    ("filter hook input priority 0; policy drop", "ct state new accept", "policy drop"),
    ("filter hook output priority 0; policy drop", "", "does drop sent GRE packets"),
    ("filter hook output priority 0", "oifname eth1 drop", ""),
    ("filter hook output priority 0", "meta skuid 5 drop", "may drop sent"),
    ("filter hook forward priority 0; policy drop", "counter", ""),
    ("filter hook prerouting priority raw", "meta l4proto 47 notrack", "does disable connection tracking"),
    (
        "filter hook prerouting priority raw",
        "ct state new,established,related,untracked accept; drop",
        "does drop",
    ),
    ("filter hook prerouting priority raw", "ct state invalid drop", "does drop"),
    ("filter hook prerouting priority -200", "ct state invalid drop", "may drop"),
    ("filter hook prerouting priority mangle", "ct state invalid drop", ""),
    ("filter hook prerouting priority mangle", "socket transparent 1 drop", "may drop"),
    ("nat hook postrouting priority srcnat", "oifname eth0 masquerade", "does translate"),
    ("nat hook postrouting priority srcnat", "oifname eth0 masquerade", "in state new, related"),
    ("nat hook postrouting priority srcnat", "ip saddr 10.0.0.0/8 oifname eth0 masquerade", ""),
    ("nat hook postrouting priority srcnat", "ip daddr 10.0.0.0/8 snat ip to 192.0.2.9", "may translate"),
    ("nat hook prerouting priority dstnat", "tcp dport 80 dnat ip to 192.0.2.1", ""),
    ("nat hook prerouting priority dstnat", "ip daddr 192.0.2.2 dnat ip to 192.0.2.1", "does translate"),
    ("filter hook ingress device eth0 priority 0", "counter", "does count received"),
    ("filter hook ingress device eth0 priority 0", "ct state new accept; drop", "does drop received"),
];

#[test]
fn rules_of_nftables() {
    let (_client, host) = hosts();
    let load = |script: &str| {
        let loaded = host.try_sh(&format!("nft -f - <<'END'\nflush ruleset\n{script}\nEND"));
        if loaded.ok { texts(&obstacles(&host)) } else { vec![format!("refused: {}", loaded.stderr)] }
    };
    let mut wrong = Vec::new();
    for rules in HARMLESS {
        let found = load(&input(rules));
        if !found.is_empty() {
            wrong.push(format!("{rules}: {found:#?}"));
        }
    }
    let chains = CHAINS.iter().map(|(kind, rules, expected)| (chain(kind, rules), *expected));
    let inputs = OBSTACLES.iter().map(|(rules, expected)| (input(rules), *expected));
    for (script, expected) in inputs.chain(chains) {
        let found = load(&script);
        let is_right = match expected {
            "" => found.is_empty(),
            expected => found.iter().any(|one| one.contains(expected)),
        };
        if !is_right {
            wrong.push(format!("{script}\nexpected {expected:?}: {found:#?}"));
        }
    }
    // nft 1.0.6 does not print the device, so that such a chain applies to all.
    for (hook, expected) in [("egress", "does count sent"), ("ingress", "does count received")] {
        let found = load(&format!(
            "table netdev t {{\nchain x {{\ntype filter hook {hook} device eth0 priority 0;\ncounter\n}}\n}}"
        ));
        if !found.iter().any(|one| one.contains("netdev t x handle") && one.contains(expected)) {
            wrong.push(format!("{hook}: {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
