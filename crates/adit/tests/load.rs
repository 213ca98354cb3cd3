//! Many clients at once, and many one after the other, against one server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use adit_bench::{Plan, Report};
use adit_testbed::{Host, wait_until};
use common::documents::PastSession;
use common::*;

/// Accounts that share the calls.
const USERS: u32 = 20;

fn start_server(host: Host) -> Server {
    let config = CONFIG
        .replace("10.99.0.0/24", "10.99.0.0/22")
        .replace("[access]", "[access]\nsessions = 10")
        .replace("[limits]", "[limits]\nsessions = 200\nstarting = 200");
    let users: Vec<String> = (0..USERS).map(|n| format!("load{n}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    Server::start(host, &config, &users)
}

fn plan(sessions: u32, at_once: u32, pings: u32) -> Plan {
    Plan {
        users: USERS,
        sessions,
        at_once,
        pings,
        size: 1200,
        ..Plan::new(SocketAddrV4::new(SERVER, 1723), PASSWORD)
    }
}

/// Runs it on `host`; every call must have come up and had every ping answered.
fn run(host: &Host, plan: Plan) -> Report {
    let report = host.run(|| adit_bench::run(plan).unwrap());
    println!("{}", serde_json::to_string(&report).unwrap());
    assert!(report.is_clean(), "{report:?}");
    report
}

/// Waits until no session is left.
fn wait_for_the_end(server: &Server) {
    wait_until("the end of all sessions", SOON, || server.sessions().is_empty());
}

/// The sessions that are over, when all are written down: rows are written behind the events.
fn past(server: &Server, number: usize) -> Vec<PastSession> {
    let mut rows = Vec::new();
    wait_until("the rows of all sessions", SOON, || {
        rows = server.past(&["-n", "10000"]);
        rows.len() >= number
    });
    assert_eq!(rows.len(), number);
    rows
}

/// Lines of the log for this kind of event.
fn events(server: &Server, kind: &str) -> usize {
    let log = server.adit(&["log", "-n", "100000"]);
    log.stdout.lines().filter(|line| line.split_whitespace().any(|word| word == kind)).count()
}

#[test]
fn two_hundred_sessions_at_once_all_carry_data_and_are_accounted_for() {
    let (client, host) = neighbours();
    let server = start_server(host);
    let report = std::thread::scope(|scope| {
        // Up long enough for the last to come before the first goes.
        let load = scope.spawn(|| run(&client, Plan { hold: Duration::from_secs(6), ..plan(200, 200, 20) }));
        wait_until("200 sessions at once", SOON, || server.status().sessions_up == 200);
        load.join().unwrap()
    });
    assert_eq!((report.up, report.addresses, report.pings_answered), (200, 200, 4000));
    wait_for_the_end(&server);

    let rows = past(&server, 200);
    let by_address: BTreeMap<&str, _> =
        rows.iter().map(|row| (row.address.as_deref().unwrap(), row)).collect();
    for client in &report.each {
        let row = by_address[client.address.unwrap().to_string().as_str()];
        assert_eq!(row.user.as_ref(), Some(&client.user), "{row:?}");
        assert_eq!(row.outcome(), (Some("user-request"), None), "{row:?}");
        let counted = [row.rx_packets, row.rx_bytes, row.tx_packets, row.tx_bytes];
        let ours = client.counters;
        assert_eq!(counted, [ours.tx_packets, ours.tx_bytes, ours.rx_packets, ours.rx_bytes], "{row:?}");
        assert_eq!((ours.rx_packets, ours.rx_bytes), (20, 20 * 1228));
    }
    assert_eq!((events(&server, "session.up"), events(&server, "session.end")), (200, 200), "one each");
}

#[test]
fn c235_a_server_that_stops_ends_every_session_in_order() {
    let (client, host) = neighbours();
    let mut server = start_server(host);
    let report = std::thread::scope(|scope| {
        let plan = Plan { hold: SOON * 10, ..plan(100, 100, 1) };
        let load = scope.spawn(|| client.run(|| adit_bench::run(plan).unwrap()));
        wait_until("100 sessions at once", SOON, || server.status().sessions_up == 100);
        server.running.signal("TERM");
        assert!(server.running.wait(SOON).success(), "{}", server.running.log());
        load.join().unwrap()
    });
    // Each was told: a connection that is only cut has another code.
    let ends: Vec<_> = report.failed.iter().collect();
    assert!(matches!(ends[..], [(_, 100)]), "{ends:?}");
    let rows = past(&server, 100);
    assert_eq!(rows.iter().filter(|row| row.end.as_deref() == Some("shutdown")).count(), 100, "{rows:?}");
    assert_eq!(events(&server, "session.end"), 100);
}

/// What a server holds on to.
#[derive(Debug)]
struct Held {
    /// KiB in memory.
    memory: u64,
    descriptors: usize,
    threads: u64,
    addresses: u64,
    routes: String,
}

impl Held {
    fn by(server: &Server) -> Held {
        wait_for_the_end(server);
        let process = format!("/proc/{}", server.running.pid());
        let status = std::fs::read_to_string(format!("{process}/status")).unwrap();
        let number = |key: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        Held {
            memory: number("VmRSS:"),
            descriptors: std::fs::read_dir(format!("{process}/fd")).unwrap().count(),
            threads: number("Threads:"),
            addresses: server.status().pools[0].used,
            routes: state_of(&server.host),
        }
    }
}

#[test]
fn c237_two_thousand_calls_one_after_the_other_leak_nothing() {
    let (client, host) = neighbours();
    let server = start_server(host);
    let begun = Instant::now();
    run(&client, plan(200, 1, 1));
    let before = Held::by(&server);
    run(&client, plan(1800, 1, 1));
    let after = Held::by(&server);
    println!("{:?}\n{before:?}\n{after:?}", begun.elapsed());
    past(&server, 2000);
    assert_eq!((before.addresses, after.addresses), (0, 0));
    assert_eq!(after.routes, before.routes);
    // A leak would be 1800. The last socket may close a moment after its end was written down; the store may hold a file.
    wait_until("the last descriptor's end", SOON, || Held::by(&server).descriptors <= before.descriptors + 2);
    // Those that wait for the store come and go.
    assert!(after.threads < before.threads + 8, "{} threads, then {}", before.threads, after.threads);
    // Two of these are the database's page cache, which fills up in this time. A session's record alone has 8 KiB.
    let grown = after.memory.saturating_sub(before.memory);
    assert!(grown < 4 << 10, "{grown} KiB more for 1800 calls");
}
