//! Readers of what tools and /proc print: real output, and anything at all.

#![allow(clippy::unwrap_used, missing_docs)]

use std::net::Ipv4Addr;

use adit_inspect::filter::{Packet, PathHook, walk};
use adit_inspect::read::{ip, iptables, nft, proc};
use proptest::prelude::*;

const ROUTES: &str = r#"[{"dst":"default","gateway":"203.0.113.1","dev":"eth0","flags":[]},
 {"dst":"10.99.0.0/24","dev":"adit0","protocol":"kernel","scope":"link","prefsrc":"10.99.0.1","flags":[]},
 {"dst":"192.168.10.0/24","dev":"eth1","protocol":"kernel","scope":"link","prefsrc":"192.168.10.1","flags":[]},
 {"dst":"192.168.0.0/16","gateway":"192.168.10.254","dev":"eth1","metric":100,"flags":[],"metrics":[{"mtu":1300}]},
 {"type":"unreachable","dst":"172.16.50.0/24","dev":"lo","flags":[]},
 {"dst":"default","gateway":"198.51.100.1","dev":"eth2","table":"100","flags":[]},
 {"type":"local","dst":"203.0.113.10","dev":"eth0","table":"local","protocol":"kernel","scope":"host","flags":[]},
 {"dst":"default","gateway":"fd00::1","dev":"eth0","metric":1024,"flags":[],"pref":"medium"},
 {"dst":"fe80::/64","dev":"eth0","protocol":"kernel","metric":256,"flags":[],"pref":"medium"}]"#;
const RULES: &str = r#"[{"priority":0,"src":"all","table":"local"},
 {"priority":100,"src":"198.51.100.7","table":"100"},
 {"priority":200,"src":"10.0.0.0","srclen":8,"iif":"eth3","table":"100"},
 {"priority":300,"src":"all","fwmark":"0x1","table":"100"},
 {"priority":32766,"src":"all","table":"main"},{"priority":32767,"src":"all","table":"default"}]"#;

fn address(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

#[test]
fn routes_and_rules_are_selected_as_in_the_kernel() {
    let routes = ip::routes(ROUTES).unwrap();
    assert_eq!(routes.len(), 7, "those of IPv6 are left out");
    // Without the rule about a mark, which makes everything behind it a question.
    let rules: Vec<_> = ip::rules(RULES).unwrap().into_iter().filter(|rule| !rule.other).collect();
    assert_eq!(rules.len(), 5);
    let dev = |from: &str, to: &str, iif: Option<&str>| match ip::way(
        &rules,
        &routes,
        address(from),
        address(to),
        iif,
    ) {
        ip::Way::Route(route) => route.dev.clone().unwrap_or_default() + " " + &route.kind,
        ip::Way::Nowhere => "nowhere".to_owned(),
        ip::Way::Unknown(rule) => format!("rule {}", rule.priority),
    };
    assert_eq!(dev("203.0.113.10", "8.8.8.8", None), "eth0 unicast");
    assert_eq!(dev("198.51.100.7", "8.8.8.8", None), "eth2 unicast", "policy routing by source");
    assert_eq!(dev("10.99.0.1", "8.8.8.8", Some("eth3")), "eth2 unicast", "policy routing by interface");
    assert_eq!(dev("10.99.0.1", "8.8.8.8", Some("adit0")), "eth0 unicast");
    assert_eq!(dev("10.99.0.1", "192.168.10.5", None), "eth1 unicast");
    assert_eq!(dev("10.99.0.1", "172.16.50.9", None), "lo unreachable");
    assert_eq!(dev("8.8.8.8", "203.0.113.10", Some("eth0")), "eth0 local");
    let wide = routes.iter().find(|route| route.to.prefix_len() == 16).unwrap();
    assert_eq!((wide.via, wide.mtu, wide.metric), (Some(address("192.168.10.254")), Some(1300), 100));
    let marked = ip::rules(RULES).unwrap();
    assert!(matches!(
        ip::way(&marked, &routes, address("203.0.113.10"), address("8.8.8.8"), None),
        ip::Way::Unknown(rule) if rule.priority == 300
    ));
}

#[test]
fn addresses_and_neighbours() {
    let text = r#"[{},{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8}]},
      {"ifindex":4,"ifname":"eth0","flags":["BROADCAST","UP"],"mtu":1400,"addr_info":[{"family":"inet","local":"192.0.2.2","prefixlen":24},{"family":"inet6","local":"fd00::2","prefixlen":64}]}]"#;
    let links = ip::links(text).unwrap();
    assert_eq!(links.len(), 2);
    assert!(links[0].loopback && !links[1].loopback && links[1].up);
    assert_eq!((links[1].mtu, links[1].addresses.as_slice()), (1400, &["192.0.2.2/24".parse().unwrap()][..]));
    let text = r#"[{"dst":"192.168.10.20","dev":"eth1","lladdr":"00:11:22:33:44:55","state":["REACHABLE"]},
      {"dst":"192.168.10.21","dev":"eth1","state":["FAILED"]}]"#;
    let seen: Vec<bool> = ip::neighbours(text).unwrap().iter().map(|neighbour| neighbour.known).collect();
    assert_eq!(seen, [true, false]);
}

