//! Parser for `nft -j list ruleset` (libnftables-json(5)).

mod expression;
mod text;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{RULES_MAX, ReadError, SET_MAX, error, json};
use crate::filter::{Base, Chain, ChainName, Hook, Kind, Rule, Ruleset};

const SOURCE: &str = "nft -j list ruleset";

/// A named set or map.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    /// Its elements in JSON.
    elements: Vec<Json>,
    /// Whether elements are missing.
    cut: bool,
}

/// Sets and maps by family, table and name.
pub(crate) type Sets = BTreeMap<(String, String, String), Named>;

/// Parses the output of `nft -j list ruleset`. Families that do not apply to IPv4 packets of this host
/// (`ip6`, `arp`, `bridge`) are left out.
///
/// # Errors
/// If the text is not JSON of nft, or refers to a missing object.
pub fn read(text: &str) -> Result<Ruleset, ReadError> {
    let root = json(SOURCE, text)?;
    let items = root.get("nftables").and_then(Json::as_array);
    let items = items.ok_or_else(|| error(SOURCE, "top", "an object with a list \"nftables\""))?;
    let mut ruleset = Ruleset::default();
    let mut sets = Sets::new();
    let mut helpers = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        let Some((kind, body)) = item.as_object().and_then(|object| object.iter().next()) else {
            return Err(error(SOURCE, format!("nftables[{index}]"), "an object with one name"));
        };
        if !matters(body) {
            continue;
        }
        match kind.as_str() {
            "chain" => {
                let name = name_of(body, "name", index, "chain")?;
                ruleset.chains.insert(name, Chain { base: base(body, index)?, rules: Vec::new() });
            }
            "set" | "map" => {
                let name = name_of(body, "name", index, kind)?;
                let all = body.get("elem").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
                let kept = all.iter().take(SET_MAX).cloned().collect();
                sets.insert(
                    (name.family, name.table, name.chain),
                    Named { elements: kept, cut: all.len() > SET_MAX },
                );
            }
            "ct helper" => {
                let name = name_of(body, "name", index, kind)?;
                helpers.insert((name.family, name.table, name.chain), string(body, "type"));
            }
            _ => {}
        }
    }
    let rules = items.iter().enumerate().filter_map(|(index, item)| Some((index, item.get("rule")?)));
    for (index, body) in rules.filter(|(_, body)| matters(body)).take(RULES_MAX) {
        let name = name_of(body, "chain", index, "rule")?;
        let place = || format!("nftables[{index}].rule");
        let expressions = body.get("expr").and_then(Json::as_array);
        let expressions = expressions.ok_or_else(|| error(SOURCE, place(), "a list \"expr\""))?;
        let reader = expression::Reader { sets: &sets, helpers: &helpers, place: &name };
        let rule = Rule {
            handle: body.get("handle").and_then(Json::as_u64),
            text: text::rule(expressions, body.get("comment").and_then(Json::as_str)),
            counter: expression::counter(expressions),
            steps: reader.steps(expressions),
        };
        let chain = ruleset.chains.get_mut(&name);
        chain
            .ok_or_else(|| error(SOURCE, place(), format!("a chain \"{name}\" before its rules")))?
            .rules
            .push(rule);
    }
    Ok(ruleset)
}

/// Whether it applies to IPv4 packets.
fn matters(body: &Json) -> bool {
    matches!(body.get("family").and_then(Json::as_str), Some("ip" | "inet" | "netdev"))
}

fn string(body: &Json, key: &str) -> String {
    body.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn name_of(body: &Json, key: &str, index: usize, kind: &str) -> Result<ChainName, ReadError> {
    let word = |key: &str| {
        let found = body.get(key).and_then(Json::as_str).map(str::to_owned);
        found.ok_or_else(|| error(SOURCE, format!("nftables[{index}].{kind}"), format!("a text \"{key}\"")))
    };
    Ok(ChainName { family: word("family")?, table: word("table")?, chain: word(key)? })
}

fn base(body: &Json, index: usize) -> Result<Option<Base>, ReadError> {
    let Some(word) = body.get("hook").and_then(Json::as_str) else { return Ok(None) };
    // A hook of another kind (egress) is not on the path of a call.
    let Some(hook) = Hook::from_word(word) else { return Ok(None) };
    let priority = body.get("prio").and_then(Json::as_i64);
    let place = || format!("nftables[{index}].chain");
    let priority = priority.ok_or_else(|| error(SOURCE, place(), "a number \"prio\""))?;
    let kind = if string(body, "type") == "nat" { Kind::Nat } else { Kind::Filter };
    Ok(Some(Base {
        hook,
        kind,
        priority,
        drops: string(body, "policy") == "drop",
        counter: None,
        devices: match body.get("dev") {
            Some(Json::String(one)) => vec![one.clone()],
            Some(Json::Array(all)) => all.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        },
    }))
}

/// The values of an anonymous or named set, and whether some are missing.
pub(crate) fn resolve<'a>(
    sets: &'a Sets,
    place: &ChainName,
    right: &'a Json,
) -> Option<(Vec<&'a Json>, bool)> {
    if let Some(list) = right.get("set") {
        return Some(match list {
            Json::Array(list) => (list.iter().take(SET_MAX).collect(), list.len() > SET_MAX),
            one => (vec![one], false),
        });
    }
    let name = right.as_str()?.strip_prefix('@')?;
    let key = (place.family.clone(), place.table.clone(), name.to_owned());
    Some(match sets.get(&key) {
        Some(named) => (named.elements.iter().collect(), named.cut),
        None => (Vec::new(), true),
    })
}
