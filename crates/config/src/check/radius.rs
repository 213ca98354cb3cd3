//! `[auth.radius]`.

use std::time::Duration;

use adit_diag::Code;
use adit_policy::access::Mfa;

use crate::finding::Level;
use crate::model::{AuthSource, Config, Radius};
use crate::read::show_duration;
use crate::report::Report;
use crate::tree::Value;

const TABLE: &[&str] = &["auth", "radius"];
const SOURCES: &[&str] = &["auth", "sources"];
const SETUP: &[&str] = &["link", "setup"];

/// The time that a call needs for everything but the answer of the source.
const REST: Duration = Duration::from_secs(10);

pub(super) fn run(report: &mut Report<'_>, config: &Config) {
    let is_used = config.auth.sources.contains(&AuthSource::Radius);
    if is_used {
        missing(report);
    }
    let Some(radius) = &config.auth.radius else { return };
    if !is_used {
        let message = "[auth.radius] has no effect: auth.sources does not have \"radius\"";
        let finding = report.on(&["auth", "radius", "servers"], Code::F20, Level::Warning, message);
        report.push(finding.label("never asked").advice("sources = [\"local\", \"radius\"]"));
        return;
    }
    unsigned(report, radius);
    next_if_unavailable(report, config, radius);
    time(report, config, radius);
    second_factor(report, config);
}

fn missing(report: &mut Report<'_>) {
    for (name, what, example) in [
        ("servers", "who is asked", "servers = [\"10.0.0.7\"]"),
        ("secret", "the secret shared with them", "secret = { file = \"/etc/adit/radius.secret\" }"),
    ] {
        if report.entry(&[TABLE, &[name]].concat()).is_none() {
            let message = format!("auth.sources has \"radius\", and auth.radius.{name} is missing");
            let finding = report.on(SOURCES, Code::F08, Level::Error, message);
            report.push(finding.label(what).advice(format!("[auth.radius]  {example}")));
        }
    }
}

/// Reports servers whose replies are not protected.
fn unsigned(report: &mut Report<'_>, radius: &Radius) {
    let path = [TABLE, &["accept_unsigned"]].concat();
    for (index, server) in radius.accept_unsigned.iter().enumerate() {
        let spot = report.entry(&path).and_then(|entry| match &entry.node.value {
            Value::List(items) => items.get(index).map(|item| item.spot.clone()),
            _ => None,
        });
        let (code, level, message, label, advice) = if radius.servers.contains(server) {
            let message = format!(
                "replies of {server} count without Message-Authenticator: an attacker between can forge them"
            );
            let advice = "update the server, then take it out (CVE-2024-3596)";
            (Code::F14, Level::Warning, message, "weak", advice)
        } else {
            let message =
                format!("auth.radius.accept_unsigned has {server}, which is not in auth.radius.servers");
            (Code::F09, Level::Error, message, "no such server", "address and port as in servers")
        };
        let key = path.join(".");
        let finding = match spot {
            Some(spot) => report.at(&spot, code, level, key, message),
            None => report.on(&path, code, level, message),
        };
        report.push(finding.label(label).advice(advice));
    }
}

/// Reports that a silent server lets another source decide.
fn next_if_unavailable(report: &mut Report<'_>, config: &Config, radius: &Radius) {
    if !radius.is_optional {
        return;
    }
    let path = [TABLE, &["on_unavailable"]].concat();
    let has_next = config.auth.sources.last() != Some(&AuthSource::Radius);
    let finding = if has_next {
        let message = "auth.radius.on_unavailable is \"next\": while no server answers, the accounts of the next source log in, \
                       whatever the servers would say";
        report.on(&path, Code::F14, Level::Warning, message).label("weak")
    } else {
        let message = "auth.radius.on_unavailable is \"next\", and there is no source after \"radius\"";
        report.on(&path, Code::F20, Level::Warning, message).label("no effect")
    };
    report.push(finding.advice("on_unavailable = \"refuse\""));
}

/// Reports that a second factor is required only of the accounts of adit.
fn second_factor(report: &mut Report<'_>, config: &Config) {
    let groups =
        config.groups.iter().map(|(name, access)| (vec!["groups", name.as_str(), "mfa"], access.mfa));
    let all = std::iter::once((vec!["access", "mfa"], config.access.mfa)).chain(groups);
    for (path, _) in
        all.filter(|(path, mfa)| *mfa == Mfa::Append && report.entry(path).is_some()).collect::<Vec<_>>()
    {
        let message = format!(
            "{} is \"append\": users whom a RADIUS server accepts need no code of adit",
            path.join(".")
        );
        let finding = report.on(&path, Code::F14, Level::Warning, message).label("not for users of RADIUS");
        report.push(finding.advice("let the RADIUS server require the second factor of its users"));
    }
}

/// Reports a set-up time in which the servers cannot answer.
fn time(report: &mut Report<'_>, config: &Config, radius: &Radius) {
    let (setup, timeout) = (config.link.setup, radius.timeout);
    let servers = u32::try_from(radius.servers.len()).unwrap_or(u32::MAX);
    let (one, all) = (timeout + REST, timeout.saturating_mul(servers) + REST);
    let (level, needed, message) = if setup < one {
        let message = format!(
            "link.setup {} ends a call before auth.radius.timeout {}",
            show_duration(setup),
            show_duration(timeout)
        );
        (Level::Error, one, message)
    } else if setup < all {
        let message = format!(
            "link.setup {} ends a call before the last of {servers} RADIUS servers was asked for {}",
            show_duration(setup),
            show_duration(timeout)
        );
        (Level::Warning, all, message)
    } else {
        return;
    };
    let needed = show_duration(needed);
    let finding = report.on(SETUP, Code::F06, level, message).label(format!("{needed} or more"));
    report.push(finding.advice(format!("[link]  setup = \"{needed}\"")));
}
