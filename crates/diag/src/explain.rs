//! From a code, a number or a log line to its meaning.
//!
//! A question is tried from the exact to the vague: one of our codes, a key or a number with its program, a code
//! inside a line of a log, the words of a known message, and last what people say in words of their own.

use core::fmt;

use crate::foreign::{Foreign, foreign};
use crate::{Code, Entry, nearest};

mod keys;
mod lines;
mod phrases;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// One of our codes.
    Code(Box<Entry>),
    /// Codes or log lines of other programs; more than one when the question fits several.
    Foreign(Vec<Foreign>),
}

impl Explanation {
    /// The likeliest of our codes; none when it is no fault of PPTP.
    pub fn first_code(&self) -> Option<Code> {
        match self {
            Explanation::Code(entry) => Some(entry.code),
            Explanation::Foreign(pages) => {
                pages.iter().find_map(|page| page.causes.first()).map(|cause| cause.code)
            }
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Explanation::Code(entry) => entry.fmt(f),
            Explanation::Foreign(pages) => {
                for (index, page) in pages.iter().enumerate() {
                    if index > 0 {
                        writeln!(f)?;
                    }
                    page.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

/// Nothing is known by that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnown {
    /// The question.
    pub query: String,
    /// What it may have been meant for, the nearest first.
    pub near: Vec<String>,
}

impl fmt::Display for NotKnown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing is known about {:?}", self.query)?;
        if self.near.is_empty() { Ok(()) } else { write!(f, ": did you mean {}?", self.near.join(" or ")) }
    }
}

impl core::error::Error for NotKnown {}

/// The longest question that is looked at, in octets; of a longer log its end.
const MAX_QUERY: usize = 65_536;

/// Explains one of our codes (`G01`), a Windows error (`619`, `0x26b`), a key (`pppd:16`, `event 20209`,
/// `pptp:result:3`, `E=691`, `radius:terminate:5`), a line of a log that holds one of these or the words of a known
/// message, or a symptom in plain words (`connected but no traffic`).
///
/// # Errors
///
/// [`NotKnown`] with what may have been meant; never a guess.
pub fn explain(query: &str) -> Result<Explanation, NotKnown> {
    let mut start = query.len().saturating_sub(MAX_QUERY);
    while !query.is_char_boundary(start) {
        start += 1;
    }
    let text = query.get(start..).unwrap_or_default().trim().trim_matches(['"', '\'']).trim();
    if let Some(code) = text.parse().ok().or_else(|| lines::our_code(text, true)) {
        return Ok(page(code));
    }
    let all = foreign();
    let found =
        keys::by_key(text, &all).or_else(|| lines::by_number(text, &all)).or_else(|| by_words(text, &all));
    if let Some(found) = found {
        return Ok(found);
    }
    match lines::our_code(text, false) {
        Some(code) => Ok(page(code)),
        None => Err(NotKnown { query: text.to_owned(), near: near(text, &all) }),
    }
}

fn page(code: Code) -> Explanation {
    Explanation::Code(Box::new(code.entry()))
}

/// The foreign codes of these keys, in the order of the keys.
fn pick(all: &[Foreign], keys: &[String]) -> Option<Explanation> {
    let found: Vec<Foreign> =
        keys.iter().filter_map(|key| all.iter().find(|one| one.key == *key)).cloned().collect();
    (!found.is_empty()).then_some(Explanation::Foreign(found))
}

/// A known message inside the text, or what people call it; what explains more words of the text wins.
fn by_words(text: &str, all: &[Foreign]) -> Option<Explanation> {
    let (line, phrase) = (lines::by_words(text, all), phrases::by_words(text));
    match (line, phrase) {
        (Some((words, found)), Some((more, _))) if words >= more => Some(Explanation::Foreign(found)),
        (_, Some((_, target))) => match target.parse() {
            Ok(code) => Some(page(code)),
            Err(_) => pick(all, &[target.to_owned()]),
        },
        (Some((_, found)), None) => Some(Explanation::Foreign(found)),
        (None, None) => lines::by_bare_number(text, all),
    }
}

/// The words of a text in lower case; what changes from line to line, numbers and marks, is left out.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let parts = lower.split(|c: char| !c.is_alphanumeric() && c != '\'');
    let parts = parts.map(|word| word.trim_matches('\''));
    parts.filter(|word| word.chars().any(char::is_alphabetic)).map(str::to_owned).collect()
}

fn near(text: &str, all: &[Foreign]) -> Vec<String> {
    let mut near: Vec<String> = Vec::new();
    let lower = text.to_lowercase();
    let windows = format!("windows:{lower}");
    let codes = Code::ALL.iter().map(|code| code.as_str());
    let number = lower.chars().all(|c| c.is_ascii_digit());
    if lower.is_empty() {
        return near;
    }
    if !number {
        near.extend(nearest(text, codes).map(str::to_owned));
    }
    let keys = || all.iter().map(|one| one.key.as_str());
    near.extend(nearest(&lower, keys()).map(str::to_owned));
    if number {
        near.extend(nearest(&windows, keys()).map(str::to_owned));
    }
    // A message that shares a rare word is nearer than nothing.
    let asked = words(text);
    let long = |word: &&String| word.chars().count() > 4;
    let shares = |one: &&Foreign| {
        let known = words(one.id());
        asked.iter().filter(long).any(|word| known.contains(word))
    };
    near.extend(all.iter().filter(|one| one.is_log_line()).filter(shares).map(|one| one.key.clone()));
    near.dedup();
    near.truncate(3);
    near
}

#[cfg(test)]
pub(crate) use phrases::rows as phrases;

#[cfg(test)]
mod tests;