#[test]
fn sockets_with_their_owners_inode() {
    let tcp = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
               0: 0A7100CB:06BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1049 1 00 100 0 0 10 0\n";
    let sockets = proc::sockets("/proc/net/tcp", tcp).unwrap();
    #[cfg(target_endian = "little")]
    assert_eq!(sockets[0].local, "203.0.113.10:1723".parse().unwrap());
    assert_eq!((sockets[0].state, sockets[0].inode), (proc::LISTEN, 1049));
    let raw = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
               47: 00000000:002F 00000000:0000 07 00000000:00000000 00:00000000 00000000  0        0 33713 2 0000000000000000 7\n";
    let sockets = proc::sockets("/proc/net/raw", raw).unwrap();
    assert_eq!((sockets[0].local.port(), sockets[0].drops), (47, 7));
    let error = proc::sockets("/proc/net/tcp", "head\n 0: nonsense\n").unwrap_err();
    assert_eq!(error.to_string(), "/proc/net/tcp, line 2: expected a local address and port in hexadecimal");
}

#[test]
fn tracked_connections_and_counters() {
    let text = "ipv4     2 gre      47 29 timeout=30, stream_timeout=180 src=198.51.100.7 dst=203.0.113.10 srckey=0x0 dstkey=0x1 \
                [UNREPLIED] src=203.0.113.10 dst=198.51.100.7 srckey=0x1 dstkey=0x0 mark=0 use=1\n\
                ipv6     10 tcp      6 1 src=::1 dst=::1\n\
                ipv4     2 tcp      6 431999 ESTABLISHED src=10.99.0.10 dst=192.168.10.20 sport=1 dport=2 src=192.168.10.20 dst=192.168.10.1 sport=2 dport=1 [ASSURED]\n";
    let all = proc::conntrack(text).unwrap();
    assert_eq!((all[0].protocol, all[0].seconds, all[0].unreplied), (47, 29, true));
    assert_eq!((all.len(), all[1].answers_to), (2, Some(address("192.168.10.1"))));
    assert!(proc::conntrack("arp 1\n").is_err());
    let netstat =
        "TcpExt: SyncookiesSent IPReversePathFilter Other\nTcpExt: 0 17 3\nIpExt: InNoRoutes\nIpExt: 4\n";
    assert_eq!(proc::counter(netstat, "TcpExt", "IPReversePathFilter"), Some(17));
    assert_eq!(proc::counter(netstat, "TcpExt", "Missing"), None);
    assert_eq!(proc::sysctl("net.ipv4.ip_forward", "1\n"), Ok(1));
    assert!(proc::sysctl("net.ipv4.ip_forward", "").is_err());
}

