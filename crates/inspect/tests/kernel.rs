//! The evaluator against the kernel: random rules are loaded into the kernel, packets are sent, and their fate must be
//! the predicted one. An unknown prediction is allowed, but must be rare.

#![allow(clippy::unwrap_used, missing_docs)]

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use adit_inspect::filter::{Fate, Outcome, Packet, PathHook, Place, walk};
use adit_inspect::read::nft;
use adit_sys::gre::{GreOptions, GreSocket, RecvBatch, SendBatch};
use adit_testbed::{Host, wire};

const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// Rulesets tried.
const CASES: u64 = 60;
/// How long a packet may take between two namespaces of a busy machine, and how long to wait before it counts as lost.
const PATIENCE: Duration = Duration::from_millis(200);

/// Matches that do not depend on the direction; each is a piece of a line of nft.
const ASK: &[&str] = &[
    "meta l4proto 47",
    "meta l4proto tcp",
    "meta l4proto { 47, esp }",
    "meta l4proto != { tcp, udp }",
    "ip protocol 47",
    "ip protocol != 47",
    "tcp dport 1723",
    "tcp sport 1723",
    "tcp dport { 22, 1700-1800 }",
    "tcp dport != 1723",
    "tcp dport 47",
    "udp dport 47",
    "udp dport != 53",
    "tcp dport @ports",
    "meta l4proto @protocols",
    "th dport 1723",
    "ct state new",
    "ct state established,related",
    "ct state { established, related }",
    "ct state != new",
    "ct state invalid",
    "ip saddr 192.0.2.0/25",
    "ip saddr 192.0.2.1",
    "ip saddr != 192.0.2.2",
    "ip saddr { 10.0.0.0/8, 192.0.2.1-192.0.2.2 }",
    "ip saddr @people",
    "ip daddr 192.0.2.2",
    "ip daddr != 192.0.2.0/24",
    "ip daddr . meta l4proto { 192.0.2.2 . 47, 192.0.2.1 . tcp }",
    "iifname eth0",
    "iifname eth1",
    "iifname != eth0",
    "oifname eth0",
    "iifname . tcp dport { eth0 . 1723 }",
    "meta nfproto ipv6",
    "meta nfproto ipv4",
    "ip6 nexthdr tcp",
    "icmp type echo-request",
    "fib daddr type local",
    "meta pkttype host",
    "meta mark 0",
    "meta mark 7",
    "tcp flags syn",
    "tcp flags & (fin|syn|rst|ack) == syn",
    "tcp dport >= 1024",
    "limit rate 100000/second burst 1000 packets",
    "limit rate over 100000/second burst 1000 packets",
    "tcp flags syn tcp dport 1723",
    "tcp flags & (syn|ack) == syn|ack",
    "tcp flags != syn",
    "tcp flags ack,rst",
    "tcp flags == syn",
    "ct status dnat",
];

const DO: &[&str] = &[
    "accept",
    "drop",
    "accept",
    "drop",
    "counter accept",
    "counter drop",
    "return",
    "counter",
    "log prefix \"x\"",
    "meta mark set 7",
    "jump a",
    "jump b",
    "goto b",
    "reject",
];

const MAPS: &[&str] = &[
    "meta l4proto vmap { 47 : accept, tcp : jump a }",
    "meta l4proto vmap { 47 : drop, icmp : accept }",
    "tcp dport vmap { 1723 : accept, 22 : drop }",
    "ct state vmap { established : accept, related : accept, invalid : drop }",
    "meta l4proto vmap @verdicts",
    "iifname vmap { eth0 : jump b, lo : accept }",
];

/// SplitMix64: the same rules every time.
struct Dice(u64);

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

    /// A rule; `deep` ones go nowhere else.
    fn rule(&mut self, hook: &str, deep: bool) -> String {
        if !deep && self.roll(8) == 0 {
            return self.one(MAPS).to_owned();
        }
        let count = 1 + self.roll(2);
        let mut words: Vec<&str> = (0..count).map(|_| self.one(ASK)).collect();
        // Not every match is valid in every hook.
        let fits = |ask: &&str| match hook {
            "output" => !ask.contains("iif") && !ask.contains("pkttype") && !ask.contains("fib daddr"),
            "prerouting" | "input" | "deep" if ask.contains("oif") => false,
            "deep" => !ask.contains("iif") && !ask.contains("pkttype") && !ask.contains("fib daddr"),
            _ => true,
        };
        words.retain(fits);
        let action = loop {
            let action = self.one(DO);
            let goes = action.contains("jump") || action.contains("goto");
            let refused = hook == "prerouting" && action == "reject";
            if !(deep && goes || refused) {
                break action;
            }
        };
        words.push(action);
        words.join(" ")
    }

    fn rules(&mut self, chain: &str, hook: &str) -> String {
        let count = self.roll(5);
        let deep = hook == "deep";
        // Some matches contradict each other; nft refuses such a rule, and the others stay.
        (0..count)
            .map(|_| format!("nft add rule inet t {chain} '{}' 2>/dev/null || true\n", self.rule(hook, deep)))
            .collect()
    }

    /// A script for the shell.
    fn ruleset(&mut self) -> String {
        let mut script = String::from(
            "nft flush ruleset\nnft -f - <<END\ntable inet t {\n\
             set ports { type inet_service; flags interval; elements = { 22, 1700-1800 }\n}\n\
             set protocols { type inet_proto; elements = { 47, 50 }\n}\n\
             set people { type ipv4_addr; flags interval; elements = { 192.0.2.0/28, 198.51.100.7 }\n}\n\
             chain b {\n}\nchain a {\n}\n\
             map verdicts { type inet_proto : verdict; elements = { 47 : jump a, tcp : accept }\n}\n",
        );
        let mut rules = self.rules("b", "deep") + &self.rules("a", "deep");
        for (hook, priority) in [("prerouting", -150), ("input", 0), ("input", 10), ("output", 0)] {
            // Most policies accept: otherwise nothing would ever arrive.
            let policy = if self.roll(4) == 0 { "drop" } else { "accept" };
            let name = format!("{hook}{}", i32::abs(priority));
            script += &format!(
                "chain {name} {{\ntype filter hook {hook} priority {priority}; policy {policy};\n}}\n"
            );
            rules += &self.rules(&name, hook);
        }
        script + "}\nEND\n" + &rules
    }
}

