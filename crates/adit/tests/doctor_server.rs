//! `adit doctor --server` in network namespaces: each fault is made for real, and named; a healthy server has none.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use adit_testbed::{Host, Output, wire};
use common::documents::{Doctor, Judgement, parse};
use common::services::{Answers, Dns};
use common::{CONFIG, Server, start};

/// A server with clients on one side, a router and a LAN on the other; a name server answers in the LAN.
struct World {
    server: Server,
    // A wire is gone with either of its ends.
    _street: Host,
    _dns: Dns,
}

fn outside() -> (Host, Host) {
    let host = Host::new("server");
    let street = Host::new("street");
    wire((&host, "eth0", "203.0.113.10/24"), (&street, "eth0", "203.0.113.1/24"));
    host.ip("route add default via 203.0.113.1");
    (host, street)
}

/// A name server that answers every question, and knows nothing.
fn name_server(lan: &Host) -> Dns {
    Dns::start(lan, [192, 168, 10, 5].into(), Answers::new(&[]))
}

fn world(config: &str) -> World {
    let (host, street) = outside();
    let server = Server::start(host, config, &["alice"]);
    let dns = name_server(&server.lan);
    World { server, _street: street, _dns: dns }
}

/// Without its line ends.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a run said.
struct Reply {
    verdict: Judgement,
    text: String,
    code: Option<i32>,
}

impl World {
    fn doctor(&self) -> Reply {
        doctor(&self.server.host, |arguments| self.server.adit(arguments))
    }
}

fn doctor(_: &Host, adit: impl Fn(&[&str]) -> Output) -> Reply {
    let json = adit(&["doctor", "--server", "--json"]);
    let text = adit(&["doctor", "--server"]);
    Reply {
        verdict: parse::<Doctor>(&json.stdout).unwrap_or_else(|error| panic!("{error}\n{json}")).judgement,
        text: text.stdout,
        code: json.code,
    }
}

impl Reply {
    fn first(&self) -> &str {
        self.verdict.first_failure.as_deref().unwrap_or("-")
    }

    fn findings(&self) -> Vec<&str> {
        self.verdict.finding_codes()
    }

    #[track_caller]
    fn fails(&self, code: &str, words: &[&str]) -> &Reply {
        assert_eq!(self.first(), code, "{}", self.text);
        assert_eq!(self.code, Some(1), "{}", self.text);
        for word in words {
            assert!(flat(&self.text).contains(word), "{word:?} is not in\n{}", self.text);
        }
        for line in self.text.lines() {
            assert!(line.chars().count() <= 80 || !line.trim().contains(' '), "{line}");
        }
        self
    }
}

#[test]
fn a_healthy_server_has_no_finding() {
    let world = world(CONFIG);
    let reply = world.doctor();
    assert_eq!((reply.first(), reply.findings().len(), reply.code), ("-", 0, Some(0)), "{}", reply.text);
    for words in [
        "listen    ok    203.0.113.10:1723 by adit, process",
        "firewall  ok    no rules",
        "nat       ok    public address 203.0.113.10 on eth0",
        "forward   ok    ip_forward=1",
        "return    ok    192.168.10.5 answers 10.99.0.1",
        "dns       ok    192.168.10.5 answers in",
        "pool      ok    default 10.99.0.0/24: 0 of",
        "outside   not tested: from another network: adit doctor vpn.example.org",
        "no problem found in these checks",
    ] {
        assert!(reply.text.contains(words), "{words:?} is not in\n{}", reply.text);
    }
    assert!(flat(&reply.text).contains("ip_forward=1, the firewall passes it on"), "{}", reply.text);
    // And the server was not disturbed.
    assert!(world.server.adit(&["log", "--failed"]).stdout.is_empty());
}

const OPEN: &str = "table inet filter { chain input { type filter hook input priority 0; policy drop;\n\
                    ct state established,related accept\nct state invalid drop\niif lo accept\nip protocol icmp accept\n\
                    iifname \"lan0\" accept\ntcp dport 1723 counter accept\nmeta l4proto 47 counter accept\n}\n}";

const HELPER: &str = "table inet filter { ct helper pptp { type \"pptp\" protocol tcp;\n}\n\
                  chain pre { type filter hook prerouting priority 0; tcp dport 1723 ct helper set \"pptp\";\n}\n\
                  chain input { type filter hook input priority 0; policy drop;\n\
                  ct state established,related accept\niifname { lo, lan0 } accept\nip protocol icmp accept\n\
                  tcp dport 1723 accept\n}\n}";

