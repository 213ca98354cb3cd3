//! Walks the tree against the table of keys: unknown keys, wrong tables, wrong values.

use adit_diag::{Code, nearest};

use crate::book::Book;
use crate::finding::Level;
use crate::keys::{self, KEYS, Kind, Slot};
use crate::read::good_name;
use crate::tree::{Entry, Table, Value};

/// The most pools.
const MAX_POOLS: usize = 256;

/// The most groups.
const MAX_GROUPS: usize = 1024;

/// Checks every key of the tree on its own. `false` when there is too much for checks of meaning.
pub(crate) fn walk(book: &mut Book<'_>) -> bool {
    let tree = book.tree;
    if let Some(table) = tree.table() {
        inside(book, &mut Vec::new(), table);
    }
    !book.is_full() && few(book, "pools", MAX_POOLS) && few(book, "groups", MAX_GROUPS)
}

fn few(book: &mut Book<'_>, name: &str, most: usize) -> bool {
    let count = book.entry(&[name]).and_then(|entry| entry.node.table()).map_or(0, |table| table.len());
    if count > most {
        let message = format!("{name} has {count} tables, {most} are possible");
        let finding = book.on(&[name], Code::F06, Level::Error, message).label("too many");
        book.push(finding);
    }
    count <= most
}

fn inside<'a>(book: &mut Book<'a>, path: &mut Vec<&'a str>, table: &'a Table) {
    for (name, entry) in table {
        if book.is_full() {
            return;
        }
        path.push(name);
        match keys::slot(path) {
            Slot::Key(key) => {
                for problem in key.kind.check(&entry.node) {
                    book.problem(&path.join("."), &entry.node, problem);
                }
            }
            Slot::Table => match &entry.node.value {
                Value::Table(below) => {
                    named(book, path, entry);
                    inside(book, path, below);
                }
                _ => no_table(book, path, entry),
            },
            Slot::Unknown => unknown(book, path, entry),
        }
        hidden(book, path, entry);
        path.pop();
    }
}

/// A value where a table must be. Where the value fits a key of the table, that is what was meant.
fn no_table(book: &mut Book<'_>, path: &[&str], entry: &Entry) {
    let key = path.join(".");
    let (node, kind) = (&entry.node, entry.node.value.kind());
    let message = format!("{key} is {kind}, it must be a table");
    let finding = book.at(&node.spot, Code::F02, Level::Error, key.clone(), message).label(kind);
    let fits = keys::names_in(path).into_iter().find(|name| match keys::slot(&[path, &[*name]].concat()) {
        Slot::Key(key) => !matches!(key.kind, Kind::Name | Kind::Text(_)) && key.kind.check(node).is_empty(),
        _ => false,
    });
    let text = book.sources.get(node.spot.file).and_then(|source| source.text.get(node.spot.span.clone()));
    let finding = match fits.zip(text) {
        Some((name, text)) => book.replacing(finding, &node.spot, format!("{{ {name} = {text} }}")),
        None => finding.advice(format!("[{key}] on a line of its own, its keys below")),
    };
    book.push(finding);
}

/// The name of a pool or group.
fn named(book: &mut Book<'_>, path: &[&str], entry: &Entry) {
    let [table @ ("pools" | "groups"), name] = path else { return };
    if !good_name(name) {
        let what = if *table == "pools" { "pool" } else { "group" };
        let message = format!("{name:?} is not a name for a {what}");
        let finding = book
            .at(&entry.key, Code::F04, Level::Error, path.join("."), message)
            .label("1 to 32 letters, digits, dots, hyphens and underscores");
        book.push(finding);
    }
}

fn unknown(book: &mut Book<'_>, path: &[&str], entry: &Entry) {
    let Some((name, above)) = path.split_last() else { return };
    let key = path.join(".");
    let place = if above.is_empty() { "at the top".to_owned() } else { format!("in [{}]", above.join(".")) };
    let what = if entry.node.table().is_some() { "table" } else { "key" };
    if keys::is_planned(path) {
        let message = format!("{name:?} {place} is planned, this version does not have it");
        let finding = book
            .at(&entry.key, Code::F03, Level::Error, key, message)
            .advice("take it out, so that nobody relies on it");
        book.push(finding);
        return;
    }
    let start = format!("unknown {what} {name:?} {place}");
    let meant = nearest(name, keys::names_in(above));
    let elsewhere = elsewhere(name);
    let finding = |message: String| book.at(&entry.key, Code::F03, Level::Error, key.clone(), message);
    let finding = match (meant, elsewhere) {
        // The very word in another table is nearer than a similar word in this one.
        (meant, Some(table)) if meant.is_none_or(|meant| !close(name, meant)) => {
            finding(format!("{start}: it belongs in [{table}]"))
        }
        (Some(meant), _) => {
            let finding = finding(format!("{start}: did you mean {meant:?}?"));
            let taken = book.entry(&[above, &[meant]].concat()).is_some();
            if taken { finding } else { book.replacing(finding, &entry.key, meant) }
        }
        (None, _) => {
            let known = keys::names_in(above);
            let finding = finding(start);
            if known.is_empty() { finding } else { finding.advice(format!("known: {}", known.join(", "))) }
        }
    };
    book.push(finding);
}

/// The table that has a key of exactly this name.
fn elsewhere(name: &str) -> Option<&'static str> {
    let key = KEYS.iter().find(|key| key.name == name)?;
    key.sections.first().copied().filter(|section| !section.is_empty())
}

/// At most one letter differs.
fn close(typed: &str, meant: &str) -> bool {
    let fold = |word: &str| word.replace('-', "_").to_lowercase();
    let (typed, meant) = (fold(typed), fold(meant));
    typed == meant || meant.starts_with(&typed) || typed.trim_end_matches('s') == meant.trim_end_matches('s')
}

/// Says where an earlier file set the same key in vain.
fn hidden(book: &mut Book<'_>, path: &[&str], entry: &Entry) {
    for spot in &entry.hidden {
        let winner = book.sources.get(entry.key.file);
        let winner = winner.map(|source| (source.name.as_str(), source.place(entry.key.span.start).line));
        let Some((file, line)) = winner else { continue };
        let key = path.join(".");
        let message = format!("{key} has no effect here: {file} line {line} sets it too and is read later");
        let finding = book.at(spot, Code::F19, Level::Note, key, message);
        book.push(finding);
    }
}
