//! `adit check`

use adit_store::NewAccount;

use crate::{CONFIG, World, at};

#[test]
fn what_is_found() {
    let world = World::configured();
    let mut runs = vec![world.run(&["check", "--depth", "meaning"])];
    let broken = CONFIG
        .replace("routes = [\"192.168.20.0/24\"]", "spilt_routes = []")
        .replace("10.99.0.0/24", "10.99.0.0/33");
    std::fs::write(world.path("broken.toml"), broken).unwrap();
    let file = world.path("broken.toml").display().to_string();
    runs.push(world.run(&["check", &file, "--depth", "meaning"]));
    runs.push(world.run(&["check", &file, "--depth", "syntax"]));
    std::fs::write(world.path("warned.toml"), CONFIG.replace("listen = \"127.0.0.1\"", "listen = \"any\""))
        .unwrap();
    let file = world.path("warned.toml").display().to_string();
    runs.push(world.run(&["check", &file, "--depth", "meaning"]));
    runs.push(world.run(&["check", &file, "--depth", "meaning", "--strict"]));
    runs.push(world.run(&["check", "/nowhere/adit.toml"]));
    insta::assert_snapshot!(runs.join("\n"));
}

#[test]
fn a_file_that_cannot_be_read_is_the_only_finding() {
    let world = World::configured();
    std::fs::write(world.path("latin1.toml"), b"[server]\nname = \"caf\xe9\"\n").unwrap();
    let file = world.path("latin1.toml").display().to_string();
    let text = world.run(&["check", &file]);
    assert!(text.contains("F18") && text.contains("line 2 is not UTF-8"), "{text}");
    assert!(text.contains("1 error") && !text.contains("warning") && !text.contains("listen"), "{text}");
}

#[test]
fn as_json() {
    let world = World::configured();
    std::fs::write(world.path("adit.toml"), "[pool]\nnet = 7\n").unwrap();
    let check = world.json(&["check", "--depth", "meaning"]);
    assert_eq!((&check["schema"], &check["ok"]), (&"adit.check/1".into(), &false.into()));
    assert_eq!(check["findings"][0]["line"], 2);
}

#[test]
fn this_host_is_looked_at() {
    let world = World::configured();
    std::fs::write(world.path("adit.toml"), CONFIG.replace("127.0.0.1", "192.0.2.77")).unwrap();
    let text = world.run(&["check"]);
    assert!(text.contains("S10") && text.contains("192.0.2.77"), "{text}");
    assert!(text.contains("checked  syntax, meaning, host") && text.contains("--- exit 1"), "{text}");
}

#[test]
fn fixed_addresses_outside_every_pool_are_reported() {
    let world = World::configured();
    let store = world.store();
    for (name, address) in [("alice", "10.99.0.7"), ("bob", "10.98.0.7"), ("carol", "10.99.0.1")] {
        let account = NewAccount { address: Some(address.parse().unwrap()), ..NewAccount::named(name) };
        store.add_account(&account, None, false, jiff::Timestamp::UNIX_EPOCH).unwrap();
    }
    let text = world.run(&["check"]);
    assert!(
        text.contains("I02") && text.contains("the fixed address 10.98.0.7 of bob lies in no pool"),
        "{text}"
    );
    assert!(text.contains("10.99.0.1 cannot be given to carol"), "{text}");
    assert!(!text.contains("alice"), "{text}");
    assert!(!text.contains("--- exit"), "the file is usable: {text}");
    assert!(world.run(&["check", "--strict"]).contains("--- exit 1"));
}

#[test]
fn users_without_the_second_factor_that_they_need_are_named() {
    let world = World::configured();
    let store = world.store();
    let secret = adit_crypto::proof::Secret::Clear(adit_crypto::secret::Password::new("correct horse"));
    for (name, reversible) in [("alice", true), ("bob", true), ("carol", false), ("dave", false)] {
        let new = NewAccount { group: Some("staff".into()), ..NewAccount::named(name) };
        store.add_account(&new, Some(&secret), reversible, at(0)).unwrap();
    }
    for name in ["alice", "carol"] {
        store.enroll_second_factor(name, &[0; 20], 0, "root", at(0)).unwrap();
    }
    let findings = || {
        let check = world.json(&["check"]);
        let findings = check["findings"].as_array().unwrap().clone();
        let of_mfa = findings.into_iter().filter(|finding| finding["key"] == "access.mfa");
        of_mfa
            .map(|finding| format!("{} {}", finding["code"], finding["message"]))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let only_hash = findings();
    assert!(only_hash.contains("A05") && only_hash.contains("carol:"), "{only_hash}");
    assert!(!only_hash.contains("A01"), "{only_hash}");
    let path = world.path("adit.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("[groups.staff]\n", "[groups.staff]\nmfa = \"append\"\n");
    std::fs::write(&path, text).unwrap();
    let required = findings();
    assert!(required.contains("A01") && required.contains("bob, dave:"), "{required}");
}
