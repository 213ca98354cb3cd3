//! Values with a syntax of their own.

use std::path::PathBuf;

use adit_diag::Code;
use adit_password::{MIN_LETTERS, letters};
use adit_policy::DomainRule;

use crate::model::{LogTarget, Mss, SecretSource, StoreUrl};
use crate::read::simple::choices;
use crate::read::{Problem, Read, boolean, list, number, quote, text, want_text, wrong_type};
use crate::tree::{Node, Value};

/// The longest name of a pool or group.
const MAX_NAME: usize = 32;

/// The longest entry of a blocklist, in octets, and the most entries.
const MAX_PASSPHRASE: usize = 256;
const MAX_BLOCKED: usize = 1024;

/// Whether a table may have this name. The caller reports the problem, because a key has no node.
pub(crate) fn good_name(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(letters)
}

/// The name of a pool.
pub(crate) fn pool_name(node: &Node) -> Read<String> {
    let name = want_text(node, "the name of a pool")?;
    if good_name(name) {
        return Ok(name.to_owned());
    }
    Problem::new(node, Code::F04, format!("{name:?} is not the name of a pool"))
        .label("1 to 32 letters, digits, dots, hyphens and underscores")
        .fail()
}

/// The location of a secret, never the secret itself.
pub(crate) fn secret(node: &Node) -> Read<SecretSource> {
    const WAYS: [&str; 3] = ["file", "env", "credential"];
    let table = match &node.value {
        Value::Table(table) => table,
        Value::Text(path) if path.starts_with('/') => {
            let with = format!("{{ file = {} }}", quote(path));
            return Problem::new(node, Code::F02, "must say where the secret is").with(with).fail();
        }
        Value::Text(_) => {
            return Problem::new(node, Code::F02, "must not hold the secret itself")
                .label("secrets do not belong into this file")
                .advice("write the secret into a file of its own and name it: { file = \"/etc/adit/…\" }")
                .fail();
        }
        _ => {
            return Err(vec![wrong_type(
                node,
                "{ file = \"…\" }, { env = \"…\" } or { credential = \"…\" }",
            )]);
        }
    };
    let mut entries = table.iter();
    let (Some((way, entry)), None) = (entries.next(), entries.next()) else {
        let message = format!("needs exactly one of {}", choices(&WAYS));
        return Problem::new(node, Code::F06, message).label("one of them").fail();
    };
    let value = &entry.node;
    match way.as_str() {
        "file" => absolute(value).map(SecretSource::File),
        "env" => text(value, 255).map(SecretSource::Env),
        "credential" => text(value, 255).map(SecretSource::Credential),
        other => {
            let path = value.text().is_some_and(|text| text.starts_with('/'));
            let meant = if path { Some("file") } else { adit_diag::nearest(other, WAYS) };
            let meant = meant.zip(value.text()).map(|(way, text)| format!("{{ {way} = {} }}", quote(text)));
            Problem::new(node, Code::F03, format!("has no way {other:?}"))
                .label(choices(&WAYS))
                .maybe(meant)
                .fail()
        }
    }
}

/// An absolute path.
fn absolute(node: &Node) -> Read<PathBuf> {
    let path = text(node, 4096)?;
    if path.starts_with('/') {
        return Ok(PathBuf::from(path));
    }
    let meant = path.strip_prefix("~/").is_none().then(|| quote(&format!("/etc/adit/{path}")));
    Problem::new(node, Code::F06, format!("{path:?} must be a whole path, from /"))
        .label("begins with /")
        .maybe(meant)
        .fail()
}

/// A database URL.
pub(crate) fn store_url(node: &Node) -> Read<StoreUrl> {
    let url = text(node, 4096)?;
    let bad = |message: String| Problem::new(node, Code::F07, message).label("\"sqlite:/path/to/adit.db\"");
    match url.split_once(':') {
        Some(("sqlite", ":memory:")) => Ok(StoreUrl::Memory),
        Some(("sqlite", path)) => {
            // Other programs write sqlite:///path.
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.starts_with('/') {
                return Ok(StoreUrl::Sqlite(PathBuf::from(path)));
            }
            bad(format!("{url:?} must hold a whole path, from /")).fail()
        }
        Some(("postgres" | "postgresql", _)) => bad("cannot be PostgreSQL in this version".to_owned()).fail(),
        _ if url.starts_with('/') => {
            bad(format!("{url:?} does not name a database")).with(quote(&format!("sqlite:{url}"))).fail()
        }
        _ => bad(format!("{url:?} is not a database")).fail(),
    }
}

/// The handling of `DOMAIN\` in user names.
pub(crate) fn domain_rule(node: &Node) -> Read<DomainRule> {
    let rule = want_text(node, "a text")?;
    match rule {
        "strip" => return Ok(DomainRule::Strip),
        "keep" => return Ok(DomainRule::Keep),
        _ => {}
    }
    if let Some(domain) = rule.strip_prefix("require:")
        && !domain.is_empty()
        && !domain.contains(['\\', '@', ' '])
    {
        return Ok(DomainRule::Require(domain.to_owned()));
    }
    let words = "\"strip\", \"keep\" or \"require:DOMAIN\"";
    let meant = adit_diag::nearest(rule, ["strip", "keep"]).map(quote);
    Problem::new(node, Code::F07, format!("cannot be {rule:?}, it must be {words}"))
        .label(words)
        .maybe(meant)
        .fail()
}

