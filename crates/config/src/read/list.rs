//! Lists.

use std::ops::RangeInclusive;

use adit_diag::Code;

use crate::read::{Problem, Read, number, wrong_type};
use crate::tree::{Node, Value};

/// A list of values without duplicates.
pub(crate) fn list<T: PartialEq>(
    node: &Node,
    count: &RangeInclusive<usize>,
    each: impl Fn(&Node) -> Read<T>,
) -> Read<Vec<T>> {
    match &node.value {
        Value::List(items) => items_of(node, items, count, each),
        Value::Text(text) => {
            let meant = match each(node) {
                Ok(_) => Some(format!("[{}]", crate::read::quote(text))),
                Err(_) => split(text),
            };
            Err(vec![wrong_type(node, "a list in brackets").maybe(meant)])
        }
        _ => Err(vec![wrong_type(node, "a list in brackets")]),
    }
}

/// As [`list`], but a single value is accepted as a list of one.
pub(crate) fn one_or_list<T: PartialEq>(
    node: &Node,
    count: &RangeInclusive<usize>,
    each: impl Fn(&Node) -> Read<T>,
) -> Read<Vec<T>> {
    match &node.value {
        Value::List(items) => items_of(node, items, count, each),
        _ => Ok(vec![each(node)?]),
    }
}

/// A list of allowed numbers.
pub(crate) fn number_list(node: &Node, allowed: &'static [i64]) -> Read<Vec<i64>> {
    let one = |node: &Node| {
        let low = allowed.iter().min().copied().unwrap_or_default();
        let high = allowed.iter().max().copied().unwrap_or_default();
        let given = number(node, &(low..=high))?;
        if allowed.contains(&given) {
            return Ok(given);
        }
        let names: Vec<String> = allowed.iter().map(i64::to_string).collect();
        let names = names.join(", ");
        Problem::new(node, Code::F06, format!("holds {given}, it can hold {names}")).label(names).fail()
    };
    if let Value::Number(given) = node.value {
        let problem = wrong_type(node, "a list in brackets");
        return Err(vec![problem.maybe(one(node).is_ok().then(|| format!("[{given}]")))]);
    }
    list(node, &(1..=allowed.len()), one)
}

fn items_of<T: PartialEq>(
    node: &Node,
    items: &[Node],
    count: &RangeInclusive<usize>,
    each: impl Fn(&Node) -> Read<T>,
) -> Read<Vec<T>> {
    let mut values: Vec<T> = Vec::with_capacity(items.len().min(64));
    let mut problems = Vec::new();
    // Reading one item more than allowed is enough to detect that there are too many.
    for item in items.iter().take(count.end() + 1) {
        match each(item) {
            Ok(value) if values.contains(&value) => {
                problems
                    .push(Problem::new(item, Code::F06, "has an entry twice").label("already in the list"));
            }
            Ok(value) => values.push(value),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() && items.len() > *count.end() {
        let surplus = items.get(*count.end()).unwrap_or(node);
        let message = format!("has {} entries, {} are possible", items.len(), count.end());
        problems.push(Problem::new(surplus, Code::F06, message).label("one too many"));
    }
    if items.len() < *count.start() {
        problems.push(Problem::new(node, Code::F06, "needs at least one entry").label("empty"));
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

/// Converts `"a, b"` to the list that was meant.
fn split(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split([',', ' ']).filter(|part| !part.is_empty()).collect();
    let quoted: Vec<String> = parts.iter().map(|part| crate::read::quote(part)).collect();
    (parts.len() > 1).then(|| format!("[{}]", quoted.join(", ")))
}
