//! Strings, words, numbers and booleans.

use std::ops::RangeInclusive;

use adit_diag::{Code, nearest};

use crate::read::{Problem, Read, quote, want_text, wrong_type};
use crate::tree::{Node, Value};
use crate::words;

/// A string of 1 to `max` bytes without control characters.
pub(crate) fn text(node: &Node, max: usize) -> Read<String> {
    let text = want_text(node, "a text")?;
    if text.is_empty() || text.len() > max {
        let message = format!("must have 1 to {max} octets, it has {}", text.len());
        return Problem::new(node, Code::F06, message).label(format!("{} octets", text.len())).fail();
    }
    if text.chars().any(char::is_control) {
        return Problem::new(node, Code::F06, "holds a control character").label("take it out").fail();
    }
    Ok(text.to_owned())
}

/// One of the given words.
pub(crate) fn word(node: &Node, words: &'static [&'static str]) -> Read<&'static str> {
    let choice = choices(words);
    let given = match &node.value {
        Value::Text(text) => words::current(text),
        Value::Bool(value) => {
            let meant = if *value { ["require", "allow", "on"] } else { ["off", "refuse", "none"] };
            let meant = words.iter().find(|word| meant.contains(word));
            return Problem::new(node, Code::F07, format!("is {value}, it must be {choice}"))
                .label(choice)
                .maybe(meant.map(|word| quote(word)))
                .fail();
        }
        _ => return Err(vec![wrong_type(node, &choice)]),
    };
    if let Some(word) = words.iter().find(|word| **word == given) {
        return Ok(word);
    }
    let meant = nearest(given, words.iter().copied());
    Problem::new(node, Code::F07, format!("cannot be {given:?}, it must be {choice}"))
        .label(choice)
        .maybe(meant.map(quote))
        .fail()
}

/// `"a", "b" or "c"`.
pub(crate) fn choices(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => quote(one),
        [rest @ .., last] => {
            let rest: Vec<String> = rest.iter().map(|word| quote(word)).collect();
            format!("{} or {}", rest.join(", "), quote(last))
        }
    }
}

/// An integer within limits.
pub(crate) fn number(node: &Node, limits: &RangeInclusive<i64>) -> Read<i64> {
    let (low, high) = (limits.start(), limits.end());
    match &node.value {
        Value::Number(number) if limits.contains(number) => Ok(*number),
        Value::Number(number) => {
            let near = if number < low { low } else { high };
            Problem::new(node, Code::F06, format!("is {number}, it must be between {low} and {high}"))
                .label(format!("{low} to {high}"))
                .with(near.to_string())
                .fail()
        }
        Value::Text(text) => {
            let meant = text.trim().parse::<i64>().ok().filter(|number| limits.contains(number));
            Err(vec![wrong_type(node, "a number without quotes").maybe(meant.map(|n| n.to_string()))])
        }
        _ => Err(vec![wrong_type(node, "a whole number")]),
    }
}

/// A boolean.
pub(crate) fn boolean(node: &Node) -> Read<bool> {
    let meant = match &node.value {
        Value::Bool(value) => return Ok(*value),
        Value::Number(number) => Some(*number != 0),
        Value::Text(text) => match text.to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "enable" | "enabled" => Some(true),
            "false" | "no" | "off" | "0" | "disable" | "disabled" => Some(false),
            _ => None,
        },
        _ => None,
    };
    Err(vec![wrong_type(node, "true or false, without quotes").maybe(meant.map(|value| value.to_string()))])
}
