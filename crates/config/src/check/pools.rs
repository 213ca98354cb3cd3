//! `[pool]` and `[pools.*]`.

use std::net::Ipv4Addr;

use adit_diag::Code;
use adit_policy::{PoolConfig, PoolError};
use ipnet::Ipv4Net;

use crate::check::{below, pool_path};
use crate::finding::Level;
use crate::model::Config;
use crate::read::{part_span, quote};
use crate::report::Report;
use crate::tree::{Node, Spot, Value};

pub(super) fn run(report: &mut Report<'_>, config: &Config) {
    both_forms(report);
    without_net(report);
    for pool in config.pools.values() {
        fits(report, pool);
        common_home(report, pool);
    }
    overlaps(report, config);
    unused(report, config);
}

fn both_forms(report: &mut Report<'_>) {
    if report.entry(&["pool"]).is_some()
        && let Some(named) = report.entry(&["pools", "default"])
    {
        let message = "[pool] is short for [pools.default]; both are here";
        let finding = report.at(&named.key, Code::F19, Level::Error, "pools.default", message);
        report.push(finding.label("keep one of them"));
    }
}

fn without_net(report: &mut Report<'_>) {
    let named = report.entry(&["pools"]).and_then(|entry| entry.node.table());
    let mut paths: Vec<Vec<&str>> =
        named.into_iter().flat_map(|table| table.keys()).map(|name| vec!["pools", name]).collect();
    if report.entry(&["pool"]).is_some() || paths.is_empty() {
        paths.push(vec!["pool"]);
    }
    for path in paths {
        let net = below(&path, "net");
        let table = report.entry(&path).is_none_or(|entry| entry.node.table().is_some());
        if table && report.entry(&net).is_none() {
            let message =
                format!("{} is missing: the network that client addresses come from", net.join("."));
            let finding = report.on(&net, Code::F08, Level::Error, message);
            report.push(finding.advice(format!("[{}]  net = \"10.99.0.0/24\"", path.join("."))));
        }
    }
}

/// Checks that range and server address are inside the network.
fn fits(report: &mut Report<'_>, pool: &PoolConfig) {
    let path = pool_path(report, &pool.name);
    let range_path = below(&path, "range");
    let server_path = below(&path, "server");
    let PoolConfig { net, server, .. } = pool;
    if net.prefix_len() > 30 {
        let message = format!("{}.net {net} has no room for a server and a client", path.join("."));
        let finding = report.on(&below(&path, "net"), Code::F06, Level::Error, message);
        report.push(finding.label("at least a /30"));
        return;
    }
    if let Some(entry) = report.entry(&range_path) {
        for (node, range) in range_nodes(&entry.node).into_iter().zip(&pool.ranges) {
            range_in_net(report, &range_path.join("."), node, *range, *net);
        }
    }
    if let Some((other, what)) = adit_policy::without_hosts(*net) {
        let message = format!("{}.net {net} has addresses of {other} ({what})", path.join("."));
        let finding = report.on(&below(&path, "net"), Code::F06, Level::Error, message);
        report.push(finding.label("no client can have them").advice("net = \"10.99.0.0/24\""));
        return;
    }
    let host = net.contains(server) && *server != net.network() && *server != net.broadcast();
    if !host {
        let why = if net.contains(server) { "is the first or last address of" } else { "is not inside" };
        let message = format!("{} {server} {why} {net}", server_path.join("."));
        let finding =
            report.on(&server_path, Code::F11, Level::Error, message).label("our end of every tunnel");
        let first = Ipv4Addr::from(u32::from(net.network()) + 1);
        let finding = match report.entry(&server_path) {
            Some(entry) => report.replacing(finding, &entry.node.spot, quote(&first.to_string())),
            None => finding,
        };
        report.push(finding);
        return;
    }
    let written = report.entry(&range_path).is_some();
    let inside = pool.ranges.iter().all(|(from, to)| net.contains(from) && net.contains(to));
    if written && inside && pool.ranges.iter().any(|(from, to)| (*from..=*to).contains(server)) {
        let message = format!("{} holds the server address {server}; it is left out", range_path.join("."));
        let finding = report.on(&range_path, Code::F11, Level::Warning, message);
        report.push(finding.label("begin after it"));
    }
    if let Err(PoolError::TooBig { .. }) = pool.check() {
        let most = adit_policy::pool::MAX_RANGE;
        let message = format!("{} has more than {most} addresses", range_path.join("."));
        let finding = report.on(&range_path, Code::F06, Level::Error, message);
        report.push(finding.label("too many"));
    }
}

fn range_nodes(node: &Node) -> Vec<&Node> {
    match &node.value {
        Value::List(items) => items.iter().collect(),
        _ => vec![node],
    }
}

