//! `adit explain`

use crate::World;

#[test]
fn what_people_have_in_hand() {
    let world = World::new();
    let runs = [
        world.run(&["explain", "g01"]),
        world.run(&["explain", "619"]),
        world.run(&["explain", "pptp:result:3"]),
        world.run(&["explain", "691"]),
        world.run(&["explain", "789"]),
        world.run(&["explain", "event", "20209"]),
        world.run(&["explain", "exit", "16"]),
        world.run(&["explain", "E=648", "R=0", "V=3"]),
        world.run(&["explain", "NPS", "65"]),
        world.run(&["explain", "radius:terminate:5"]),
        world.run(&["explain", "open", "port", "47"]),
        world.run(&["explain", "connected", "but", "no", "traffic"]),
        world.run(&["explain", "wire:gre-none-back"]),
        world.run(&["explain", "LCP:", "timeout", "sending", "Config-Requests"]),
        world.run(&["explain", "key", "link.mtu"]),
        world.run(&["explain", "key", "groups.staff.idle"]),
    ];
    insta::assert_snapshot!("pages", runs.join("\n"));
    let two = world.run(&["explain", "A01", "E01"]);
    assert!(two.contains("A01  ") && two.contains("\nE01  "), "{two}");
}

#[test]
fn unknown_keys() {
    let world = World::new();
    let runs = [
        world.run(&["explain", "G99"]),
        world.run(&["explain", "xyzzy\u{1b}"]),
        world.run(&["explain", "key", "link.mtv"]),
        world.run(&["explain", "G01", "xyzzy"]),
        world.run(&["explain", "windowing"]),
        world.run(&["explain", "link.windowing"]),
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
fn the_whole_catalogue() {
    let world = World::new();
    let page = world.run(&["explain", "--all", "--format", "md"]);
    assert!(page.contains("# Codes\n") && page.contains("## What other programs say\n"), "{page}");
    assert!(page.contains("| `windows:619` |") && page.contains("\n### G01 No GRE heard\n"));
    let text = world.run(&["explain", "--all"]);
    assert!(text.lines().skip(1).all(|line| line.chars().count() <= 80));
    assert!(text.contains("\nG01  No GRE heard\n") && text.contains("\n619  Windows   "));
    let json = world.json(&["explain", "--all"]);
    let answers = json["answers"].as_array().unwrap().len();
    assert_eq!(answers, adit_diag::Code::ALL.len() + adit_diag::foreign().len());
    // A form without the whole, or the whole with a question, is no sense.
    for wrong in [&["explain", "--format", "md"][..], &["explain", "--all", "G01"]] {
        assert_eq!(world.command(wrong).output().unwrap().status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn no_colour_and_no_tab_in_any_answer() {
    let text = World::new().run(&["explain", "--all"]);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn as_json() {
    let world = World::new();
    let json = world.json(&["explain", "A01", "windows:691"]);
    assert_eq!(json["schema"], "adit.explain/1");
    assert_eq!(json["answers"][0]["codes"][0]["exit"], 14);
    assert_eq!(json["answers"][1]["foreign"][0]["key"], "windows:691");
    insta::assert_snapshot!(
        "json",
        serde_json::to_string_pretty(&world.json(&["explain", "806", "A02"])["answers"]).unwrap()
    );
    assert_eq!(world.json(&["explain"])["answers"].as_array().unwrap().len(), adit_diag::Code::ALL.len());
    assert_eq!(world.json(&["explain", "G99"])["error"]["exit"], 5);
}
