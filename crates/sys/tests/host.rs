//! Facts about hosts, on hosts made for the purpose.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use adit_diag::Code;
use adit_sys::Kind;
use adit_sys::host::{self, Capability, InUse, NftRules, Purpose};
use adit_sys::net::Net;
use adit_testbed::{Host, MountNamespace, wire};

/// A host with a public address on one side and a private network on the other.
fn office() -> (Host, Host) {
    let (host, world) = (Host::new("office"), Host::new("world"));
    host.sysctl("net.ipv6.conf.all.disable_ipv6", "1");
    wire((&host, "eth0", "203.0.113.10/24"), (&world, "eth0", "203.0.113.1/24"));
    wire((&host, "eth1", "192.168.10.1/24"), (&world, "eth1", ""));
    host.ip("route add default via 203.0.113.1");
    (host, world)
}

#[test]
fn the_default_route_is_found_with_its_address() {
    let (host, _world) = office();
    let net = host.run(|| Net::open().unwrap());
    let route = host::default_route(&net).unwrap().unwrap();
    assert_eq!((route.interface.as_str(), route.gateway), ("eth0", "203.0.113.1".parse().ok()));
    assert_eq!((route.address, route.public), ("203.0.113.10/24".parse().ok(), true));

    // A route with a lower metric wins, and a private address is not public.
    host.ip("route del default");
    host.ip("route add default via 203.0.113.1 metric 200");
    host.ip("route add default via 192.168.10.254 metric 100");
    let route = host::default_route(&net).unwrap().unwrap();
    assert_eq!((route.interface.as_str(), route.public), ("eth1", false));

    let lonely = Host::new("lonely");
    let net = lonely.run(|| Net::open().unwrap());
    assert_eq!(host::default_route(&net).unwrap(), None);
    assert!(host::in_use(&net).unwrap().is_empty());
}

#[test]
fn every_network_in_use_is_listed_and_the_pool_avoids_it() {
    let (host, _world) = office();
    host.ip("route add 10.99.0.0/16 via 192.168.10.254");
    host.ip("route add unreachable 10.98.0.0/24");
    host.ip("address add 10.97.0.5 peer 10.97.1.9/32 dev eth1");
    host.ip("route add 10.96.0.0/24 via 192.168.10.254 table 77");
    let net = host.run(|| Net::open().unwrap());
    let used = host::in_use(&net).unwrap();
    let find = |network: &str| used.iter().find(|u| u.network.to_string() == network);
    let eth1 = |network: &str, purpose| InUse {
        network: network.parse().unwrap(),
        purpose,
        interface: "eth1".to_owned(),
    };
    assert_eq!(find("192.168.10.0/24"), Some(&eth1("192.168.10.0/24", Purpose::Address)));
    assert_eq!(find("10.99.0.0/16"), Some(&eth1("10.99.0.0/16", Purpose::Route)));
    assert_eq!(find("10.97.1.9/32"), Some(&eth1("10.97.1.9/32", Purpose::Address)));
    assert_eq!(find("10.98.0.0/24").unwrap().interface, "", "a refused network has no interface");
    assert!(find("10.96.0.0/24").is_some(), "other tables count too");
    assert!(find("0.0.0.0/0").is_none() && find("127.0.0.0/8").is_none());

    let networks: Vec<_> = used.iter().map(|u| u.network).collect();
    let pool = host::suggest_pool(&networks, 24).unwrap();
    assert_eq!(pool.to_string(), "10.98.1.0/24");
    assert!(host::overlaps(pool, &networks).is_empty());
}

#[test]
fn forwarding_and_the_reverse_path_filter_are_read() {
    let (host, _world) = office();
    assert!(!host.run(|| host::ip_forward().unwrap()));
    host.sysctl("net.ipv4.ip_forward", "1");
    assert!(host.run(|| host::ip_forward().unwrap()));

    for name in ["all", "eth0", "eth1", "lo"] {
        host.sysctl(&format!("net.ipv4.conf.{name}.rp_filter"), "0");
    }
    host.sysctl("net.ipv4.conf.eth1.rp_filter", "1");
    let filters = || host.run(|| host::rp_filters().unwrap()).into_iter().map(|f| (f.interface, f.value));
    let expected =
        |eth0, eth1| [("eth0".to_owned(), eth0), ("eth1".to_owned(), eth1), ("lo".to_owned(), eth0)];
    assert!(filters().eq(expected(0, 1)));
    host.sysctl("net.ipv4.conf.all.rp_filter", "2");
    assert!(filters().eq(expected(2, 2)), "the larger value is in force");

    // An interface may have a dot in its name.
    host.ip("link add link eth0 name eth0.7 type macvlan");
    host.sh("echo 1 > /proc/sys/net/ipv4/conf/eth0.7/forwarding");
    assert_eq!(host.run(|| host::read_sysctl("net.ipv4.conf.eth0/7.forwarding").unwrap()), "1");
    let missing = host.run(|| host::read_sysctl("net.ipv4.no_such").unwrap_err());
    assert_eq!(missing.kind(), Kind::NotFound);
}

