//! `[access]` and `[groups.*]`.

use std::net::Ipv4Addr;

use adit_diag::{Code, nearest};
use adit_policy::{Access, Tunnel};

use crate::check::{below, pool_path};
use crate::finding::Level;
use crate::model::Config;
use crate::read::quote;
use crate::report::Report;

pub(super) fn run(report: &mut Report<'_>, config: &Config) {
    check(report, config, &["access"], &config.access);
    for (name, access) in &config.groups {
        check(report, config, &["groups", name], access);
    }
}

fn check(report: &mut Report<'_>, config: &Config, path: &[&str], access: &Access) {
    pool(report, config, path, access);
    routes(report, config, path, access);
    idle(report, path, access);
}

/// The path of a group's value: in its own table, or in `[access]` if it is inherited.
fn written<'a>(report: &Report<'_>, path: &[&'a str], name: &'a str) -> Vec<&'a str> {
    let own = below(path, name);
    if report.entry(&own).is_some() || path == ["access"] { own } else { vec!["access", name] }
}

/// Whether this table sets any of these keys itself; inherited values are checked in `[access]`.
fn is_set(report: &Report<'_>, path: &[&str], names: &[&str]) -> bool {
    path == ["access"] || names.iter().any(|name| report.entry(&below(path, name)).is_some())
}

fn pool(report: &mut Report<'_>, config: &Config, path: &[&str], access: &Access) {
    if config.pools.contains_key(&access.pool) || config.pools.is_empty() || !is_set(report, path, &["pool"])
    {
        return;
    }
    let key = below(path, "pool");
    if report.entry(&["pools", &access.pool]).is_some()
        || (access.pool == "default" && report.entry(&["pool"]).is_some())
    {
        return; // the pool exists but has no network, which its own check reports
    }
    let names: Vec<&str> = config.pools.keys().map(String::as_str).collect();
    let message =
        format!("{} names the pool {:?}, there is {}", key.join("."), access.pool, names.join(", "));
    let mut finding = report.on(&key, Code::F09, Level::Error, message).label("no such pool");
    match (report.entry(&key), nearest(&access.pool, names.iter().copied())) {
        (Some(entry), Some(meant)) => finding = report.replacing(finding, &entry.node.spot, quote(meant)),
        (Some(_), None) => {
            finding = finding.advice(format!("[pools.{}]  net = \"10.99.1.0/24\"", access.pool))
        }
        (None, _) => {
            finding = finding.advice(format!("[access]  pool = {}", quote(names.first().unwrap_or(&""))))
        }
    }
    report.push(finding);
}

fn routes(report: &mut Report<'_>, config: &Config, path: &[&str], access: &Access) {
    if !is_set(report, path, &["routes", "tunnel", "pool"]) {
        return;
    }
    let key = written(report, path, "routes");
    let is_set_here = report.entry(&key).is_some();
    if access.tunnel == Tunnel::All {
        if is_set_here && is_set(report, path, &["routes"]) && !access.routes.is_empty() {
            let message =
                format!("{} is not sent to clients: tunnel = \"all\" sends everything here", key.join("."));
            let finding = report.on(&key, Code::F20, Level::Note, message);
            report.push(finding);
        }
        return;
    }
    // Rules of their own may name what the routes do not.
    if access.routes.is_empty() && access.acl.is_some() {
        return;
    }
    if access.routes.is_empty() {
        let message = format!("[{}] has no routes: clients reach nothing but this server", path.join("."));
        let finding = report.on(&key, Code::F22, Level::Warning, message);
        report.push(finding.advice("routes = [\"192.168.10.0/24\"], or tunnel = \"all\""));
        return;
    }
    if access.routes.iter().any(|net| net.prefix_len() == 0) {
        let message = format!(
            "{} covers all traffic; with tunnel = \"all\" clients get a default route",
            key.join(".")
        );
        let finding = report.on(&key, Code::F20, Level::Warning, message);
        report.push(finding.label("0.0.0.0/0 is no split tunnel").advice("tunnel = \"all\""));
        return;
    }
    dns(report, config, path, access);
}

/// Reports DNS servers that clients receive but cannot reach.
fn dns(report: &mut Report<'_>, config: &Config, path: &[&str], access: &Access) {
    let Some(pool) = config.pools.get(&access.pool) else { return };
    let reached =
        |server: &Ipv4Addr| *server == pool.server || access.routes.iter().any(|net| net.contains(server));
    for server in pool.dns.iter().filter(|server| !reached(server)) {
        let table = pool_path(report, &pool.name);
        let key = below(&table, "dns");
        let who = path.join(".");
        let message =
            format!("{} {server} is outside the routes of [{who}]: clients cannot ask it", key.join("."));
        let item = report.entry(&key).and_then(|entry| match &entry.node.value {
            crate::tree::Value::List(items) => {
                items.iter().find(|item| item.text() == Some(&server.to_string())).map(|item| &item.spot)
            }
            _ => None,
        });
        let finding = match item {
            Some(spot) => report.at(spot, Code::F16, Level::Warning, key.join("."), message),
            None => report.on(&key, Code::F16, Level::Warning, message),
        };
        let routes = access.routes.iter().map(|net| quote(&net.to_string()));
        let routes: Vec<String> = routes.chain([quote(&format!("{server}/32"))]).collect();
        report.push(finding.label("not in any route").advice(format!("routes = [{}]", routes.join(", "))));
    }
}

/// Reports an idle limit above the limit of the whole session.
fn idle(report: &mut Report<'_>, path: &[&str], access: &Access) {
    let (Some(idle), Some(max)) = (access.idle, access.max) else { return };
    if idle <= max || !is_set(report, path, &["idle", "max"]) {
        return;
    }
    let key = written(report, path, "idle");
    let message = format!("{} is longer than max: the session ends before it", key.join("."));
    let finding = report.on(&key, Code::F20, Level::Note, message);
    report.push(finding);
}
