//! `[auth]`, and its consistency with the encryption that groups require.

use adit_diag::{AuthMethod, Code};
use adit_policy::{Encryption, Mfa};

use crate::finding::{Finding, Level};
use crate::model::Config;
use crate::report::Report;
use crate::tree::{Node, Value};
use crate::words;

/// A stolen hash of a password shorter than this is cracked in hours on one graphics card.
const SHORT: usize = 12;

pub(super) fn run(report: &mut Report<'_>, config: &Config) {
    for method in &config.auth.methods {
        if let Some(finding) = keyless(report, config, *method).or_else(|| weak(report, *method)) {
            report.push(finding);
        }
    }
    passwords(report, config);
    second_factor(report, config);
}

/// Notes the price of codes that follow the password.
fn second_factor(report: &mut Report<'_>, config: &Config) {
    let paths = std::iter::once((vec!["access", "mfa"], config.access.mfa));
    let groups =
        config.groups.iter().map(|(name, access)| (vec!["groups", name.as_str(), "mfa"], access.mfa));
    for (path, mfa) in paths.chain(groups) {
        if mfa == Mfa::Append && report.entry(&path).is_some() {
            let message = format!(
                "{} is \"append\": the clear-text passwords of these users are stored, sealed, and they cannot \
                 reconnect without a new code",
                path.join(".")
            );
            report.push(report.on(&path, Code::F14, Level::Note, message).label("has a price"));
        }
    }
}

/// The list item that names a method.
fn item<'a>(report: &Report<'a>, method: AuthMethod) -> Option<&'a Node> {
    match &report.entry(&["auth", "methods"])?.node.value {
        Value::List(items) => items.iter().find(|item| item.text().and_then(words::method) == Some(method)),
        _ => None,
    }
}

fn at(report: &Report<'_>, method: AuthMethod, code: Code, level: Level, message: String) -> Finding {
    match item(report, method) {
        Some(node) => report.at(&node.spot, code, level, "auth.methods", message),
        None => report.on(&["auth", "methods"], code, level, message),
    }
}

/// Reports a method without keys where encryption is required: login would succeed, and then MPPE fail.
fn keyless(report: &Report<'_>, config: &Config, method: AuthMethod) -> Option<Finding> {
    if method.gives_keys() {
        return None;
    }
    let required: Vec<&str> = std::iter::once(("users without a group", &config.access))
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
        at(report, method, Code::F13, Level::Error, message)
    } else {
        let who = required.join(", ");
        let message =
            format!("auth.methods has {word:?}, which gives no keys; encryption is required for {who}");
        at(report, method, Code::F13, Level::Warning, message)
    };
    Some(finding.label("no call with it can come up").advice("methods = [\"mschap-v2\"]"))
}

fn weak(report: &Report<'_>, method: AuthMethod) -> Option<Finding> {
    let why = match method {
        AuthMethod::MsChapV2 => return None,
        AuthMethod::MsChapV1 => "has no proof of the server and gives weak keys",
        AuthMethod::ChapMd5 => "gives no keys, and needs passwords stored in clear",
        AuthMethod::Pap => "sends the password in clear",
    };
    let message = format!("auth.methods has {:?}: it {why}", method.word());
    let finding = at(report, method, Code::F14, Level::Warning, message);
    Some(finding.label("weak").advice("methods = [\"mschap-v2\"]"))
}

fn passwords(report: &mut Report<'_>, config: &Config) {
    let rules = &config.auth.password.rules;
    if rules.min_length < SHORT {
        let message = format!(
            "auth.password.min_length is {}: MS-CHAPv2 lets short ones be guessed offline",
            rules.min_length
        );
        let path = ["auth", "password", "min_length"];
        let finding = report.on(&path, Code::F14, Level::Warning, message).label(format!("{SHORT} or more"));
        let finding = match report.entry(&path) {
            Some(entry) => report.replacing(finding, &entry.node.spot, "14"),
            None => finding,
        };
        report.push(finding);
    }
}
