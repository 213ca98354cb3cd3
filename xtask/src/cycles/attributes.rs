//! Attributes: which code is for tests alone, where a module is.

use super::tokens::Token;

/// Whether what an attribute stands at is there for tests alone: `#[test]`, or a `#[cfg]` that is false without tests.
/// `attribute` is what is inside of its brackets.
pub(super) fn is_for_tests(attribute: &[Token]) -> bool {
    match attribute {
        [word] => word.is_word("test"),
        [word, Token::Group('(', condition)] => word.is_word("cfg") && is_false(condition),
        _ => false,
    }
}

/// Whether a condition is false in a build without tests, whatever else is chosen.
fn is_false(condition: &[Token]) -> bool {
    match condition {
        [word] => word.is_word("test"),
        [word, Token::Group('(', inside)] => {
            let mut parts = parts(inside).peekable();
            (word.is_word("all") && parts.any(is_false))
                || (word.is_word("any") && parts.peek().is_some() && parts.all(is_false))
        }
        _ => false,
    }
}

/// The parts of a list, without its commas; no part is empty.
pub(super) fn parts(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.split(|token| *token == Token::Sign(',')).filter(|part| !part.is_empty())
}

/// The file of `#[path = "file"]`.
pub(super) fn path(attribute: &[Token]) -> Option<&str> {
    match attribute {
        [word, Token::Sign('='), Token::Text(file, _)] if word.is_word("path") => Some(file),
        _ => None,
    }
}

/// Whether it is `#[macro_use]`.
pub(super) fn is_macro_use(attribute: &[Token]) -> bool {
    attribute.first().is_some_and(|word| word.is_word("macro_use"))
}

/// The attributes at the beginning of `tokens`, and how many tokens they are. An inner one (`#![...]`) is like another.
pub(super) fn leading(tokens: &[Token]) -> (Vec<&[Token]>, usize) {
    let mut attributes = Vec::new();
    let mut len = 0;
    loop {
        let rest = tokens.get(len..).unwrap_or_default();
        match rest {
            [Token::Sign('#'), Token::Group('[', inside), ..] => {
                attributes.push(inside.as_slice());
                len += 2;
            }
            _ => return (attributes, len),
        }
    }
}
