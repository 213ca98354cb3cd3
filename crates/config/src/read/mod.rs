//! Conversion of TOML values, with problems that suggest a fix.

mod address;
mod duration;
mod list;
mod reach;
mod simple;
mod special;
mod supported;

use std::ops::Range;

use adit_diag::Code;

use crate::tree::Node;

pub(crate) use address::{
    address, interface_name, listens, name, prefix, radius_servers, ranges, source_net,
};
pub(crate) use duration::{duration, duration_or_never};
pub use duration::{parse_duration, show_duration};
pub(crate) use list::{list, number_list, one_or_list};
pub(crate) use reach::{reach_tests, rules, server_reach};
pub(crate) use simple::{boolean, number, text, word};
pub(crate) use special::{
    auto_or, blocklist, domain_rule, good_name, log_target, mss, pool_name, secret, store_url,
};
pub(crate) use supported::{supported_word, supported_words};

/// Why a value is not usable. The message continues after the key: "pool.net *has no length*".
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    /// The marked bytes of the file.
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    /// The text after the mark.
    pub(crate) label: String,
    /// The replacement for the marked text.
    pub(crate) with: Option<String>,
    /// What to do if there is no replacement.
    pub(crate) advice: Option<String>,
}

/// A value, or all problems with it.
pub(crate) type Read<T> = Result<T, Vec<Problem>>;

impl Problem {
    /// A problem with the whole value.
    pub(crate) fn new(node: &Node, code: Code, message: impl Into<String>) -> Problem {
        let span = node.spot.span.clone();
        Problem { code, span, message: message.into(), label: String::new(), with: None, advice: None }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Problem {
        self.label = label.into();
        self
    }

    pub(crate) fn with(mut self, with: impl Into<String>) -> Problem {
        self.with = Some(with.into());
        self
    }

    /// As [`Problem::with`], if there is a suggestion.
    pub(crate) fn maybe(mut self, with: Option<String>) -> Problem {
        self.with = with;
        self
    }

    pub(crate) fn advice(mut self, advice: impl Into<String>) -> Problem {
        self.advice = Some(advice.into());
        self
    }

    /// Marks only a part of a string, given in bytes of the string. Marks the whole value if the string has escapes,
    /// because its bytes are then not those of the file.
    pub(crate) fn part(mut self, node: &Node, part: Range<usize>) -> Problem {
        if let Some(span) = part_span(node, part) {
            self.span = span;
        }
        self
    }

    /// Returns this as the only problem.
    pub(crate) fn fail<T>(self) -> Read<T> {
        Err(vec![self])
    }
}

/// The location of a part of a string in the file; `None` for a string with escapes or in triple quotes.
pub(crate) fn part_span(node: &Node, part: Range<usize>) -> Option<Range<usize>> {
    let text = node.text()?;
    let span = &node.spot.span;
    let plain = span.len() == text.len() + 2;
    plain.then(|| span.start + 1 + part.start..span.start + 1 + part.end)
}

/// A value of the wrong type.
pub(crate) fn wrong_type(node: &Node, wanted: &str) -> Problem {
    let found = node.value.kind();
    Problem::new(node, Code::F02, format!("is {found}, it must be {wanted}")).label(found)
}

/// The string of a value, or the problem that it is not one.
pub(crate) fn want_text<'a>(node: &'a Node, wanted: &str) -> Read<&'a str> {
    node.text().ok_or_else(|| vec![wrong_type(node, wanted)])
}

/// A string in TOML syntax.
pub(crate) fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests;
