//! `adit-attack` as a program: what it refuses, and that a refusal names what was expected and what to do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

/// Runs it and returns whether it succeeded, and what it printed.
fn attack(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_adit-attack"));
    let output = command.env("RUST_BACKTRACE", "0").args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn rows_are_listed_without_running_any() {
    let (is_done, text) = attack(&["--list", "--only", "B3,spray"]);
    assert!(is_done, "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("B3 ")).count(), 3, "{text}");
    assert_eq!(text.lines().filter(|line| line.contains("spray")).count(), 4, "{text}");
    assert_eq!(text.lines().count(), 7, "{text}");
}

#[test]
fn what_cannot_be_run_is_refused_before_the_first_row() {
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().to_str().unwrap();
    for (arguments, expected) in [
        (&["--only", "no such row"][..], "expected groups or parts of names; --list prints them"),
        (
            &["--adit", "/nonexistent/adit"],
            "expected the program adit; build it, or name another with --adit",
        ),
        (&["--compare", empty], "expected a report of bench/attack"),
        (&["--no-run"], "--compare <DIRECTORY>"),
        (&["--runs", "0"], "0 is not in 1..=100"),
    ] {
        let (is_done, text) = attack(arguments);
        assert!(!is_done && text.contains(expected), "{arguments:?}: {text}");
        assert!(!text.contains(" ..."), "a row has begun: {text}");
    }
}
