//! `adit check`

use crate::{CONFIG, World};

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
