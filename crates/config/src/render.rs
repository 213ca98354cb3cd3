//! Output of findings as text.

use std::fmt::Write as _;

use crate::finding::{Finding, Level};
use crate::source::Source;

/// The width of an excerpt, in characters; a longer line is truncated around the mark.
const WIDTH: usize = 64;

/// Writes findings file by file, with the lines they point to.
pub fn render(findings: &[Finding], sources: &[Source]) -> String {
    let mut text = String::new();
    let width = findings.iter().map(|finding| place(finding).len()).max().unwrap_or_default();
    let mut file = None;
    for finding in findings {
        if file != Some(&finding.file) {
            file = Some(&finding.file);
            let _ = writeln!(text, "{}", finding.file);
        }
        let (level, code, place) = (finding.level.word(), finding.code.as_str(), place(finding));
        let gap = if width == 0 { "" } else { "  " };
        let line = format!("{level:<9}{code:<5}{place:<width$}{gap}{}", visible(&finding.message));
        let _ = writeln!(text, "{}", line.trim_end());
        excerpt(&mut text, finding, sources);
        if let Some(fix) = &finding.fix {
            let _ = writeln!(text, "         fix   {}", visible(&fix.text));
        }
    }
    text
}

/// `2 errors, 1 warning`, or `no errors`.
pub fn summary(findings: &[Finding]) -> String {
    let mut parts = Vec::new();
    for level in [Level::Error, Level::Warning, Level::Note] {
        let count = findings.iter().filter(|finding| finding.level == level).count();
        match count {
            0 => {}
            1 => parts.push(format!("1 {}", level.word())),
            _ => parts.push(format!("{count} {}s", level.word())),
        }
    }
    if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
}

fn place(finding: &Finding) -> String {
    if finding.line == 0 { String::new() } else { format!("line {}", finding.line) }
}

fn excerpt(text: &mut String, finding: &Finding, sources: &[Source]) {
    if finding.label.is_empty() || finding.line == 0 {
        return;
    }
    let source = sources.iter().find(|source| source.name == finding.file);
    let Some(line) = source.and_then(|source| source.text.lines().nth(finding.line - 1)) else { return };
    let shown: Vec<char> = visible(line).chars().collect();
    let from = finding.col.saturating_sub(1).min(shown.len());
    let length = finding.length.max(1).min((shown.len() - from).max(1));
    // Truncate a long line so that the mark and the text before it stay visible.
    let start = if from + length.min(WIDTH / 2) > WIDTH { from.saturating_sub(WIDTH / 2) } else { 0 };
    let end = shown.len().min(start + WIDTH);
    let head = if start > 0 { "…" } else { "" };
    let tail = if end < shown.len() { "…" } else { "" };
    let part: String = shown.get(start..end).unwrap_or_default().iter().collect();
    let _ = writeln!(text, "{:>14} │ {head}{}{tail}", finding.line, part.trim_end());
    let before = " ".repeat(from - start + head.chars().count());
    let marks = "^".repeat(length.min(end.saturating_sub(from)).max(1));
    let _ = writeln!(text, "{:>14} │ {before}{marks} {}", "", visible(&finding.label));
}

/// Makes text safe for a terminal: tabs become spaces, control characters become U+FFFD.
fn visible(text: &str) -> String {
    let plain = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use adit_diag::Code;

    use super::*;

    #[test]
    fn as_in_the_manual() {
        let text = format!("{}range = \"10.99.0.10-10.99.1.250\"\n", "#\n".repeat(8));
        let source = Source::new("/etc/adit/adit.toml", text);
        let start = source.text.find("10.99.1.250").unwrap();
        let value = source.text.find('"').unwrap()..source.text.len() - 1;
        let finding = Finding::new(Code::F12, Level::Error, "pool.range", "pool.range ends outside the pool")
            .at(&source, &(start..start + 11))
            .label("10.99.0.0/24 ends at 10.99.0.255")
            .replace(&source, &value, "\"10.99.0.10-10.99.0.250\"".into());
        let unknown = Finding {
            line: 21,
            ..Finding::new(Code::F03, Level::Error, "groups.staff.spilt_routes", "unknown key")
        };
        let unknown = Finding { file: source.name.clone(), ..unknown };
        assert_eq!(
            render(&[finding, unknown], &[source]),
            "\
/etc/adit/adit.toml
error    F12  line 9   pool.range ends outside the pool
             9 │ range = \"10.99.0.10-10.99.1.250\"
               │                     ^^^^^^^^^^^ 10.99.0.0/24 ends at 10.99.0.255
         fix   range = \"10.99.0.10-10.99.0.250\"
error    F03  line 21  unknown key
"
        );
    }

    #[test]
    fn long_and_strange_lines_stay_in_shape() {
        let source =
            Source::new("f", format!("\tx = \"{}\u{1b}[31m{}\"\n", "a".repeat(200), "b".repeat(200)));
        let spot = source.text.find('\u{1b}').unwrap();
        let finding =
            Finding::new(Code::F06, Level::Error, "x", "bad").at(&source, &(spot..spot + 5)).label("here");
        let text = render(&[finding], &[source]);
        assert!(text.lines().all(|line| line.chars().count() < 90), "{text}");
        assert!(!text.contains('\u{1b}'));
        let lines: Vec<&str> = text.lines().collect();
        let mark = lines[3].chars().position(|c| c == '^').unwrap();
        assert_eq!(
            lines[2].chars().nth(mark),
            Some('\u{fffd}'),
            "the mark stands under what it marks\n{text}"
        );
    }

    #[test]
    fn counts() {
        let finding = |level| Finding::new(Code::F06, level, "x", "bad");
        assert_eq!(summary(&[]), "no findings");
        assert_eq!(
            summary(&[finding(Level::Error), finding(Level::Error), finding(Level::Warning)]),
            "2 errors, 1 warning"
        );
    }
}
