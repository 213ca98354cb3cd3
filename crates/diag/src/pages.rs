//! Tests of the pages: they are the product.

use std::collections::{BTreeMap, BTreeSet};

use crate::text::WIDTH;
use crate::{Code, Layer, foreign, patterns};

/// The commands and the first level of subcommands that pages may name.
const COMMANDS: &[&str] = &[
    "ban",
    "check",
    "connect",
    "disconnect",
    "doctor",
    "explain",
    "init",
    "kick",
    "log",
    "pool",
    "serve",
    "session",
    "sessions",
    "status",
    "undo",
    "user",
    "version",
];

#[test]
fn every_code_has_a_complete_page() {
    for code in Code::ALL {
        let page = code.page();
        assert!(page.starts_with(&format!("# {code} ")), "{code}");
        let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let wanted = ["How it is proven", "Not to be confused with", "Who can fix it", "Fix", "Next test"];
        assert_eq!(headings.get(..5), Some(wanted.as_slice()), "{code}");
        assert!(headings.len() == 5 || headings[5..] == ["Elsewhere"], "{code}");
        let entry = code.entry();
        assert!(!entry.title.is_empty() && !entry.title.ends_with('.') && entry.title.len() <= 60, "{code}");
        for text in [&entry.meaning, &entry.proof, &entry.owner] {
            assert!(text.ends_with('.') && text.len() > 10, "{code}: {text}");
        }
        assert!(entry.meaning.len() > 60, "{code}");
        assert!(!entry.next.is_empty() && !entry.confused_with.is_empty(), "{code}");
        assert!(entry.fix.len() >= 2, "{code}");
        for fix in &entry.fix {
            assert!(fix.ends_with(['.', '`', '?']) && fix.len() > 10, "{code}: {fix}");
        }
        assert_eq!(page.matches('`').count() % 2, 0, "{code}: an odd backtick");
    }
}

#[test]
fn every_page_fits_80_columns() {
    for code in Code::ALL {
        for text in [code.page().to_owned(), code.entry().to_string()] {
            for line in text.lines() {
                assert!(line.chars().count() <= WIDTH, "{code}: {line}");
                assert!(!line.ends_with(' ') && !line.contains('\t'), "{code}: {line:?}");
            }
        }
    }
    for page in foreign() {
        for line in page.to_string().lines() {
            assert!(line.chars().count() <= WIDTH, "{}: {line}", page.key);
        }
    }
}

#[test]
fn codes_that_pages_name_exist() {
    for code in Code::ALL {
        let letters = |c: char| !c.is_ascii_alphanumeric();
        for word in code.page().split(letters).filter(|word| word.len() == 3) {
            let mut chars = word.chars();
            let letter = chars.next().is_some_and(|c| "NCGLAEIRMSFPQ".contains(c));
            if letter && chars.all(|c| c.is_ascii_digit()) {
                assert!(word.parse::<Code>().is_ok(), "{code} names {word}");
            }
        }
    }
}

#[test]
fn commands_that_pages_name_exist() {
    for code in Code::ALL {
        let page = code.page().replace('\n', " ");
        for command in page.split('`').skip(1).step_by(2) {
            let command = command.trim_start_matches("sudo ");
            let Some(rest) = command.strip_prefix("adit ") else { continue };
            let name = rest.split_whitespace().next().unwrap_or_default();
            assert!(COMMANDS.contains(&name), "{code}: adit {name}");
        }
    }
}

#[test]
fn every_foreign_code_has_words_and_a_meaning() {
    let mut keys = BTreeSet::new();
    for page in foreign() {
        assert!(keys.insert(page.key.clone()), "{} twice", page.key);
        assert!(!page.wording.is_empty(), "{} has no words in foreign.tsv", page.key);
        assert!(page.note.is_some() || !page.causes.is_empty(), "{} says nothing", page.key);
        let mut seen: BTreeMap<Code, u8> = BTreeMap::new();
        for cause in &page.causes {
            assert!(seen.insert(cause.code, cause.rank).is_none(), "{} names {} twice", page.key, cause.code);
        }
        if let [first, rest @ ..] = page.causes.as_slice() {
            assert_eq!(first.rank, 1, "{} has no likeliest cause", page.key);
            assert!(rest.iter().all(|cause| cause.rank > 1), "{} has two likeliest causes", page.key);
            // Several causes are of use only with what tells them apart.
            let tests: BTreeSet<&str> = page.causes.iter().map(|cause| cause.when.as_str()).collect();
            assert_eq!(tests.len(), page.causes.len(), "{} has one test for two causes", page.key);
            assert!(rest.is_empty() || !tests.iter().any(|test| test.starts_with("always")), "{}", page.key);
        }
    }
    for number in
        [619, 628, 629, 691, 718, 720, 721, 734, 738, 741, 742, 743, 778, 800, 806, 807, 809, 812, 868]
    {
        assert!(keys.contains(&format!("windows:{number}")), "{number}");
    }
}

