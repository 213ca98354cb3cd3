//! Lines of logs: numbers and codes inside them, and the words of known messages.

use super::{Explanation, pick, words};
use crate::Code;
use crate::foreign::Foreign;

/// How many words of a line may stand where a known message has something that changes.
const GAP: usize = 4;

/// One of our codes inside a line: `code=A01` where `exact`, else any word that is one.
pub(super) fn our_code(text: &str, exact: bool) -> Option<Code> {
    if exact {
        let rest = text.split("code=").nth(1)?;
        let word = rest.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
        return word.parse().ok();
    }
    text.split(|c: char| !c.is_ascii_alphanumeric()).find_map(|word| {
        let upper = word.chars().next().is_some_and(|c| c.is_ascii_uppercase());
        word.parse().ok().filter(|_| upper && word.len() == 3)
    })
}

/// Numbers of Windows, its events, NPS and MS-CHAP inside a line, where a word before them says what they are.
pub(super) fn by_number(text: &str, all: &[Foreign]) -> Option<Explanation> {
    let lower = text.to_lowercase();
    let mut keys = Vec::new();
    let mut add = |system: &str, numbers: Vec<u32>| {
        for number in numbers {
            let key = format!("{system}:{number}");
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    };
    let events = ["event id", "eventid", "event"].iter().flat_map(|mark| after(&lower, mark));
    add("event", events.filter(|number| (20_000..21_000).contains(number)).collect());
    add("nps", after(&lower, "reason code").into_iter().chain(after(&lower, "reason-code")).collect());
    add("mschap", after(&lower, "e=").into_iter().filter(|number| *number >= 600).collect());
    let marks =
        ["error", "fehler", "erreur", "ошибка", "错误", "code", "failure is", "failed with", "code is"];
    let windows = marks.iter().flat_map(|mark| after(&lower, mark));
    add("windows", windows.filter(|number| (600..900).contains(number)).collect());
    add("windows", hung_up_by_windows(text).into_iter().collect());
    keys.sort_by_key(|key| !key.starts_with("event:"));
    pick(all, &keys)
}

/// A number of Windows anywhere in a sentence about Windows or a VPN: "why does windows say 734".
pub(super) fn by_bare_number(text: &str, all: &[Foreign]) -> Option<Explanation> {
    let about =
        words(text).iter().any(|word| ["windows", "vpn", "pptp", "ras", "rasdial"].contains(&word.as_str()));
    let numbers = text.split(|c: char| !c.is_alphanumeric()).filter_map(|word| word.parse::<u32>().ok());
    let keys: Vec<String> = numbers
        .filter(|number| about && (600..900).contains(number))
        .map(|number| format!("windows:{number}"))
        .collect();
    pick(all, &keys)
}

/// The numbers that stand right after a mark, `error 619` and `Error Code: 809`.
fn after(lower: &str, mark: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for (at, _) in lower.match_indices(mark) {
        let rest = lower.get(at + mark.len()..).unwrap_or_default();
        let rest = rest.trim_start_matches([' ', ':', '#', '=', '\t']);
        let whole = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let number = match whole.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => whole.parse().ok(),
        };
        found.extend(number);
    }
    found
}

/// The number in the text with which Windows ends a link, as pppd writes it into its log: after the octets
/// `00 3c cd 74` come four more that read as an error of Windows, `^@^@^BM-f` for 742. Zero is an ordinary hang-up.
fn hung_up_by_windows(text: &str) -> Option<u32> {
    let mut octets = text.split("<M-Mt").nth(1)?.chars().peekable();
    let mut number = 0u32;
    for _ in 0..4 {
        number = (number << 8) | octet(&mut octets)?;
    }
    Some(if number == 0 { 631 } else { number })
}

/// One octet in the notation of pppd: `^@` is 0, `M-f` is 0x66 with the highest bit, `M-^A` is 0x81.
fn octet(octets: &mut core::iter::Peekable<core::str::Chars<'_>>) -> Option<u32> {
    let mut high = 0;
    let mut c = octets.next()?;
    if c == 'M' && octets.peek() == Some(&'-') {
        octets.next();
        (high, c) = (0x80, octets.next()?);
    }
    if c == '^' {
        c = octets.next()?;
        return Some(high | (u32::from(c) ^ 0x40) & 0x7f);
    }
    c.is_ascii().then_some(high | u32::from(c))
}

