//! `adit log`

use adit_store::{Change, NewEvent, SessionId};

use crate::{World, at};

pub(crate) fn logged() -> World {
    let world = World::configured();
    let event = |seconds, kind: &str, user: &str, from: &str, code: &str| {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let mut event = NewEvent::new(at(seconds), kind);
        event.user = some(user);
        event.from = some(from).map(|from| from.parse().unwrap());
        event.code = some(code);
        event
    };
    let mut failed = event(160, "auth.fail", "bob", "198.51.100.7", "A01");
    failed.session = Some(SessionId(39));
    failed.fields = vec![("method".into(), "mschap-v2".into()), ("tries".into(), "1".into())];
    let mut silent = event(453, "call.fail", "", "203.0.113.77", "G01");
    silent.fields = vec![("after".into(), "10.0s".into()), ("vendor".into(), "Microsoft Windows NT".into())];
    let forged = event(500, "auth.fail", "x\" code=A01\nfrom=192.0.2.1", "192.0.2.99", "A01");
    let start = event(0, "server.start", "", "", "");
    let up = event(200, "session.up", "bob", "198.51.100.7", "");
    world.store().apply(&[Change::Events(vec![start, failed, up, silent, forged])], at(0)).unwrap();
    world
}

#[test]
fn as_text() {
    let world = logged();
    let runs = [
        world.run(&["log"]),
        world.run(&["log", "--failed", "--since", "2025-11-22T18:03"]),
        world.run(&["log", "--user", "BOB", "--layer", "a,gre"]),
        world.run(&["log", "--session", "s39"]),
        world.run(&["log", "-n", "1"]),
        world.run(&["log", "--until", "2025-11-22"]),
        world.run(&["log", "--csv"]),
        world.run(&["log", "--session", "39"]),
        World::new().run(&["log"]),
    ];
    insta::assert_snapshot!(runs.join("\n"));
}

#[test]
fn as_json() {
    let world = logged();
    let log = world.json(&["log", "--failed", "-n", "3"]);
    assert_eq!(log["schema"], "adit.log/1");
    insta::assert_json_snapshot!(log["events"]);
    assert_eq!(World::new().json(&["log"])["events"], serde_json::json!([]));
    let lines = String::from_utf8(world.command(&["log", "--jsonl"]).output().unwrap().stdout).unwrap();
    assert_eq!(lines.lines().count(), 5);
    for line in lines.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["schema"], "adit.event/1");
    }
}

#[test]
fn what_happens_is_followed() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    let world = logged();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("adit"))
        .args(["log", "-f", "-n", "1"])
        .env_clear()
        .env("ADIT_STATE_DIR", world.path("state"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("192.0.2.99"), "the last one first");
    let store = world.store();
    store.apply(&[Change::Events(vec![NewEvent::new(at(-9000), "one")])], at(0)).unwrap();
    assert!(lines.next().unwrap().unwrap().ends_with(" one"), "whatever its clock says");
    let two = vec![NewEvent::new(at(900), "two"), NewEvent::new(at(901), "three")];
    store.apply(&[Change::Events(two)], at(0)).unwrap();
    assert!(lines.next().unwrap().unwrap().ends_with(" two"));
    assert!(lines.next().unwrap().unwrap().ends_with(" three"));
    child.kill().unwrap();
    child.wait().unwrap();
}
