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
fn nothing_is_guessed_about_what_nobody_said() {
    for text in ["hello", "the quick brown fox", "it does not work", "vpn", "?", "47", "please help me"] {
        assert!(explain(text).is_err(), "{text}: {:?}", explain(text));
    }
}