#[test]
fn firewalls() {
    let world = world(CONFIG);
    let host = &world.server.host;
    let with = |rules: &str| {
        host.sh("nft flush ruleset");
        host.nft(rules);
        world.doctor()
    };
    let reply = with(OPEN);
    assert_eq!((reply.first(), reply.findings().len()), ("-", 0), "{}", reply.text);
    assert!(
        flat(&reply.text).contains("accepted by \"tcp dport 1723 accept\" (0 packets)"),
        "{}",
        reply.text
    );

    let chain = |hook: &str, policy: &str, rules: &str| {
        format!(
            "table inet filter {{ chain {hook} {{ type filter hook {hook} priority 0; policy {policy};\n{rules}\n}}\n}}"
        )
    };
    with(&chain("input", "accept", "tcp dport 1723 counter drop")).fails(
        "S03",
        &[
            "drops TCP to port 1723",
            "handle",
            "tcp dport 1723 drop",
            "nft insert rule inet filter input tcp dport 1723 accept",
        ],
    );
    with(&chain("input", "accept", "ip protocol 47 counter drop"))
        .fails("S03", &["drops protocol 47 (GRE) to this host", "0 packets so far"]);
    with(&chain(
        "input",
        "drop",
        "iifname { lo, lan0 } accept\ntcp dport 1723 accept\nicmp type echo-reply accept",
    ))
    .fails("S03", &["protocol 47 (GRE) to this host", "policy drop, no rule accepts it"]);
    with(&chain("output", "accept", "meta l4proto 47 drop"))
        .fails("S03", &["protocol 47 (GRE) from this host"]);
    let mistake = chain(
        "input",
        "drop",
        "iifname { lo, lan0 } accept\ntcp dport 1723 accept\ntcp dport 47 accept\nip protocol icmp accept",
    );
    with(&mistake).fails("S03", &["opens TCP or UDP port 47; GRE is protocol 47 and has no ports"]);
    with(&chain("forward", "drop", "ct state established accept"))
        .fails("R06", &["drops what is passed on from clients"]);
    with(&chain("forward", "accept", "ip daddr 192.168.10.0/24 counter drop"))
        .fails("R02", &["clients are told to send 192.168.10.0/24 here", "a rule of the firewall denies it"]);
    with("table ip nat { chain pre { type nat hook prerouting priority -100; tcp dport 1723 dnat to 192.168.10.20;\n}\n}")
        .fails("S03", &["is sent on to 192.168.10.20"]);

    // A helper announces GRE: then no rule of its own is needed.
    let reply = with(HELPER);
    assert_eq!((reply.first(), reply.findings().len()), ("-", 0), "{}", reply.text);
    assert!(flat(&reply.text).contains("; helper pptp"), "{}", reply.text);

    // The fix is the command itself: it works.
    let reply = with(&chain(
        "input",
        "drop",
        "iifname { lo, lan0 } accept\ntcp dport 1723 accept\nip protocol icmp accept",
    ));
    host.sh(&reply.verdict.fixes[0]);
    let reply = world.doctor();
    assert_eq!((reply.first(), reply.findings().len()), ("-", 0), "{}", reply.text);

    // Source addresses: a restriction is a warning, a rewritten source is a fault.
    let reply = with(&chain(
        "input",
        "drop",
        "iifname { lo, lan0 } accept\nip protocol icmp accept\nip saddr 192.0.2.0/24 accept",
    ));
    assert_eq!((reply.first(), reply.findings()), ("-", vec!["S03"]), "{}", reply.text);
    host.ip("address add 203.0.113.11/24 dev eth0");
    with("table ip nat { chain post { type nat hook postrouting priority 100; oifname \"eth0\" ip protocol 47 snat to 203.0.113.11;\n}\n}")
        .fails("G03", &["203.0.113.11, which is not the address that clients call"]);
    // The usual masquerading leaves it as it is.
    let reply = with(
        "table ip nat { chain post { type nat hook postrouting priority 100; oifname \"eth0\" masquerade;\n}\n}",
    );
    assert_eq!((reply.first(), reply.findings().len()), ("-", 0), "{}", reply.text);
}

