//! Which requirement of the protocols is shown by which test.
//!
//! docs/conformance.tsv lists the requirements: number, status, text, and a reason when it does not apply.
//! A test shows requirement 71 by `c071` at the front of its name; several numbers follow each other,
//! `c071_c074_sequence_wraps`. The page docs/conformance.md is made from both.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::{Write, settle, source};

/// One line of docs/conformance.tsv.
struct Item {
    number: u16,
    status: Status,
    text: String,
    reason: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Applies,
    Later,
    DoesNotApply,
}

/// Number of a requirement to the tests that show it.
type Tests = BTreeMap<u16, Vec<String>>;

/// Makes or compares the page. Fails when an applying requirement has no test.
pub(crate) fn run(root: &Path, write: Write) -> anyhow::Result<()> {
    let table = root.join("docs/conformance.tsv");
    let items = read(&std::fs::read_to_string(&table).with_context(|| table.display().to_string())?)?;
    let tests = collect(root)?;
    if write == Write::Update {
        settle(&root.join("docs/conformance.md"), &page(&items, &tests), write, "conformance")?;
    }
    let mut findings = Vec::new();
    for item in items.values() {
        let is_shown = tests.contains_key(&item.number);
        if item.status == Status::Applies && !is_shown {
            findings.push(format!("c{:03} has no test: {}", item.number, item.text));
        }
        if item.status != Status::Applies && item.reason.is_empty() {
            findings.push(format!("c{:03} does not apply, but no reason is given", item.number));
        }
    }
    for (number, names) in &tests {
        if !items.contains_key(number) {
            findings.push(format!("{}: there is no requirement {number}", names.join(", ")));
        }
    }
    if !findings.is_empty() {
        bail!("{} findings\n  {}", findings.len(), findings.join("\n  "));
    }
    settle(&root.join("docs/conformance.md"), &page(&items, &tests), write, "conformance")
}

fn read(text: &str) -> anyhow::Result<BTreeMap<u16, Item>> {
    let mut items = BTreeMap::new();
    for (at, line) in text.lines().enumerate().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [number, status, text, reason] = fields[..] else {
            bail!("docs/conformance.tsv line {}: four fields, separated by tabs", at + 1);
        };
        let status = match status {
            "applies" => Status::Applies,
            "later" => Status::Later,
            "no" => Status::DoesNotApply,
            other => bail!("docs/conformance.tsv line {}: status {other:?}", at + 1),
        };
        let number = number.parse().with_context(|| format!("docs/conformance.tsv line {}", at + 1))?;
        let item = Item { number, status, text: text.to_owned(), reason: reason.to_owned() };
        if items.insert(number, item).is_some() {
            bail!("docs/conformance.tsv line {}: {number} is defined twice", at + 1);
        }
    }
    Ok(items)
}

/// All test functions of the repository with numbers.
fn collect(root: &Path) -> anyhow::Result<Tests> {
    let mut tests = Tests::new();
    for file in source::files(root)? {
        if file.extension().is_none_or(|end| end != "rs") || file.starts_with("xtask") {
            continue;
        }
        let text = std::fs::read_to_string(root.join(&file))?;
        for name in test_names(&text) {
            let at = format!("{}: {name}", file.display());
            for number in numbers(name) {
                tests.entry(number).or_default().push(at.clone());
            }
        }
    }
    Ok(tests)
}

/// Names of the functions in `text` that carry a test attribute.
fn test_names(text: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
            return None;
        }
        // A test that is ignored shows nothing.
        if line.starts_with("#[ignore") {
            is_test = false;
        }
        let code = line.strip_prefix("async ").unwrap_or(line);
        let name = code.strip_prefix("fn ")?.split(['(', '<']).next()?;
        std::mem::take(&mut is_test).then_some(name)
    })
}

/// `c071_c074_wraps` has 71 and 74.
fn numbers(name: &str) -> impl Iterator<Item = u16> {
    name.split('_').map_while(|part| {
        let digits = part.strip_prefix('c')?;
        (digits.len() == 3).then(|| digits.parse().ok())?
    })
}

fn page(items: &BTreeMap<u16, Item>, tests: &Tests) -> String {
    let count = |status| items.values().filter(|item| item.status == status).count();
    let mut out = String::from("# Conformance\n\n");
    let _ = writeln!(
        out,
        "What the protocols and their field practice require of adit, and the tests that show it. {} of {} items \
         apply today, {} belong to features that are not built yet, {} do not apply.\n\n\
         Made by `cargo xtask conformance` from docs/conformance.tsv and the names of the tests; do not edit.\n",
        count(Status::Applies),
        items.len(),
        count(Status::Later),
        count(Status::DoesNotApply)
    );
    out.push_str("| # | requirement | shown by |\n|---|---|---|\n");
    for item in items.values() {
        let shown = match item.status {
            Status::Later => format!("later: {}", item.reason),
            Status::DoesNotApply => format!("does not apply: {}", item.reason),
            Status::Applies => tests
                .get(&item.number)
                .map(|names| names.iter().map(|name| link(name)).collect::<Vec<_>>().join("<br>"))
                .unwrap_or_else(|| "**no test**".to_owned()),
        };
        let _ = writeln!(out, "| {} | {} | {shown} |", item.number, item.text.replace('|', "\\|"));
    }
    out
}

/// `crates/wire/src/gre.rs: c063_x` as a link to the file.
fn link(name: &str) -> String {
    let (file, function) = name.split_once(": ").unwrap_or((name, name));
    format!("[`{function}`](../{file})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_at_the_front_of_a_name() {
        assert_eq!(numbers("c071_c074_sequence_wraps").collect::<Vec<_>>(), [71, 74]);
        assert_eq!(numbers("c007_huge").collect::<Vec<_>>(), [7]);
        assert_eq!(numbers("wraps_c071").count(), 0);
        assert_eq!(numbers("c71_short").count(), 0);
    }

    #[test]
    fn only_functions_under_a_test_attribute_count() {
        let text = "#[test]\nfn c001_a() {}\nfn c002_helper() {}\n#[tokio::test]\nasync fn c003_b() {}\n\
                    #[test]\n#[ignore = \"slow\"]\nfn c004_c() {}\n";
        assert_eq!(test_names(text).collect::<Vec<_>>(), ["c001_a", "c003_b"]);
    }

    #[test]
    fn a_malformed_table_is_refused() {
        assert!(read("head\n1\tapplies\ttext\t\n").is_ok());
        assert!(read("head\n1\tapplies\ttext\n").is_err());
        assert!(read("head\n1\tmaybe\ttext\t\n").is_err());
        assert!(read("head\n1\tapplies\ta\t\n1\tapplies\tb\t\n").is_err());
    }
}
