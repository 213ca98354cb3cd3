//! `adit user export`

use crate::{World, user};

#[test]
fn accounts_are_printed_without_secrets_unless_hashes_are_requested() {
    let world = user::peopled();
    let plain = world.run(&["user", "export"]);
    let header = "name,group,address,networks,expires,vpn,disabled,disabled_reason,must_change,note,password_changed,created";
    assert!(plain.contains(&format!("{header}\r\nalice,staff,")), "{plain}");
    let hash = "nt_hash";
    assert!(!plain.contains("correct horse") && !plain.contains(hash), "{plain}");
    let json = world.json(&["user", "export"]);
    assert_eq!(
        (&json["users"][3]["user"], &json["users"][3]["nt_hash"]),
        (&"old.fax".into(), &serde_json::Value::Null)
    );
    assert_eq!(
        (&json["users"][3]["reversible"], &json["users"][3]["password"]),
        (&true.into(), &serde_json::Value::Null)
    );
    let secrets = world.json(&["user", "export", "--with-hashes"]);
    assert_eq!(
        (&secrets["users"][3]["password"], &secrets["users"][0]["password"]),
        (&"correct horse".into(), &serde_json::Value::Null)
    );
    assert_eq!(secrets["users"][0]["nt_hash"], secrets["users"][3]["nt_hash"]);
    let wrong = world.run(&["user", "export", "--format", "csv", "--json"]);
    assert!(wrong.contains("--- exit 2"), "{wrong}");
}

#[test]
fn an_export_makes_the_same_accounts_elsewhere() {
    let (from, to) = (user::peopled(), World::configured());
    let export = |world: &World| {
        let output = world.command(&["user", "export", "--with-hashes"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let text = export(&from);
    let imported = to.run_with(&["user", "import", "-"], &text);
    assert!(imported.contains("4 added, 0 changed."), "{imported}");
    assert_eq!(export(&to), text);
}

#[test]
fn nothing_is_made_to_export_from_it() {
    let world = World::new();
    let runs = [world.run(&["user", "export"]), world.run(&["user", "export", "--with-hashes"])];
    assert!(runs.iter().all(|run| run.contains("name,")), "{runs:?}");
    assert!(!world.path("state").exists());
}
