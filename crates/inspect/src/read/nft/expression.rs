//! Parser for the expressions of a rule.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::set::{Elements, Sets, resolve};
use crate::filter::{Action, ChainName, Condition, Effect, Field, Match, Side, Step, TCP, Target, Value};
use crate::read::iptables::effect_of;
use crate::read::words;

/// The most expressions of one rule.
const EXPRESSIONS_MAX: usize = 256;
/// The most fields in one concatenation; the limit of nft is lower.
const FIELDS_MAX: usize = 16;

/// A parser for the rules of one chain.
pub(super) struct Reader<'a> {
    pub(super) sets: &'a Sets,
    /// The types of conntrack helper objects, by name.
    pub(super) helpers: &'a BTreeMap<(String, String, String), String>,
    pub(super) place: &'a ChainName,
}

/// The packets that a rule has matched: those of its counter, if all conditions precede it.
pub(super) fn counter(expressions: &[Json]) -> Option<u64> {
    let at = expressions.iter().position(|expression| expression.get("counter").is_some())?;
    let asks =
        |expression: &Json| ["match", "vmap", "limit", "xt"].iter().any(|key| expression.get(key).is_some());
    if expressions.iter().skip(at).any(asks) {
        return None;
    }
    expressions.get(at)?.get("counter")?.get("packets")?.as_u64()
}