#[test]
fn the_network_behind() {
    let world = world(CONFIG);
    let (host, lan) = (&world.server.host, &world.server.lan);
    host.sysctl("net.ipv4.ip_forward", "0");
    world.doctor().fails("R06", &["net.ipv4.ip_forward is 0", "sysctl -w net.ipv4.ip_forward=1"]);
    host.sysctl("net.ipv4.ip_forward", "1");

    // The way back to the pool is gone: it leads to a router that knows nothing of it.
    lan.ip("route del default");
    lan.ip("link add far0 type veth peer name far1");
    lan.ip("link set far1 up");
    lan.ip("address add 172.31.0.1/24 dev far0");
    lan.ip("link set far0 up");
    lan.ip("route add default via 172.31.0.254");
    world
        .doctor()
        .fails("R03", &["no host behind this one answers the pool (asked from 10.99.0.1)", "192.168.10.5"]);

    // The way back is another wire, where the filter is strict.
    wire((host, "lan1", "192.168.11.1/24"), (lan, "back0", "192.168.11.2/24"));
    lan.ip("route add 10.99.0.0/24 via 192.168.11.1");
    // A strict host answers no ARP either, when it is asked by an address of another wire.
    lan.ping("192.168.11.1".parse().unwrap());
    host.sysctl("net.ipv4.conf.lan1.rp_filter", "1");
    world.doctor().fails(
        "R07",
        &["the reverse-path filter drops answers to the pool", "net.ipv4.conf.lan1.rp_filter=2"],
    );
    host.sysctl("net.ipv4.conf.lan1.rp_filter", "2");
    host.sysctl("net.ipv4.conf.all.rp_filter", "0");
    let reply = world.doctor();
    assert_eq!(reply.first(), "-", "{}", reply.text);

    // There is no DNS server any more.
    lan.ip("address del 192.168.10.5/24 dev eth0");
    lan.ip("address add 192.168.10.5/24 dev eth0");
    lan.nft("table ip f { chain in { type filter hook input priority 0; udp dport 53 drop;\n}\n}");
    world.doctor().fails("R04", &["192.168.10.5 is given to clients for names, and does not answer"]);
}

#[test]
fn no_program_and_another_program_on_the_port() {
    let (host, _street) = outside();
    let mut world = Server::start(host, CONFIG, &["alice"]);
    let _dns = name_server(&world.lan);
    world.running.signal("TERM");
    world.running.wait(common::SOON);
    let reply = doctor(&world.host, |arguments| world.adit(arguments));
    reply.fails("C02", &["no program listens on TCP 1723: the server does not run", "systemctl start adit"]);
    let listener = world.host.run(|| std::net::TcpListener::bind("203.0.113.10:1723").unwrap());
    let reply = doctor(&world.host, |arguments| world.adit(arguments));
    reply.fails(
        "S01",
        &["203.0.113.10:1723 is held by", &format!("process {}", std::process::id()), "not by adit"],
    );
    drop(listener);
}

#[test]
fn addresses_that_are_not_public() {
    for (address, code, findings) in [("192.168.77.10", "-", vec!["N03"]), ("100.64.7.10", "N03", vec![])] {
        let (host, street) = (Host::new("server"), Host::new("street"));
        let router = address.replace(".10", ".1");
        wire((&host, "eth0", &format!("{address}/24")), (&street, "eth0", &format!("{router}/24")));
        host.ip(&format!("route add default via {router}"));
        let server = Server::start(host, &CONFIG.replace("203.0.113.10", "eth0"), &["alice"]);
        let dns = name_server(&server.lan);
        let world = World { server, _street: street, _dns: dns };
        let reply = world.doctor();
        assert_eq!((reply.first(), reply.findings()), (code, findings), "{}", reply.text);
        assert!(reply.text.contains(address));
    }
}

#[test]
fn the_pool() {
    // Full, and who holds it.
    let config = CONFIG.replace("dns =", "range = \"10.99.0.10-10.99.0.10\"\ndns =");
    let world = world(&config);
    let client = Host::new("client");
    wire((&client, "eth0", "198.51.100.7/24"), (&world.server.host, "eth9", "198.51.100.1/24"));
    client.ip("route add default via 198.51.100.1");
    // Through a firewall that has a helper in place of a rule for GRE: what is said of it in `firewalls` is true.
    world.server.host.nft(HELPER);
    let mut held = common::dial(&client, "203.0.113.10", "alice", common::PASSWORD, &[]);
    held.running.wait_for("connected", common::SOON);
    world.doctor().fails("I01", &["1 of 1 addresses in use", "held by alice 1"]);
    held.hang_up();
}

