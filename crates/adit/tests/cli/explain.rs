//! `adit explain`

use crate::World;

#[test]
fn what_people_have_in_hand() {
    let world = World::new();
    let runs = [
        world.run(&["explain", "g01"]),
        world.run(&["explain", "619"]),
        world.run(&["explain", "pptp:result:3"]),
        world.run(&["explain", "LCP:", "timeout", "sending", "Config-Requests"]),
        world.run(&["explain", "key", "link.mtu"]),
        world.run(&["explain", "key", "groups.staff.idle"]),
    ];
    insta::assert_snapshot!("pages", runs.join("\n"));
    let two = world.run(&["explain", "A01", "E01"]);
    assert!(two.contains("A01  ") && two.contains("\nE01  "), "{two}");
}

#[test]
fn what_nobody_knows() {
    let world = World::new();
    let runs = [
        world.run(&["explain", "G99"]),
        world.run(&["explain", "xyzzy\u{1b}"]),
        world.run(&["explain", "key", "link.mtv"]),
        world.run(&["explain", "G01", "xyzzy"]),
    ];
    insta::assert_snapshot!("unknown", runs.join("\n"));
}

#[test]
fn the_list_names_every_code() {
    let text = World::new().run(&["explain"]);
    for code in adit_diag::Code::ALL {
        assert!(text.contains(&format!("  {code}  {}\n", code.title())), "{code}");
    }
}

#[test]
fn as_json() {
    let world = World::new();
    let json = world.json(&["explain", "A01", "windows:691"]);
    assert_eq!(json["schema"], "adit.explain/1");
    assert_eq!(json["answers"][0]["codes"][0]["exit"], 14);
    assert_eq!(json["answers"][1]["foreign"][0]["key"], "windows:691");
    assert_eq!(world.json(&["explain"])["answers"].as_array().unwrap().len(), adit_diag::Code::ALL.len());
    assert_eq!(world.json(&["explain", "G99"])["error"]["exit"], 5);
}
