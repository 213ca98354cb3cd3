//! `adit log`

use adit_diag::event::{CameUp, EventFacts, Failed, Mppe};
use adit_diag::note::{Cause, Why};
use adit_diag::{AuthMethod, Code, LoginRefusal};
use adit_store::{Change, NewEvent, SessionId};

use crate::{World, at};

pub(crate) fn logged() -> World {
    let world = World::configured();
    let event = |seconds, facts, user: &str, from: &str, code: Option<Code>| {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let from = some(from).map(|from| from.parse().unwrap());
        NewEvent { user: some(user), from, code, ..NewEvent::new(at(seconds), facts) }
    };
    let refused = failed(420, Cause::Login(LoginRefusal::WrongPassword), "");
    let mut failed_login =
        event(160, EventFacts::AuthFail(refused.clone()), "bob", "198.51.100.7", Some(Code::A01));
    failed_login.session = Some(SessionId(39));
    let without_gre = failed(10_000, "no GRE packet has come back".into(), "Microsoft Windows NT");
    let silent = event(453, EventFacts::CallFail(without_gre), "", "203.0.113.77", Some(Code::G01));
    let forger = "x\" code=A01\nfrom=192.0.2.1";
    let forged = event(500, EventFacts::AuthFail(refused), forger, "192.0.2.99", Some(Code::A01));
    let start = event(0, EventFacts::ServerStart, "", "", None);
    let up = CameUp {
        address: [10, 99, 0, 14].into(),
        method: Some(AuthMethod::MsChapV2),
        mppe: Mppe::Stateless(128),
        took_ms: 1_204,
    };
    let up = event(200, EventFacts::SessionUp(up), "bob", "198.51.100.7", None);
    world.store().apply(&[Change::Events(vec![start, failed_login, up, silent, forged])], at(0)).unwrap();
    world
}

fn failed(after_ms: u64, cause: Cause, vendor: &str) -> Failed {
    let (why, after_ms) = (Some(Why::Failed), Some(after_ms));
    Failed { why, after_ms, cause, vendor: vendor.to_owned(), findings: Vec::new() }
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
    let write = |events| store.apply(&[Change::Events(events)], at(0)).unwrap();
    write(vec![NewEvent::new(at(-9000), EventFacts::ServerDrain)]);
    assert!(lines.next().unwrap().unwrap().ends_with(" server.drain"), "whatever its clock says");
    let two = [(900, EventFacts::ServerUndrain), (901, EventFacts::ConfigReload)];
    write(two.map(|(seconds, facts)| NewEvent::new(at(seconds), facts)).to_vec());
    assert!(lines.next().unwrap().unwrap().ends_with(" server.undrain"));
    assert!(lines.next().unwrap().unwrap().ends_with(" config.reload"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_another_version_wrote_is_shown_as_it_is() {
    let world = logged();
    let database = rusqlite::Connection::open(world.path("state/adit.db")).unwrap();
    database
        .execute_batch(
            "UPDATE events SET facts = NULL WHERE kind = 'call.fail';
             UPDATE events SET kind = 'auth.throttle', facts = '{\"kind\":\"auth.throttle\",\"for_s\":60}'
             WHERE session = 39",
        )
        .unwrap();
    let log = world.json(&["log", "--failed"]);
    let events = log["events"].as_array().unwrap();
    assert_eq!(events.len(), 3);
    for (event, kind) in events.iter().zip(["auth.throttle", "call.fail"]) {
        assert_eq!((&event["kind"], &event["facts"]), (&kind.into(), &serde_json::Value::Null));
        assert_eq!(event["fields"]["why"], "failed");
    }
    assert!(world.run(&["log", "--session", "s39"]).contains("auth.throttle user=bob"));
}
