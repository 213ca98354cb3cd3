//! Many clients at once, and many one after the other, against one server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use adit_bench::{Plan, Report};
use adit_testbed::{Host, wait_until};
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
        server: SocketAddrV4::new(SERVER, 1723),
        user: "load%n".to_owned(),
        users: USERS,
        password: PASSWORD.to_owned(),
        sessions,
        at_once,
        pings,
        size: 1200,
        hold: Duration::ZERO,
    }
}

/// Runs it on `host`; every call must have come up and had every ping answered.
fn run(host: &Host, plan: Plan) -> Report {
    let report = host.run(|| adit_bench::run(plan).unwrap());
    println!("{}", serde_json::to_string(&report).unwrap());
    assert!(report.is_clean(), "{report:?}");
    report
}

#[test]
fn two_hundred_sessions_at_once_all_carry_data_and_are_accounted_for() {
    let (client, host) = neighbours();
    let server = start_server(host);
    let report = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            // Up long enough for the last to come before the first goes.
            run(&client, Plan { hold: Duration::from_secs(5), ..plan(200, 200, 20) })
        });
        wait_until("200 sessions at once", SOON, || server.json(&["status"])["sessions_up"] == 200);
        load.join().unwrap()
    });
    assert_eq!((report.up, report.addresses, report.pings_answered), (200, 200, 4000));
    wait_until("the end of all sessions", SOON, || {
        server.json(&["sessions"])["sessions"].as_array().unwrap().is_empty()
    });

    let past = server.json(&["sessions", "--past", "-n", "1000"]);
    let rows = past["sessions"].as_array().unwrap();
    assert_eq!(rows.len(), 200);
    let by_address: BTreeMap<&str, _> =
        rows.iter().map(|row| (row["address"].as_str().unwrap(), row)).collect();
    for client in &report.each {
        let row = by_address[client.address.unwrap().to_string().as_str()];
        assert_eq!(row["user"], client.user.as_str(), "{row}");
        assert_eq!((row["end"].as_str(), &row["code"]), (Some("user-request"), &serde_json::Value::Null));
        let counted =
            ["rx_packets", "rx_bytes", "tx_packets", "tx_bytes"].map(|key| row[key].as_u64().unwrap());
        let ours = client.counters;
        assert_eq!(counted, [ours.tx_packets, ours.tx_bytes, ours.rx_packets, ours.rx_bytes], "{row}");
        assert_eq!((ours.rx_packets, ours.rx_bytes), (20, 20 * 1228));
    }
    let ends = server.adit(&["log", "-n", "10000"]).stdout.matches("session.end").count();
    assert_eq!(ends, 200, "one end for each");
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

fn held(server: &Server) -> Held {
    let pid = server.running.pid();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let number = |key: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    Held {
        memory: number("VmRSS:"),
        descriptors: std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count(),
        threads: number("Threads:"),
        addresses: server.json(&["status"])["pools"][0]["used"].as_u64().unwrap(),
        routes: state_of(&server.host),
    }
}

#[test]
fn two_thousand_calls_one_after_the_other_leak_nothing() {
    let (client, host) = neighbours();
    let server = start_server(host);
    let settle = || {
        wait_until("the end of all sessions", SOON, || {
            server.json(&["sessions"])["sessions"].as_array().unwrap().is_empty()
        });
        held(&server)
    };
    let fresh = settle();
    let begun = Instant::now();
    run(&client, plan(200, 1, 1));
    let before = settle();
    run(&client, plan(1800, 1, 1));
    let after = settle();
    println!("2,000 calls took {:?}\n{fresh:?}\n{before:?}\n{after:?}", begun.elapsed());
    assert_eq!(after.routes, before.routes);
    assert_eq!(after.addresses, 0);
    assert_eq!(after.descriptors, before.descriptors);
}
