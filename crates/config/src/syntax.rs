//! TOML syntax errors, with suggestions.

use std::ops::Range;

use adit_diag::Code;
use toml::de::DeTable;

use crate::finding::{Finding, Level};
use crate::source::Source;
use crate::tree::{self, Table};

/// Maximum number of syntax errors reported for one file; later ones are nearly always a consequence.
const MAX_ERRORS: usize = 8;

const OPEN_LIST: &str = "the list that begins here has no end";

/// Parses one file as far as possible.
pub(crate) fn parse(source: &Source, file: usize) -> (Table, Vec<Finding>) {
    let (parsed, errors) = DeTable::parse_recoverable(&source.text);
    let table = tree::table(parsed.get_ref(), file);
    let mut findings: Vec<Finding> = Vec::new();
    for error in errors.iter().take(4 * MAX_ERRORS) {
        let span = error.span().unwrap_or(0..0);
        let finding = explain(source, error.message(), &span);
        if findings.iter().all(|earlier| earlier.line != finding.line) {
            findings.push(finding);
        }
    }
    findings.sort_by_key(|finding| finding.line);
    // The text after an unclosed list was parsed as part of it.
    if let Some(open) = findings.iter().position(|finding| finding.message == OPEN_LIST) {
        findings.truncate(open + 1);
    }
    findings.truncate(MAX_ERRORS);
    (table, findings)
}

fn explain(source: &Source, message: &str, span: &Range<usize>) -> Finding {
    let line_range = source.line_range(span.start);
    let line = source.line_at(span.start);
    let at = |span: &Range<usize>, message: &str| {
        Finding::new(Code::F01, Level::Error, "", message).at(source, span)
    };
    if message.starts_with("duplicate key") {
        let key = source.text.get(span.clone()).unwrap_or_default();
        let what = if line.trim_start().starts_with('[') { "table" } else { "key" };
        let message = format!("the {what} {key:?} is here for the second time");
        return at(span, &message).label("keep one of them");
    }
    if let Some(curly) = line.find(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}', '\u{ab}', '\u{bb}']) {
        let straight: String = line.chars().map(|c| if "“”‘’«»".contains(c) { '"' } else { c }).collect();
        let start = line_range.start + curly;
        let width = line.get(curly..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        return at(&(start..start + width), "typographic quotes: TOML takes only straight ones")
            .label("from a word processor")
            .replace(source, &(line_range.start..line_range.start + line.len()), straight);
    }
    if let Some((value, better)) = unquoted(line) {
        let span = line_range.start + value.start..line_range.start + value.end;
        let word = line.get(value).unwrap_or_default();
        let (message, label) = if better.starts_with('[') {
            (format!("the list {word} has no brackets and quotes"), "put it in brackets")
        } else if better.starts_with('"') {
            (format!("the text {word} has no quotes"), "put it in quotes")
        } else if better.starts_with(|c: char| c.is_ascii_digit()) {
            (format!("the number {word} begins with a zero"), "leave it out")
        } else {
            (format!("{word} is no value of TOML"), "true or false")
        };
        return at(&span, &message).label(label).replace(source, &span, better);
    }
    if message.contains("array")
        && let Some(open) = open_list(source, line_range.start)
    {
        return at(&open, OPEN_LIST).label("the closing ] is missing");
    }
    let hint = hint(line, message);
    at(span, message).label(hint)
}

/// The opening bracket of a list above a line that looks like the next key or table: the list is not closed.
fn open_list(source: &Source, line: usize) -> Option<Range<usize>> {
    let here = source.line_at(line).trim_start();
    let next = here.is_empty() || here.starts_with('[') || here.contains('=');
    let above = source.text.get(..line)?;
    let from = above.rfind(" = [").map(|at| at + 3).or_else(|| above.rfind("=[").map(|at| at + 1))?;
    let open = above.get(from..)?;
    let depth = open.matches('[').count().checked_sub(open.matches(']').count())?;
    (next && depth > 0).then_some(from..from + 1)
}

/// For `key = 10.99.0.0/24  # note`: the span of the value, and its quoted form.
fn unquoted(line: &str) -> Option<(Range<usize>, String)> {
    let (key, rest) = line.split_once('=')?;
    if key.trim().is_empty() || key.contains(['"', '\'', '[', '{', '#']) {
        return None;
    }
    let rest = rest.split(" #").next().unwrap_or(rest);
    let value = rest.trim();
    if value.is_empty() || value.starts_with(['"', '\'', '[', '{', '#']) || value.contains(['"', '\'']) {
        return None;
    }
    let start = key.len() + 1 + rest.find(value)?;
    let quoted = match value {
        // A number with leading zeros, and booleans of other formats.
        "yes" | "on" | "True" | "TRUE" => "true".to_owned(),
        "no" | "off" | "False" | "FALSE" => "false".to_owned(),
        _ if value.chars().all(|c| c.is_ascii_digit()) => value.trim_start_matches('0').to_owned(),
        _ if value.contains(',') => {
            let items = value.split(',').map(|item| crate::read::quote(item.trim()));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        _ => crate::read::quote(value),
    };
    // If the value itself is valid TOML, the error is elsewhere.
    let fine = toml::de::DeValue::parse(value).is_ok();
    (!fine && !quoted.is_empty()).then_some((start..start + value.len(), quoted))
}

fn hint(line: &str, message: &str) -> &'static str {
    let trimmed = line.trim_start();
    if message.contains("basic string") || message.contains("literal string") {
        "the closing quote is missing, or a \\ stands alone; write \\\\"
    } else if message.contains("escape") {
        "\\ begins an escape; write \\\\, or put the text in single quotes"
    } else if message.contains("unclosed array") {
        "the closing ] is missing"
    } else if message.contains("unclosed table") {
        "a table is [name]"
    } else if message.contains("inline table") {
        "the closing } is missing, or a comma"
    } else if message.contains("no value") || (!trimmed.contains('=') && !trimmed.starts_with('[')) {
        "a line is key = value, [table], or # comment"
    } else if message.contains("missing comma") {
        "a comma is missing before this"
    } else {
        "not understood from here"
    }
}