impl Reader<'_> {
    pub(super) fn steps(&self, expressions: &[Json]) -> Vec<Step> {
        let mut steps = Vec::new();
        for expression in expressions.iter().take(EXPRESSIONS_MAX) {
            match expression.as_object().and_then(|object| object.iter().next()) {
                Some((key, body)) => self.step(key, body, &mut steps),
                None => steps.push(Step::Do(Action::Unknown(expression.to_string()))),
            }
        }
        if expressions.len() > EXPRESSIONS_MAX {
            steps.push(Step::Do(Action::Unknown("a rule of very many expressions".to_owned())));
        }
        steps
    }

    fn step(&self, key: &str, body: &Json, steps: &mut Vec<Step>) {
        if uses_sequence(body) {
            steps.push(Step::Do(Action::Effect(Effect::Other("numgen".to_owned()))));
        }
        let target = || body.get("target").and_then(Json::as_str).unwrap_or_default().to_owned();
        let step = match key {
            "match" => Step::If(self.condition(body)),
            "vmap" => self.map(body),
            "accept" => Step::Do(Action::Accept),
            "drop" => Step::Do(Action::Drop),
            "reject" => {
                // nft omits what follows from the type of the error.
                match body.get("type").and_then(Json::as_str) {
                    Some("icmpv6") => {
                        steps.push(Step::If(Condition::new(
                            Field::Family,
                            vec![Value::Word("ipv6".to_owned())],
                            false,
                        )));
                    }
                    Some("tcp reset") => {
                        let tcp = vec![Value::one(u32::from(TCP))];
                        steps.push(Step::If(Condition::new(Field::Protocol, tcp, false)));
                    }
                    _ => {}
                }
                Step::Do(Action::Reject)
            }
            "return" => Step::Do(Action::Return),
            "jump" => Step::Do(Action::Jump(target())),
            "goto" => Step::Do(Action::Goto(target())),
            "limit" | "quota" | "ct count" => {
                let over = body.get("inv").and_then(Json::as_bool).unwrap_or(false);
                steps.push(Step::Do(Action::Effect(Effect::Limit)));
                Step::If(Condition::new(Field::Exceptional, vec![Value::one(1)], !over))
            }
            // The statements of a set update or a meter: a rate for each source.
            "set" | "meter" => {
                steps.push(Step::Do(Action::Effect(Effect::Record)));
                let inner = match body.get("stmt") {
                    Some(Json::Array(list)) => list.as_slice(),
                    Some(one) => std::slice::from_ref(one),
                    None => &[],
                };
                for limit in inner.iter().take(EXPRESSIONS_MAX).filter_map(|statement| statement.get("limit"))
                {
                    self.step("limit", limit, steps);
                }
                return;
            }
            "masquerade" | "redirect" | "snat" | "dnat" => Step::Do(translation(key, body)),
            "ct helper" => Step::Do(Action::Helper(self.helper(body))),
            "notrack" => Step::Do(Action::Untracked),
            "mangle" => Step::Do(changed(body)),
            "xt" => {
                foreign(body, steps);
                return;
            }
            "counter" | "last" => Step::Do(Action::Effect(Effect::Count)),
            "log" => Step::Do(Action::Effect(Effect::Log)),
            "map" => Step::Do(Action::Effect(Effect::Record)),
            "dup" => Step::Do(Action::Effect(Effect::Copy)),
            "flow" | "secmark" => Step::Do(Action::Effect(Effect::Other(key.to_owned()))),
            "comment" | "continue" => Step::Do(Action::Nothing),
            _ => Step::Do(Action::Unknown(key.chars().take(64).collect())),
        };
        steps.push(step);
    }

    fn helper(&self, body: &Json) -> String {
        let name = body.as_str().unwrap_or_default();
        let key = (self.place.family.clone(), self.place.table.clone(), name.to_owned());
        self.helpers.get(&key).cloned().unwrap_or_else(|| name.to_owned())
    }

    fn condition(&self, body: &Json) -> Condition {
        let (Some(left), Some(right)) = (body.get("left"), body.get("right")) else {
            return Condition::unknown();
        };
        let operator = body.get("op").and_then(Json::as_str).unwrap_or("==");
        if let Some(condition) = tcp_flags(left, right, operator) {
            return condition;
        }
        if let Some(negated) = way_back(left, right, operator) {
            return Condition::new(Field::Exceptional, vec![Value::one(1)], negated);
        }
        let fields = fields(left);
        let found = resolve(self.sets, self.place, right);
        let mut rows = match &found {
            Some(found) => found.values.iter().flat_map(|value| values(&fields, value)).collect(),
            None => values(&fields, right),
        };
        let negated = match operator {
            "==" | "in" => false,
            "!=" => true,
            _ => {
                let whole = rows.pop().filter(|_| rows.is_empty()).and_then(|row| row.first().cloned());
                rows = vec![vec![compared(operator, whole)]];
                false
            }
        };
        Condition { of: matching(fields, &found.unwrap_or_default()), rows, negated }
    }

    fn map(&self, body: &Json) -> Step {
        let fields = body.get("key").map_or_else(|| vec![Field::Unknown], fields);
        let found = body.get("data").and_then(|data| resolve(self.sets, self.place, data));
        let mut found = found.unwrap_or_else(|| Elements { incomplete: true, ..Elements::default() });
        let mut rows = Vec::new();
        for element in std::mem::take(&mut found.values) {
            let Some([key, verdict]) = element.as_array().map(Vec::as_slice) else {
                found.incomplete = true;
                break;
            };
            let mut steps = Vec::new();
            if let Some((word, body)) = verdict.as_object().and_then(|object| object.iter().next()) {
                self.step(word, body, &mut steps);
            }
            let action = match steps.pop() {
                Some(Step::Do(action)) => action,
                _ => Action::Unknown(verdict.to_string().chars().take(64).collect()),
            };
            rows.extend(values(&fields, key).into_iter().map(|row| (row, action.clone())));
        }
        // The entry for all other values is last.
        rows.sort_by_key(|(row, _)| row.contains(&Value::Any));
        Step::Map(matching(fields, &found), rows)
    }
}

fn matching(fields: Vec<Field>, found: &Elements<'_>) -> Match {
    Match {
        fields,
        incomplete: found.incomplete,
        volatile: found.volatile,
        has_statements: found.has_statements,
    }
}

/// Whether it uses a sequence of numbers, which every packet advances.
fn uses_sequence(body: &Json) -> bool {
    let sides = ["left", "key"].into_iter().filter_map(|key| body.get(key));
    sides.into_iter().any(|side| side.get("numgen").is_some())
}

