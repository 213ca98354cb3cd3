//! The obstacles outside the packet filter, as the host's tools show them.

use std::time::Duration;

use adit_inspect::bypass::{Asked, Obstacle, look};

use crate::{SERVER, hosts, texts};

/// A change, what the obstacle contains, and how the change is undone. Changes that the kernel or the tools of the
/// machine do not support are left out.
const CHANGES: &[(&str, &str, &str)] = &[
    ("tc qdisc add dev eth0 root tbf rate 1mbit burst 16kb latency 9ms", "tbf", "tc qdisc del dev eth0 root"),
    (
        "tc qdisc add dev eth0 root fq_codel && tc filter add dev eth0 protocol ip u32 match u32 0 0 action drop",
        "(root)",
        "tc qdisc del dev eth0 root",
    ),
    (
        "tc qdisc add dev eth0 clsact && tc filter add dev eth0 ingress protocol ip u32 match u32 0 0 action ok",
        "(ingress)",
        "tc qdisc del dev eth0 clsact",
    ),
    (
        "tc qdisc add dev eth0 clsact && tc filter add dev eth0 egress protocol ip u32 match u32 0 0 action ok",
        "(egress)",
        "tc qdisc del dev eth0 clsact",
    ),
    ("ip rule add fwmark 1 lookup 100", "fwmark", "ip rule del fwmark 1 lookup 100"),
    ("ip rule add from 192.0.2.0/24 lookup 100", "src 192.0.2.0", "ip rule del from 192.0.2.0/24 lookup 100"),
    ("ip rule add ipproto 47 lookup 100", "ipproto", "ip rule del ipproto 47 lookup 100"),
    (
        "echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter",
        "strict reverse-path filter",
        "echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter",
    ),
    (
        "echo 1 > /proc/sys/net/ipv4/conf/eth0/rp_filter",
        "strict reverse-path filter",
        "echo 0 > /proc/sys/net/ipv4/conf/eth0/rp_filter",
    ),
    (
        "echo 1 > /proc/sys/net/netfilter/nf_conntrack_acct",
        "nf_conntrack_acct",
        "echo 0 > /proc/sys/net/netfilter/nf_conntrack_acct",
    ),
    (
        "ip xfrm policy add src 192.0.2.0/24 dst 0.0.0.0/0 dir out tmpl src 192.0.2.2 dst 192.0.2.1 proto esp mode tunnel",
        "IPsec policy",
        "ip xfrm policy flush",
    ),
    (
        "ip xfrm policy add src 192.0.2.0/24 dst 0.0.0.0/0 dir out action block",
        "IPsec policy",
        "ip xfrm policy flush",
    ),
    ("ip xfrm policy setdefault in block", "default policy", "ip xfrm policy setdefault in accept"),
    ("ip link add br0 type bridge && ip link set eth0 master br0", "has the master br0", "ip link del br0"),
    (
        "nft add table ip t && nft add chain ip t c '{ type filter hook input priority 0; policy drop; }'",
        "policy drop",
        "nft flush ruleset",
    ),
    (
        "iptables -A INPUT -p 47 -j ACCEPT && iptables -V | grep -q nf_tables",
        "iptables filter INPUT rule 1 does count received GRE packets",
        "nft flush ruleset",
    ),
    ("iptables-legacy -A INPUT -p tcp -j ACCEPT", "legacy iptables", ""),
];

const HARMLESS: &[(&str, &str)] = &[
    ("tc qdisc add dev eth0 root fq_codel", "tc qdisc del dev eth0 root"),
    ("tc qdisc add dev eth0 clsact", "tc qdisc del dev eth0 clsact"),
    ("ip rule add from 10.0.0.0/8 lookup 100", "ip rule del from 10.0.0.0/8 lookup 100"),
    ("echo 2 > /proc/sys/net/ipv4/conf/eth0/rp_filter", "echo 0 > /proc/sys/net/ipv4/conf/eth0/rp_filter"),
    ("ip xfrm policy add src 10.0.0.0/8 dst 0.0.0.0/0 dir out action block", "ip xfrm policy flush"),
];

#[test]
fn changes_of_the_host_are_obstacles_until_they_are_undone() {
    let (_client, host) = hosts();
    host.sh("for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done");
    let asked = Asked { interface: "eth0".to_owned(), addresses: vec![SERVER] };
    let found = || texts(&host.run(|| look(&asked, None, Duration::from_secs(20))));
    assert_eq!(found(), [""; 0]);
    let (mut wrong, mut left_out) = (Vec::new(), Vec::new());
    for (change, expected, undo) in CHANGES {
        if !host.try_sh(change).ok {
            left_out.push(*change);
            host.try_sh(undo);
            continue;
        }
        let seen = found();
        if !seen.iter().any(|one| one.contains(expected)) {
            wrong.push(format!("{change}: expected {expected:?}, found {seen:#?}"));
        }
        // The last one cannot be undone.
        if !undo.is_empty() {
            host.sh(undo);
            assert_eq!(found(), [""; 0], "after {undo}");
        }
        if !undo.is_empty() {
            continue;
        }
        break;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("left out: {left_out:#?}");
    assert!(left_out.len() * 2 < CHANGES.len(), "{left_out:#?}");
}

#[test]
fn harmless_settings_are_no_obstacles() {
    let (_client, host) = hosts();
    host.sh("for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done");
    let asked = Asked { interface: "eth0".to_owned(), addresses: vec![SERVER] };
    for (change, undo) in HARMLESS {
        if host.try_sh(change).ok {
            let seen = texts(&host.run(|| look(&asked, None, Duration::from_secs(20))));
            assert_eq!(seen, [""; 0], "after {change}");
        }
        host.try_sh(undo);
    }
}

#[test]
fn an_interface_that_does_not_exist_and_a_missing_second_are_obstacles() {
    let (_client, host) = hosts();
    let asked = Asked { interface: "eth7".to_owned(), addresses: vec![SERVER] };
    let found = host.run(|| look(&asked, None, Duration::from_secs(20)));
    assert!(texts(&found).contains(&"eth7 does not exist".to_owned()), "{found:#?}");
    let asked = Asked { interface: "eth0".to_owned(), addresses: vec![SERVER] };
    let found = host.run(|| look(&asked, None, Duration::ZERO));
    let unread = found.iter().filter(|one| matches!(one, Obstacle::NotRead { .. })).count();
    assert!(unread >= 4, "every part needs a tool, and none had time: {:#?}", texts(&found));
}
