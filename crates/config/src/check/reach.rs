//! Access lists, and the `[[test]]` tables about them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use adit_diag::Code;
use adit_policy::Access;
use adit_policy::reach::{Action, Answer, Decider, Locals, Outcome, Question, Reach, Shadowed, Target};
use ipnet::IpNet;

use crate::check::{below, pool_path};
use crate::finding::{Finding, Level};
use crate::model::{Config, ReachTest, TestAs};
use crate::report::Report;
use crate::tree::{Spot, Value};

pub(super) fn run(report: &mut Report<'_>, config: &Config) {
    let locals = locals(config.own_addresses());
    check(report, config, &["access"], &config.access, &config.reach(None, Arc::clone(&locals)));
    for (name, access) in &config.groups {
        let reach = config.reach(Some(name), Arc::clone(&locals));
        check(report, config, &["groups", name], access, &reach);
    }
    tests(report, config, &locals, |_| true);
}

/// The tests about other addresses of this host: the configuration alone does not show that they are local.
pub(super) fn run_host(report: &mut Report<'_>, config: &Config, addresses: impl Iterator<Item = Ipv4Addr>) {
    let known = locals(config.own_addresses());
    let all = locals(config.own_addresses().chain(addresses));
    tests(report, config, &all, |to| all.contains_v4(to) && !known.contains_v4(to));
}

fn locals(addresses: impl Iterator<Item = Ipv4Addr>) -> Arc<Locals> {
    Arc::new(Locals::new(addresses.map(|address| IpNet::V4(address.into()))))
}

fn check(report: &mut Report<'_>, config: &Config, path: &[&str], access: &Access, reach: &Reach) {
    // An inherited list is checked where it is written.
    let key = below(path, "acl");
    if report.entry(&key).is_some() {
        for shadowed in reach.acl.shadowed() {
            if report.is_full() {
                return;
            }
            never_matches(report, &key, reach, shadowed);
        }
        decided_before(report, config, &key, access);
    }
    let is_set = ["acl", "server", "pool"].iter().any(|name| report.entry(&below(path, name)).is_some());
    if is_set || path == ["access"] {
        name_servers(report, config, path, access, reach);
    }
}

/// The place of an entry of a list.
fn item(report: &Report<'_>, path: &[&str], index: usize) -> Option<Spot> {
    match &report.entry(path)?.node.value {
        Value::List(items) => items.get(index).map(|item| item.spot.clone()),
        _ => None,
    }
}

fn finding_at(
    report: &Report<'_>,
    path: &[&str],
    index: usize,
    (code, level): (Code, Level),
    message: String,
) -> Finding {
    match item(report, path, index) {
        Some(spot) => report.at(&spot, code, level, path.join("."), message),
        None => report.on(path, code, level, message),
    }
}

fn never_matches(report: &mut Report<'_>, key: &[&str], reach: &Reach, shadowed: Shadowed) {
    let named = |number: u32| shown(reach, Decider::Rule(number));
    let rule = named(shadowed.rule);
    let (why, fix) = match shadowed.by {
        Some(by) => {
            let by_key = reach.key(Decider::Rule(by));
            (format!("{} decides first", named(by)), format!("remove it, or move it before {by_key}"))
        }
        None => {
            ("the rules before it together decide first".to_owned(), "remove it, or move it up".to_owned())
        }
    };
    let message = format!("{rule} never matches: {why}");
    let finding = finding_at(report, key, shadowed.rule as usize, (Code::F23, Level::Warning), message);
    report.push(finding.label("never matches").advice(fix));
}

/// Reports allow rules for destinations about which something else decides before the rules.
fn decided_before(report: &mut Report<'_>, config: &Config, key: &[&str], access: &Access) {
    let own: Vec<Ipv4Addr> = config.own_addresses().collect();
    for (index, rule) in access.acl.iter().flatten().enumerate() {
        let Target::Net(net) = rule.target else { continue };
        if rule.action != Action::Allow {
            continue;
        }
        let pool = config.pools.values().find(|pool| pool.net.contains(&net));
        let (decider, fix) = if net.prefix_len() == 32 && own.contains(&net.addr()) {
            (&access.keys.server, "name the service there, as in \"ping+dns+tcp/443\"".to_owned())
        } else if pool.is_some() && !access.client_to_client {
            (&access.keys.client_to_client, format!("{} = true", access.keys.client_to_client))
        } else {
            continue;
        };
        let message = format!(
            "{}[{index}] {:?} has no effect: {decider} decides first",
            key.join("."),
            rule.to_string()
        );
        let finding = finding_at(report, key, index, (Code::F20, Level::Warning), message);
        report.push(finding.label("never used").advice(fix));
    }
}

/// Reports DNS servers that clients receive and may not ask.
fn name_servers(report: &mut Report<'_>, config: &Config, path: &[&str], access: &Access, reach: &Reach) {
    let Some(pool) = config.pools.get(&access.pool) else { return };
    for (index, server) in pool.dns.iter().enumerate() {
        let question = Question { address: *server, what: Some((adit_policy::reach::UDP, 53)) };
        let Answer { outcome: Outcome::Denied, by } = reach.answer(question) else { continue };
        let decider = by.first().copied().unwrap_or(Decider::End);
        let key = below(&pool_path(report, &pool.name), "dns");
        let who = path.join(".");
        let message = format!(
            "{} {server} may not be asked by clients of [{who}]: {}",
            key.join("."),
            shown(reach, decider)
        );
        let finding = finding_at(report, &key, index, (Code::F16, Level::Warning), message);
        let fix = match decider {
            Decider::Server => format!("{} = \"ping+dns\"", reach.keys.server),
            _ => format!("\"allow {server} udp 53\" and \"allow {server} tcp 53\" before it"),
        };
        report.push(finding.label("denied").advice(fix));
    }
}