/// The rows for a value on the right side; a list without "set" matches any of its words (flags, states).
fn values(fields: &[Field], json: &Json) -> Vec<Vec<Value>> {
    let json = unwrapped(json);
    if let [field] = fields {
        let list = json.as_array().or_else(|| json.get("|").and_then(Json::as_array));
        return match list {
            Some(list) => {
                list.iter().take(FIELDS_MAX).map(|one| vec![value(field, unwrapped(one))]).collect()
            }
            None => vec![vec![value(field, json)]],
        };
    }
    let parts = json.get("concat").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    if parts.len() != fields.len() {
        return vec![vec![Value::Unknown; fields.len()]];
    }
    vec![fields.iter().zip(parts).map(|(field, part)| value(field, unwrapped(part))).collect()]
}

/// An element without its comment, counter and timeout.
fn unwrapped(json: &Json) -> &Json {
    json.get("elem").and_then(|element| element.get("val")).unwrap_or(json)
}

fn value(field: &Field, json: &Json) -> Value {
    if json.as_str() == Some("*") {
        return Value::Any;
    }
    if let Some(prefix) = json.get("prefix") {
        let address = prefix.get("addr").and_then(Json::as_str).unwrap_or_default();
        let length = prefix.get("len").and_then(Json::as_u64).unwrap_or(u64::MAX);
        return words::network(&format!("{address}/{length}"));
    }
    if let Some([from, to]) = json.get("range").and_then(Json::as_array).map(Vec::as_slice) {
        if let (Some(from), Some(to)) = (from.as_str(), to.as_str()) {
            return words::between(from, to);
        }
        return match (value(field, from), value(field, to)) {
            (Value::Number(from, _), Value::Number(_, to)) => Value::Number(from, to),
            _ => Value::Unknown,
        };
    }
    let numeric = matches!(
        field,
        Field::Protocol | Field::ConnectionProtocol | Field::Port(..) | Field::Mark | Field::ConnectionMark
    );
    match (json, field) {
        (Json::Number(number), _) if numeric => {
            number.as_u64().and_then(|number| u32::try_from(number).ok()).map_or(Value::Unknown, Value::one)
        }
        (Json::String(name), Field::Protocol | Field::ConnectionProtocol) => {
            words::protocol(name).map_or(Value::Unknown, |number| Value::one(u32::from(number)))
        }
        (Json::String(name), Field::Port(..)) => words::port(name),
        (Json::String(name), Field::Address(_)) => words::network(name),
        (Json::String(name), Field::Mark | Field::ConnectionMark) => {
            name.parse().map_or(Value::Unknown, Value::one)
        }
        (Json::String(name), _) => Value::Word(name.clone()),
        _ => Value::Unknown,
    }
}

fn compared(operator: &str, value: Option<Value>) -> Value {
    let Some(Value::Number(low, high)) = value else { return Value::Unknown };
    match operator {
        ">" => Value::Number(high.saturating_add(1), u32::MAX),
        ">=" => Value::Number(low, u32::MAX),
        "<" => low.checked_sub(1).map_or(Value::Number(1, 0), |below| Value::Number(0, below)),
        "<=" => Value::Number(0, high),
        _ => Value::Unknown,
    }
}

fn fields(left: &Json) -> Vec<Field> {
    match left.get("concat").and_then(Json::as_array) {
        Some(parts) if parts.len() <= FIELDS_MAX => parts.iter().map(field).collect(),
        Some(_) => vec![Field::Unknown],
        None => vec![field(left)],
    }
}

fn field(left: &Json) -> Field {
    let word = |of: &str, key: &str| left.get(of).and_then(|body| body.get(key)).and_then(Json::as_str);
    if let Some(key) = word("meta", "key") {
        return match key {
            "l4proto" => Field::Protocol,
            "nfproto" | "protocol" => Field::Family,
            "iif" | "iifname" => Field::Interface(Side::Source),
            "oif" | "oifname" => Field::Interface(Side::Destination),
            "mark" => Field::Mark,
            "pkttype" => Field::PacketType,
            _ => Field::Unknown,
        };
    }
    if let (Some(protocol), Some(name)) = (word("payload", "protocol"), word("payload", "field")) {
        return header_field(protocol, name);
    }
    match word("ct", "key") {
        Some("state") => return Field::State,
        Some("mark") => return Field::ConnectionMark,
        Some("protocol") => return Field::ConnectionProtocol,
        Some("status") => return Field::Exceptional,
        _ => {}
    }
    if word("fib", "result") == Some("type") {
        return match flags_of_fib(left).as_slice() {
            ["daddr"] => Field::AddressType(Side::Destination),
            ["saddr"] => Field::AddressType(Side::Source),
            ["daddr", ..] => Field::LinkAddressType(Side::Destination),
            ["saddr", ..] => Field::LinkAddressType(Side::Source),
            _ => Field::Unknown,
        };
    }
    // With a mask the mark is still 0.
    if let Some(first) = left.get("&").and_then(Json::as_array).and_then(|parts| parts.first()) {
        let masked = if first.get("&").is_some() { Field::Unknown } else { field(first) };
        if matches!(masked, Field::Mark | Field::ConnectionMark) {
            return masked;
        }
    }
    Field::Unknown
}