#[test]
fn an_error_names_the_place_and_what_was_expected() {
    for (error, text) in [
        (nft::read("{"), "nft -j list ruleset, line 1 column 1: expected JSON"),
        (nft::read("[]"), "nft -j list ruleset, top: expected an object with a list \"nftables\""),
        (
            nft::read(r#"{"nftables":[{"chain":{"family":"ip","name":"c","hook":"input","prio":0}}]}"#),
            "nft -j list ruleset, nftables[0].chain: expected a text \"table\"",
        ),
    ] {
        assert_eq!(error.unwrap_err().to_string(), text);
    }
    let error = iptables::read("*filter\n:INPUT DROP [0:0]\nnonsense\n").unwrap_err();
    assert_eq!(error.to_string(), "iptables-save, line 3: expected *table, :chain, a rule or COMMIT");
    let error = iptables::read("*filter\n-A NOWHERE -j ACCEPT\n").unwrap_err();
    assert_eq!(error.to_string(), "iptables-save, line 2: expected a chain that was declared before");
}

/// Packets can be followed through any rules, and that ends.
fn try_all(rules: &adit_inspect::filter::Ruleset) {
    let server = Ipv4Addr::new(203, 0, 113, 10);
    for (packet, path) in [
        (Packet::control_in("eth0", server, 1723), PathHook::In),
        (Packet::gre_in("eth0", server, false), PathHook::In),
        (Packet::gre_out("eth0", server, false), PathHook::Out),
    ] {
        let outcome = walk(rules, &packet, path);
        assert!(outcome.doubts.len() <= 16 && outcome.exceptions.len() <= 16);
    }
    let _ = adit_inspect::filter::mistakes(rules);
    let obstacles = adit_inspect::bypass::rules::obstacles(rules, "eth0", &[server]);
    assert!(obstacles.len() <= 34 && obstacles.iter().all(|obstacle| !obstacle.to_string().is_empty()));
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let words = [
        "match",
        "left",
        "right",
        "op",
        "==",
        "!=",
        "in",
        "meta",
        "key",
        "l4proto",
        "gre",
        "tcp",
        "payload",
        "protocol",
        "field",
        "dport",
        "saddr",
        "ip",
        "ct",
        "state",
        "new",
        "set",
        "range",
        "prefix",
        "addr",
        "len",
        "vmap",
        "data",
        "accept",
        "drop",
        "jump",
        "target",
        "goto",
        "c",
        "d",
        "counter",
        "packets",
        "limit",
        "inv",
        "concat",
        "elem",
        "val",
        "fib",
        "flags",
        "@s",
        "reject",
        "masquerade",
        "xt",
        "type",
        "return",
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        (0u64..70_000).prop_map(Into::into),
        proptest::sample::select(words.to_vec()).prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            proptest::collection::vec((proptest::sample::select(words.to_vec()), inner), 0..4).prop_map(
                |pairs| {
                    pairs
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect::<serde_json::Map<_, _>>()
                        .into()
                }
            ),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,300}", lines in proptest::collection::vec("[-*:\\[A-Za-z0-9 !,/.#\"\\\\]{0,60}", 0..12)) {
        let _ = nft::read(&text);
        let _ = ip::routes(&text);
        let lines = lines.join("\n");
        for text in [&text, &lines] {
            if let Ok(saved) = iptables::read(text) {
                try_all(&saved.rules);
            }
            let _ = proc::sockets("table", text);
            let _ = proc::conntrack(text);
            let _ = proc::counter(text, "TcpExt", "X");
        }
    }

    #[test]
    fn any_rule_of_nft_is_followed(rules in proptest::collection::vec(proptest::collection::vec(json(), 0..4), 0..6), drops in any::<bool>()) {
        let policy = if drops { "drop" } else { "accept" };
        let mut items = vec![
            serde_json::json!({"chain": {"family": "ip", "table": "t", "name": "c", "hook": "input", "prio": 0, "policy": policy}}),
            serde_json::json!({"chain": {"family": "ip", "table": "t", "name": "d"}}),
            serde_json::json!({"set": {"family": "ip", "table": "t", "name": "s", "type": "inet_proto", "elem": ["gre", 6]}}),
        ];
        for (n, expr) in rules.into_iter().enumerate() {
            let chain = if n % 2 == 0 { "c" } else { "d" };
            items.push(serde_json::json!({"rule": {"family": "ip", "table": "t", "chain": chain, "expr": expr}}));
        }
        let text = serde_json::json!({"nftables": items}).to_string();
        try_all(&nft::read(&text).unwrap());
    }

    #[test]
    fn options_of_iptables_in_any_order(words in proptest::collection::vec(proptest::sample::select(vec![
        "-p", "tcp", "gre", "47", "!", "-s", "10.0.0.0/8", "-i", "eth+", "--dport", "1723", "-m", "conntrack", "--ctstate",
        "NEW,RELATED", "-j", "ACCEPT", "DROP", "X", "-g", "--comment", "\"a b\"", "--match-set", "s", "src", "--limit",
        "10/s", "--tcp-flags", "SYN,RST", "SYN", "--unknown", "--mark", "0x1/0xff", "REJECT", "MASQUERADE",
    ]), 0..14)) {
        let text = format!("*filter\n:INPUT DROP [0:0]\n:X - [0:0]\n[1:2] -A INPUT {}\n-A X {}\nCOMMIT\n", words.join(" "), words.join(" "));
        try_all(&iptables::read(&text).unwrap().rules);
    }
}
