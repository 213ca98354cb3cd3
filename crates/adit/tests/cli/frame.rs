//! Flags, help, errors of usage, and what every command has in common.

use crate::World;

#[test]
fn help_shows_commands_in_groups() {
    insta::assert_snapshot!(World::new().run(&["-h"]));
}

#[test]
fn help_fits_80_columns() {
    let world = World::new();
    let mut pages = vec![vec![]];
    for command in
        ["init", "check", "undo", "sessions", "session", "kick", "log", "user", "explain", "doctor"]
    {
        pages.push(vec![command]);
    }
    for command in ["list", "show", "add", "set", "passwd", "enable", "disable", "unlock", "remove"] {
        pages.push(vec!["user", command]);
    }
    for page in pages {
        for flag in ["-h", "--help"] {
            let arguments: Vec<&str> = page.iter().copied().chain([flag]).collect();
            let text = world.run(&arguments);
            assert!(text.contains("Usage: adit"), "{text}");
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{arguments:?}: {line}");
            }
        }
    }
}

#[test]
fn nothing_at_all_is_a_question_for_help() {
    let output = World::new().command(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("PPTP server, client"));
    let output = World::new().command(&["user"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("Manage users"));
}

#[test]
fn misspelt_commands_get_a_suggestion() {
    let world = World::configured();
    let runs = [
        world.run(&["usre"]),
        world.run(&["user", "lst"]),
        world.run(&["user", "list", "--colums", "user"]),
        world.run(&["user", "list", "--columns", "usr"]),
        world.run(&["user", "list", "--filter", "age"]),
        world.run(&["user", "add"]),
        world.run(&["user", "set", "alice"]),
        world.run(&["log", "--layer", "x"]),
        world.run(&["log", "--since", "soon"]),
        world.run(&["log", "-f", "--json"]),
        world.run(&["schema", "usres"]),
        world.run(&["check", "--json", "--jsonl"]),
        world.run(&["user", "list", "--timeout", "5"]),
        world.run(&["log", "--since", "-1h"]),
        world.run(&["log", "-n", "x"]),
        world.run(&["ban", "add", "192.0.2.1", "--reason", "-x"]),
        world.run(&["ban", "add", "192.0.2.1", "-x"]),
        world.run(&["-c", "nowhere.toml", "user", "list"]),
        world.run(&["-c", "nowhere.toml", "serve"]),
    ];
    insta::assert_snapshot!(runs.join("\n"));
}

#[test]
fn with_json_an_error_is_a_document_too() {
    let world = World::configured();
    let runs = [
        world.run(&["user", "show", "unknown", "--json"]),
        world.run(&["usre", "--json"]),
        world.run(&["log", "--since", "--json"]),
    ];
    insta::assert_snapshot!(runs.join("\n"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};
    let adit = assert_cmd::cargo::cargo_bin("adit");
    for arguments in [&["--help"][..], &["completion", "bash"], &["schema", "users"]] {
        let mut child = Command::new(&adit)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn colour_only_where_it_is_wanted() {
    let world = World::configured();
    world.run_with(&["user", "add", "alice", "--password-stdin"], "a very good passphrase\n");
    let bytes = |arguments: &[&str]| world.command(arguments).output().unwrap().stdout;
    assert!(!bytes(&["user", "list"]).contains(&0x1b), "a pipe gets none");
    assert!(!bytes(&["user", "list", "--color", "never"]).contains(&0x1b));
    assert!(bytes(&["user", "list", "--color", "always"]).contains(&0x1b));
}

#[test]
fn every_schema_is_one_and_names_itself() {
    let world = World::new();
    let names = String::from_utf8(world.command(&["schema"]).output().unwrap().stdout).unwrap();
    assert!(names.contains("adit.users/1"));
    for name in names.lines() {
        let schema = world.json(&["schema", name]);
        assert_eq!(schema["$id"], name);
        assert_eq!(schema["properties"]["schema"]["const"], name);
        assert!(schema["required"].as_array().unwrap().iter().any(|field| field == "generated"), "{name}");
    }
    insta::assert_snapshot!(world.run(&["schema", "users"]));
}

#[test]
fn completions_know_the_commands() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script =
            String::from_utf8(world.command(&["completion", shell]).output().unwrap().stdout).unwrap();
        assert!(script.contains("passwd") && script.contains("disconnect"), "{shell}");
    }
    insta::assert_snapshot!(world.run(&["completion", "csh"]));
}

#[test]
fn a_manual_page_per_command() {
    let world = World::new();
    let man = world.path("man");
    let output = world.command(&["man"]).arg(&man).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let mut names: Vec<String> = std::fs::read_dir(&man)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for name in ["adit.1", "adit-check.1", "adit-user.1", "adit-user-add.1", "adit-serve.1"] {
        assert!(names.iter().any(|there| there == name), "{name} is not in {names:?}");
    }
    let page = std::fs::read_to_string(man.join("adit-user-add.1")).unwrap();
    assert!(page.contains("adit user add") || page.contains("adit\\-user\\-add"), "{page}");
    assert!(page.contains("Add a user") && page.contains("Read this configuration"), "{page}");
    let keys = std::fs::read_to_string(man.join("adit.toml.5")).unwrap();
    assert!(keys.contains(".SH \"[pool]\"") && keys.contains("\\fBmppe_bits\\fR"), "{keys}");
    let first = std::fs::read_to_string(man.join("adit.1")).unwrap();
    assert!(first.contains("adit\\-user(1)") && first.contains("Manage users"), "{first}");
    assert!(first.contains("EXIT STATUS") && first.contains("/var/lib/adit/seal.key"), "{first}");
}

#[test]
fn version() {
    let world = World::new();
    let text = world.run(&["version"]);
    assert!(text.contains(&format!("adit {} (linux ", env!("CARGO_PKG_VERSION"))), "{text}");
    assert_eq!(world.json(&["version"])["version"], env!("CARGO_PKG_VERSION"));
    assert!(world.run(&["-V"]).contains(&format!("adit {}\n", env!("CARGO_PKG_VERSION"))));
}
