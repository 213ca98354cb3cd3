//! Output of the checks, as text and as a document.

use adit_doctor::host::Line;
use adit_doctor::text::wrapped;
use adit_doctor::{State, Verdict};

use crate::commands::doctor::json::{Doctor, Evidence, Finding, Judgement, Layer};
use crate::style::Tone;
use crate::table::printable;

/// Column at which the text of a line begins.
const COLUMN: usize = 16;

/// Colours a word.
pub(super) type Paint<'a> = &'a dyn Fn(Tone, &str) -> String;

/// The result of the checks.
pub(super) struct Report {
    pub(super) lines: Vec<Line>,
    pub(super) verdict: Verdict,
    pub(super) next: String,
}

impl Report {
    /// Number of failures and of warnings.
    pub(super) fn count(&self) -> (usize, usize) {
        let of = |state| self.lines.iter().filter(|line| line.state == state).count();
        (of(State::Fail), of(State::Warn))
    }

    pub(super) fn text(&self, paint: Paint<'_>) -> String {
        let mut text = String::new();
        let mut before = None;
        for line in &self.lines {
            let name = if before == Some(line.check) { "" } else { line.check.word() };
            before = Some(line.check);
            text.push_str(&shown(line, name, paint));
        }
        text.push_str(&paragraph("outside", &format!("not tested: {}", self.next)));
        let plural = |number: usize, thing: &str| match number {
            1 => format!("1 {thing}"),
            number => format!("{number} {thing}s"),
        };
        text.push_str(&match self.count() {
            (0, 0) => "no problem found in these checks\n".to_owned(),
            (0, warnings) => format!("{}\n", plural(warnings, "warning")),
            (failures, 0) => format!("{}\n", plural(failures, "failure")),
            (failures, warnings) => {
                format!("{}, {}\n", plural(failures, "failure"), plural(warnings, "warning"))
            }
        });
        text
    }

    pub(super) fn document(&self) -> Doctor {
        let mut judgement = Judgement::of(&self.verdict);
        judgement.layers.clear();
        judgement.findings.clear();
        let mut first = self.verdict.first_failure;
        for line in &self.lines {
            let code = line.code.map(|code| code.to_string());
            let known = judgement.layers.last().is_some_and(|layer: &Layer| layer.name == line.check.word());
            if line.state == State::Fail && first.is_none() {
                // The code of the requested user or session.
                first = line.code;
                judgement.fixes.clone_from(&line.fixes);
            }
            let is_verdict = line.state == State::Fail && line.code == first;
            if let (Some(code), false) = (line.code, is_verdict) {
                judgement.findings.push(Finding {
                    code: code.to_string(),
                    layer: line.check.word().to_owned(),
                    text: line.summary.clone(),
                    evidence: evidence(line),
                });
            }
            if !known {
                judgement.layers.push(Layer {
                    name: line.check.word().to_owned(),
                    state: line.state.word().to_owned(),
                    code,
                    summary: line.summary.clone(),
                    evidence: evidence(line),
                    ms: None,
                });
            }
        }
        judgement.first_failure = first.map(|code| code.to_string());
        judgement.confidence = first.map(|_| self.verdict.confidence.word().to_owned());
        judgement.next.push(self.next.clone());
        Doctor { vantage: self.verdict.vantage.word().to_owned(), judgement, ..Doctor::default() }
    }
}

fn evidence(line: &Line) -> Vec<Evidence> {
    line.evidence.iter().map(|one| Evidence { text: one.text.clone(), frame: one.at.frame }).collect()
}

fn shown(line: &Line, name: &str, paint: Paint<'_>) -> String {
    let (word, tone) = match line.state {
        State::Pass => ("ok", Tone::Good),
        State::Warn => ("warn", Tone::Warn),
        State::Fail => ("FAIL", Tone::Bad),
        _ => ("", Tone::Plain),
    };
    let summary = printable(&line.summary);
    let body = match (line.state, line.code) {
        (State::NotTested, _) => format!("not tested: {summary}"),
        (State::NotVisible, _) | (_, None) => summary,
        (_, Some(code)) => format!("{code}  {summary}"),
    };
    let mut text = match word {
        "" => paragraph(name, &body),
        word => {
            let mut text = String::new();
            wrapped(&mut text, COLUMN, &body);
            text.replace_range(
                ..COLUMN.min(text.len()),
                &format!("{name:<9} {}{}", paint(tone, word), " ".repeat(6 - word.len())),
            );
            text
        }
    };
    for one in &line.evidence {
        wrapped(&mut text, COLUMN, &printable(&one.text));
    }
    for (n, fix) in line.fixes.iter().take(3).enumerate() {
        let mut lines = String::new();
        wrapped(&mut lines, COLUMN + 6, &printable(fix));
        let label = if n == 0 { "fix" } else { "" };
        lines.replace_range(..COLUMN + 6, &format!("{:<COLUMN$}{label:<6}", ""));
        text.push_str(&lines);
    }
    text
}

/// A line without a state.
fn paragraph(name: &str, body: &str) -> String {
    let mut text = String::new();
    wrapped(&mut text, 10, body);
    text.replace_range(..10, &format!("{name:<10}"));
    text
}

#[cfg(test)]
mod tests;