fn header_field(protocol: &str, name: &str) -> Field {
    match (protocol, name) {
        ("ip", "protocol") => Field::Protocol,
        ("ip", "saddr") => Field::Address(Side::Source),
        ("ip", "daddr") => Field::Address(Side::Destination),
        ("th", "sport") => Field::Port(Side::Source, None),
        ("th", "dport") => Field::Port(Side::Destination, None),
        // As the key of a map; comparisons are parsed separately.
        ("tcp", "flags") => Field::HeaderOf(TCP),
        // Our packets have no IPv6 header: use a protocol that they do not have.
        ("ip6" | "icmpv6", _) => Field::HeaderOf(u8::MAX),
        ("ip" | "ether" | "vlan" | "th", _) => Field::Unknown,
        (protocol, name) => match (words::protocol(protocol), name) {
            (Some(protocol), "sport") => Field::Port(Side::Source, Some(protocol)),
            (Some(protocol), "dport") => Field::Port(Side::Destination, Some(protocol)),
            (Some(protocol), _) => Field::HeaderOf(protocol),
            (None, _) => Field::Unknown,
        },
    }
}

fn flags_of_fib(left: &Json) -> Vec<&str> {
    match left.get("fib").and_then(|fib| fib.get("flags")) {
        Some(Json::Array(flags)) => flags.iter().filter_map(Json::as_str).take(FIELDS_MAX).collect(),
        Some(Json::String(flag)) => vec![flag],
        _ => Vec::new(),
    }
}

/// A condition on TCP flags: any of some (`in`), or exactly these, possibly under a mask.
fn tcp_flags(left: &Json, right: &Json, operator: &str) -> Option<Condition> {
    let masked = left.get("&").and_then(Json::as_array).map(Vec::as_slice);
    let (field, mask) = match masked {
        Some([field, mask]) => (field, flag_bits(mask)),
        Some(_) => return None,
        None => (left, Some(u8::MAX)),
    };
    let payload = field.get("payload")?;
    let word = |key: &str| payload.get(key).and_then(Json::as_str);
    if (word("protocol"), word("field")) != (Some("tcp"), Some("flags")) {
        return None;
    }
    let condition = match (mask, flag_bits(right), operator) {
        (Some(mask), Some(bits), "in") => (mask & bits, 0, true),
        (Some(mask), Some(bits), "==") => (mask, bits, false),
        (Some(mask), Some(bits), "!=") => (mask, bits, true),
        _ => return Some(Condition::new(Field::HeaderOf(TCP), vec![Value::Unknown], false)),
    };
    let (mask, bits, negated) = condition;
    Some(Condition::new(Field::TcpFlags(mask), vec![Value::one(u32::from(bits))], negated))
}

/// `"syn"`, `["syn", "ack"]`, `{"|": ["syn", "ack"]}`, or a number.
fn flag_bits(json: &Json) -> Option<u8> {
    let list = json.as_array().or_else(|| json.get("|").and_then(Json::as_array));
    match (list, json.as_str(), json.as_u64()) {
        (Some(list), _, _) => {
            let bits = |all: u8, one: &Json| {
                Some(all | one.as_str().and_then(|word| words::flags([word].into_iter()))?)
            };
            list.iter().take(FIELDS_MAX).try_fold(0, bits)
        }
        (_, Some(word), _) => words::flags([word].into_iter()),
        (_, _, Some(number)) => u8::try_from(number).ok(),
        _ => None,
    }
}

