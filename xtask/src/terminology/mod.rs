//! The words of CONTRIBUTING's terminology list, looked for in names, file names, messages, help, comments and docs.

mod exceptions;
mod list;
mod text;

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::source;
use exceptions::Exceptions;
use list::Term;
use text::Word;

/// The page whose table holds the terms.
const PAGE: &str = "CONTRIBUTING.md";
/// The file of the exceptions: path, term and reason, separated by tabs.
const EXCEPTIONS: &str = "xtask/terminology-exceptions.tsv";

/// Lists every place that uses a word which the list replaces, and every exception that nothing uses.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let page = std::fs::read_to_string(root.join(PAGE)).context(PAGE)?;
    let terms = list::parse(&page)?;
    let exceptions = std::fs::read_to_string(root.join(EXCEPTIONS)).context(EXCEPTIONS)?;
    let mut exceptions = Exceptions::parse(&exceptions, &terms)?;
    let mut findings = Vec::new();
    for file in source::files(root)? {
        let name = file.display().to_string();
        // These two hold the words themselves.
        if name == PAGE || name == EXCEPTIONS {
            continue;
        }
        let words = match file.extension().and_then(|end| end.to_str()) {
            Some("rs") => text::rust(&std::fs::read_to_string(root.join(&file))?),
            Some("md" | "toml" | "tsv" | "sh" | "sql" | "txt" | "snap" | "1" | "5" | "roff") => {
                text::prose(&std::fs::read_to_string(root.join(&file))?)
            }
            _ => Vec::new(),
        };
        let in_path = text::path(&file);
        for (term, line) in found(&terms, &in_path).into_iter().chain(found(&terms, &words)) {
            if !exceptions.allow(&name, term) {
                let place = if line == 0 { name.clone() } else { format!("{name}:{line}") };
                findings.push(format!("{place}: {:?}: use {}", term.spelling, term.instead));
            }
        }
    }
    findings.extend(exceptions.unused());
    if !findings.is_empty() {
        bail!(
            "{} findings (terms: {PAGE}, exceptions: {EXCEPTIONS})\n  {}",
            findings.len(),
            findings.join("\n  ")
        );
    }
    Ok(())
}

/// Every term that stands in `words`, with its line.
fn found<'a>(terms: &'a [Term], words: &[Word]) -> Vec<(&'a Term, usize)> {
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        for term in terms {
            if term.stands_at(&words[at..]) {
                found.push((term, word.line));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "## Terminology\n\n| not | but | where |\n|---|---|---|\n\
        | somebody | user | text, names |\n| keep house | run maintenance | names |\n\
        | `Place` | SetupSlot | names |\n| goes away | disconnects | text |\n";

    fn terms_in(source: &str) -> Vec<(String, usize)> {
        let terms = list::parse(PAGE).unwrap();
        let words = text::rust(source);
        found(&terms, &words).into_iter().map(|(term, line)| (term.spelling.clone(), line)).collect()
    }

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(terms_in("fn keep_house() {}\nfn keep() {}\nstruct KeepHouse;").len(), 2);
        assert_eq!(terms_in("let a = housekeeping; let keep = house;"), []);
    }

    #[test]
    fn a_term_with_a_capital_is_one_whole_name() {
        assert_eq!(terms_in("struct Place;\nlet place = 1; struct InPlace;"), [("Place".to_owned(), 1)]);
    }

    #[test]
    fn text_is_searched_in_literals_and_comments_across_lines() {
        let source = "// Somebody who goes\n// away.\nlet s = \"goes \\\n  away\"; let r = r#\"goes away\"#;";
        let lines: Vec<usize> = terms_in(source).into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, [1, 1, 3, 4]);
    }

    #[test]
    fn words_of_names_and_of_text_are_separate() {
        // "keep house" is looked for in names only, "goes away" in text only.
        assert_eq!(terms_in("// We keep house.\nfn goes_away() {}"), []);
    }

    #[test]
    fn a_finding_that_is_excepted_uses_its_exception() {
        let terms = list::parse(PAGE).unwrap();
        let mut exceptions = Exceptions::parse(
            "# why\ncrates/a/\tsomebody\ta quotation\ndocs/\tgoes away\tnever used\n",
            &terms,
        )
        .unwrap();
        assert!(exceptions.allow("crates/a/src/x.rs", &terms[0]));
        assert!(!exceptions.allow("crates/b/src/x.rs", &terms[0]));
        assert_eq!(exceptions.unused().count(), 1);
    }

    #[test]
    fn an_exception_without_a_reason_or_for_no_term_is_refused() {
        let terms = list::parse(PAGE).unwrap();
        assert!(Exceptions::parse("crates/a/\tsomebody\n", &terms).is_err());
        assert!(Exceptions::parse("crates/a/\tsomebody\t \n", &terms).is_err());
        assert!(Exceptions::parse("crates/a/\tno such term\twhy\n", &terms).is_err());
    }

    #[test]
    fn a_list_that_is_not_one_is_refused() {
        assert!(list::parse("no table").is_err());
        assert!(
            list::parse("## Terminology\n| not | but | where |\n|---|---|---|\n| a | b | nowhere |\n")
                .is_err()
        );
        assert!(
            list::parse("## Terminology\n| not | but | where |\n|---|---|---|\n| a | | text |\n").is_err()
        );
    }
}