/// The MSS of TCP connections.
pub(crate) fn mss(node: &Node) -> Read<Mss> {
    match &node.value {
        Value::Text(word) if word == "clamp" => Ok(Mss::Clamp),
        Value::Text(word) if word == "off" => Ok(Mss::Off),
        Value::Number(_) => {
            let size = number(node, &(256..=1460))?;
            Ok(Mss::Size(u16::try_from(size).unwrap_or(1360)))
        }
        Value::Text(word) => {
            let number = word.parse::<u16>().ok().map(|size| size.to_string());
            let meant = number.or_else(|| adit_diag::nearest(word, ["clamp", "off"]).map(quote));
            let words = "\"clamp\", \"off\" or a number";
            Problem::new(node, Code::F07, format!("cannot be {word:?}, it must be {words}"))
                .label(words)
                .maybe(meant)
                .fail()
        }
        _ => Err(vec![wrong_type(node, "\"clamp\", \"off\" or a number")]),
    }
}

/// `"auto"`, which is `None`, or one of the `allowed` numbers.
pub(crate) fn auto_or(node: &Node, allowed: &[i64]) -> Read<Option<i64>> {
    let numbers: Vec<String> = allowed.iter().map(i64::to_string).collect();
    let expected = format!("\"auto\", {}", numbers.join(", "));
    match &node.value {
        Value::Text(word) if word == "auto" => Ok(None),
        Value::Number(number) if allowed.contains(number) => Ok(Some(*number)),
        Value::Number(number) => {
            Problem::new(node, Code::F07, format!("cannot be {number}, it must be one of {expected}"))
                .label(expected)
                .fail()
        }
        Value::Text(word) => {
            let number = numbers.iter().find(|number| *number == word.trim()).cloned();
            let meant = number.or_else(|| adit_diag::nearest(word, ["auto"]).map(quote));
            Problem::new(node, Code::F07, format!("cannot be {word:?}, it must be one of {expected}"))
                .label(expected)
                .maybe(meant)
                .fail()
        }
        _ => Err(vec![wrong_type(node, &expected)]),
    }
}

/// The entries of a blocklist: `true` is a list without entries, `false` is `None`.
pub(crate) fn blocklist(node: &Node) -> Read<Option<Vec<String>>> {
    let entry = |node: &Node| {
        let entry = text(node, MAX_PASSPHRASE)?;
        let count = letters(&entry).chars().count();
        if count >= MIN_LETTERS {
            return Ok(entry);
        }
        Problem::new(
            node,
            Code::F06,
            format!("has an entry with {count} letters, it needs {MIN_LETTERS} or more"),
        )
        .label("digits and separators do not count")
        .fail()
    };
    match &node.value {
        Value::List(_) => list(node, &(1..=MAX_BLOCKED), entry).map(Some),
        Value::Bool(is_on) => Ok(is_on.then(Vec::new)),
        _ => {
            let meant =
                boolean(node).err().and_then(|problems| problems.into_iter().find_map(|one| one.with));
            let phrase = node.text().filter(|text| letters(text).chars().count() >= MIN_LETTERS);
            let meant = meant.or_else(|| phrase.map(|text| format!("[{}]", quote(text))));
            Err(vec![wrong_type(node, "true, false or a list in brackets").maybe(meant)])
        }
    }
}

/// A destination of log lines.
pub(crate) fn log_target(node: &Node) -> Read<LogTarget> {
    let words = "\"stderr\" or { file = \"/var/log/adit.log\" }";
    match &node.value {
        Value::Text(word) if word == "stderr" => Ok(LogTarget::Stderr),
        Value::Text(word) if word == "journal" || word == "journald" || word == "syslog" => {
            Problem::new(node, Code::F07, format!("cannot be {word:?} in this version, it must be {words}"))
                .label("the journal takes what a service writes to stderr")
                .with(quote("stderr"))
                .fail()
        }
        Value::Text(path) if path.starts_with('/') => {
            let with = format!("{{ file = {} }}", quote(path));
            Problem::new(node, Code::F07, format!("must be {words}")).with(with).fail()
        }
        Value::Text(word) => {
            let meant = adit_diag::nearest(word, ["stderr"]).map(quote);
            Problem::new(node, Code::F07, format!("cannot be {word:?}, it must be {words}"))
                .label(words)
                .maybe(meant)
                .fail()
        }
        Value::Table(table) => match (table.get("file"), table.len()) {
            (Some(entry), 1) => absolute(&entry.node).map(LogTarget::File),
            _ => Problem::new(node, Code::F07, format!("must be {words}")).label("{ file = \"…\" }").fail(),
        },
        _ => Err(vec![wrong_type(node, words)]),
    }
}
