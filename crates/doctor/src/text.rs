//! A verdict as text: 80 columns, without colour, readable by a screen reader.

use std::fmt;

use adit_diag::Code;

use crate::{At, LayerResult, State, Verdict};

/// The width of the output in columns.
const WIDTH: usize = 80;
/// The column of the text of the paragraphs below the table.
const INDENT: usize = 14;
/// The column of the state in a layer's line.
const STATE: usize = 12;
const TEXT: usize = STATE + 6;

/// The table of layers. Adjacent layers with the same text share a line.
pub fn table(verdict: &Verdict) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(result) = verdict.layers.get(at) {
        let is_quiet = !matches!(result.state, State::Pass | State::Warn | State::Fail);
        let same = |other: &&LayerResult| {
            is_quiet && (other.state, &other.summary) == (result.state, &result.summary)
        };
        let run = verdict.layers.iter().skip(at).take_while(same).count().max(1);
        let label = if run > 1 {
            format!("{}-{}", at + 1, at + run)
        } else {
            format!("{} {}", at + 1, result.layer.word())
        };
        line(&mut out, &label, result);
        at += run;
    }
    out
}

fn line(out: &mut String, label: &str, result: &LayerResult) {
    let code = result.code.map(|code| format!("{code}  ")).unwrap_or_default();
    let (state, text) = match result.state {
        State::Pass => ("ok", result.summary.clone()),
        State::Warn => ("warn", format!("{code}{}", result.summary)),
        State::Fail => ("FAIL", format!("{code}{}", result.summary)),
        State::NotReached => return hanging(out, label, STATE, "not reached"),
        State::NotVisible => return hanging(out, label, STATE, "not visible from here"),
        State::NotTested if result.summary.is_empty() => return hanging(out, label, STATE, "not tested"),
        State::NotTested => return hanging(out, label, STATE, &format!("not tested: {}", result.summary)),
    };
    hanging(out, &format!("{label:<STATE$}{state}"), TEXT, &text);
    for evidence in &result.evidence {
        let place = place(evidence.at);
        if evidence.text != result.summary {
            wrapped(out, TEXT, &join(&evidence.text, &place));
        } else if !place.is_empty() {
            wrapped(out, TEXT, &place);
        }
    }
}

fn place(at: At) -> String {
    at.frame.map(|frame| format!("frame {frame}")).unwrap_or_default()
}

fn join(text: &str, place: &str) -> String {
    if place.is_empty() { text.to_owned() } else { format!("{text} ({place})") }
}

/// The paragraphs after the table: causes, owner, next test, what is ruled out, findings.
pub fn paragraphs(verdict: &Verdict) -> String {
    let mut out = String::new();
    if let [cause] = verdict.causes.as_slice() {
        // The title alone would only repeat the table.
        let text = if cause.text == cause.code.title() { meaning(cause.code) } else { cause.text.clone() };
        paragraph(&mut out, "Cause", &text);
    } else {
        for (n, cause) in verdict.causes.iter().enumerate() {
            let label = if n == 0 { "Most likely" } else { "" };
            hanging(&mut out, &format!("{label:<INDENT$}{:>2} %", cause.weight), INDENT + 6, &cause.text);
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
    items(&mut out, "Fix", verdict.fixes.iter().take(3));
    if !verdict.next.is_empty() {
        paragraph(&mut out, "Next test", &verdict.next);
    }
    items(&mut out, "Not the cause", verdict.innocent.iter());
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

/// Capitalizes the first letter.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A list in which continuation lines are indented by two more columns.
fn items<'a>(out: &mut String, label: &str, texts: impl Iterator<Item = &'a String>) {
    for (n, text) in texts.enumerate() {
        out.push_str(&format!("{:<INDENT$}", if n == 0 { label } else { "" }));
        words(out, INDENT, INDENT + 2, text);
    }
}

/// The least number of characters of a code's page to show.
const MEANING_MIN: usize = 60;

/// The beginning of a code's page, in whole sentences.
fn meaning(code: Code) -> String {
    let meaning = code.entry().meaning;
    let ends = meaning.match_indices(". ").map(|(end, _)| end + 1).chain([meaning.len()]);
    let end = ends.into_iter().find(|end| *end >= MEANING_MIN).unwrap_or(meaning.len());
    meaning.get(..end).unwrap_or_default().to_owned()
}

/// Appends `label` and a wrapped text beside it.
pub fn paragraph(out: &mut String, label: &str, text: &str) {
    hanging(out, label, INDENT, text);
}

/// Appends `label`, padded to `indent`, and the text, whose continuation lines begin at `indent`.
fn hanging(out: &mut String, label: &str, indent: usize, text: &str) {
    out.push_str(&format!("{label:<indent$}"));
    words(out, indent, indent, text);
}

/// Appends lines of at most 80 columns, each indented.
pub fn wrapped(out: &mut String, indent: usize, text: &str) {
    hanging(out, "", indent, text);
}

/// Appends words from `column` on, in lines of at most 80 columns; continuation lines begin at `indent`. A
/// word longer than a line is not split.
fn words(out: &mut String, mut column: usize, indent: usize, text: &str) {
    let mut is_first = true;
    for word in text.split(' ') {
        let len = word.chars().count();
        if !is_first && column + 1 + len > WIDTH {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if !is_first {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += len;
        is_first = false;
    }
    let end = out.trim_end().len();
    out.truncate(end);
    out.push('\n');
}
