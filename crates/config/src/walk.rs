//! Checks the tree against the table of keys: unknown keys, misplaced tables, invalid values.

use adit_diag::{Code, nearest};

use crate::finding::Level;
use crate::keys::{self, KEYS, Kind, Slot};
use crate::read::good_name;
use crate::report::Report;
use crate::tree::{Entry, Table, Value};

/// Maximum number of pools.
const MAX_POOLS: usize = 256;

/// Maximum number of groups.
const MAX_GROUPS: usize = 1024;

/// Checks every key of the tree by itself. Returns `false` if there is too much for semantic checks.
pub(crate) fn walk(report: &mut Report<'_>) -> bool {
    let tree = report.tree;
    if let Some(table) = tree.table() {
        inside(report, &mut Vec::new(), table);
    }
    !report.is_full() && few(report, "pools", MAX_POOLS) && few(report, "groups", MAX_GROUPS)
}

fn few(report: &mut Report<'_>, name: &str, most: usize) -> bool {
    let count = report.entry(&[name]).and_then(|entry| entry.node.table()).map_or(0, |table| table.len());
    if count > most {
        let message = format!("{name} has {count} tables, {most} are possible");
        let finding = report.on(&[name], Code::F06, Level::Error, message).label("too many");
        report.push(finding);
    }
    count <= most
}

fn inside<'a>(report: &mut Report<'a>, path: &mut Vec<&'a str>, table: &'a Table) {
    for (name, entry) in table {
        if report.is_full() {
            return;
        }
        path.push(name);
        match keys::slot(path) {
            Slot::Key(key) => {
                for problem in key.kind.check(&entry.node) {
                    report.problem(&path.join("."), &entry.node, problem);
                }
            }
            Slot::Table => match &entry.node.value {
                Value::Table(below) => {
                    named(report, path, entry);
                    inside(report, path, below);
                }
                _ => no_table(report, path, entry),
            },
            Slot::Unknown => unknown(report, path, entry),
        }
        hidden(report, path, entry);
        path.pop();
    }
}

/// Reports a value in place of a table. If the value fits a key of the table, that key is suggested.
fn no_table(report: &mut Report<'_>, path: &[&str], entry: &Entry) {
    let key = path.join(".");
    let (node, kind) = (&entry.node, entry.node.value.kind());
    let message = format!("{key} is {kind}, it must be a table");
    let finding = report.at(&node.spot, Code::F02, Level::Error, key.clone(), message).label(kind);
    let fits = keys::names_in(path).into_iter().find(|name| match keys::slot(&[path, &[*name]].concat()) {
        Slot::Key(key) => !matches!(key.kind, Kind::Name | Kind::Text(_)) && key.kind.check(node).is_empty(),
        _ => false,
    });
    let text = report.sources.get(node.spot.file).and_then(|source| source.text.get(node.spot.span.clone()));
    let finding = match fits.zip(text) {
        Some((name, text)) => report.replacing(finding, &node.spot, format!("{{ {name} = {text} }}")),
        None => finding.advice(format!("[{key}] on a line of its own, its keys below")),
    };
    report.push(finding);
}

/// Checks the name of a pool or group.
fn named(report: &mut Report<'_>, path: &[&str], entry: &Entry) {
    let [table @ ("pools" | "groups"), name] = path else { return };
    if !good_name(name) {
        let what = if *table == "pools" { "pool" } else { "group" };
        let message = format!("{name:?} is not a name for a {what}");
        let finding = report
            .at(&entry.key, Code::F04, Level::Error, path.join("."), message)
            .label("1 to 32 letters, digits, dots, hyphens and underscores");
        report.push(finding);
    }
}

fn unknown(report: &mut Report<'_>, path: &[&str], entry: &Entry) {
    let Some((name, above)) = path.split_last() else { return };
    let key = path.join(".");
    let place = if above.is_empty() { "at the top".to_owned() } else { format!("in [{}]", above.join(".")) };
    let what = if entry.node.table().is_some() { "table" } else { "key" };
    if keys::is_planned(path) {
        let message = format!("{name:?} {place} is planned, this version does not have it");
        let finding = report
            .at(&entry.key, Code::F03, Level::Error, key, message)
            .advice("remove it, so that no administrator relies on it");
        report.push(finding);
        return;
    }
    let start = format!("unknown {what} {name:?} {place}");
    let meant = nearest(name, keys::names_in(above));
    let elsewhere = elsewhere(name);
    let finding = |message: String| report.at(&entry.key, Code::F03, Level::Error, key.clone(), message);
    let finding = match (meant, elsewhere) {
        // The same name in another table is more likely than a similar name in this one.
        (meant, Some(table)) if meant.is_none_or(|meant| !close(name, meant)) => {
            finding(format!("{start}: it belongs in [{table}]"))
        }
        (Some(meant), _) => {
            let finding = finding(format!("{start}: did you mean {meant:?}?"));
            let taken = report.entry(&[above, &[meant]].concat()).is_some();
            if taken { finding } else { report.replacing(finding, &entry.key, meant) }
        }
        (None, _) => {
            let known = keys::names_in(above);
            let finding = finding(start);
            if known.is_empty() { finding } else { finding.advice(format!("known: {}", known.join(", "))) }
        }
    };
    report.push(finding);
}

/// The table that has a key of exactly this name.
fn elsewhere(name: &str) -> Option<&'static str> {
    let key = KEYS.iter().find(|key| key.name == name)?;
    key.sections.first().copied().filter(|section| !section.is_empty())
}

/// Whether at most one letter differs.
fn close(typed: &str, meant: &str) -> bool {
    let fold = |word: &str| word.replace('-', "_").to_lowercase();
    let (typed, meant) = (fold(typed), fold(meant));
    typed == meant || meant.starts_with(&typed) || typed.trim_end_matches('s') == meant.trim_end_matches('s')
}

/// Reports earlier files that set the same key without effect.
fn hidden(report: &mut Report<'_>, path: &[&str], entry: &Entry) {
    for spot in &entry.hidden {
        let winner = report.sources.get(entry.key.file);
        let winner = winner.map(|source| (source.name.as_str(), source.place(entry.key.span.start).line));
        let Some((file, line)) = winner else { continue };
        let key = path.join(".");
        let message = format!("{key} has no effect here: {file} line {line} sets it too and is read later");
        let finding = report.at(spot, Code::F19, Level::Note, key, message);
        report.push(finding);
    }
}
