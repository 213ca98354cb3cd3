//! What people paste into a search box or a forum, and the code that must stand first in the answer.

#![allow(clippy::panic, reason = "a test that fails says why")]

use adit_diag::explain;

const PASTED: &str = include_str!("data/pasted.tsv");

#[test]
fn what_people_paste_is_understood() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in PASTED.lines().filter(|row| !row.starts_with('#')) {
        let (wanted, text) = row.split_once('\t').unwrap();
        count += 1;
        let found = match explain(text) {
            Ok(answer) => answer.first_code().map_or("-".to_owned(), |code| code.to_string()),
            Err(unknown) => unknown.to_string(),
        };
        if found != wanted {
            wrong.push(format!("{found} instead of {wanted}: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count >= 60);
}

#[test]
fn nothing_is_guessed_from_missing_text() {
    for text in ["hello", "the quick brown fox", "it does not work", "vpn", "?", "47", "please help me"] {
        assert!(explain(text).is_err(), "{text}: {:?}", explain(text));
    }
}

/// Any pasted text gets an answer that fits a terminal: pieces of real lines, cut, joined and damaged.
#[test]
fn no_question_is_too_strange() {
    let lines: Vec<&str> = PASTED.lines().collect();
    let marks = [
        "<M-Mt^@",
        "code=",
        "e=",
        "event id ",
        "\u{1b}[0m",
        "\"",
        ":\"",
        "0x",
        "E=99999999999",
        "ошибка ",
        "\0",
        "*",
    ];
    // A fixed sequence (Knuth's multiplier), so that a failure can be repeated.
    let mut state = 1u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..300 {
        let (a, b) = (lines[next(lines.len())], lines[next(lines.len())]);
        let cut = |text: &str, at: usize| text.chars().take(at).collect::<String>();
        let text = format!("{}{}{}", cut(a, next(80)), marks[next(marks.len())], cut(b, next(80)));
        let shown = match explain(&text) {
            Ok(answer) => answer.to_string(),
            Err(unknown) => unknown.near.join("\n"),
        };
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{text}: {shown}");
    }
    assert!(explain(&"pppd[1]: Modem hangup ".repeat(10_000)).is_ok());
    // The end of a long log is what is read.
    let long = format!(
        "{}pppd[1]: Peer bob failed CHAP authentication",
        "pppd[1]: Using interface ppp0\n".repeat(5000)
    );
    assert_eq!(explain(&long).unwrap().first_code(), "A01".parse().ok());
    assert!(explain(&"Peer x ".repeat(10_000)).is_err());
}
