//! The watch: delays, floods, and its end.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use adit_inspect::bypass::{Asked, Obstacle, Watch};
use adit_testbed::{Host, wait_until};

use crate::{SERVER, hosts, texts};

/// How long a report may take on a busy machine; the promise is a second.
const LIMIT: Duration = Duration::from_secs(5);

/// A watch, and its last report.
struct Watched {
    watch: Watch,
    reports: Arc<Mutex<Vec<Vec<Obstacle>>>>,
}

impl Watched {
    fn start(host: &Host) -> Watched {
        host.sh("for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done");
        let reports = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&reports);
        let asked = Asked { interface: "eth0".to_owned(), addresses: vec![SERVER] };
        let started = host.run(|| Watch::start(asked, None, move |new| to.lock().unwrap().push(new)));
        let (watch, first) = started.unwrap();
        assert_eq!(texts(&first), [""; 0]);
        Watched { watch, reports }
    }

    fn last(&self) -> Option<Vec<Obstacle>> {
        self.reports.lock().unwrap().last().cloned()
    }

    fn is_permitted(&self) -> bool {
        self.last().is_none_or(|last| last.is_empty())
    }

    /// The time from a change to the report.
    fn measure(&self, host: &Host, change: &str, is_permitted: bool) -> Duration {
        host.sh(change);
        let begin = Instant::now();
        wait_until(change, LIMIT, || self.is_permitted() == is_permitted);
        begin.elapsed()
    }
}

const DROP: &str =
    "nft -f - <<END\ntable ip t {\nchain c {\ntype filter hook input priority 0; policy drop;\n}\n}\nEND";

#[test]
fn changes_are_reported_and_their_end_is() {
    let (_client, host) = hosts();
    let watched = Watched::start(&host);
    for (change, undo) in [
        (DROP, "nft flush ruleset"),
        ("ip rule add fwmark 1 lookup 100", "ip rule del fwmark 1 lookup 100"),
        ("tc qdisc add dev eth0 root tbf rate 1mbit burst 16kb latency 9ms", "tc qdisc del dev eth0 root"),
        ("echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter", "echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter"),
        ("ip xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir out action block", "ip xfrm policy flush"),
        (
            "echo 1 > /proc/sys/net/netfilter/nf_conntrack_acct",
            "echo 0 > /proc/sys/net/netfilter/nf_conntrack_acct",
        ),
        ("ip link add br0 type bridge && ip link set eth0 master br0", "ip link del br0"),
    ] {
        if host.try_sh(change).ok {
            host.sh(undo);
        } else {
            println!("not supported here: {change}");
            continue;
        }
        wait_until("rest", LIMIT, || watched.is_permitted());
        std::thread::sleep(Duration::from_millis(300));
        let (there, back) = (watched.measure(&host, change, false), watched.measure(&host, undo, true));
        println!("{change}: reported after {there:?}, its end after {back:?}");
    }
}

#[test]
fn links_that_come_and_go_are_followed() {
    let (_client, host) = hosts();
    let watched = Watched::start(&host);
    watched.measure(&host, "ip link del eth0", false);
    host.sh("ip link add eth0 type veth peer name eth9");
    host.sh("for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done");
    wait_until("the new interface", LIMIT, || watched.is_permitted());
    let before = watched.reports.lock().unwrap().len();
    host.sh("for n in 1 2 3 4 5 6 7 8 9; do ip link set eth0 down; ip link set eth0 up; done");
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(watched.reports.lock().unwrap().len(), before, "up and down are no obstacles");
    watched.measure(&host, "tc qdisc add dev eth0 root tbf rate 1mbit burst 16kb latency 9ms", false);
}

#[test]
fn a_flood_of_changes_is_bounded_and_a_rule_in_it_is_found() {
    let (_client, host) = hosts();
    let watched = Watched::start(&host);
    let flood = host.spawn(std::process::Command::new("sh").args([
        "-c",
        "nft add table ip flood; nft add set ip flood s '{ type ipv4_addr; }'
         while :; do nft add element ip flood s '{ 192.0.2.77 }'; nft delete element ip flood s '{ 192.0.2.77 }'; done",
    ]));
    std::thread::sleep(Duration::from_millis(500));
    let before = cpu();
    std::thread::sleep(Duration::from_secs(2));
    println!("2 s of a flood cost {:?} of this process and its tools", cpu() - before);
    let delay = watched.measure(&host, DROP, false);
    println!("a rule in a flood: reported after {delay:?}");
    drop(flood);
    let back = watched.measure(&host, "nft flush ruleset", true);
    println!("permitted {back:?} after the end");
    let count = watched.reports.lock().unwrap().len();
    assert!(count <= 6, "{count} reports");
}

#[test]
fn rules_that_take_long_to_read_are_forbidden_in_time() {
    let (_client, host) = hosts();
    let watched = Watched::start(&host);
    // A list of addresses that nft prints in about a second.
    let addresses: Vec<String> =
        (0..150_000u32).map(|n| std::net::Ipv4Addr::from(0x0a00_0000 + n).to_string()).collect();
    let folder = host.sh("mktemp -d");
    let file = format!("{}/list.nft", folder.trim());
    let list = addresses.join(", ");
    std::fs::write(
        &file,
        format!("table ip long {{\nset s {{\ntype ipv4_addr\nelements = {{ {list} }}\n}}\n}}"),
    )
    .unwrap();
    host.sh(&format!("nft -f {file}; rm -r {folder}"));
    std::thread::sleep(Duration::from_secs(1));
    wait_until("the list", LIMIT * 2, || watched.is_permitted());
    let before = watched.reports.lock().unwrap().len();
    let delay = watched.measure(&host, DROP, false);
    let first = texts(&watched.reports.lock().unwrap()[before]);
    println!("long rules: reported after {delay:?}: {first:?}");
    wait_until("the rule", LIMIT * 2, || {
        texts(&watched.last().unwrap_or_default()).iter().any(|one| one.contains("policy drop"))
    });
    println!("and the rule itself {:?}", texts(&watched.last().unwrap_or_default()));
}

#[test]
fn a_watch_ends_when_it_is_dropped_and_costs_little() {
    let (_client, host) = hosts();
    let watched = Watched::start(&host);
    let before = cpu();
    std::thread::sleep(Duration::from_secs(2));
    println!("2 s without a change cost {:?}", cpu() - before);
    assert!(watched.last().is_none(), "nothing has changed");
    let begin = Instant::now();
    let Watched { watch, reports } = watched;
    drop(watch);
    println!("ended within {:?}", begin.elapsed());
    assert!(begin.elapsed() < LIMIT);
    assert_eq!(Arc::strong_count(&reports), 1, "its threads have ended");
    host.sh(DROP);
    std::thread::sleep(Duration::from_millis(300));
    assert!(reports.lock().unwrap().is_empty());
}

/// The processor time of this process and of its children that have ended, in clock ticks of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<u64> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .skip(11)
        .take(4)
        .map(|n| n.parse().unwrap())
        .collect();
    Duration::from_millis(fields.iter().sum::<u64>() * 10)
}
