//! Sets and maps.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::filter::ChainName;
use crate::read::SET_MAX;

/// A named set or map.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    elements: Vec<Json>,
    incomplete: bool,
    volatile: bool,
    has_statements: bool,
}

/// Sets and maps by family, table and name.
pub(super) type Sets = BTreeMap<(String, String, String), Named>;

/// The values of a set or map.
#[derive(Clone, Debug, Default)]
pub(super) struct Elements<'a> {
    pub(super) values: Vec<&'a Json>,
    /// Whether some are missing.
    pub(super) incomplete: bool,
    /// Whether packets or time change them.
    pub(super) volatile: bool,
    /// Whether an element has statements.
    pub(super) has_statements: bool,
}

impl Named {
    /// Reads the definition of a set; `updated`: some rule changes a set of this name.
    pub(super) fn read(body: &Json, updated: bool) -> Named {
        let all = body.get("elem").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        let flags = body.get("flags");
        let has_flag = |name: &str| match flags {
            Some(Json::Array(list)) => list.iter().any(|flag| flag.as_str() == Some(name)),
            Some(flag) => flag.as_str() == Some(name),
            None => false,
        };
        Named {
            elements: all.iter().take(SET_MAX).cloned().collect(),
            incomplete: all.len() > SET_MAX,
            volatile: updated
                || has_flag("dynamic")
                || has_flag("timeout")
                || body.get("timeout").is_some()
                || all.iter().any(|element| has_key(element, |key| matches!(key, "timeout" | "expires"))),
            has_statements: body.get("stmt").is_some() || all.iter().any(has_statement),
        }
    }
}

/// The name of the set or map that a statement of a rule changes.
pub(super) fn updated(item: &Json) -> impl Iterator<Item = &str> {
    let list = item.get("rule").and_then(|rule| rule.get("expr")).and_then(Json::as_array);
    list.into_iter().flatten().filter_map(|expression| {
        let (key, body) = expression.as_object()?.iter().next()?;
        let name = body.get(key.as_str()).and_then(Json::as_str)?;
        matches!(key.as_str(), "set" | "map").then(|| name.trim_start_matches('@'))
    })
}

/// Whether the description of an element has a key that `wanted` selects. In a map it is the first of a pair.
fn has_key(element: &Json, wanted: fn(&str) -> bool) -> bool {
    let element = element.as_array().and_then(|pair| pair.first()).unwrap_or(element);
    let described = element.get("elem").and_then(Json::as_object);
    described.is_some_and(|described| described.keys().any(|key| wanted(key)))
}

fn has_statement(element: &Json) -> bool {
    has_key(element, |key| !matches!(key, "val" | "comment" | "timeout" | "expires"))
}

/// The values of an anonymous or named set; `None` if it is another expression.
pub(super) fn resolve<'a>(sets: &'a Sets, place: &ChainName, right: &'a Json) -> Option<Elements<'a>> {
    if let Some(list) = right.get("set") {
        let list = list.as_array().map_or_else(|| std::slice::from_ref(list), Vec::as_slice);
        return Some(Elements {
            values: list.iter().take(SET_MAX).collect(),
            incomplete: list.len() > SET_MAX,
            volatile: false,
            has_statements: list.iter().any(has_statement),
        });
    }
    let name = right.as_str()?.strip_prefix('@')?;
    let key = (place.family.clone(), place.table.clone(), name.to_owned());
    Some(match sets.get(&key) {
        Some(named) => Elements {
            values: named.elements.iter().collect(),
            incomplete: named.incomplete,
            volatile: named.volatile,
            has_statements: named.has_statements,
        },
        None => Elements { incomplete: true, ..Elements::default() },
    })
}
