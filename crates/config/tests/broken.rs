//! Every file of `tests/broken` gives exactly the findings that its first lines name, and a fix that a program
//! can make takes its finding away.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use adit_config::{Checked, Level, Source, apply};

fn files() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn check(name: &str, text: &str) -> Checked {
    Checked::parse(vec![Source::new(name, text)])
}

/// `# expect F12 line 9`: code and line.
fn expected(text: &str) -> Vec<(String, usize)> {
    let rows = text.lines().map_while(|line| line.strip_prefix("# expect "));
    rows.map(|row| {
        let (code, line) = row.split_once(" line ").unwrap();
        (code.to_owned(), line.parse().unwrap())
    })
    .collect()
}

#[test]
fn each_broken_file_gives_its_findings_with_line_column_and_words() {
    let files = files();
    assert!(files.len() >= 60);
    let mut wrong = String::new();
    for path in &files {
        let text = fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let checked = check(name, &text);
        let loud = checked.findings().iter().filter(|finding| finding.level != Level::Note);
        let found: Vec<(String, usize)> = loud.map(|f| (f.code.to_string(), f.line)).collect();
        if found != expected(&text) {
            wrong.push_str(&format!("{name}: wanted {:?}\n{}\n", expected(&text), checked.render()));
        }
        let errors = checked.findings().iter().any(|finding| finding.level == Level::Error);
        assert_eq!(checked.config().is_none(), errors, "{name}");
        for finding in checked.findings() {
            assert_eq!(finding.line == 0, finding.col == 0, "{name}");
            assert!(
                !finding.message.is_empty() && !finding.message.ends_with('.'),
                "{name}: {}",
                finding.message
            );
            assert!(!finding.message.contains('\n'), "{name}");
            let helps = finding.level == Level::Note
                || finding.fix.is_some()
                || !finding.label.is_empty()
                || finding.message.contains(": ");
            assert!(helps, "{name}: {} says nothing about what to do", finding.message);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_fix_takes_its_finding_away_and_brings_no_error() {
    let mut fixed = 0;
    for path in files() {
        let text = fs::read_to_string(&path).unwrap();
        let checked = check("f", &text);
        for finding in checked.findings() {
            let Some(replace) = finding.fix.as_ref().and_then(|fix| fix.replace.as_ref()) else { continue };
            let better = apply(&text, replace).unwrap();
            let again = check("f", &better);
            let same = |other: &&adit_config::Finding| {
                other.code == finding.code && other.line == finding.line && other.message == finding.message
            };
            assert!(!again.findings().iter().any(|other| same(&other)), "{path:?}: {finding:?}\n{better}");
            let before: BTreeSet<String> = checked
                .findings()
                .iter()
                .filter(|f| f.level == Level::Error)
                .map(|f| f.message.clone())
                .collect();
            let syntax = finding.code.as_str() == "F01";
            for new in again.findings().iter().filter(|f| f.level == Level::Error) {
                assert!(
                    syntax || before.contains(&new.message),
                    "{path:?}: the fix brings {new:?}\n{better}"
                );
            }
            fixed += 1;
        }
    }
    assert!(fixed > 50, "{fixed}");
}

#[test]
fn the_whole_corpus_as_people_see_it() {
    let mut text = String::new();
    for path in files() {
        let name = path.file_name().unwrap().to_str().unwrap();
        text.push_str(&check(name, &fs::read_to_string(&path).unwrap()).render());
        text.push('\n');
    }
    insta::assert_snapshot!(text);
}