/// A fix for each kind of device in use: the page has the commands of the one at fault.
#[test]
fn every_page_of_a_connection_speaks_of_every_platform() {
    const PLATFORMS: &[&[&str]] =
        &[&["adit", "Linux", "pppd", "pptpd"], &["Windows", "RRAS", "NPS"], &["RouterOS"], &["Cisco"]];
    for code in Code::ALL.iter().filter(|code| code.layer() < Layer::Host) {
        let fix = code.entry().fix.join(" ");
        let missing: Vec<_> =
            PLATFORMS.iter().filter(|names| !names.iter().any(|name| fix.contains(name))).collect();
        assert!(missing.is_empty(), "{code} says nothing of {missing:?}");
    }
}

#[test]
fn every_pattern_is_listed() {
    let mut names = BTreeSet::new();
    for pattern in patterns() {
        assert!(names.insert(pattern.id), "{} twice", pattern.id);
        assert!(
            pattern.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{}",
            pattern.id
        );
        assert!(pattern.evidence.len() > 10 && !pattern.evidence.ends_with('.'), "{}", pattern.id);
        assert!(pattern.note.is_some() || !pattern.causes.is_empty(), "{} says nothing", pattern.id);
        // Where there are several codes each has its test.
        let several = pattern.causes.len() > 1;
        assert!(pattern.causes.iter().all(|cause| !several || cause.when != "always"), "{}", pattern.id);
    }
    assert!(names.len() >= 49);
    // Every row was read to its end: as many causes as the table has.
    let table = include_str!("../codes/patterns.tsv");
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let fields: Vec<&str> = row.split('\t').collect();
        assert!(fields.len() == 3 || fields.len() == 4, "{row}");
        let wanted = if fields[1] == "-" { 0 } else { fields[1].split("; ").count() };
        let pattern = patterns().into_iter().find(|pattern| pattern.id == fields[0]).unwrap();
        assert_eq!(pattern.causes.len(), wanted, "{row}");
    }
}

/// A connection can fail with every code of its layers: each can be observed, or another program has a word for it.
#[test]
fn every_code_of_a_connection_can_be_reached() {
    let all = foreign();
    for code in Code::ALL.iter().filter(|code| code.layer() <= Layer::Host) {
        // What only adit itself knows, about its own rules and state.
        let own =
            ["S04", "S06", "S07", "S09", "S10", "A08", "A13", "R02", "R10", "G10"].contains(&code.as_str());
        let reached = all.iter().any(|one| one.causes.iter().any(|cause| cause.code == *code));
        assert!(reached || own, "{code}");
    }
}

#[test]
fn unconfirmed_entries_are_marked() {
    let unsure: Vec<_> = foreign().into_iter().filter(|one| !one.confirmed).collect();
    assert!(unsure.iter().any(|one| one.key == "event:20209"));
    for one in unsure {
        assert!(one.to_string().contains("Not confirmed"), "{}", one.key);
    }
}

#[test]
fn every_row_of_the_tables_is_read() {
    let all = foreign();
    for row in include_str!("../codes/foreign.tsv").lines().filter(|row| !row.starts_with('#')) {
        let key = row.split('\t').next().unwrap();
        let one = all.iter().find(|one| one.key == key).unwrap_or_else(|| panic!("{key}"));
        assert!(
            row.split('\t').nth(3).is_none_or(|mark| mark.is_empty() || mark == "not confirmed"),
            "{row}"
        );
        assert!(one.note.is_some() || !one.causes.is_empty(), "{key} says nothing");
    }
    for (target, words) in crate::explain::phrases() {
        assert!(target.parse::<Code>().is_ok() || all.iter().any(|one| one.key == target), "{target}");
        assert!(!words.is_empty() && words == words.to_lowercase(), "{target}: {words}");
    }
}

#[test]
fn codes_are_in_order_and_read_back() {
    let mut last = None;
    for code in Code::ALL {
        assert_eq!(code.as_str().parse(), Ok(*code));
        let place = (code.layer(), code.as_str());
        assert!(last.is_none_or(|last| last < place), "{code}");
        assert_eq!(code.as_str().chars().next(), Some(code.layer().letter()));
        last = Some(place);
    }
    assert_eq!(Code::A01.exit_code(), 14);
    assert_eq!(Code::F12.exit_code(), 1);
    assert!("G99".parse::<Code>().is_err());
}
