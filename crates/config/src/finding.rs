//! Findings of a check: what is wrong, where, and how to fix it.

use adit_diag::Code;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::source::Source;

/// The severity of a finding. Ordered: the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The file is not usable.
    Error,
    /// The file is usable, with a risk or a disadvantage.
    Warning,
    /// Information; never makes a check fail.
    Note,
}

impl Level {
    /// The name in output.
    pub const fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        }
    }
}

/// A finding. `line`, `col` and `length` are 0 if it has no location in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The stable diagnosis code.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub code: Code,
    /// The severity.
    pub level: Level,
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub col: usize,
    /// Number of characters to mark.
    pub length: usize,
    /// The key with its path, such as `pool.range`.
    pub key: String,
    /// What is wrong, in one line.
    pub message: String,
    /// The text after the mark; without one no excerpt is shown.
    #[serde(skip)]
    pub label: String,
    /// How to fix it.
    pub fix: Option<Fix>,
}

/// The fix of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fix {
    /// For users: the corrected line, or a command.
    pub text: String,
    /// For programs: the replacement.
    #[serde(flatten)]
    pub replace: Option<Replace>,
}

/// A replacement that fixes a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Replace {
    /// The replacement text.
    #[serde(rename = "replace")]
    pub with: String,
    /// Offset of the first byte that it replaces.
    pub start: usize,
    /// Offset after the last byte that it replaces.
    pub end: usize,
}

impl Finding {
    /// Creates a finding without a location.
    pub fn new(code: Code, level: Level, key: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding {
            code,
            level,
            file: String::new(),
            line: 0,
            col: 0,
            length: 0,
            key: key.into(),
            message: message.into(),
            label: String::new(),
            fix: None,
        }
    }

    /// Sets the location.
    #[must_use]
    pub(crate) fn at(mut self, source: &Source, span: &std::ops::Range<usize>) -> Finding {
        let place = source.place(span.start);
        self.file.clone_from(&source.name);
        self.line = place.line;
        self.col = place.col;
        let marked = source.text.get(span.clone()).unwrap_or_default();
        self.length = marked.lines().next().unwrap_or_default().chars().count().max(1);
        self
    }

    /// Sets the text after the mark.
    #[must_use]
    pub(crate) fn label(mut self, label: impl Into<String>) -> Finding {
        self.label = label.into();
        self
    }

    /// Sets a fix that has no replacement.
    #[must_use]
    pub(crate) fn advice(mut self, text: impl Into<String>) -> Finding {
        self.fix = Some(Fix { text: text.into(), replace: None });
        self
    }

    /// Sets a replacement for a span; users see the whole corrected line.
    #[must_use]
    pub(crate) fn replace(mut self, source: &Source, span: &std::ops::Range<usize>, with: String) -> Finding {
        let replace = Replace { with, start: span.start, end: span.end };
        let text = changed_line(source, &replace);
        self.fix = Some(Fix { text, replace: Some(replace) });
        self
    }
}

/// Applies a replacement. `None` if it does not fit the text.
pub fn apply(text: &str, replace: &Replace) -> Option<String> {
    let before = text.get(..replace.start)?;
    let after = text.get(replace.end..)?;
    (replace.start <= replace.end).then(|| format!("{before}{}{after}", replace.with))
}

/// The first line after the replacement, without indentation and comment.
fn changed_line(source: &Source, replace: &Replace) -> String {
    let line = source.line_range(replace.start);
    let head = source.text.get(line.start..replace.start).unwrap_or_default();
    let end = source.line_range(replace.end).end;
    let tail = source.text.get(replace.end..end).unwrap_or_default();
    // A comment after the value is not part of the fix; a `#` inside a value never follows its end.
    let tail = tail.split(" #").next().unwrap_or_default();
    let whole = if replace.with.starts_with('\n') {
        replace.with.clone()
    } else {
        format!("{head}{}{tail}", replace.with)
    };
    whole.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn as_text<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(code)
}
