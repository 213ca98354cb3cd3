//! The decision against the kernel: where there is no obstacle, every packet must arrive unchanged, and no object of
//! the rules may change.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use adit_inspect::bypass::Obstacle;
use adit_sys::gre::{GreOptions, GreSocket, RecvBatch, SendBatch};
use adit_testbed::Host;

use crate::{CLIENT, SERVER, hosts, obstacles, texts};

/// Rule sets tried.
const CASES: u64 = 60;
/// How long a packet may take that must arrive, and one that need not.
const PATIENCE: Duration = Duration::from_secs(2);
const IMPATIENCE: Duration = Duration::from_millis(30);

const ASK: &[&str] = &[
    "meta l4proto 47",
    "meta l4proto tcp",
    "meta l4proto { tcp, udp, icmp }",
    "meta l4proto != 47",
    "ip protocol 47",
    "tcp dport 1723",
    "tcp sport 1723",
    "udp dport 53",
    "th dport 1723",
    "th dport 34827",
    "th dport != 1723",
    "th sport 12289",
    "ct state new",
    "ct state established,related",
    "ct state invalid",
    "ct state untracked",
    "ct state != { established, related }",
    "ip saddr 192.0.2.0/25",
    "ip saddr != 192.0.2.2",
    "ip daddr 192.0.2.2",
    "ip daddr != 192.0.2.2",
    "ip daddr 198.51.100.0/24",
    "ip saddr @people",
    "ip saddr @counted",
    "ip saddr != @counted",
    "meta l4proto != @counted_protocols",
    "ip daddr @learned",
    "ip saddr @empty",
    "ip daddr . meta l4proto { 192.0.2.2 . 47, 192.0.2.1 . tcp }",
    "meta nfproto ipv6",
    "meta nfproto ipv4",
    "icmp type echo-request",
    "meta mark 0",
    "meta mark 7",
    "meta length > 30",
    "ct mark 0",
    "meta l4proto @counted_protocols",
    "tcp flags syn",
    "ip ttl > 3",
    "iifname eth0",
    "iifname lo",
    "iifname != eth0",
    "oifname eth0",
    "oifname lo",
    "fib daddr type local",
    "meta pkttype host",
    "limit rate 100000/second",
    "ct status dnat",
    "numgen inc mod 2 0",
    "meta l4proto vmap { tcp : accept, udp : accept }",
];

const DO: &[&str] = &[
    "accept",
    "accept",
    "accept",
    "accept",
    "drop",
    "counter accept",
    "counter drop",
    "counter",
    "counter name named",
    "return",
    "jump a",
    "jump b",
    "goto b",
    "jump quiet",
    "jump quiet",
    "add @learned { ip saddr }",
    "update @learned { ip daddr counter }",
    "meta mark set 7",
    "notrack",
    "ip ttl set 9",
    "quota over 5 mbytes drop",
    "limit rate 5/second accept",
    "ct mark set 3",
    "reject",
    "ip dscp set cs1",
];

const MAPS: &[&str] = &[
    "meta l4proto vmap { 47 : accept, tcp : jump a }",
    "meta l4proto vmap { 47 : jump quiet, tcp : drop }",
    "meta l4proto vmap { 47 : drop, icmp : accept }",
    "meta l4proto vmap @counted_verdicts",
    "meta l4proto vmap @verdicts",
    "th dport vmap { 34827 : drop, 1723 : accept }",
    "ct state vmap { established : accept, related : accept, new : jump quiet }",
    "counter name meta l4proto map { 47 : named, tcp : other }",
    "counter name tcp dport map { 1723 : named, 22 : other }",
];

/// Conditions that GRE of the server does not meet.
const OTHER: &[&str] = &[
    "meta l4proto tcp",
    "meta l4proto { tcp, udp, icmp }",
    "meta nfproto ipv6",
    "tcp dport 1723",
    "iifname lo",
    "oifname lo",
    "ct state invalid",
    "ip daddr 198.51.100.0/24 ip saddr 198.51.100.0/24",
    "ip saddr @empty",
    "meta mark 7",
    "th dport 1723",
    "tcp sport 1723",
    "udp dport != 53",
];