/// Parses `fib saddr . iif oif missing`, which is true if there is no route back; returns whether the
/// condition is negated.
fn way_back(left: &Json, right: &Json, operator: &str) -> Option<bool> {
    let result = left.get("fib")?.get("result")?.as_str()?;
    if !matches!(result, "oif" | "oifname" | "check") || !flags_of_fib(left).contains(&"saddr") {
        return None;
    }
    let missing = match right {
        Json::Bool(there) => !there,
        Json::Number(number) => number.as_u64() == Some(0),
        Json::String(word) if word == "missing" || word == "0" => true,
        Json::String(word) if word == "exists" => false,
        _ => return None,
    };
    Some(missing == (operator == "!="))
}

fn translation(key: &str, body: &Json) -> Action {
    let address = body.get("addr").map(|address| address.as_str().and_then(|text| text.parse().ok()));
    let target = match address {
        Some(Some(address)) => Target::Address(address),
        Some(None) => Target::Unknown,
        None => Target::Own,
    };
    match key {
        "masquerade" => Action::Source(Target::Own),
        "redirect" => Action::Destination(Target::Own),
        "snat" => Action::Source(target),
        _ => Action::Destination(target),
    }
}

fn changed(body: &Json) -> Action {
    let key = body.get("key");
    let is_mark =
        |of: &str| key.and_then(|key| key.get(of)?.get("key")).and_then(Json::as_str) == Some("mark");
    if is_mark("meta") || is_mark("ct") {
        return Action::SetMark;
    }
    match key.and_then(|key| key.get("tcp option")?.get("name")).and_then(Json::as_str) {
        Some("maxseg") => Action::ClampMss,
        _ => Action::Effect(change(key)),
    }
}

/// The effect of an assignment to a field.
fn change(key: Option<&Json>) -> Effect {
    let word = |of: &str, name: &str| key?.get(of)?.get(name)?.as_str();
    match (word("meta", "key"), word("ct", "key"), word("payload", "protocol"), word("payload", "field")) {
        (Some("nftrace"), ..) => Effect::Trace,
        (Some(name), ..) => Effect::Change(format!("meta {name}")),
        (_, Some(_), ..) => Effect::Connection,
        (_, _, Some(protocol), Some(field)) => Effect::Change(format!("{protocol} {field}")),
        _ => Effect::Change("a field".to_owned()),
    }
}

/// Handles an extension of iptables, of which nft shows only the name.
fn foreign(body: &Json, steps: &mut Vec<Step>) {
    let word = |key: &str| body.get(key).and_then(Json::as_str).unwrap_or_default();
    let action = match (word("type"), word("name")) {
        ("match", "comment") => return,
        ("match", name) => {
            steps.extend(effect_of(name).map(|effect| Step::Do(Action::Effect(effect))));
            steps.push(Step::If(Condition::unknown()));
            return;
        }
        ("target" | "watcher", name) => match name {
            "LOG" | "NFLOG" => Action::Effect(Effect::Log),
            "CT" => Action::Effect(Effect::Connection),
            "TEE" => Action::Effect(Effect::Copy),
            "CHECKSUM" | "TOS" | "DSCP" | "TTL" | "CLASSIFY" => {
                Action::Effect(Effect::Other(name.to_owned()))
            }
            "REJECT" => Action::Reject,
            "MASQUERADE" => Action::Source(Target::Own),
            "SNAT" => Action::Source(Target::Unknown),
            "DNAT" => Action::Destination(Target::Unknown),
            "REDIRECT" => Action::Destination(Target::Own),
            "MARK" | "CONNMARK" => Action::SetMark,
            "TCPMSS" => Action::ClampMss,
            other => Action::Unknown(format!("xt {}", other.chars().take(64).collect::<String>())),
        },
        // Newer versions print neither.
        _ => {
            steps.push(Step::If(Condition::unknown()));
            Action::Unknown("xt".to_owned())
        }
    };
    steps.push(Step::Do(action));
}
