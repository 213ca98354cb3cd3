//! Durations: `"30s"`, `"15m"`, `"1h30m"`, `"90d"`, `"100ms"`.

use std::ops::RangeInclusive;
use std::time::Duration;

use adit_diag::Code;

use crate::read::{Problem, Read, quote, want_text};
use crate::tree::{Node, Value};

/// Units in milliseconds, the longest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Other common spellings of units.
const WORDS: [(&str, &str); 24] = [
    ("ms", "ms"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("milliseconds", "ms"),
    ("s", "s"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("m", "m"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("h", "h"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("d", "d"),
    ("day", "d"),
    ("days", "d"),
    ("w", "w"),
    ("weeks", "w"),
];

/// Parses numbers with units, such as `"1h30m"`; a zero needs no unit. `None` for anything else.
pub fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let unit = rest.get(..letters)?;
        rest = rest.get(letters..)?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.checked_mul(*factor)?)?;
    }
    (!text.is_empty()).then(|| Duration::from_millis(total))
}

/// Formats a duration in the form that is parsed, without fractions of a millisecond.
pub fn show_duration(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, factor) in UNITS {
        let count = left / factor;
        left %= factor;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    if text.is_empty() { "0".to_owned() } else { text }
}

/// A duration within limits.
pub(crate) fn duration(node: &Node, limits: &RangeInclusive<Duration>) -> Read<Duration> {
    let duration = raw(node, limits)?;
    check(node, duration, limits, "")?;
    Ok(duration)
}

/// A duration within limits, or zero, which is `None`.
pub(crate) fn duration_or_never(node: &Node, limits: &RangeInclusive<Duration>) -> Read<Option<Duration>> {
    let duration = raw(node, limits)?;
    if duration.is_zero() {
        return Ok(None);
    }
    check(node, duration, limits, ", or \"0\" for never")?;
    Ok(Some(duration))
}

fn raw(node: &Node, limits: &RangeInclusive<Duration>) -> Read<Duration> {
    match node.value {
        Value::Number(0) => return Ok(Duration::ZERO),
        Value::Number(n) => {
            return Problem::new(node, Code::F05, "has no unit")
                .label("a number with ms, s, m, h or d, in quotes")
                .maybe(with_unit(n, limits).map(|text| quote(&text)))
                .fail();
        }
        _ => {}
    }
    let text = want_text(node, "a length of time such as \"30s\"")?;
    match parse_duration(text) {
        Some(duration) => Ok(duration),
        None => Problem::new(node, Code::F05, format!("{text:?} is not a length of time"))
            .label("a number with ms, s, m, h or d")
            .maybe(guess(text).map(|text| quote(&text)))
            .fail(),
    }
}

/// The number with the first unit that puts it within the limits.
fn with_unit(number: i64, limits: &RangeInclusive<Duration>) -> Option<String> {
    let candidates = ["s", "m", "h", "d", "ms"].iter().map(|unit| format!("{number}{unit}"));
    candidates
        .into_iter()
        .find(|text| parse_duration(text).is_some_and(|duration| limits.contains(&duration)))
}

fn check(node: &Node, duration: Duration, limits: &RangeInclusive<Duration>, or: &str) -> Read<()> {
    if limits.contains(&duration) {
        return Ok(());
    }
    let (low, high) = (show_duration(*limits.start()), show_duration(*limits.end()));
    let near = if duration < *limits.start() { &low } else { &high };
    Problem::new(node, Code::F06, format!("must be between {low} and {high}{or}"))
        .label(format!("{low} to {high}"))
        .with(quote(near))
        .fail()
}

/// The duration that was probably meant by `"30 seconds"`, `"1.5h"`, `"2 weeks"` or a bare number.
fn guess(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    if matches!(text.as_str(), "never" | "none" | "off" | "unlimited" | "infinite") {
        return Some("0".to_owned());
    }
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (text.get(..at)?, text.get(at..)?.trim());
    let unit = if unit.is_empty() { "s" } else { WORDS.iter().find(|(word, _)| *word == unit)?.1 };
    let number: f64 = number.parse().ok()?;
    let factor = match unit {
        "w" => 7 * 86_400_000,
        unit => UNITS.iter().find(|(name, _)| *name == unit)?.1,
    };
    let millis = number * factor as f64;
    // Limit the guess to ten thousand years.
    (0.0..3.2e14).contains(&millis).then(|| show_duration(Duration::from_millis(millis as u64)))
}
