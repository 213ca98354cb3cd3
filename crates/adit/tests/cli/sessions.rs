//! `adit sessions --past`, `adit session` of what is over.

use std::time::Duration;

use adit_diag::Traffic;
use adit_store::{Change, NewSession, SessionEnd, SessionId, SessionUpdate, Step};

use crate::{World, at, server};

fn end(seconds: i64, why: &str, by: &str, code: Option<&str>, detail: &str) -> SessionEnd {
    SessionEnd {
        at: at(seconds),
        why: why.into(),
        by: by.into(),
        code: code.map(Into::into),
        detail: detail.into(),
        refusal: None,
    }
}

fn step(ms: u64, who: &str, layer: &str, text: &str) -> Step {
    let (who, layer, text) = (who.into(), layer.into(), text.into());
    Step { at: Duration::from_millis(ms), who, layer, text, note: None }
}

pub(crate) fn past() -> World {
    let world = World::configured();
    let store = world.store();
    let start = |from: &str, seconds| {
        store
            .start_sessions(
                server(&store),
                &[NewSession { started: at(seconds), from: from.parse().unwrap() }],
            )
            .unwrap()[0]
    };
    let good = start("198.51.100.7:50000", 0);
    let up = SessionUpdate {
        up: Some(at(1)),
        host: Some(String::new()),
        vendor: Some("Microsoft Windows NT".into()),
        user: Some("alice".into()),
        group: Some("staff".into()),
        pool: Some("default".into()),
        address: Some([10, 99, 0, 14].into()),
        server_address: Some([10, 99, 0, 1].into()),
        method: Some("mschap-v2".into()),
        mppe: Some("128 stateless".into()),
        ..SessionUpdate::default()
    };
    store.apply(&[Change::Update(good, Box::new(up))], at(1)).unwrap();
    let steps = [
        step(0, "note", "PPTP", "TCP accepted"),
        step(12, "received", "PPTP", "Start-Control-Connection-Request version 1.0"),
        step(13, "sent", "PPTP", "Start-Control-Connection-Reply ok"),
        step(130, "note", "IPCP", "up 10.99.0.14, peer 10.99.0.1"),
    ];
    let counters =
        Traffic { rx_bytes: 1_234_567_890, tx_bytes: 88_000_000, rx_packets: 900_000, tx_packets: 400_000 };
    let over = end(8000, "user-request", "received", None, "User request");
    let over = Change::End(good, Box::new(over), Some(counters), steps.to_vec(), 0);
    store.apply(&[over], at(8000)).unwrap();

    let silent = start("203.0.113.77:51522", 100);
    let peer = SessionUpdate {
        vendor: Some("evil\u{1b}[2J".into()),
        host: Some("box".into()),
        ..SessionUpdate::default()
    };
    store.apply(&[Change::Update(silent, Box::new(peer))], at(100)).unwrap();
    let steps: Vec<Step> =
        (0..200).map(|n| step(30 + n * 3000, "sent", "LCP", "Configure-Request")).collect();
    let detail = "no GRE packet has come back in 10.0 s";
    let over = end(110, "failed", "note", Some("G01"), detail);
    store.apply(&[Change::End(silent, Box::new(over), None, steps, 41)], at(110)).unwrap();

    let wrong = start("198.51.100.9:1", 200);
    let user = SessionUpdate { user: Some("bob".into()), ..SessionUpdate::default() };
    let over = end(202, "failed", "sent", Some("Z99"), "");
    let changes =
        [Change::Update(wrong, Box::new(user)), Change::End(wrong, Box::new(over), None, Vec::new(), 0)];
    store.apply(&changes, at(200)).unwrap();
    start("198.51.100.8:1", 300);
    world
}

#[test]
fn list() {
    let world = past();
    let runs = [
        world.run(&["sessions", "--past"]),
        world.run(&["sessions", "--past", "--failed", "--columns", "id,code,vendor,detail"]),
        world.run(&["sessions", "--past", "--columns", "id,vender"]),
        world.run(&["sessions", "--past", "--user", "Alice", "--since", "2025-11-22T18:00"]),
        world.run(&["sessions", "--past", "--filter", "up>1h", "--columns", "id,up_s,rx_bytes"]),
        world.run(&["sessions", "--past", "-n", "0"]),
        world.run(&["sessions", "--failed", "--since", "1h"]),
        World::new().run(&["sessions", "--past"]),
    ];
    insta::assert_snapshot!("past", runs.join("\n"));
    insta::assert_json_snapshot!("past_json", world.json(&["sessions", "--past", "-n", "3"])["sessions"][0]);
}

#[test]
fn one() {
    let world = past();
    insta::assert_snapshot!("one_good", world.run(&["session", "s1"]));
    insta::assert_snapshot!("one_newest_of_a_user", world.run(&["session", "BOB"]));
    let silent = world.run(&["session", "s2"]);
    assert!(!silent.contains('\u{1b}'), "{silent}");
    let lines: Vec<&str> = silent.lines().collect();
    assert_eq!(lines[4].trim(), "0.030  → LCP    Configure-Request");
    assert!(lines[4 + 160].contains("41 steps left out"), "{silent}");
    insta::assert_snapshot!("one_failed_end", lines[lines.len() - 4..].join("\n"));
    let runs = [
        world.run(&["session", "s99"]),
        world.run(&["session", "x\u{1b}y"]),
        World::new().run(&["session", "s1"]),
    ];
    insta::assert_snapshot!("none", runs.join("\n"));
    insta::assert_json_snapshot!("one_json", {
        let mut json = world.json(&["session", "s1"]);
        json["generated"] = "NOW".into();
        json
    });
    assert_eq!(world.store().record(SessionId(2)).unwrap().len(), 200);
}

#[test]
fn totals_of_each_user_within_two_times() {
    let world = past();
    let json = world.json(&["sessions", "--past"]);
    let rows = json["sessions"].as_array().unwrap();
    let totals = json["totals"].as_array().unwrap();
    let sum = |rows: &[serde_json::Value], key: &str| {
        rows.iter().map(|row| row[key].as_u64().unwrap()).sum::<u64>()
    };
    for key in ["up_s", "rx_bytes", "tx_bytes"] {
        assert_eq!(sum(totals, key), sum(rows, key), "{key}");
    }
    assert_eq!(sum(totals, "sessions"), rows.len() as u64);
    let alice = totals.iter().find(|total| total["user"] == "alice").unwrap();
    assert_eq!(alice["rx_bytes"], 1_234_567_890);
    let text = world.run(&["sessions", "--totals"]);
    assert!(text.contains("USER") && text.contains("alice") && text.contains("1.2 GB"), "{text}");
    // The first session began at the first second, so one that ends the range there is empty.
    let before = world.run(&["sessions", "--until", "2001-01-01"]);
    assert!(before.contains("no past sessions"), "{before}");
    let wrong = world.run(&["sessions", "--since", "2026-11-22", "--until", "2026-11-21"]);
    assert!(wrong.contains("--until is not after --since") && wrong.contains("--- exit 2"), "{wrong}");
}
