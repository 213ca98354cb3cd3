//! `adit init` and `adit undo`, on whatever host the tests run.

use crate::World;

fn init(world: &World, arguments: &[&str]) -> String {
    let file = world.path("etc/adit.toml").display().to_string();
    let arguments: Vec<&str> = ["-c", &file, "init"].iter().chain(arguments).copied().collect();
    world.run(&arguments)
}

const ANSWERS: [&str; 8] = [
    "--name",
    "vpn.example.org",
    "--listen",
    "127.0.0.1",
    "--pool",
    "10.77.8.0/24",
    "--lan",
    "192.168.210.0/24",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ANSWERS.iter().chain(more).copied().collect()
}

#[test]
fn a_file_that_passes_its_own_check() {
    let world = World::new();
    let text = init(&world, &with(&["--yes", "--forward", "no"]));
    assert!(text.contains("wrote    DIR/etc/adit.toml   8 lines"), "{text}");
    let file = world.path("etc/adit.toml");
    let written = std::fs::read_to_string(&file).unwrap();
    insta::assert_snapshot!(written);
    let checked = world.run(&["check", &file.display().to_string()]);
    assert!(!checked.contains("error"), "{checked}");

    let again = init(&world, &with(&["--yes"]));
    assert!(again.contains("is there already") && again.contains("--- exit 6"), "{again}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);
}

#[test]
fn print_and_dry_run_touch_nothing() {
    let world = World::new();
    let printed = init(&world, &with(&["--print"]));
    assert!(printed.contains("net    = \"10.77.8.0/24\"") && !printed.contains("Looking"), "{printed}");
    let tried = init(&world, &with(&["--dry-run"]));
    assert!(
        tried.contains("would write DIR/etc/adit.toml") && tried.contains("Nothing was changed."),
        "{tried}"
    );
    assert!(!world.path("etc").exists() && !world.path("state").exists());
}

#[test]
fn without_a_terminal_it_names_the_flag() {
    let text = init(&World::new(), &[]);
    assert!(text.contains("there is no terminal to ask on: Name clients will use"), "{text}");
    assert!(text.contains("fix   --yes takes the proposals") && text.contains("--- exit 2"), "{text}");
}

#[test]
fn what_cannot_work_is_not_written() {
    let world = World::new();
    let text = init(&world, &["--yes", "--pool", "10.77.8.0/31", "--listen", "127.0.0.1", "--forward", "no"]);
    assert!(text.contains("--- exit 1"), "{text}");
    assert!(!world.path("etc/adit.toml").exists());
}

#[test]
fn nothing_to_undo() {
    let world = World::new();
    let runs = [
        world.run(&["undo"]),
        world.run(&["undo", "--dry-run"]),
        world.run(&["undo", "--all"]),
        world.run(&["undo", "--all", "--yes"]),
    ];
    insta::assert_snapshot!(runs.join("\n"));
    assert_eq!(world.json(&["undo"])["changes"], serde_json::json!([]));
}

#[test]
fn files_that_undo_all_keeps_are_listed() {
    let world = World::new();
    init(&world, &with(&["--yes", "--forward", "no"]));
    world.run(&["user", "add", "alice", "--generate"]);
    let file = world.path("etc/adit.toml").display().to_string();
    let undo = |more: &[&str]| world.run(&[&["-c", file.as_str(), "undo"], more].concat());
    assert!(!undo(&[]).contains("left "), "without --all, nothing lasting is undone");
    let text = undo(&["--all", "--yes"]);
    for path in ["etc/adit.toml", "state/adit.db", "state/seal.key"] {
        assert!(text.contains(&format!("left     DIR/{path}")), "{text}");
        assert!(world.path(path).exists());
    }
}

#[test]
fn what_a_dead_owner_changed_is_undone() {
    use adit_sys::journal::{Journal, Lasts};
    use adit_testbed::Host;
    let world = World::new();
    let host = Host::new("host");
    // A process keeps the namespace in sight.
    let _inside = host.spawn(std::process::Command::new("sleep").arg("60"));
    let forwarding = || host.sh("cat /proc/sys/net/ipv4/ip_forward");
    let folder = world.path("state/journal");
    let mut journal = host.run(|| Journal::open(&folder, "init", Lasts::UntilUndo).unwrap());
    host.run(|| journal.set_sysctl("net.ipv4.ip_forward", "1").unwrap());
    let mut runs = vec![world.run(&["undo"])];
    drop(journal);
    runs.push(world.run(&["undo"]));
    runs.push(world.run(&["undo", "--all", "--dry-run"]));
    assert_eq!(forwarding().trim(), "1");
    runs.push(world.run(&["undo", "--all", "--yes"]));
    assert_eq!(forwarding().trim(), "0");
    runs.push(world.run(&["undo", "--all", "--yes"]));
    insta::assert_snapshot!(runs.join("\n"));
}

/// A user who may write in the state directory, as the user of the service may, does not make root change the host.
#[test]
fn a_journal_of_another_user_is_reported_and_not_undone() {
    use std::os::unix::fs::chown;
    let world = World::new();
    let folder = world.path("state/journal");
    std::fs::create_dir_all(&folder).unwrap();
    let (victim, journal) = (world.path("victim"), folder.join("1-1-0.journal"));
    std::fs::write(&victim, "new").unwrap();
    let before = "{\"file\":{\"content\":\"root::0:0\",\"mode\":384,\"uid\":0,\"gid\":0}}";
    let change =
        format!("{{\"file\":{{\"path\":\"{}\",\"before\":{before},\"wrote\":\"new\"}}}}", victim.display());
    std::fs::write(&journal, format!("{{\"intend\":{{\"number\":1,\"change\":{change}}}}}\n")).unwrap();
    chown(&journal, Some(65534), Some(65534)).unwrap();
    let mut runs = vec![world.run(&["undo", "--all", "--yes"])];
    // As root's own file it is trusted, but the path is none that adit changes.
    chown(&journal, Some(0), Some(0)).unwrap();
    runs.push(world.run(&["undo", "--all", "--yes"]));
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "new");
    insta::assert_snapshot!(runs.join("\n"));
}