fn range_in_net(
    report: &mut Report<'_>,
    key: &str,
    node: &Node,
    (from, to): (Ipv4Addr, Ipv4Addr),
    net: Ipv4Net,
) {
    let text = node.text().unwrap_or_default();
    let hyphen = text.find('-').unwrap_or(text.len());
    let last_at = text.get(hyphen..).map_or(0, |rest| rest.len() - rest.trim_start_matches(['-', ' ']).len());
    let last = hyphen + last_at..text.trim_end().len();
    let (message, part, label, fixed) = match (net.contains(&from), net.contains(&to)) {
        (true, true) => return,
        (true, false) => {
            let fixed = format!("{from}-{}", moved(to, net).max(from));
            (
                format!("{key} ends outside the pool"),
                last,
                format!("{net} ends at {}", net.broadcast()),
                fixed,
            )
        }
        (false, true) => {
            let fixed = format!("{}-{to}", moved(from, net).min(to));
            (
                format!("{key} begins outside the pool"),
                0..hyphen,
                format!("{net} begins at {}", net.network()),
                fixed,
            )
        }
        (false, false) => {
            let (from, to) = (moved(from, net), moved(to, net));
            let fixed = format!("{}-{}", from.min(to), from.max(to));
            (format!("{key} is outside the pool"), 0..text.len(), format!("not in {net}"), fixed)
        }
    };
    let span = part_span(node, part).unwrap_or_else(|| node.spot.span.clone());
    let spot = Spot { file: node.spot.file, span };
    let finding = report.at(&spot, Code::F12, Level::Error, key, message).label(label);
    let finding = report.replacing(finding, &node.spot, quote(&fixed));
    report.push(finding);
}

/// The host part of an address in the right network: with `10.99.1.250`, `10.99.0.250` was meant.
fn moved(address: Ipv4Addr, net: Ipv4Net) -> Ipv4Addr {
    let mask = u32::from(net.netmask());
    let host = Ipv4Addr::from(u32::from(net.network()) | (u32::from(address) & !mask));
    if host == net.network() {
        return Ipv4Addr::from(u32::from(host) + 1);
    }
    if host == net.broadcast() { Ipv4Addr::from(u32::from(host) - 1) } else { host }
}

/// Networks that home routers, telephones and virtual machines commonly use, and which products do.
const HOMES: &[(&str, &str)] = &[
    ("10.0.0.0/24", "Comcast and Apple routers"),
    ("10.0.1.0/24", "Apple routers"),
    ("10.1.1.0/24", "D-Link and Netcomm routers"),
    ("172.20.10.0/28", "iPhone hotspots"),
    ("192.168.0.0/24", "D-Link, Netgear and TP-Link routers"),
    ("192.168.1.0/24", "Asus, Linksys, TP-Link and many providers' routers"),
    ("192.168.2.0/24", "Belkin and Deutsche Telekom routers"),
    ("192.168.8.0/24", "Huawei routers"),
    ("192.168.31.0/24", "Xiaomi routers"),
    ("192.168.43.0/24", "Android hotspots"),
    ("192.168.50.0/24", "Asus routers"),
    ("192.168.68.0/24", "TP-Link Deco"),
    ("192.168.86.0/24", "Google and Nest routers"),
    ("192.168.88.0/24", "MikroTik routers"),
    ("192.168.100.0/24", "cable modems and Huawei routers"),
    ("192.168.122.0/24", "libvirt virtual machines"),
    ("192.168.137.0/24", "Windows connection sharing"),
    ("192.168.178.0/24", "FRITZ!Box routers"),
];

fn common_home(report: &mut Report<'_>, pool: &PoolConfig) {
    let homes = HOMES.iter().filter_map(|(net, who)| Some((net.parse::<Ipv4Net>().ok()?, *who)));
    let hit = homes.into_iter().find(|(net, _)| net.contains(&pool.net) || pool.net.contains(net));
    let Some((net, who)) = hit else { return };
    let path = pool_path(report, &pool.name);
    let message = format!("{}.net {} is what {who} use at home ({net})", path.join("."), pool.net);
    let finding = report.on(&below(&path, "net"), Code::P03, Level::Warning, message);
    report.push(
        finding.label("clients there lose their printer or the tunnel").advice("net = \"10.99.0.0/24\""),
    );
}

fn overlaps(report: &mut Report<'_>, config: &Config) {
    let pools: Vec<&PoolConfig> = config.pools.values().collect();
    for (index, pool) in pools.iter().enumerate() {
        for other in pools.iter().take(index) {
            if !pool.net.contains(&other.net) && !other.net.contains(&pool.net) {
                continue;
            }
            let (path, other_path) = (pool_path(report, &pool.name), pool_path(report, &other.name));
            let message = format!(
                "{}.net {} overlaps {}.net {}",
                path.join("."),
                pool.net,
                other_path.join("."),
                other.net
            );
            let finding = report.on(&below(&path, "net"), Code::F10, Level::Error, message);
            report.push(finding.label("two clients would get one address"));
        }
    }
}

fn unused(report: &mut Report<'_>, config: &Config) {
    // A mistyped pool name makes its pool look unused.
    if std::iter::once(&config.access)
        .chain(config.groups.values())
        .any(|a| !config.pools.contains_key(&a.pool))
    {
        return;
    }
    for pool in config.pools.keys() {
        let users = std::iter::once(&config.access).chain(config.groups.values());
        if users.into_iter().all(|access| access.pool != *pool) {
            let path = pool_path(report, pool);
            let message = format!("[{}] is used by no group, only by fixed addresses", path.join("."));
            let Some(entry) = report.entry(&path) else { continue };
            let finding = report.at(&entry.key, Code::F20, Level::Note, path.join("."), message);
            report.push(finding);
        }
    }
}
