//! What can be seen on the wire, and which code it shows.

use crate::cause::Cause;

/// One pattern per row: id, causes, evidence, note.
const PATTERNS: &str = include_str!("../codes/patterns.tsv");

/// Something that a capture or a probe can observe. Rules turn what they saw into one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// A stable name, `syn-unanswered`; `adit explain wire:syn-unanswered` explains it.
    pub id: &'static str,
    /// The codes it shows, the likeliest first, each with what must be true. Empty when it is no fault.
    pub causes: Vec<Cause>,
    /// What is seen, in a form that fits a line of evidence.
    pub evidence: &'static str,
    /// What must not be concluded from it.
    pub note: Option<String>,
}

/// Every pattern, in the order of layers.
pub fn patterns() -> Vec<Pattern> {
    PATTERNS.lines().filter(|row| !row.starts_with('#')).filter_map(pattern).collect()
}

fn pattern(row: &'static str) -> Option<Pattern> {
    let mut fields = row.split('\t');
    let (id, causes, evidence) = (fields.next()?, fields.next()?, fields.next()?);
    let note = fields.next().filter(|note| !note.is_empty()).map(str::to_owned);
    Some(Pattern { id, causes: self::causes(causes), evidence, note })
}

/// Reads `G01 near the client; G02 near the server`, or `-` for no fault.
fn causes(text: &str) -> Vec<Cause> {
    let cause = |(rank, cause): (u8, &str)| {
        let (code, when) = cause.split_once(' ').unwrap_or((cause, "always"));
        Some(Cause { code: code.parse().ok()?, rank, when: when.to_owned() })
    };
    (1..).zip(text.split("; ")).filter_map(cause).collect()
}