/// Runs the tests of the destinations that `is_chosen`.
fn tests(
    report: &mut Report<'_>,
    config: &Config,
    locals: &Arc<Locals>,
    is_chosen: impl Fn(Ipv4Addr) -> bool,
) {
    let mut compiled: BTreeMap<Option<&str>, Reach> = BTreeMap::new();
    for (number, test) in config.tests.iter().enumerate() {
        if report.is_full() {
            return;
        }
        let (group, who) = match &test.user {
            TestAs::Default => (None, "users without a group".to_owned()),
            TestAs::Group(name) => (Some(name.as_str()), format!("group {name}")),
        };
        if let Some(name) = group.filter(|name| !config.groups.contains_key(*name)) {
            unknown_group(report, config, number, name);
            continue;
        }
        let reach = compiled.entry(group).or_insert_with(|| config.reach(group, Arc::clone(locals)));
        run_test(report, number, test, (&who, reach), &is_chosen);
    }
}

fn run_test(
    report: &mut Report<'_>,
    number: usize,
    test: &ReachTest,
    (who, reach): (&str, &Reach),
    is_chosen: &impl Fn(Ipv4Addr) -> bool,
) {
    for (list, questions, wanted) in
        [("allow", &test.allow, Outcome::Allowed), ("deny", &test.deny, Outcome::Denied)]
    {
        for (index, question) in
            questions.iter().enumerate().filter(|(_, question)| is_chosen(question.address))
        {
            let answer = reach.answer(*question);
            if answer.outcome == wanted {
                continue;
            }
            let verb = if wanted == Outcome::Allowed { "must reach" } else { "must not reach" };
            let message = format!("{who} {verb} {question}, but {}", against(reach, &answer, wanted));
            let key = format!("test[{number}].{list}");
            let finding = match place(report, number, list, index) {
                Some(spot) => report.at(&spot, Code::F24, Level::Error, key, message),
                None => Finding::new(Code::F24, Level::Error, key, message),
            };
            let label = match answer.outcome {
                Outcome::Allowed => "is allowed",
                Outcome::Denied => "is denied",
                Outcome::Partly => "some packets are allowed, others are not",
            };
            report.push(finding.label(label).advice("change the rules, or the test"));
        }
    }
}

/// What contradicts a test.
fn against(reach: &Reach, answer: &Answer, wanted: Outcome) -> String {
    let allows = |by: &Decider| match by {
        Decider::Rule(_) => reach.rule(*by).is_some_and(|rule| rule.action == Action::Allow),
        Decider::Server => answer.outcome != Outcome::Denied,
        _ => false,
    };
    let wants_allowed = wanted == Outcome::Allowed;
    let contrary = answer.by.iter().find(|by| allows(by) != wants_allowed).or(answer.by.first());
    let verb = if wants_allowed { "denies" } else { "allows" };
    match contrary {
        Some(Decider::End) => format!("no rule of {} allows all of it", reach.key(Decider::End)),
        Some(by) => format!("{} {verb} it", shown(reach, *by)),
        None => format!("nothing {verb} it"),
    }
}

/// A decider with its key and value: `access.acl[2] "deny any log"`.
fn shown(reach: &Reach, by: Decider) -> String {
    match by {
        Decider::Rule(_) if reach.keys.acl.is_none() => {
            format!("{}, by default {:?}", reach.key(by), reach.value(by))
        }
        Decider::Rule(_) => format!("{} {:?}", reach.key(by), reach.value(by)),
        Decider::Server => format!("{} = {:?}", reach.key(by), reach.value(by)),
        Decider::Clients => format!("{} = {}", reach.key(by), reach.value(by)),
        Decider::End | Decider::Source => format!("no rule of {} allows it", reach.key(by)),
    }
}

/// The place of a destination of a test.
fn place(report: &Report<'_>, number: usize, list: &str, index: usize) -> Option<Spot> {
    let Value::List(tests) = &report.entry(&["test"])?.node.value else { return None };
    match &tests.get(number)?.node_at(list)?.value {
        Value::List(items) => items.get(index).map(|item| item.spot.clone()),
        _ => None,
    }
}

fn unknown_group(report: &mut Report<'_>, config: &Config, number: usize, name: &str) {
    let names: Vec<&str> = config.groups.keys().map(String::as_str).collect();
    let there =
        if names.is_empty() { "there is none".to_owned() } else { format!("there is {}", names.join(", ")) };
    let message = format!("test[{number}] names the group {name:?}, {there}");
    let key = format!("test[{number}].as");
    let spot = report.entry(&["test"]).and_then(|entry| match &entry.node.value {
        Value::List(tests) => tests.get(number)?.node_at("as").map(|node| node.spot.clone()),
        _ => None,
    });
    let meant = adit_diag::nearest(name, names.iter().copied());
    let finding = match &spot {
        Some(spot) => report.at(spot, Code::F09, Level::Error, key, message),
        None => Finding::new(Code::F09, Level::Error, key, message),
    };
    let finding = finding.label("no such group");
    let finding = match (spot, meant) {
        (Some(spot), Some(meant)) => {
            report.replacing(finding, &spot, crate::read::quote(&format!("group:{meant}")))
        }
        _ => finding.advice(format!("[groups.{name}], or as = \"default\"")),
    };
    report.push(finding);
}
