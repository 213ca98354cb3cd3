//! Tests of the pages: they are the product.

use std::collections::{BTreeMap, BTreeSet};

use crate::text::WIDTH;
use crate::{Code, foreign};

/// The commands and the first level of subcommands that pages may name.
const COMMANDS: &[&str] = &[
    "check",
    "connect",
    "disconnect",
    "explain",
    "init",
    "kick",
    "log",
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
            assert!(fix.ends_with(['.', '`', '?']) && fix.len() > 20, "{code}: {fix}");
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
        assert!(!page.says.is_empty(), "{} has no words in foreign.tsv", page.key);
        assert!(page.note.is_some() || !page.causes.is_empty(), "{} says nothing", page.key);
        let mut seen: BTreeMap<Code, u8> = BTreeMap::new();
        for cause in &page.causes {
            assert!(seen.insert(cause.code, cause.rank).is_none(), "{} names {} twice", page.key, cause.code);
        }
        if let [first, rest @ ..] = page.causes.as_slice() {
            assert_eq!(first.rank, 1, "{} has no likeliest cause", page.key);
            assert!(rest.iter().all(|cause| cause.rank > 1), "{} has two likeliest causes", page.key);
        }
    }
    for number in
        [619, 628, 629, 691, 718, 720, 721, 734, 738, 741, 742, 743, 778, 800, 806, 807, 809, 812, 868]
    {
        assert!(keys.contains(&format!("windows:{number}")), "{number}");
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