/// SplitMix64: the same rules every time. The number of tenths of the rules that are about other packets.
struct Dice(u64, usize);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }

    fn rule(&mut self) -> String {
        if self.roll(10) < self.1 {
            return [self.one(OTHER), self.one(DO)].join(" ");
        }
        if self.roll(6) == 0 {
            return self.one(MAPS).to_owned();
        }
        let mut words: Vec<&str> = (0..=self.roll(2)).map(|_| self.one(ASK)).collect();
        words.push(self.one(DO));
        words.join(" ")
    }

    fn rules(&mut self, chain: &str, most: usize) -> String {
        let count = self.roll(most + 1);
        // Some are refused: a match that contradicts another, or one that the hook or the kernel does not have.
        (0..count).map(|_| format!("nft add rule {chain} '{}' 2>/dev/null || true\n", self.rule())).collect()
    }

    /// A script for the shell.
    fn ruleset(&mut self) -> String {
        let mut script = String::from(
            "nft flush ruleset\nnft -f - <<END\ntable inet t {\ncounter named {\n}\ncounter other {\n}\n\
             set people { type ipv4_addr; flags interval; elements = { 192.0.2.0/28, 198.51.100.7 }\n}\n\
             set empty { type ipv4_addr;\n}\nset learned { type ipv4_addr; flags dynamic;\n}\n\
             set counted { type ipv4_addr; counter; elements = { 192.0.2.1, 198.51.100.7 }\n}\n\
             set counted_protocols { type inet_proto; counter; elements = { tcp, 47 }\n}\n\
             map verdicts { type inet_proto : verdict; elements = { tcp : accept, udp : drop }\n}\n\
             map counted_verdicts { type inet_proto : verdict; counter; elements = { tcp : accept, 47 : accept }\n}\n\
             chain quiet {\n}\nchain b {\n}\nchain a {\n}\n",
        );
        let mut rules = self.rules("inet t b", 2) + &self.rules("inet t a", 2);
        for (hook, priority) in
            [("prerouting", -300), ("prerouting", -150), ("input", 0), ("output", 0), ("postrouting", 10)]
        {
            let policy = if self.roll(8) == 0 { "drop" } else { "accept" };
            let name = format!("{hook}{}", i32::abs(priority));
            script += &format!(
                "chain {name} {{\ntype filter hook {hook} priority {priority}; policy {policy};\n}}\n"
            );
            let most = [0, 2, 4][self.roll(3)];
            rules += &self.rules(&format!("inet t {name}"), most);
        }
        if self.roll(3) == 0 {
            script += "chain nat {\ntype nat hook postrouting priority srcnat;\n}\n";
            let source = self.one(&["10.0.0.0/8", "192.0.2.2", "0.0.0.0/0"]);
            rules += &format!("nft add rule inet t nat ip saddr {source} masquerade 2>/dev/null || true\n");
        }
        script += "}\nEND\n";
        for hook in ["ingress", "egress"] {
            if self.roll(4) == 0 {
                script += &format!(
                    "nft add table netdev n\nnft add chain netdev n {hook} '{{ type filter hook {hook} device eth0 priority 0; }}'\n"
                );
                rules += &self.rules(&format!("netdev n {hook}"), 2);
            }
        }
        script + &rules
    }
}

struct World {
    client: Host,
    server: Host,
    listener: TcpListener,
    at_client: GreSocket,
    at_server: GreSocket,
    /// Connections are kept open, so that none sends anything later.
    open: Vec<TcpStream>,
}

impl World {
    fn new() -> World {
        let (client, server) = hosts();
        client.ping(SERVER);
        let options = GreOptions { filter: None, ..GreOptions::default() };
        let at_client = client.run(|| GreSocket::open(&options).unwrap());
        let at_server = server.run(|| GreSocket::open(&options).unwrap());
        let listener = server.run(|| TcpListener::bind((SERVER, 1723)).unwrap());
        World { client, server, listener, at_client, at_server, open: Vec::new() }
    }

    /// Establishes a control connection; whether that works depends on the rules.
    fn connect(&mut self) {
        let target = SocketAddr::from((SERVER, 1723));
        let connected = self.client.run(|| TcpStream::connect_timeout(&target, Duration::from_millis(100)));
        if let Ok(stream) = connected {
            self.open.push(stream);
            if let Ok((stream, _)) = self.listener.accept() {
                self.open.push(stream);
            }
        }
    }