#[test]
fn the_holder_of_a_port_is_named_for_both_families() {
    const INSIDE: &str = "ADIT_TEST_LISTEN";
    if std::env::var_os(INSIDE).is_some() {
        let _listener = TcpListener::bind("127.0.0.1:1723").unwrap();
        println!("listening");
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let host = Host::new("host");
    assert_eq!(host.run(|| host::port_holder(1723)), None);
    let listener = host.run(|| TcpListener::bind("[::]:1723").unwrap());
    let holder = host.run(|| host::port_holder(1723)).unwrap();
    assert_eq!(
        (holder.addresses.as_slice(), holder.pid),
        (&["[::]:1723".to_owned()][..], Some(std::process::id()))
    );
    drop(listener);
    // Another process.
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "the_holder_of_a_port_is_named_for_both_families", "--nocapture"]);
    let mut other = host.spawn(command.env(INSIDE, "1"));
    other.wait_for("listening", Duration::from_secs(20));
    let holder = host.run(|| host::port_holder(1723)).unwrap();
    assert_eq!(holder.addresses, ["127.0.0.1:1723"]);
    assert_eq!(holder.pid, Some(other.pid()));
    assert!(holder.to_string().starts_with(&holder.name) && !holder.name.is_empty(), "{holder}");
}

fn rules() -> NftRules {
    NftRules {
        port: 1723,
        interface: Some("eth0".to_owned()),
        pools: vec!["10.99.0.0/24".parse().unwrap(), "10.98.0.0/24".parse().unwrap()],
        masquerade: Some("eth0".to_owned()),
    }
}

#[test]
fn nft_accepts_the_firewall_script_and_loading_it_twice_leaves_one_table() {
    let (host, _world) = office();
    let script = rules().script();
    host.run(|| host::apply_nft(&script).unwrap());
    // Numbers, whether or not this host has names for them.
    let list = || host.sh("nft --numeric-protocol list table inet adit");
    let first = list();
    host.run(|| host::apply_nft(&script).unwrap());
    assert_eq!(list(), first);
    for part in ["tcp dport 1723 accept", "ip protocol 47 accept", "10.98.0.0/24, 10.99.0.0/24", "masquerade"]
    {
        assert!(first.contains(part), "{part:?} in {first}");
    }
    let small = NftRules { interface: None, pools: Vec::new(), masquerade: None, ..rules() };
    host.run(|| host::apply_nft(&small.script()).unwrap());
    assert!(!list().contains("forward"));
    host.run(|| host::delete_nft_table("inet", "adit").unwrap());
    let gone = host.run(|| host::delete_nft_table("inet", "adit").unwrap_err());
    assert_eq!(gone.kind(), Kind::NotFound);
}

/// A minimal Debian (a container, debootstrap) has no netbase, and so neither /etc/protocols nor /etc/services.
#[test]
fn the_firewall_script_loads_on_a_host_without_names_of_protocols_and_services() {
    let (host, _world) = office();
    let names = ["/etc/protocols", "/etc/services"];
    let hidden = names.map(|file| format!("if [ -e {file} ]; then mount --bind /dev/null {file}; fi"));
    let minimal = MountNamespace::new(&host, &hidden.join("\n"));
    let load = |rules: &str| {
        let script = format!("nft -f - <<'END'\n{rules}\nEND");
        host.command(&mut minimal.inside(Command::new("sh").args(["-e", "-c", &script])))
    };
    let loaded = load(&rules().script());
    assert!(loaded.ok, "{loaded}");
    let listed = host.sh("nft --numeric-protocol list table inet adit");
    assert!(listed.contains("ip protocol 47 accept"), "{listed}");
    // The names are really hidden: one that nft does not know itself is refused.
    let named = load("table ip t { chain c { ip protocol ospf accept; }; }");
    assert!(!named.ok, "{named}");
}

#[test]
fn the_lines_for_a_closed_input_chain_open_it() {
    let (host, world) = office();
    host.nft("table inet filter { chain input { type filter hook input priority 0; policy drop; }; }");
    let listener = host.run(|| TcpListener::bind("203.0.113.10:1723").unwrap());
    let dial = || {
        let to = "203.0.113.10:1723".parse().unwrap();
        world.run(|| std::net::TcpStream::connect_timeout(&to, Duration::from_millis(500)).is_ok())
    };
    assert!(!dial());
    // Answers to requests of this host itself (ARP is not filtered, TCP is).
    for line in rules().lines_for_input() {
        host.nft(&format!("add rule inet filter input {line}"));
    }
    assert!(dial());
    drop(listener);
}

#[test]
fn wrong_rules_are_refused_as_a_whole_with_the_message_of_nft() {
    let (host, _world) = office();
    let script = format!("{}\nnonsense\n", rules().script());
    let error = host.run(|| host::apply_nft(&script).unwrap_err());
    assert_eq!(error.code(), Some(Code::S03));
    assert!(error.to_string().contains("syntax error"), "{error}");
    assert_eq!(host.sh("nft list tables"), "");
}

#[test]
fn missing_capabilities_are_found_in_advance() {
    const INSIDE: &str = "ADIT_TEST_WITHOUT_CAPABILITY";
    if std::env::var_os(INSIDE).is_some() {
        assert!(!host::has_capability(Capability::NetAdmin) && !host::has_capability(Capability::NetRaw));
        let error = host::apply_nft("table inet adit {}").unwrap_err();
        assert_eq!(error.code(), Some(Code::S08), "{error}");
        println!("seen: {error}; {:?}", host::capabilities().unwrap());
        return;
    }
    assert!(host::has_capability(Capability::NetAdmin) && host::has_capability(Capability::NetRaw));
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-net_raw,-net_admin", "--inh-caps=-net_raw,-net_admin"]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", "missing_capabilities_are_found_in_advance", "--nocapture"]);
    let output = Host::new("host").command(command.env(INSIDE, "1"));
    assert!(output.ok && output.stdout.contains("seen: cannot load firewall rules"), "{output}");
}
