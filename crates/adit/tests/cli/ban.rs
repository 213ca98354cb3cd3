//! `adit ban` without a server.

use crate::World;

#[test]
fn bans_are_added_listed_and_lifted() {
    let world = World::configured();
    assert_eq!(world.run(&["ban", "list"]), "$ adit ban list\nno bans\n");
    let added = world.run(&["ban", "add", "198.51.100.0/24", "--for", "7d", "--reason", "scans every night"]);
    assert!(added.contains("banned   198.51.100.0/24   until") && added.contains("(7 d)"), "{added}");
    let usual = world.run(&["ban", "add", "203.0.113.7"]);
    assert!(usual.contains("banned   203.0.113.7   until") && usual.contains("(1 h)"), "{usual}");
    let list = world.run(&["ban", "list", "--columns", "network,by,reason"]);
    let expected = "\
$ adit ban list --columns network,by,reason
NETWORK          BY    REASON
198.51.100.0/24  mira  scans every night
203.0.113.7      mira  -
2 bans
";
    assert_eq!(list, expected);
    let json = world.json(&["ban", "remove", "198.51.100.0/24"]);
    assert_eq!((&json["action"], &json["after"]), (&"removed".into(), &serde_json::Value::Null));
    assert_eq!(json["before"]["reason"], "scans every night");
    let again = world.run(&["ban", "remove", "198.51.100.0/24"]);
    assert!(again.contains("198.51.100.0/24 is not banned"), "{again}");
    let around = world.run(&["ban", "remove", "203.0.113.0/24"]);
    assert!(around.contains("of its addresses is: adit ban remove 203.0.113.7\n"), "{around}");
    assert!(world.run(&["ban", "list"]).contains("1 ban\n"));
    let log = world.run(&["log"]);
    assert!(log.contains("address.banned network=198.51.100.0/24 lasts_s=604800 by=mira"), "{log}");
    assert!(log.contains("address.unbanned network=198.51.100.0/24 by=mira"), "{log}");
}

#[test]
fn what_cannot_be_banned_is_refused_with_the_reason() {
    let world = World::configured();
    let config = std::fs::read_to_string(world.path("adit.toml")).unwrap();
    let ignore = "[auth.lockout]\naddress = { ignore = [\"192.168.10.0/24\"] }\n";
    std::fs::write(world.path("adit.toml"), config + ignore).unwrap();
    for (arguments, words) in [
        (&["vpn.example.org"][..], "write 203.0.113.7 or 203.0.113.0/24"),
        (&["203.0.113.7/24"], "203.0.113.7/24 has bits behind its prefix"),
        (&["0.0.0.0/0"], "0.0.0.0/0 is too large to be banned"),
        (&["203.0.113.7", "--for", "1s"], "a ban lasts from 1 minute to 365 days, not 1 s"),
        (&["203.0.113.7", "--for", "900d"], "a ban lasts from 1 minute to 365 days"),
        (&["203.0.113.7", "--for", "soon"], "no span"),
        (&["203.0.113.7", "--for", "-1h"], "\"-1h\" is no span: write 30s, 15m, 12h or 90d"),
        (&["192.168.10.7"], "which auth.lockout.address.ignore never bans"),
        (&["192.168.0.0/16"], "which auth.lockout.address.ignore never bans"),
    ] {
        let text = world.run(&[&["ban", "add"], arguments].concat());
        assert!(text.contains(words) && text.contains("--- exit"), "{text}");
    }
    let text = world.run(&["ban", "add", "203.0.113.7", "--reason", &"x".repeat(201)]);
    assert!(text.contains("more than 200 characters"), "{text}");
    assert_eq!(world.run(&["ban", "list"]), "$ adit ban list\nno bans\n");
    world.run(&["ban", "add", "203.0.113.0/24"]);
    let inside = world.run(&["ban", "remove", "203.0.113.7"]);
    assert!(inside.contains("adit ban remove 203.0.113.0/24"), "{inside}");
}

#[test]
fn a_lifted_ban_names_the_others_that_hold_its_addresses() {
    let world = World::configured();
    let all = ["203.0.0.0/16", "203.0.113.0/24", "203.0.113.7", "203.0.114.7"];
    for network in all {
        assert!(!world.run(&["ban", "add", network]).contains("--- exit"), "{network}");
    }
    let overlap = |a: &str, b: &str| {
        let net = |text: &str| text.parse().unwrap_or_else(|_| format!("{text}/32").parse().unwrap());
        let (a, b): (ipnet::Ipv4Net, ipnet::Ipv4Net) = (net(a), net(b));
        a.contains(&b) || b.contains(&a)
    };
    for lifted in all {
        let text = world.run(&["ban", "remove", lifted, "--dry-run"]);
        for other in all.into_iter().filter(|other| *other != lifted) {
            let named = text.contains(&format!("adit ban remove {other}\n"));
            assert_eq!(named, overlap(lifted, other), "{other}: {text}");
        }
    }
    let json = world.json(&["ban", "remove", "203.0.113.7"]);
    let networks: Vec<&str> =
        json["others"].as_array().unwrap().iter().map(|ban| ban["network"].as_str().unwrap()).collect();
    assert_eq!(networks, ["203.0.0.0/16", "203.0.113.0/24"]);
}
