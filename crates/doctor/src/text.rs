//! A verdict in words: 80 columns, no colour, the same when read aloud.

use std::fmt::{self, Write as _};

use crate::{At, LayerResult, State, Verdict};

/// Columns of a terminal.
const WIDTH: usize = 80;
/// Where the text of a layer's line begins, and that of the paragraphs below the table.
const INDENT: usize = 14;

/// The table of layers.
pub fn table(verdict: &Verdict) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(result) = verdict.layers.get(at) {
        let same = |other: &&LayerResult| other.state == result.state && result.state == State::NotReached;
        let run = verdict.layers.iter().skip(at).take_while(same).count().max(1);
        if run > 1 {
            let _ = writeln!(out, "{:<INDENT$}not reached", format!("{}-{}", at + 1, at + run));
        } else {
            line(&mut out, at + 1, result);
        }
        at += run;
    }
    out
}

fn line(out: &mut String, number: usize, result: &LayerResult) {
    let word = match result.state {
        State::Pass => "ok",
        State::Warn => "warn",
        State::Fail => "FAIL",
        State::NotReached => "not reached",
        State::NotVisible => "not visible from here",
        State::NotTested => "not tested",
    };
    let mut text = match result.state {
        State::Pass => format!("{word:<6}"),
        State::Warn | State::Fail => {
            format!("{word:<6}{}  ", result.code.map(|code| code.to_string()).unwrap_or_default())
        }
        _ if result.summary.is_empty() => word.to_owned(),
        _ => format!("{word}: "),
    };
    text += &result.summary;
    paragraph(out, &format!("{number} {}", result.layer.word()), text.trim_end());
    for evidence in &result.evidence {
        if evidence.text != result.summary || evidence.at.frame.is_some() {
            let place = place(evidence.at);
            let text = if evidence.text == result.summary { place } else { join(&evidence.text, &place) };
            wrapped(out, INDENT + 6, &text);
        }
    }
}

fn place(at: At) -> String {
    at.frame.map(|frame| format!("frame {frame}")).unwrap_or_default()
}

fn join(text: &str, place: &str) -> String {
    if place.is_empty() { text.to_owned() } else { format!("{text} ({place})") }
}

/// What follows the table: causes, who, next, innocent, findings.
pub fn paragraphs(verdict: &Verdict) -> String {
    let mut out = String::new();
    if let [cause] = verdict.causes.as_slice() {
        paragraph(&mut out, "Cause", &cause.text);
    } else {
        for (n, cause) in verdict.causes.iter().enumerate() {
            let label = if n == 0 { "Most likely" } else { "" };
            let column = WIDTH - INDENT - 6;
            if cause.text.chars().count() <= column {
                let _ = writeln!(out, "{label:<INDENT$}{:<column$} {:>3} %", cause.text, cause.weight);
            } else {
                paragraph(&mut out, label, &format!("{} ({} %)", cause.text, cause.weight));
            }
        }
    }
    let mut owners = Vec::new();
    for cause in &verdict.causes {
        if !owners.contains(&cause.owner.person()) {
            owners.push(cause.owner.person());
        }
    }
    for (n, owner) in owners.iter().take(2).enumerate() {
        paragraph(
            &mut out,
            if n == 0 { "Who can fix" } else { "" },
            &format!("{}{owner}", if n == 0 { "" } else { "or " }),
        );
    }
    for (n, fix) in verdict.fixes.iter().take(3).enumerate() {
        paragraph(&mut out, if n == 0 { "Fix" } else { "" }, fix);
    }
    if !verdict.next.is_empty() {
        paragraph(&mut out, "Next test", &verdict.next);
    }
    for (n, innocent) in verdict.innocent.iter().enumerate() {
        paragraph(&mut out, if n == 0 { "Not the cause" } else { "" }, innocent);
    }
    for (n, finding) in verdict.findings.iter().enumerate() {
        let frame = finding.evidence.first().map(|evidence| place(evidence.at)).unwrap_or_default();
        paragraph(
            &mut out,
            if n == 0 { "Seen also" } else { "" },
            &format!("{}  {}", finding.code, join(&finding.text, &frame)),
        );
    }
    out
}

/// The rules that fired, for `--why`.
pub fn why(verdict: &Verdict) -> String {
    let mut out = String::new();
    for (n, fired) in verdict.fired.iter().enumerate() {
        let label = if n == 0 { "Rules" } else { "" };
        let text = format!("{} → {} {} %: {}", fired.rule, fired.code, fired.weight, fired.because);
        paragraph(&mut out, label, &text);
    }
    if verdict.fired.is_empty() {
        paragraph(&mut out, "Rules", "none fired");
    }
    out
}

/// Table and paragraphs.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&table(self))?;
        if self.first_failure.is_none() {
            writeln!(f)?;
            let mut out = String::new();
            wrapped(&mut out, 0, &format!("{}.", capital(&self.headline)));
            f.write_str(&out)?;
        }
        let paragraphs = paragraphs(self);
        if !paragraphs.is_empty() {
            write!(f, "\n{paragraphs}")?;
        }
        Ok(())
    }
}

/// The first letter large.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// `label` and a wrapped text beside it.
pub fn paragraph(out: &mut String, label: &str, text: &str) {
    let before = out.len();
    wrapped(out, INDENT, text);
    let label = format!("{label:<INDENT$}");
    out.replace_range(before..before + INDENT.min(out.len() - before), &label);
}

/// Lines of at most 80 columns, each indented; a word that is longer stays whole.
pub fn wrapped(out: &mut String, indent: usize, text: &str) {
    let mut column = 0;
    for word in text.split(' ') {
        let len = word.chars().count();
        if column > 0 && column + 1 + len > WIDTH {
            out.push('\n');
            column = 0;
        }
        if column == 0 {
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += len;
    }
    out.push('\n');
}
