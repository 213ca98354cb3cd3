//! The effect of this host's packet filter on calls: TCP 1723 and GRE.

use std::process::{Command, Stdio};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// The packet filter of this host.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Firewall {
    /// Whether the nftables rules could be read.
    readable: bool,
    /// Input chains with the policy drop, and whether they accept calls.
    closed: Vec<Chain>,
}

/// An input chain with the policy drop.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Chain {
    family: String,
    table: String,
    name: String,
    /// Whether a rule accepts TCP port 1723.
    control: bool,
    /// Whether a rule accepts protocol 47.
    gre: bool,
}

impl Firewall {
    /// Reads the rules with nft.
    pub(super) fn look() -> Firewall {
        let listed = Command::new("nft")
            .args(["--json", "list", "ruleset"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output();
        match listed {
            Ok(output) if output.status.success() => Firewall::of(&String::from_utf8_lossy(&output.stdout)),
            _ => Firewall::default(),
        }
    }

    /// Parses the output of `nft --json list ruleset`.
    pub(super) fn of(json: &str) -> Firewall {
        let Ok(root) = serde_json::from_str::<Value>(json) else {
            return Firewall::default();
        };
        let items = root.get("nftables").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let text =
            |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut closed: Vec<Chain> = Vec::new();
        for chain in items.iter().filter_map(|item| item.get("chain")) {
            let family = text(chain, "family");
            let v4 = family == "ip" || family == "inet";
            if v4 && text(chain, "hook") == "input" && text(chain, "policy") == "drop" {
                let (table, name) = (text(chain, "table"), text(chain, "name"));
                closed.push(Chain { family, table, name, control: false, gre: false });
            }
        }
        for rule in items.iter().filter_map(|item| item.get("rule")) {
            let of = [text(rule, "family"), text(rule, "table"), text(rule, "chain")];
            let same = |chain: &&mut Chain| of == [chain.family.as_str(), &chain.table, &chain.name];
            let Some(chain) = closed.iter_mut().find(same) else { continue };
            let expressions = rule.get("expr").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            if expressions.iter().any(|expression| expression.get("accept").is_some()) {
                chain.control |= expressions.iter().any(|e| matches(e, "dport", &[Value::from(1723)]));
                chain.gre |= ["protocol", "l4proto"].iter().any(|field| {
                    expressions.iter().any(|e| matches(e, field, &[Value::from("gre"), Value::from(47)]))
                });
            }
        }
        Firewall { readable: true, closed }
    }

    /// Summary in one line.
    pub(super) fn text(&self) -> String {
        if !self.readable {
            return "not known: nft cannot be asked (needs root and nftables)".into();
        }
        let Some(worst) = self.closed.iter().min_by_key(|chain| (chain.control, chain.gre)) else {
            return "nothing on the way in drops by default".into();
        };
        let rules = match (worst.control, worst.gre) {
            (true, true) => "tcp/1723 and GRE are accepted",
            (true, false) => "tcp/1723 is accepted, no rule for GRE",
            (false, true) => "GRE is accepted, no rule for tcp/1723",
            (false, false) => "no rule for tcp/1723, none for GRE",
        };
        format!("nftables, input policy drop: {rules}")
    }

    /// Commands that allow calls. A table of our own cannot: what another table drops stays dropped.
    pub(super) fn commands(&self, interface: &Option<String>) -> Vec<String> {
        let on = interface.as_ref().map(|name| format!("iifname {name} ")).unwrap_or_default();
        let mut commands = Vec::new();
        for Chain { family, table, name, control, gre } in &self.closed {
            let mut insert = |what: &str| {
                commands.push(format!("nft insert rule {family} {table} {name} {on}{what} accept"))
            };
            if !control {
                insert("tcp dport 1723");
            }
            if !gre {
                insert("meta l4proto 47");
            }
        }
        commands
    }
}

/// Whether an expression compares a field with one of these values: alone, in a set, or in a range.
fn matches(expression: &Value, field: &str, wanted: &[Value]) -> bool {
    let Some(comparison) = expression.get("match") else { return false };
    let left = comparison.get("left");
    let payload = left.and_then(|left| left.get("payload")).and_then(|payload| payload.get("field"));
    let meta = left.and_then(|left| left.get("meta")).and_then(|meta| meta.get("key"));
    let is_field = [payload, meta].into_iter().flatten().any(|name| name.as_str() == Some(field));
    is_field && comparison.get("right").is_some_and(|right| holds(right, wanted))
}

fn holds(right: &Value, wanted: &[Value]) -> bool {
    if wanted.contains(right) {
        return true;
    }
    if let Some(set) = right.get("set").and_then(Value::as_array) {
        return set.iter().any(|item| holds(item, wanted));
    }
    if let Some([low, high]) = right.get("range").and_then(Value::as_array).map(Vec::as_slice)
        && let (Some(low), Some(high)) = (low.as_i64(), high.as_i64())
    {
        return wanted.iter().filter_map(Value::as_i64).any(|number| (low..=high).contains(&number));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: &str = r#"{"chain": {"family": "inet", "table": "filter", "name": "in", "hook": "input", "policy": "drop"}}"#;

    fn with(rules: &[&str]) -> Firewall {
        let rule = |expr: &&str| {
            format!(
                r#", {{"rule": {{"family": "inet", "table": "filter", "chain": "in", "expr": [{expr}]}}}}"#
            )
        };
        Firewall::of(&format!(r#"{{"nftables": [{CHAIN}{}]}}"#, rules.iter().map(rule).collect::<String>()))
    }

    const PORT: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 1723}}, {"accept": null}"#;
    const PORTS: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [22, {"range": [1700, 1800]}]}}}, {"accept": null}"#;
    const DROPPED: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 1723}}, {"drop": null}"#;
    const GRE: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "protocol"}}, "right": "gre"}}, {"accept": null}"#;
    const GRE_META: &str = r#"{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"set": ["gre", "esp"]}}}, {"accept": null}"#;
    /// A common wrong fix: 47 is a protocol number, not a port.
    const PORT_47: &str = r#"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 47}}, {"accept": null}"#;

    #[test]
    fn rules_are_understood() {
        for (rules, text) in [
            (&[][..], "no rule for tcp/1723, none for GRE"),
            (&[PORT], "tcp/1723 is accepted, no rule for GRE"),
            (&[PORTS], "tcp/1723 is accepted, no rule for GRE"),
            (&[DROPPED, PORT_47], "no rule for tcp/1723, none for GRE"),
            (&[GRE], "GRE is accepted, no rule for tcp/1723"),
            (&[PORT, GRE_META], "tcp/1723 and GRE are accepted"),
        ] {
            assert_eq!(with(rules).text(), format!("nftables, input policy drop: {text}"));
        }
    }

    #[test]
    fn only_missing_rules_are_listed() {
        let eth0 = Some("eth0".to_owned());
        assert_eq!(
            with(&[]).commands(&eth0),
            [
                "nft insert rule inet filter in iifname eth0 tcp dport 1723 accept",
                "nft insert rule inet filter in iifname eth0 meta l4proto 47 accept"
            ]
        );
        assert_eq!(with(&[PORT]).commands(&None), ["nft insert rule inet filter in meta l4proto 47 accept"]);
        assert_eq!(with(&[PORT, GRE]).commands(&eth0), [] as [&str; 0]);
    }

    #[test]
    fn open_unreadable_and_strange() {
        assert_eq!(Firewall::of(r#"{"nftables": []}"#).text(), "nothing on the way in drops by default");
        for strange in ["", "[]", r#"{"nftables": 7}"#] {
            assert_eq!(Firewall::of(strange).commands(&None), [] as [&str; 0]);
        }
        assert!(Firewall::of("").text().starts_with("not known"));
    }
}
