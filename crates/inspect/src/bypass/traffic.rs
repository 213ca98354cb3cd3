//! Traffic control of the interface.

use serde_json::Value as Json;

use super::obstacle::{OBSTACLES_MAX, Obstacle};
use crate::read;

/// Queueing disciplines that neither limit nor sort packets by rules.
const HARMLESS: [&str; 6] = ["noqueue", "mq", "fq_codel", "pfifo_fast", "fq", "pfifo"];

/// Evaluates `tc -j qdisc show dev NAME`; returns the obstacles, and the places that may have filters.
pub(super) fn queues(text: &str, name: &str) -> (Vec<Obstacle>, Vec<String>) {
    let list = match read::json("tc -j qdisc", text) {
        Ok(Json::Array(list)) => list,
        Ok(_) => return unreadable("tc -j qdisc: expected a list".to_owned()),
        Err(error) => return unreadable(error.to_string()),
    };
    let (mut obstacles, mut places) = (Vec::new(), vec!["root".to_owned()]);
    for queue in &list {
        let word = |key: &str| queue.get(key).and_then(Json::as_str).unwrap_or_default();
        let (kind, handle) = (word("kind"), word("handle"));
        let shared = ["ingress_block", "egress_block"].iter().any(|key| queue.get(key).is_some());
        let limits_rate = queue.get("options").is_some_and(|options| options.get("maxrate").is_some());
        match kind {
            _ if shared => {
                obstacles.push(Obstacle::TrafficFilter {
                    interface: name.to_owned(),
                    place: "a block of several interfaces".to_owned(),
                });
            }
            "clsact" | "ingress" => places.extend(["ingress".to_owned(), "egress".to_owned()]),
            kind if HARMLESS.contains(&kind) && !limits_rate => {
                let is_root = queue.get("root").and_then(Json::as_bool) == Some(true);
                // Filters can be attached only to one with a handle, and to the root.
                if !is_root && handle != "0:" {
                    places.push(handle.to_owned());
                }
            }
            kind => {
                let kind = if limits_rate { format!("{kind} with maxrate") } else { kind.to_owned() };
                obstacles.push(Obstacle::Queue { interface: name.to_owned(), kind });
            }
        }
        if obstacles.len() + places.len() > OBSTACLES_MAX {
            obstacles.push(Obstacle::More);
            break;
        }
    }
    (obstacles, places)
}

fn unreadable(why: String) -> (Vec<Obstacle>, Vec<String>) {
    (vec![Obstacle::NotRead { what: "traffic control", why }], Vec::new())
}

/// Evaluates `tc -j filter show dev NAME`: any filter is an obstacle.
pub(super) fn filters(text: &str, name: &str, place: &str) -> Vec<Obstacle> {
    if matches!(text.trim(), "" | "[]" | "[{}]" | "[ ]") {
        return Vec::new();
    }
    vec![Obstacle::TrafficFilter { interface: name.to_owned(), place: place.to_owned() }]
}
