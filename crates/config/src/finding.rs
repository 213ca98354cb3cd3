//! What a check found, where, and what to write instead.

use adit_diag::Code;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::source::Source;

/// How bad it is. Ordered: the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The file cannot be used.
    Error,
    /// It can be used, with a risk or a disadvantage.
    Warning,
    /// Good to know; never makes a check fail.
    Note,
}

impl Level {
    /// The word of the output.
    pub const fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        }
    }
}

/// One finding. `line`, `col` and `length` are 0 when it belongs to no place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The stable code.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub code: Code,
    /// How bad it is.
    pub level: Level,
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub col: usize,
    /// Characters to mark.
    pub length: usize,
    /// The key with its path, as `pool.range`.
    pub key: String,
    /// What is wrong, one line.
    pub message: String,
    /// What to write behind the mark; empty shows no excerpt.
    #[serde(skip)]
    pub label: String,
    /// What to do.
    pub fix: Option<Fix>,
}

/// What to do about a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fix {
    /// For people: the line as it should be, or a command.
    pub text: String,
    /// For programs.
    #[serde(flatten)]
    pub replace: Option<Replace>,
}

/// A change that makes a finding go away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Replace {
    /// What to write.
    #[serde(rename = "replace")]
    pub with: String,
    /// First octet of what it replaces.
    pub start: usize,
    /// The octet after the last one.
    pub end: usize,
}

impl Finding {
    /// A finding that belongs to no place yet.
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

    /// Puts it at a place.
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

    /// Words behind the mark.
    #[must_use]
    pub(crate) fn label(mut self, label: impl Into<String>) -> Finding {
        self.label = label.into();
        self
    }

    /// What to do, for people only.
    #[must_use]
    pub(crate) fn advice(mut self, text: impl Into<String>) -> Finding {
        self.fix = Some(Fix { text: text.into(), replace: None });
        self
    }

    /// What to write instead of a span; people see the whole line as it becomes.
    #[must_use]
    pub(crate) fn replace(mut self, source: &Source, span: &std::ops::Range<usize>, with: String) -> Finding {
        let replace = Replace { with, start: span.start, end: span.end };
        let text = changed_line(source, &replace);
        self.fix = Some(Fix { text, replace: Some(replace) });
        self
    }
}

/// Makes the change of a fix. `None` when it does not fit the text.
pub fn apply(text: &str, replace: &Replace) -> Option<String> {
    let before = text.get(..replace.start)?;
    let after = text.get(replace.end..)?;
    (replace.start <= replace.end).then(|| format!("{before}{}{after}", replace.with))
}

/// The first changed line as it will be, without indentation and comment.
fn changed_line(source: &Source, replace: &Replace) -> String {
    let line = source.line_range(replace.start);
    let head = source.text.get(line.start..replace.start).unwrap_or_default();
    let end = source.line_range(replace.end).end;
    let tail = source.text.get(replace.end..end).unwrap_or_default();
    // A comment behind the value is not part of the fix; a `#` inside a value is never behind its end.
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
