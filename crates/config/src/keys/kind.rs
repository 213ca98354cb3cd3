//! Kinds of values.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::read::{self, Problem, Read, show_duration};
use crate::tree::Node;

/// The kind of a key's values.
#[derive(Debug)]
pub(crate) enum Kind {
    Text(usize),
    Word(&'static [&'static str]),
    /// A list of these words, in order of preference.
    Words(&'static [&'static str]),
    /// One of the first words; the others are planned, and refused in this version.
    SupportedWord(&'static [&'static str], &'static [&'static str]),
    /// A list of the first words, in order; the others are planned, and refused in this version.
    SupportedWords(&'static [&'static str], &'static [&'static str]),
    Number(RangeInclusive<i64>),
    /// A list of these numbers.
    Numbers(&'static [i64]),
    Bool,
    /// A boolean, or a list of passphrases, which means `true`.
    BoolOrTexts,
    Duration(RangeInclusive<Duration>),
    /// Zero means never.
    DurationOrNever(RangeInclusive<Duration>),
    Address,
    /// A list of at most this many addresses.
    Addresses(usize),
    Prefix,
    Prefixes,
    Sources,
    /// Rules of an access list.
    Rules,
    /// The value of `access.server`.
    ServerReach,
    /// A list of `[[test]]` tables.
    ReachTests,
    Ranges,
    Listen,
    /// A list of at least this many addresses with or without a port, which is that of RADIUS.
    RadiusServers(usize),
    Interface,
    Name,
    PoolName,
    Secret,
    StoreUrl,
    Domain,
    Mss,
    /// `"auto"` or one of these numbers.
    AutoOr(&'static [i64]),
    LogTargets,
}

impl Kind {
    /// Returns the problems of a value; none if it is usable.
    pub(crate) fn check(&self, node: &Node) -> Vec<Problem> {
        match self {
            Kind::Text(max) => problems(read::text(node, *max)),
            Kind::Word(words) => problems(read::word(node, words)),
            Kind::Words(words) => {
                problems(read::list(node, &(1..=words.len()), |item| read::word(item, words)))
            }
            Kind::SupportedWord(words, planned) => problems(read::supported_word(node, words, planned)),
            Kind::SupportedWords(words, planned) => problems(read::supported_words(node, words, planned)),
            Kind::Number(limits) => problems(read::number(node, limits)),
            Kind::Numbers(allowed) => problems(read::number_list(node, allowed)),
            Kind::Bool => problems(read::boolean(node)),
            Kind::BoolOrTexts => problems(read::blocklist(node)),
            Kind::Duration(limits) => problems(read::duration(node, limits)),
            Kind::DurationOrNever(limits) => problems(read::duration_or_never(node, limits)),
            Kind::Address => problems(read::address(node)),
            Kind::Addresses(max) => problems(read::list(node, &(0..=*max), read::address)),
            Kind::Prefix => problems(read::prefix(node)),
            Kind::Prefixes => problems(read::list(node, &(0..=1024), read::prefix)),
            Kind::Sources => problems(read::list(node, &(1..=1024), read::source_net)),
            Kind::Rules => problems(read::rules(node)),
            Kind::ServerReach => problems(read::server_reach(node)),
            Kind::ReachTests => problems(read::reach_tests(node)),
            Kind::Ranges => problems(read::ranges(node)),
            Kind::Listen => problems(read::listens(node)),
            Kind::RadiusServers(least) => problems(read::radius_servers(node, *least)),
            Kind::Interface => problems(read::interface_name(node)),
            Kind::Name => problems(read::name(node)),
            Kind::PoolName => problems(read::pool_name(node)),
            Kind::Secret => problems(read::secret(node)),
            Kind::StoreUrl => problems(read::store_url(node)),
            Kind::Domain => problems(read::domain_rule(node)),
            Kind::Mss => problems(read::mss(node)),
            Kind::AutoOr(allowed) => problems(read::auto_or(node, allowed)),
            Kind::LogTargets => problems(read::one_or_list(node, &(1..=8), read::log_target)),
        }
    }

    /// The accepted values, as text for the user.
    pub(crate) fn takes(&self) -> String {
        let span = |limits: &RangeInclusive<Duration>| {
            format!("{} to {}", show_duration(*limits.start()), show_duration(*limits.end()))
        };
        match self {
            Kind::Text(max) => format!("a text of up to {max} octets"),
            Kind::Word(words) | Kind::SupportedWord(words, _) => words.join(" | "),
            Kind::Words(words) | Kind::SupportedWords(words, _) => format!("a list of {}", words.join(", ")),
            Kind::Number(limits) if *limits.end() == i64::MAX => "a number".to_owned(),
            Kind::Number(limits) => format!("a number, {} to {}", limits.start(), limits.end()),
            Kind::Numbers(allowed) => {
                let numbers: Vec<String> = allowed.iter().map(i64::to_string).collect();
                format!("a list of {}", numbers.join(", "))
            }
            Kind::Bool => "true | false".to_owned(),
            Kind::BoolOrTexts => "true | false | a list of texts".to_owned(),
            Kind::Duration(limits) => format!("a time, {}", span(limits)),
            Kind::DurationOrNever(limits) => format!("a time, {}, or 0 for never", span(limits)),
            Kind::Address => "an IPv4 address".to_owned(),
            Kind::Addresses(max) => format!("a list of up to {max} IPv4 addresses"),
            Kind::Prefix => "an IPv4 network".to_owned(),
            Kind::Prefixes => "a list of IPv4 networks".to_owned(),
            Kind::Sources => "a list of IPv4 networks, or \"any\"".to_owned(),
            Kind::Rules => "a list of rules: allow | deny, destination, protocol, ports, log".to_owned(),
            Kind::ServerReach => "none | all | ping, dns, tcp/PORT, udp/PORT joined by +".to_owned(),
            Kind::ReachTests => "[[test]] tables with as, allow, deny".to_owned(),
            Kind::Ranges => "first-last, or a list of such".to_owned(),
            Kind::Listen => "an address or interface, with or without :port, or a list".to_owned(),
            Kind::RadiusServers(_) => "a list of up to 16 IPv4 addresses, with or without :port".to_owned(),
            Kind::Interface => "an interface".to_owned(),
            Kind::Name => "a host name".to_owned(),
            Kind::PoolName => "the name of a pool".to_owned(),
            Kind::Secret => "{ file = … } | { env = … } | { credential = … }".to_owned(),
            Kind::StoreUrl => "sqlite:/path".to_owned(),
            Kind::Domain => "strip | keep | require:DOMAIN".to_owned(),
            Kind::Mss => "clamp | off | a number, 256 to 1460".to_owned(),
            Kind::AutoOr(allowed) => {
                let numbers: Vec<String> = allowed.iter().map(i64::to_string).collect();
                format!("auto | {}", numbers.join(" | "))
            }
            Kind::LogTargets => "stderr | { file = … }, or a list".to_owned(),
        }
    }

    /// The JSON Schema of a value.
    pub(crate) fn schema(&self) -> Json {
        let text = || json!({"type": "string"});
        let list = |items: Json| json!({"type": "array", "items": items, "uniqueItems": true});
        let duration = || json!({"type": "string", "pattern": "^(0|([0-9]+(d|h|m|s|ms))+)$"});
        let address = || json!({"type": "string", "format": "ipv4"});
        let prefix = || json!({"type": "string", "pattern": "^[0-9.]+/[0-9]+$"});
        match self {
            Kind::Text(max) => json!({"type": "string", "minLength": 1, "maxLength": max}),
            Kind::Word(words) | Kind::SupportedWord(words, _) => json!({"enum": words}),
            Kind::Words(words) | Kind::SupportedWords(words, _) => list(json!({"enum": words})),
            Kind::Number(limits) if *limits.end() == i64::MAX => json!({"type": "integer"}),
            Kind::Number(limits) => {
                json!({"type": "integer", "minimum": limits.start(), "maximum": limits.end()})
            }
            Kind::Numbers(allowed) => list(json!({"enum": allowed})),
            Kind::Bool => json!({"type": "boolean"}),
            Kind::BoolOrTexts => json!({"anyOf": [{"type": "boolean"}, list(text())]}),
            Kind::Duration(_) | Kind::DurationOrNever(_) => {
                json!({"anyOf": [duration(), {"const": 0}]})
            }
            Kind::Address => address(),
            Kind::Addresses(max) => {
                json!({"type": "array", "items": address(), "maxItems": max, "uniqueItems": true})
            }
            Kind::Prefix => prefix(),
            Kind::Prefixes => list(prefix()),
            Kind::Sources => list(json!({"anyOf": [prefix(), {"const": "any"}]})),
            Kind::Rules => list(json!({"type": "string", "pattern": "^ *(allow|deny) +.+$"})),
            Kind::ServerReach => text(),
            Kind::ReachTests => {
                let places =
                    list(json!({"type": "string", "pattern": "^[0-9.]+(:[0-9]+)?(/(tcp|udp|icmp))?$"}));
                list(json!({
                    "type": "object",
                    "properties": {"as": text(), "allow": places, "deny": places},
                    "required": ["as"],
                    "additionalProperties": false,
                }))
            }
            Kind::Ranges => {
                let range = json!({"type": "string", "pattern": "^[0-9.]+ *- *[0-9.]+$"});
                json!({"anyOf": [range, list(range.clone())]})
            }
            Kind::RadiusServers(least) => {
                json!({"type": "array", "items": text(), "minItems": least, "maxItems": 16, "uniqueItems": true})
            }
            Kind::Listen => json!({"anyOf": [text(), list(text())]}),
            Kind::Interface => json!({"type": "string", "minLength": 1, "maxLength": 15}),
            Kind::Name | Kind::PoolName | Kind::StoreUrl => text(),
            Kind::Secret => json!({
                "type": "object",
                "properties": {"file": text(), "env": text(), "credential": text()},
                "additionalProperties": false,
                "minProperties": 1,
                "maxProperties": 1,
            }),
            Kind::Domain => json!({"type": "string", "pattern": "^(strip|keep|require:.+)$"}),
            Kind::Mss => json!({"anyOf": [
                {"enum": ["clamp", "off"]},
                {"type": "integer", "minimum": 256, "maximum": 1460},
            ]}),
            Kind::AutoOr(allowed) => json!({"anyOf": [{"const": "auto"}, {"enum": allowed}]}),
            Kind::LogTargets => {
                let file = json!({
                    "type": "object",
                    "properties": {"file": text()},
                    "required": ["file"],
                    "additionalProperties": false,
                });
                let one = json!({"anyOf": [{"const": "stderr"}, file]});
                json!({"anyOf": [one, list(one.clone())]})
            }
        }
    }
}

fn problems<T>(read: Read<T>) -> Vec<Problem> {
    read.err().unwrap_or_default()
}