#[test]
fn a_pool_inside_the_lan_and_one_of_every_home() {
    let (host, _street) = outside();
    let lan = Host::new("lan");
    wire((&host, "lan0", "192.168.10.1/24"), (&lan, "eth0", "192.168.10.20/24"));
    let dir = tempfile::TempDir::new().unwrap();
    for (net, code) in [("192.168.10.128/25", "P01"), ("192.168.1.0/24", "P03")] {
        std::fs::write(dir.path().join("adit.toml"), CONFIG.replace("10.99.0.0/24", net)).unwrap();
        let reply = doctor(&host, |arguments| host.command(&mut common::adit(dir.path(), arguments)));
        reply.fails(code, &[net]);
    }
}

#[test]
fn a_missing_configuration_is_reported() {
    let (host, _street) = outside();
    let dir = tempfile::TempDir::new().unwrap();
    let mut command = common::adit(dir.path(), &["doctor", "--server"]);
    command.env_remove("ADIT_CONFIG");
    let reply = host.command(&mut command);
    assert!(flat(&reply.stdout).contains("no server runs: adit init"), "{reply}");
    assert_eq!(reply.code, Some(1), "{reply}");
}

#[test]
fn a_full_disk() {
    let (host, _street) = outside();
    let mut server = Server::start(host, CONFIG, &["alice"]);
    let dns = name_server(&server.lan);
    server.running.signal("TERM");
    server.running.wait(common::SOON);
    let state = server.dir.path().join("state");
    // A mount of its own, in a mount namespace of the one command.
    let script = format!(
        "mount -t tmpfs -o size=1m none {0}; dd if=/dev/zero of={0}/filler bs=64k count=64 2>/dev/null || true; \
         exec \"$@\"",
        state.display()
    );
    let run = |arguments: &[&str]| {
        let inner = common::adit(server.dir.path(), arguments);
        let mut command = std::process::Command::new("unshare");
        command.args(["-m", "sh", "-c", &script, "sh"]).arg(inner.get_program()).args(inner.get_args());
        for (key, value) in inner.get_envs() {
            if let Some(value) = value {
                command.env(key, value);
            }
        }
        server.host.command(&mut command)
    };
    // The server has ended: that is reported first.
    let reply = doctor(&server.host, run);
    reply.fails("C02", &["has 0 KiB free of 1 MiB"]);
    assert!(reply.findings().contains(&"S06"), "{}", reply.text);
    drop(start(&server.host, server.dir.path()));
    drop(dns);
}

#[test]
fn users_and_what_became_of_them() {
    let world = world(CONFIG);
    let client = Host::new("client");
    wire((&client, "eth0", "198.51.100.7/24"), (&world.server.host, "eth9", "198.51.100.1/24"));
    client.ip("route add default via 198.51.100.1");
    assert!(world.server.adit(&["user", "disable", "alice"]).ok);
    let mut call = common::dial(&client, "203.0.113.10", "alice", common::PASSWORD, &["--once"]);
    call.running.wait(common::SOON);
    adit_testbed::wait_until("the failure in the log", common::SOON, || {
        world.server.adit(&["log", "--failed"]).stdout.contains("A02")
    });
    let reply = world.doctor();
    assert_eq!((reply.first(), reply.findings()), ("-", vec!["A02"]), "{}", reply.text);
    assert!(reply.text.contains("0 logins ok; 1 failed: 1 A02 (from 198.51.100.7)"), "{}", reply.text);
    let output = world.server.adit(&["doctor", "--server", "--user", "alice"]);
    assert!(output.stdout.contains("user      FAIL  A02"), "{output}");
    let output = world.server.adit(&["doctor", "--server", "--user", "unknown"]);
    assert_eq!(output.code, Some(5), "{output}");
    let output = world.server.adit(&["doctor", "--server", "--session", "s1"]);
    assert!(output.stdout.contains("session   FAIL  A02"), "{output}");
}
