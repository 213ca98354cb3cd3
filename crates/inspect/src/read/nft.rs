//! Parser for `nft -j list ruleset` (libnftables-json(5)).

mod expression;
mod set;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use self::set::{Named, Sets};
use super::{RULES_MAX, ReadError, error, json};
use crate::filter::{Base, Chain, ChainName, Hook, Kind, Rule, Ruleset};

const SOURCE: &str = "nft -j list ruleset";

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
    let updated: BTreeSet<&str> = items.iter().flat_map(set::updated).collect();
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
                ruleset.chains.insert(name, Chain { base: base(body, index)?, ..Chain::default() });
            }
            "set" | "map" => {
                let name = name_of(body, "name", index, kind)?;
                let named = Named::read(body, updated.contains(name.chain.as_str()));
                sets.insert((name.family, name.table, name.chain), named);
            }
            "ct helper" => {
                let name = name_of(body, "name", index, kind)?;
                helpers.insert((name.family, name.table, name.chain), string(body, "type"));
            }
            _ => {}
        }
    }
    let rules = items.iter().enumerate().filter_map(|(index, item)| Some((index, item.get("rule")?)));
    for (count, (index, body)) in rules.filter(|(_, body)| matters(body)).enumerate() {
        if count >= RULES_MAX {
            ruleset.incomplete = true;
            break;
        }
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
            has_extensions: expressions.iter().any(|expression| expression.get("xt").is_some()),
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