    /// The rules once late segments of a control connection no longer change them.
    fn settled_listing(&self) -> String {
        let mut listing = self.listing();
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(30));
            let next = self.listing();
            if next == listing {
                break;
            }
            listing = next;
        }
        listing
    }

    /// Sends packets in both directions in several orders, each with its own Call ID; returns the problems.
    fn exchange(&self, base: u16, patience: Duration) -> Vec<String> {
        let inward = |number| send(&self.at_client, &self.at_server, (CLIENT, SERVER), number, patience);
        let outward = |number| send(&self.at_server, &self.at_client, (SERVER, CLIENT), number, patience);
        let results = [
            ("unsolicited in", inward(base)),
            ("out after in", outward(base)),
            ("in again", inward(base)),
            ("unsolicited out", outward(base + 1)),
            ("in after out", inward(base + 1)),
            ("out again", outward(base + 1)),
        ];
        results.into_iter().filter_map(|(what, result)| Some(format!("{what}: {}", result.err()?))).collect()
    }

    fn listing(&self) -> String {
        self.server.sh("nft -j list ruleset")
    }
}

/// Sends a GRE packet with this Call ID; an error says what is wrong with its arrival.
fn send(
    from: &GreSocket,
    to: &GreSocket,
    (source, destination): (Ipv4Addr, Ipv4Addr),
    number: u16,
    patience: Duration,
) -> Result<(), String> {
    let mut packet = [0x30, 0x01, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 1];
    packet[6..8].copy_from_slice(&number.to_be_bytes());
    let mut batch = SendBatch::new(1, 64);
    assert!(batch.push(destination, None, &packet));
    let _ = from.send(&mut batch);
    let begin = Instant::now();
    let mut received = RecvBatch::new(8, 256);
    while begin.elapsed() < patience {
        if to.receive(&mut received).is_ok() {
            for index in 0..received.len() {
                if let Some(found) = received.get_mut(index).filter(|found| *found.gre == packet) {
                    let ends = (found.source, found.destination);
                    let is_same = ends == (source, destination);
                    return if is_same { Ok(()) } else { Err(format!("arrived with {ends:?}")) };
                }
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err("lost".to_owned())
}

#[test]
fn without_an_obstacle_nothing_of_the_rules_changes() {
    let mut world = World::new();
    // More, or others, by hand: ADIT_KERNEL_CASES=1000..2000.
    let given = std::env::var("ADIT_KERNEL_CASES").ok();
    let given = given.as_deref().and_then(|range| range.split_once(".."));
    let cases = match given.map(|(from, to)| (from.parse(), to.parse())) {
        Some((Ok(from), Ok(to))) => from..to,
        _ => 0..CASES,
    };
    let (mut tried, mut safe, mut without_effect, mut wrong) = (0, 0, 0, Vec::new());
    for seed in cases {
        let script = Dice(seed, [3, 7, 9, 10][usize::try_from(seed % 4).unwrap()]).ruleset();
        world.server.sh(&script);
        let found: Vec<Obstacle> = obstacles(&world.server);
        let base = u16::try_from(seed % 15_000).unwrap() * 4 + 1;
        let patience = if found.is_empty() { PATIENCE } else { IMPATIENCE };
        let mut problems = Vec::new();
        for (round, is_connected) in [false, true].into_iter().enumerate() {
            if is_connected {
                world.connect();
            }
            let before = world.settled_listing();
            problems.extend(world.exchange(base + u16::try_from(round).unwrap() * 2, patience));
            if world.listing() != before {
                problems.push("the rules have changed".to_owned());
            }
        }
        tried += 1;
        safe += u32::from(found.is_empty());
        without_effect += u32::from(!found.is_empty() && problems.is_empty());
        if found.is_empty() && !problems.is_empty() {
            wrong.push(format!("seed {seed}: {problems:?}\n{script}"));
        }
        if found.is_empty() == problems.is_empty() {
            continue;
        }
        println!("seed {seed}: {problems:?}, {:?}", texts(&found).first());
    }
    println!(
        "{tried} rule sets, {safe} without an obstacle, {without_effect} with one and no visible effect"
    );
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[0]);
    assert!(safe * 8 > tried, "{safe} of {tried} have no obstacle: a poor test");
    assert!(
        without_effect * 2 < tried,
        "{without_effect} of {tried} have obstacles without a visible effect"
    );
}
