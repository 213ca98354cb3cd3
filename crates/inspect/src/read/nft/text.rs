//! The text of an nft rule, close enough to find it.

use std::fmt::Write as _;

use serde_json::Value as Json;

/// The most characters of a rule that are shown.
const TEXT_MAX: usize = 200;
/// The most values of a list that are shown.
const LIST_MAX: usize = 8;

pub(super) fn rule(expressions: &[Json], comment: Option<&str>) -> String {
    let mut text = String::new();
    for expression in expressions {
        let Some((key, body)) = expression.as_object().and_then(|object| object.iter().next()) else {
            continue;
        };
        if key == "counter" {
            continue;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        statement(&mut text, key, body);
        if text.len() > TEXT_MAX {
            break;
        }
    }
    if let Some(comment) = comment {
        let _ = write!(text, " comment \"{comment}\"");
    }
    plain(&text)
}

/// Makes a text printable and short.
fn plain(text: &str) -> String {
    let mut out: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_MAX).collect();
    if text.chars().nth(TEXT_MAX).is_some() {
        out.push('…');
    }
    out
}

fn statement(text: &mut String, key: &str, body: &Json) {
    let word = |key: &str| body.get(key).and_then(Json::as_str).unwrap_or_default();
    let _ = match key {
        "match" => {
            if let (Some(left), Some(right)) = (body.get("left"), body.get("right")) {
                expression(text, left, 0);
                text.push(' ');
                if !matches!(word("op"), "==" | "in" | "") {
                    let _ = write!(text, "{} ", word("op"));
                }
                expression(text, right, 0);
            }
            Ok(())
        }
        "vmap" => {
            if let (Some(key), Some(data)) = (body.get("key"), body.get("data")) {
                expression(text, key, 0);
                text.push_str(" vmap ");
                expression(text, data, 0);
            }
            Ok(())
        }
        "jump" | "goto" => write!(text, "{key} {}", word("target")),
        "limit" => {
            let over = if body.get("inv").and_then(Json::as_bool) == Some(true) { "over " } else { "" };
            let rate = body.get("rate").and_then(Json::as_u64).unwrap_or_default();
            write!(text, "limit rate {over}{rate}/{}", word("per"))
        }
        "reject" => match (word("type"), word("expr")) {
            ("", _) => write!(text, "reject"),
            (kind, "") => write!(text, "reject with {kind}"),
            (kind, code) => write!(text, "reject with {kind} {code}"),
        },
        "snat" | "dnat" => {
            let _ = write!(text, "{key} to ");
            body.get("addr").into_iter().for_each(|address| expression(text, address, 0));
            Ok(())
        }
        "redirect" => match body.get("port").and_then(Json::as_u64) {
            Some(port) => write!(text, "redirect to :{port}"),
            None => write!(text, "redirect"),
        },
        "log" => write!(text, "log"),
        "ct helper" => write!(text, "ct helper set \"{}\"", body.as_str().unwrap_or_default()),
        "xt" => write!(text, "xt {} {}", word("type"), word("name")),
        "mangle" => {
            body.get("key").into_iter().for_each(|key| expression(text, key, 0));
            text.push_str(" set ");
            body.get("value").into_iter().for_each(|value| expression(text, value, 0));
            Ok(())
        }
        _ => write!(text, "{key}"),
    };
}

/// The greatest depth that is printed.
const DEPTH_MAX: u8 = 6;

fn expression(text: &mut String, json: &Json, depth: u8) {
    if depth > DEPTH_MAX || text.len() > TEXT_MAX {
        return;
    }
    let list = |text: &mut String, list: &[Json], between: &str| {
        for (index, one) in list.iter().take(LIST_MAX).enumerate() {
            if index > 0 {
                text.push_str(between);
            }
            expression(text, one, depth + 1);
        }
        if list.len() > LIST_MAX {
            text.push_str(", …");
        }
    };
    let (key, body) = match json {
        Json::String(word) => return text.push_str(word),
        Json::Array(parts) => match parts.as_slice() {
            [key, verdict @ Json::Object(_)] => {
                expression(text, key, depth + 1);
                text.push_str(" : ");
                if let Some((word, body)) = verdict.as_object().and_then(|object| object.iter().next()) {
                    statement(text, word, body);
                }
                return;
            }
            parts => return list(text, parts, ","),
        },
        Json::Object(object) => match object.iter().next() {
            Some(entry) => entry,
            None => return,
        },
        other => {
            let _ = write!(text, "{other}");
            return;
        }
    };
    let word = |key: &str| body.get(key).and_then(Json::as_str).unwrap_or_default();
    match (key.as_str(), body) {
        ("meta", _) => match word("key") {
            name @ ("iif" | "iifname" | "oif" | "oifname") => text.push_str(name),
            name => text.push_str(&format!("meta {name}")),
        },
        ("payload", _) => text.push_str(&format!("{} {}", word("protocol"), word("field"))),
        ("ct", _) => text.push_str(&format!("ct {}", word("key"))),
        ("prefix", _) => {
            let length = body.get("len").and_then(Json::as_u64).unwrap_or_default();
            text.push_str(&format!("{}/{length}", word("addr")));
        }
        ("set", Json::Array(values)) => {
            text.push_str("{ ");
            list(text, values, ", ");
            text.push_str(" }");
        }
        ("range", Json::Array(ends)) => list(text, ends, "-"),
        ("concat", Json::Array(parts)) => list(text, parts, " . "),
        ("&", Json::Array(parts)) => list(text, parts, " & "),
        ("elem", _) => body.get("val").into_iter().for_each(|value| expression(text, value, depth + 1)),
        ("fib", _) => {
            text.push_str("fib ");
            body.get("flags").into_iter().for_each(|flags| expression(text, flags, depth + 1));
            text.push_str(&format!(" {}", word("result")));
        }
        (other, _) => text.push_str(other),
    }
}
