//! Words of which this version supports only some.

use adit_diag::Code;

use crate::read::simple::choices;
use crate::read::{Problem, Read, list, quote, word};
use crate::tree::Node;

const NOT_SUPPORTED: &str = "not supported in this version";

/// One of `words`; one of `planned` is refused as not supported in this version.
pub(crate) fn supported_word(
    node: &Node,
    words: &'static [&'static str],
    planned: &'static [&'static str],
) -> Read<&'static str> {
    match refused(node, words, planned) {
        Some(problem) => problem.maybe(words.first().map(|word| quote(word))).fail(),
        None => word(node, words),
    }
}

/// A list of `words` without duplicates; each of `planned` is refused as not supported in this version.
pub(crate) fn supported_words(
    node: &Node,
    words: &'static [&'static str],
    planned: &'static [&'static str],
) -> Read<Vec<&'static str>> {
    list(node, &(1..=words.len() + planned.len()), |item| match refused(item, words, planned) {
        // Replacing this word is not an option: the list may contain the supported one already.
        Some(problem) => problem.advice(format!("leave {} in the list", choices(words))).fail(),
        None => word(item, words),
    })
}

fn refused(node: &Node, words: &[&str], planned: &[&str]) -> Option<Problem> {
    let given = node.text().filter(|given| planned.contains(given))?;
    let message = format!("cannot be {given:?}: {NOT_SUPPORTED}, it must be {}", choices(words));
    Some(Problem::new(node, Code::F07, message).label(NOT_SUPPORTED))
}
