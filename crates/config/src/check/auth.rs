//! `[auth]`, against the encryption that groups need.

use adit_diag::{AuthMethod, Code};
use adit_policy::Encryption;

use crate::book::Book;
use crate::finding::{Finding, Level};
use crate::model::Config;
use crate::tree::{Node, Value};
use crate::words;

/// Below this, a stolen hash of a login is broken in hours on one graphics card.
const SHORT: usize = 12;

pub(super) fn run(book: &mut Book<'_>, config: &Config) {
    for method in &config.auth.methods {
        if let Some(finding) = keyless(book, config, *method).or_else(|| weak(book, *method)) {
            book.push(finding);
        }
    }
    passwords(book, config);
}

/// The list item that names a method.
fn item<'a>(book: &Book<'a>, method: AuthMethod) -> Option<&'a Node> {
    match &book.entry(&["auth", "methods"])?.node.value {
        Value::List(items) => items.iter().find(|item| item.text().and_then(words::method) == Some(method)),
        _ => None,
    }
}

fn at(book: &Book<'_>, method: AuthMethod, code: Code, level: Level, message: String) -> Finding {
    match item(book, method) {
        Some(node) => book.at(&node.spot, code, level, "auth.methods", message),
        None => book.on(&["auth", "methods"], code, level, message),
    }
}

/// A method without keys where encryption is required: login works, and then nothing does.
fn keyless(book: &Book<'_>, config: &Config, method: AuthMethod) -> Option<Finding> {
    if method.gives_keys() {
        return None;
    }
    let required: Vec<&str> = std::iter::once(("everybody without a group", &config.access))
        .chain(config.groups.iter().map(|(name, access)| (name.as_str(), access)))
        .filter(|(_, access)| access.encryption == Encryption::Require)
        .map(|(name, _)| name)
        .collect();
    if required.is_empty() {
        return None;
    }
    let all = required.len() == config.groups.len() + 1;
    let word = method.word();
    let finding = if all {
        let message = format!("auth.methods has {word:?}, which gives no keys, and link.mppe is \"require\"");
        at(book, method, Code::F13, Level::Error, message)
    } else {
        let who = required.join(", ");
        let message =
            format!("auth.methods has {word:?}, which gives no keys; encryption is required for {who}");
        at(book, method, Code::F13, Level::Warning, message)
    };
    Some(finding.label("no call with it can come up").advice("methods = [\"mschap-v2\"]"))
}

fn weak(book: &Book<'_>, method: AuthMethod) -> Option<Finding> {
    let why = match method {
        AuthMethod::MsChapV2 => return None,
        AuthMethod::MsChapV1 => "has no proof of the server and gives weak keys",
        AuthMethod::ChapMd5 => "gives no keys, and needs passwords stored in clear",
        AuthMethod::Pap => "sends the password in clear",
    };
    let message = format!("auth.methods has {:?}: it {why}", method.word());
    let finding = at(book, method, Code::F14, Level::Warning, message);
    Some(finding.label("weak").advice("methods = [\"mschap-v2\"]"))
}

fn passwords(book: &mut Book<'_>, config: &Config) {
    let rules = &config.auth.password.rules;
    if rules.min_length < SHORT {
        let message = format!(
            "auth.password.min_length is {}: MS-CHAPv2 lets short ones be guessed offline",
            rules.min_length
        );
        let path = ["auth", "password", "min_length"];
        let finding = book.on(&path, Code::F14, Level::Warning, message).label(format!("{SHORT} or more"));
        let finding = match book.entry(&path) {
            Some(entry) => book.replacing(finding, &entry.node.spot, "14"),
            None => finding,
        };
        book.push(finding);
    }
}
