//! From whatever somebody has in hand to what it means.

use core::fmt;

use crate::foreign::{Foreign, foreign};
use crate::{Code, Entry, nearest};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// One of our codes.
    Code(Box<Entry>),
    /// Codes or log lines of other programs; more than one when the question fits several.
    Foreign(Vec<Foreign>),
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

/// The longest question that is looked at, in octets.
const MAX_QUERY: usize = 4096;

/// Explains one of our codes (`G01`), a Windows error (`619`), a key (`pppd:16`, `pptp:result:3`, `mschap:691`,
/// `radius:terminate:5`), or a line of a log that holds one of these or the words of a known message.
pub fn explain(query: &str) -> Result<Explanation, NotKnown> {
    let mut end = query.len().min(MAX_QUERY);
    while !query.is_char_boundary(end) {
        end -= 1;
    }
    let text = query.get(..end).unwrap_or_default().trim().trim_matches(['"', '\'']).trim();
    if let Ok(code) = text.parse::<Code>() {
        return Ok(Explanation::Code(Box::new(code.entry())));
    }
    let all = foreign();
    let found = by_key(text, &all).or_else(|| by_words(text, &all));
    if let Some(found) = found {
        return Ok(Explanation::Foreign(found));
    }
    if let Some(code) = our_code_in(text) {
        return Ok(Explanation::Code(Box::new(code.entry())));
    }
    match by_number_in(text, &all) {
        Some(found) => Ok(Explanation::Foreign(found)),
        None => Err(NotKnown { query: text.to_owned(), near: near(text, &all) }),
    }
}

fn pick(all: &[Foreign], keys: &[String]) -> Option<Vec<Foreign>> {
    let found: Vec<Foreign> =
        keys.iter().filter_map(|key| all.iter().find(|one| one.key == *key)).cloned().collect();
    (!found.is_empty()).then_some(found)
}

/// A key, or a number alone with what it can belong to.
fn by_key(text: &str, all: &[Foreign]) -> Option<Vec<Foreign>> {
    let lower = text.to_lowercase();
    // "windows 619", "pppd exit code 16" and "event id 20209" are keys with other separators.
    let parts: Vec<&str> = lower
        .split([':', ' ', '=', '#'])
        .filter(|part| !matches!(*part, "" | "exit" | "code" | "error" | "status" | "reason" | "id" | "e"))
        .collect();
    let (number, names) = parts.split_last()?;
    number.parse::<u32>().ok()?;
    let keys: Vec<String> = match names {
        [] if lower.starts_with("e=") => vec![format!("mschap:{number}")],
        [] => ["windows", "event", "pppd", "nps"].map(|system| format!("{system}:{number}")).into(),
        ["pptp", "result"] => ["start", "call"].map(|kind| format!("pptp:{kind}:{number}")).into(),
        ["pptp"] | ["radius"] => return None,
        ["ms-chap" | "mschapv2" | "chap"] => vec![format!("mschap:{number}")],
        names => vec![format!("{}:{number}", names.join(":"))],
    };
    pick(all, &keys)
}

/// A log line that holds the words of a known message, or words that a known message holds.
fn by_words(text: &str, all: &[Foreign]) -> Option<Vec<Foreign>> {
    // A key of a log line names its program: pppd:"Modem hangup".
    let (system, text) = match text.split_once(":\"") {
        Some((system, quoted)) => (Some(system.to_lowercase()), quoted.trim_end_matches('"')),
        None => (None, text),
    };
    let asked = words(text);
    let mut best = 1;
    let mut found: Vec<&Foreign> = Vec::new();
    for one in all.iter().filter(|one| one.is_log_line()) {
        if system.as_ref().is_some_and(|system| one.key.split(':').next() != Some(system.as_str())) {
            continue;
        }
        let known = words(one.id());
        let common = if holds(&asked, &known) {
            known.len()
        } else if holds(&known, &asked) {
            asked.len()
        } else {
            continue;
        };
        if common > best {
            best = common;
            found.clear();
        }
        if common == best && (common > 1 || known == asked) {
            found.push(one);
        }
    }
    (!found.is_empty()).then(|| found.into_iter().cloned().collect())
}

/// The words of a text in lower case; what changes from line to line, numbers and marks, is left out.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let parts = lower.split(|c: char| !c.is_alphanumeric() && c != '\'');
    parts.filter(|word| word.chars().any(char::is_alphabetic)).map(str::to_owned).collect()
}

/// Whether `part` stands in `whole` word by word.
fn holds(whole: &[String], part: &[String]) -> bool {
    !part.is_empty() && whole.windows(part.len()).any(|window| window == part)
}

/// One of our codes inside a line of a log.
fn our_code_in(text: &str) -> Option<Code> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).find_map(|word| {
        let upper = word.chars().next().is_some_and(|c| c.is_ascii_uppercase());
        word.parse().ok().filter(|_| upper && word.len() == 3)
    })
}

/// `E=691` or "error 619" inside a line of a log.
fn by_number_in(text: &str, all: &[Foreign]) -> Option<Vec<Foreign>> {
    let lower = text.to_lowercase();
    let after = |mark: &str| {
        let rest = lower.get(lower.find(mark)? + mark.len()..)?;
        let rest = rest.trim_start_matches([' ', ':', '#', '=']);
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then_some(digits)
    };
    let mschap = after("e=").map(|number| format!("mschap:{number}"));
    let windows = ["error", "fehler", "erreur", "code"].iter().find_map(|mark| after(mark));
    let windows = windows.map(|number| format!("windows:{number}"));
    pick(all, &[mschap, windows].into_iter().flatten().collect::<Vec<_>>())
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
mod tests;
