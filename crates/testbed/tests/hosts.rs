//! Hosts, wires, switches, programs, captures.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::{Duration, Instant};

use adit_testbed::{Capture, Host, Request, bridge, wait_until, wire};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn hosts_on_a_wire_reach_each_other_and_no_other_host() {
    let (a, b, stranger) = (Host::new("a"), Host::new("b"), Host::new("stranger"));
    wire((&a, "eth0", "192.0.2.1/24"), (&b, "eth0", "192.0.2.2/24"));
    a.ping(Ipv4Addr::new(192, 0, 2, 2));
    let alone = stranger.try_ping(&Request::new(Ipv4Addr::new(192, 0, 2, 2)));
    assert_eq!(alone.unwrap_err().answer(), "Network is unreachable");
    assert!(b.run(|| std::fs::read_to_string("/proc/thread-self/net/dev").unwrap().contains("eth0")));
}

#[test]
fn a_switch_joins_more_than_two() {
    let switch = Host::new("switch");
    let hosts = ["one", "two", "three"].map(Host::new);
    for (n, host) in hosts.iter().enumerate() {
        wire((host, "eth0", &format!("192.0.2.{}/24", n + 1)), (&switch, &format!("port{n}"), ""));
    }
    bridge(&switch, "br0", &["port0", "port1", "port2"]);
    hosts[0].ping(Ipv4Addr::new(192, 0, 2, 2));
    hosts[0].ping(Ipv4Addr::new(192, 0, 2, 3));
}

#[test]
fn a_host_and_its_wires_are_removed_even_when_the_test_panics() {
    let survivor = Host::new("survivor");
    let end = survivor.path();
    let panicked = std::thread::spawn(move || {
        let short = Host::new("short");
        short.ip(&format!("link add eth0 type veth peer name eth0 netns {end}"));
        panic!("as a failed assertion would");
    })
    .join();
    assert!(panicked.is_err());
    wait_until("the wire to vanish", SOON, || !survivor.try_sh("ip link show eth0").ok);
}

#[test]
fn a_panic_inside_a_host_is_the_tests_panic() {
    let host = Host::new("host");
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| host.run(|| panic!("words"))));
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"words"));
}

#[test]
fn the_output_of_a_program_is_read_and_dropping_it_ends_it() {
    let host = Host::new("host");
    let mut shell = Command::new("sh");
    let mut running = host.spawn(shell.args(["-c", "echo ready; echo loud >&2; exec sleep 100"]));
    running.wait_for("ready", SOON);
    running.wait_for("loud", SOON);
    let proc = format!("/proc/{}", running.pid());
    assert!(std::fs::exists(&proc).unwrap());
    drop(running);
    assert!(!std::fs::exists(&proc).unwrap(), "killed and reaped on drop");

    let mut polite = host.spawn(
        Command::new("sh")
            .args(["-c", "trap 'echo bye; exit 7' TERM; echo on; while :; do sleep 0.01; done"]),
    );
    polite.wait_for("on", SOON);
    polite.signal("TERM");
    assert_eq!(polite.wait(SOON).code(), Some(7));
    polite.wait_for("bye", SOON);
}

#[test]
#[should_panic(expected = "without \"never\"")]
fn a_program_that_ends_silently_is_not_waited_for() {
    let host = Host::new("host");
    host.spawn(Command::new("sh").args(["-c", "echo something else"])).wait_for("never", SOON);
}

#[test]
fn all_that_a_program_printed_is_in_its_log_when_it_has_ended() {
    let host = Host::new("host");
    let mut running = host.spawn(Command::new("sh").args(["-c", "seq 20000; echo last >&2"]));
    assert!(running.wait(SOON).success());
    let log = running.log();
    assert_eq!(log.lines().count(), 20_001);
    assert!(log.contains("\n20000\n") && log.contains("last\n"));
}

#[test]
#[should_panic(expected = "may hold it")]
fn a_child_that_holds_the_output_is_reported() {
    let host = Host::new("host");
    let mut running = host.spawn(Command::new("sh").args(["-c", "sleep 5 & exit 0"]));
    running.wait(Duration::from_millis(500));
}

#[test]
fn a_capture_can_be_read_by_tshark() {
    let (a, b) = (Host::new("a"), Host::new("b"));
    wire((&a, "eth0", "192.0.2.1/24"), (&b, "eth0", "192.0.2.2/24"));
    let mut capture = Capture::start(&b, "eth0", "icmp");
    a.ping(Ipv4Addr::new(192, 0, 2, 2));
    let seen = capture.tshark(&["-T", "fields", "-e", "icmp.type", "-e", "icmp.checksum.status"]);
    assert_eq!(seen.split_whitespace().collect::<Vec<_>>(), ["8", "1", "0", "1"]);
}

#[test]
fn a_shaped_wire_is_slow() {
    let (a, b) = (Host::new("a"), Host::new("b"));
    wire((&a, "eth0", "192.0.2.1/24"), (&b, "eth0", "192.0.2.2/24"));
    a.shape("eth0", 2_000, 400);
    let listener = b.run(|| std::net::TcpListener::bind("192.0.2.2:9").unwrap());
    let start = Instant::now();
    let sink = std::thread::spawn(move || {
        std::io::copy(&mut listener.accept().unwrap().0, &mut std::io::sink()).unwrap()
    });
    a.run(|| {
        let mut to = std::net::TcpStream::connect("192.0.2.2:9").unwrap();
        std::io::Write::write_all(&mut to, &[0; 250_000]).unwrap();
    });
    assert_eq!(sink.join().unwrap(), 250_000);
    // 2 Mbit at 2 Mbit/s, less the bucket's first 16 KiB.
    let took = start.elapsed();
    assert!(took > Duration::from_millis(800), "{took:?}");
}

#[test]
fn a_published_name_is_known_to_ip_netns() {
    let host = Host::new("host");
    let name = format!("testbed-{}", std::process::id());
    let published = host.publish(&name);
    let seen = Host::existing(published.name());
    assert_eq!(seen.namespace().identity().unwrap(), host.namespace().identity().unwrap());
    drop(published);
    assert!(!std::fs::exists(format!("/run/netns/{name}")).unwrap());
}
