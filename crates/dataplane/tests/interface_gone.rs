//! What a worker does when its interface is taken away: alone in this process, so that its CPU time can be told.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code, reason = "tests")]

mod common;

use adit_tunnel::path::Origin;
use std::time::Duration;

use adit_dataplane::{DataplaneConfig, Event};
use adit_testbed::{Host, wire};
use common::pair;

#[test]
fn an_interface_that_goes_away_does_not_make_the_worker_spin() {
    let (a, b) = (Host::new("a"), Host::new("b"));
    wire((&a, "eth0", "192.0.2.1/24"), (&b, "eth0", "192.0.2.2/24"));
    let sites = pair(&a, &b, &DataplaneConfig::server(), true);
    a.ip("link delete adit0");
    let frame = vec![0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 4];
    sites[1].plane.send_frame(sites[1].call_id, frame.clone());
    assert_eq!(
        sites[0].events.recv(),
        Some(Event::Frame { call_id: sites[0].call_id, frame, origin: Origin::Clear })
    );
    let before = ticks();
    std::thread::sleep(Duration::from_secs(1));
    let used = ticks() - before;
    assert!(used < 20, "{used} of 100 ticks: a worker spins");
}

/// CPU time of the workers in ticks of 10 ms.
fn ticks() -> u64 {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap();
        let (name, fields) = stat.rsplit_once(')').unwrap();
        if name.contains("adit-data") {
            let fields: Vec<&str> = fields.split_whitespace().collect();
            sum += fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        }
    }
    sum
}