/// A line that holds the words of a known message, or words that a known message holds; how many, and whose.
pub(super) fn by_words(text: &str, all: &[Foreign]) -> Option<(usize, Vec<Foreign>)> {
    // A key of a log line names its program: pppd:"Modem hangup", routeros:peer-request.
    let (named, text) = match text.split_once(':') {
        Some((system, rest)) if rest.starts_with('"') || !text.contains(' ') => (Some(system), rest),
        _ => (None, text),
    };
    let asked = words(text);
    let mut found: Vec<Match<'_>> = all
        .iter()
        .filter(|one| {
            one.is_log_line() && named.is_none_or(|system| one.key.split(':').next() == Some(system))
        })
        .filter_map(|one| Match::of(one, &asked))
        .collect();
    // A message inside a longer one that is there too is not meant: "Unsupported protocol" in one about IPv6.
    let longer = |one: &Match<'_>, than: &Match<'_>| {
        one.words.len() > than.words.len() && one.is_whole() && holds(&one.words, &than.words)
    };
    let inner: Vec<bool> = found.iter().map(|one| found.iter().any(|other| longer(other, one))).collect();
    let mut inner = inner.into_iter();
    found.retain(|_| inner.next() != Some(true));
    let best = found.iter().map(Match::rank).max()?;
    found.retain(|one| one.rank() == best);
    let mut found: Vec<&Foreign> = found.into_iter().map(|found| found.one).collect();
    // The same words of several programs with one likeliest cause are told once, in general where that is known.
    found.sort_by_key(|one| !one.key.starts_with("log:"));
    let mut listed = Vec::new();
    found.retain(|one| {
        let first = one.causes.first().map(|cause| cause.code);
        let new = first.is_none() || !listed.contains(&(first, one.id().to_lowercase()));
        listed.push((first, one.id().to_lowercase()));
        new
    });
    (!found.is_empty()).then(|| (best.1, found.into_iter().cloned().collect()))
}

/// A known message that the text holds, or that holds the text.
struct Match<'a> {
    one: &'a Foreign,
    /// The words of the message.
    words: Vec<String>,
    /// How many of them the text has.
    common: usize,
}

impl<'a> Match<'a> {
    fn of(one: &'a Foreign, asked: &[String]) -> Option<Match<'a>> {
        let parts: Vec<Vec<String>> = one.id().split('*').map(words).collect();
        let words = parts.concat();
        let common = if holds_parts(asked, &parts) {
            words.len()
        } else if holds(&words, asked) {
            asked.len()
        } else {
            return None;
        };
        // A single word is a message only when it is all of it.
        (common > 1 || words.len() == asked.len()).then_some(Match { one, words, common })
    }

    /// Whether the text has all of the message, not only a part of it.
    fn is_whole(&self) -> bool {
        self.common == self.words.len()
    }

    /// What only follows from another line of the same log gives way to that line; then more words win, then the message
    /// that is there as a whole.
    fn rank(&self) -> (bool, usize, bool) {
        (!self.one.gives_way(), self.common, self.is_whole())
    }
}

/// Whether `part` stands in `whole` word by word.
fn holds(whole: &[String], part: &[String]) -> bool {
    !part.is_empty() && whole.windows(part.len()).any(|window| window == part)
}

/// Whether all parts stand in `whole` one after the other, with at most a few words between them.
fn holds_parts(whole: &[String], parts: &[Vec<String>]) -> bool {
    let Some((first, rest)) = parts.split_first() else { return false };
    if first.is_empty() {
        return rest.is_empty() || holds_parts(whole, rest);
    }
    let starts = whole.windows(first.len()).enumerate().filter(|(_, window)| window == first);
    starts.map(|(at, _)| at + first.len()).any(|end| follow(whole, end, rest))
}

/// Whether the parts follow at `end` or a few words later.
fn follow(whole: &[String], end: usize, parts: &[Vec<String>]) -> bool {
    let Some((first, rest)) = parts.split_first() else { return true };
    if first.is_empty() {
        return rest.is_empty();
    }
    (end..=end + GAP).any(|at| {
        let window = whole.get(at..at + first.len());
        window == Some(first.as_slice()) && follow(whole, at + first.len(), rest)
    })
}