/// A client and a server with their sockets.
struct World {
    client: Host,
    server: Host,
    listener: TcpListener,
    from: GreSocket,
    to: GreSocket,
}

impl World {
    fn new() -> World {
        let (client, server) = (Host::new("client"), Host::new("server"));
        wire((&client, "eth0", "192.0.2.1/24"), (&server, "eth0", "192.0.2.2/24"));
        client.ping(SERVER);
        let options = GreOptions { filter: None, ..GreOptions::default() };
        let from = client.run(|| GreSocket::open(&options).unwrap());
        let to = server.run(|| GreSocket::open(&options).unwrap());
        let listener = server.run(|| TcpListener::bind((SERVER, 1723)).unwrap());
        listener.set_nonblocking(true).unwrap();
        World { client, server, listener, from, to }
    }

    /// Whether a control connection can be established.
    fn tcp(&self) -> bool {
        let target = SocketAddr::from((SERVER, 1723));
        let connected = self.client.run(|| TcpStream::connect_timeout(&target, PATIENCE));
        while self.listener.accept().is_ok() {}
        connected.is_ok()
    }
}

/// Whether a GRE packet with this number arrives.
fn gre(from: &GreSocket, to: &GreSocket, at: Ipv4Addr, number: u16) -> bool {
    // Enhanced GRE with a sequence number and no payload; its call ID is the number.
    let mut packet = [0x30, 0x01, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 1];
    packet[6..8].copy_from_slice(&number.to_be_bytes());
    let mut batch = SendBatch::new(1, 64);
    assert!(batch.push(at, None, &packet));
    let _ = from.send(&mut batch);
    let begin = Instant::now();
    let mut received = RecvBatch::new(8, 256);
    while begin.elapsed() < PATIENCE {
        if to.receive(&mut received).is_ok() {
            for index in 0..received.len() {
                let octets = received.get(index).unwrap_or_default();
                if octets.windows(packet.len()).any(|window| window == packet) {
                    return true;
                }
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}

/// Whether the packets are predicted to pass; `None` where the prediction is unknown.
fn predicted(outcomes: &[Outcome]) -> Option<bool> {
    if outcomes.iter().any(|outcome| outcome.fate.is_lost()) {
        return Some(false);
    }
    outcomes.iter().all(|outcome| outcome.fate == Fate::Accepted).then_some(true)
}

#[test]
fn predicted_verdicts_are_those_of_the_kernel() {
    let world = World::new();
    let with_client = |mut packet: Packet| {
        for place in [&mut packet.source, &mut packet.destination] {
            if *place == Place::Any {
                *place = Place::One(CLIENT);
            }
        }
        packet
    };
    let (mut tried, mut passed, mut unknown, mut wrong) = (0, 0, 0, Vec::new());
    // More, or others, by hand: ADIT_KERNEL_CASES=1000..2000.
    let given = std::env::var("ADIT_KERNEL_CASES").ok();
    let given = given
        .as_deref()
        .and_then(|range| range.split_once(".."))
        .map(|(from, to)| (from.parse(), to.parse()));
    let cases = match given {
        Some((Ok(from), Ok(to))) => from..to,
        _ => 0..CASES,
    };
    for seed in cases {
        let script = Dice(seed).ruleset();
        world.server.sh(&script);
        let rules = nft::read(&world.server.sh("nft -j list ruleset")).unwrap();
        let predict = |packet: Packet, path| walk(&rules, &with_client(packet), path);
        let control = [
            predict(Packet::control_in("eth0", SERVER, 1723), PathHook::In),
            predict(Packet::control_out("eth0", SERVER, 1723), PathHook::Out),
        ];
        let inward = [predict(Packet::gre_in("eth0", SERVER, false), PathHook::In)];
        let outward = [predict(Packet::gre_out("eth0", SERVER, false), PathHook::Out)];
        let number = u16::try_from(seed % 60_000).unwrap() + 1;
        let happened = [
            ("tcp 1723", predicted(&control), world.tcp()),
            ("gre in", predicted(&inward), gre(&world.from, &world.to, SERVER, number)),
            ("gre out", predicted(&outward), gre(&world.to, &world.from, CLIENT, number)),
        ];
        for (what, predicted, is) in happened {
            tried += 1;
            passed += u32::from(is);
            match predicted {
                None => unknown += 1,
                Some(predicted) if predicted == is => {}
                Some(predicted) => {
                    wrong.push(format!(
                        "seed {seed}, {what}: predicted {predicted}, is {is}\n{script}\n{control:#?}{inward:#?}"
                    ));
                }
            }
        }
    }
    println!("{tried} packets, {passed} passed, {unknown} without a prediction, {} wrong", wrong.len());
    wrong.iter().for_each(|wrong| println!("{}", wrong.lines().next().unwrap_or_default()));
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[0]);
    assert!(unknown * 8 < tried, "{unknown} of {tried} have no prediction");
    assert!(passed * 4 > tried && passed * 4 < tried * 3, "{passed} of {tried} passed: a poor test");
}
