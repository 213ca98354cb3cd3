//! Routing rules: AF_XDP asks the kernel for the route with source and destination only, and received packets do
//! not pass the routing decision.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde_json::{Map, Value as Json};

use super::asked::Asked;
use super::obstacle::{OBSTACLES_MAX, Obstacle};
use crate::read;

/// The most characters of a rule that are shown.
const SHOWN_MAX: usize = 200;

/// Evaluates `ip -j -4 rule`.
pub(super) fn obstacles(text: &str, asked: &Asked) -> Vec<Obstacle> {
    const WHAT: &str = "the routing rules";
    let rules = match read::json("ip -j rule", text) {
        Ok(Json::Array(rules)) => rules,
        Ok(_) => {
            return vec![Obstacle::NotRead { what: WHAT, why: "ip -j rule: expected a list".to_owned() }];
        }
        Err(error) => return vec![Obstacle::NotRead { what: WHAT, why: error.to_string() }],
    };
    let mut obstacles: Vec<Obstacle> = rules
        .iter()
        .filter(|rule| !rule.as_object().is_some_and(|rule| is_harmless(rule, asked)))
        .take(OBSTACLES_MAX)
        .map(|rule| Obstacle::RoutingRule(shown(rule)))
        .collect();
    // Without the first rule, packets to this host are not even local.
    let local = |rule: &Json| {
        rule.get("priority").and_then(Json::as_u64) == Some(0)
            && rule.get("table").and_then(Json::as_str) == Some("local")
    };
    if !rules.iter().any(local) {
        obstacles
            .push(Obstacle::RoutingRule("the rule for table local has another priority than 0".to_owned()));
    }
    obstacles
}

/// Whether the rule is one of the three default ones, or does not match the packets.
fn is_harmless(rule: &Map<String, Json>, asked: &Asked) -> bool {
    let word = |key: &str| rule.get(key).and_then(Json::as_str);
    let from = match word("src") {
        Some("all") => None,
        Some(source) => match network(source, rule.get("srclen")) {
            Some(net) => Some(net),
            None => return false,
        },
        None => return false,
    };
    let is_plain = rule.keys().all(|key| matches!(key.as_str(), "priority" | "src" | "table" | "protocol"));
    let is_default = matches!(
        (rule.get("priority").and_then(Json::as_u64), word("table")),
        (Some(0), Some("local")) | (Some(32_766), Some("main")) | (Some(32_767), Some("default"))
    );
    if is_plain && is_default && from.is_none() {
        return true;
    }
    // A negated rule matches everything else.
    if rule.contains_key("not") {
        return false;
    }
    // Only packets that arrive at another interface. Packets of this host have the input interface lo.
    let other_input = word("iif").is_some_and(|name| name != asked.interface && name != "lo");
    let known = !asked.addresses.is_empty();
    let other_source = |net: Ipv4Net| known && !asked.addresses.iter().any(|address| net.contains(address));
    other_input || from.is_some_and(other_source)
}

fn network(address: &str, length: Option<&Json>) -> Option<Ipv4Net> {
    let address: Ipv4Addr = address.parse().ok()?;
    let length = match length {
        Some(length) => u8::try_from(length.as_u64()?).ok()?,
        None => 32,
    };
    Ipv4Net::new(address, length).ok()
}

fn shown(rule: &Json) -> String {
    let Some(rule) = rule.as_object() else { return "an unknown rule".to_owned() };
    let words = rule.iter().map(|(key, value)| match value {
        Json::String(word) => format!("{key} {word}"),
        Json::Null => key.clone(),
        other => format!("{key} {other}"),
    });
    let text: Vec<String> = words.collect();
    text.join(" ").chars().filter(|c| !c.is_control()).take(SHOWN_MAX).collect()
}
