//! A database of an older version: shown as it is, judged from what was typed in it already.

use std::path::Path;

use serde_json::Value;

use crate::World;

/// A world with a copy of the database that [a README](../fixtures/README.md) describes.
fn world() -> World {
    let world = World::configured();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    std::fs::create_dir_all(world.path("state")).unwrap();
    for (from, to) in [("before-typed-notes.db", "adit.db"), ("before-typed-notes.key", "seal.key")] {
        let to = world.path("state").join(to);
        std::fs::copy(fixtures.join(from), &to).unwrap();
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(to, owner_only).unwrap();
    }
    world
}

fn state<'a>(judgement: &'a Value, layer: &str) -> &'a str {
    let layers = judgement["layers"].as_array().unwrap();
    layers.iter().find(|row| row["name"] == layer).unwrap()["state"].as_str().unwrap()
}

#[test]
fn its_sessions_and_events_are_shown() {
    let world = world();
    let runs = [
        world.run(&["sessions", "--past"]),
        world.run(&["session", "s1"]),
        world.run(&["session", "s2"]),
        world.run(&["log"]),
    ];
    insta::assert_snapshot!("older", runs.join("\n"));
}

#[test]
fn a_session_that_was_up_is_healthy_and_what_only_its_text_contains_is_not_known() {
    let document = world().json(&["session", "s1"]);
    let verdict = &document["verdict"];
    assert_eq!(verdict["first_failure"], Value::Null);
    assert_eq!(verdict["findings"], serde_json::json!([]), "the text of a finding is not read");
    for layer in ["control", "gre", "lcp", "auth", "address"] {
        assert_eq!(state(verdict, layer), "pass", "{layer}");
    }
    assert_eq!(state(verdict, "mtu"), "not-tested");
    let last = document["steps"].as_array().unwrap().last().unwrap();
    assert!(last["text"].as_str().unwrap().starts_with("finding G07: 310 of 1030"), "{last}");
    assert_eq!(last["note"], Value::Null);
}

#[test]
fn the_code_of_a_session_is_its_verdict() {
    let world = world();
    for (session, code, layer) in [("s2", "A01", "auth"), ("s3", "G01", "gre")] {
        let document = world.json(&["session", session]);
        let verdict = &document["verdict"];
        assert_eq!(verdict["first_failure"], code);
        assert_eq!((state(verdict, "control"), state(verdict, layer)), ("pass", "fail"));
        let doctor = world.run(&["doctor", "--server", "--session", session]);
        assert!(doctor.contains(code), "{doctor}");
    }
    // Why the login was refused, only the text says: each cause stays possible.
    let causes = &world.json(&["session", "s2"])["verdict"]["causes"];
    assert!(causes.as_array().unwrap().len() > 1, "{causes}");
}

#[test]
fn a_newer_schema_adds_columns_and_leaves_the_text_alone() {
    let world = world();
    let steps = |world: &World| {
        let connection = rusqlite::Connection::open(world.path("state/adit.db")).unwrap();
        let mut statement = connection.prepare("SELECT session, n, text FROM steps ORDER BY 1, 2").unwrap();
        let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.collect::<Result<Vec<(i64, i64, String)>, _>>().unwrap()
    };
    let before = (steps(&world), world.json(&["session", "s2"])["verdict"].clone());
    // Opening it for writing upgrades it to the newest schema.
    let record = world.store().record(adit_store::SessionId(2)).unwrap();
    assert!(record.iter().all(|step| step.note.is_none()));
    assert_eq!((steps(&world), world.json(&["session", "s2"])["verdict"].clone()), before);
}
