//! Parser for `ip -j`: addresses, neighbours, routes and routing rules. IPv4 only.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde_json::Value as Json;

use super::{ENTRIES_MAX, ReadError, error, json};

/// An interface with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// The MTU in octets.
    pub mtu: u32,
    /// Whether it was brought up.
    pub up: bool,
    /// Whether it is the loopback interface.
    pub loopback: bool,
    /// Its addresses, each with its network; the first is the primary one.
    pub addresses: Vec<Ipv4Net>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The destination.
    pub to: Ipv4Net,
    /// The next-hop router.
    pub via: Option<Ipv4Addr>,
    /// The output interface; of several paths, the first.
    pub dev: Option<String>,
    /// The table: `main`, `local`, a number.
    pub table: String,
    /// The type: `unicast`, `local`, `blackhole`.
    pub kind: String,
    /// The metric; the lowest is preferred.
    pub metric: u32,
    /// The preferred source address.
    pub source: Option<Ipv4Addr>,
    /// The MTU, if the route has one.
    pub mtu: Option<u32>,
    /// Whether it has no carrier or its next hop is dead.
    pub dead: bool,
}

/// A routing rule, which selects a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The priority; the lowest is evaluated first.
    pub priority: u32,
    /// The source of the packets.
    pub from: Ipv4Net,
    /// The destination of the packets.
    pub to: Ipv4Net,
    /// The input interface; `lo` means packets of this host itself.
    pub iif: Option<String>,
    /// Whether there are conditions that are not evaluated here: a mark, a type of service, a user.
    pub other: bool,
    /// The table to look up; `None` for another action.
    pub table: Option<String>,
}

/// A host that was seen on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The address.
    pub address: Ipv4Addr,
    /// The interface.
    pub dev: String,
    /// Whether it has answered there.
    pub known: bool,
}

fn list(source: &'static str, text: &str) -> Result<Vec<Json>, ReadError> {
    // `ip -j` prints nothing if the list is empty.
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    match json(source, text)? {
        Json::Array(mut list) => {
            list.truncate(ENTRIES_MAX);
            Ok(list)
        }
        _ => Err(error(source, "top", "a list")),
    }
}

fn text<'a>(json: &'a Json, key: &str) -> Option<&'a str> {
    json.get(key).and_then(Json::as_str)
}

fn number(json: &Json, key: &str) -> Option<u32> {
    json.get(key).and_then(Json::as_u64).and_then(|number| u32::try_from(number).ok())
}

fn flag(json: &Json, name: &str) -> bool {
    json.get("flags")
        .and_then(Json::as_array)
        .is_some_and(|flags| flags.iter().any(|flag| flag.as_str() == Some(name)))
}

/// `10.0.0.0/8`, `10.1.2.3`, `default`, `all`; `None` for IPv6.
fn network(word: &str) -> Option<Ipv4Net> {
    match word {
        "default" | "all" | "any" => Some(Ipv4Net::default()),
        word => word.parse().ok().or_else(|| word.parse::<Ipv4Addr>().ok().map(Ipv4Net::from)),
    }
}

/// Parses `ip -j address`.
///
/// # Errors
/// If it is not a list of interfaces.
pub fn links(input: &str) -> Result<Vec<Link>, ReadError> {
    const SOURCE: &str = "ip -j address";
    let mut links = Vec::new();
    for (index, item) in list(SOURCE, input)?.iter().enumerate() {
        let Some(name) = text(item, "ifname") else {
            // Old versions print an empty object for entries that were filtered out.
            if item.as_object().is_some_and(serde_json::Map::is_empty) {
                continue;
            }
            return Err(error(SOURCE, format!("[{index}]"), "a text \"ifname\""));
        };
        let all = item.get("addr_info").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        let address = |info: &Json| {
            let length = number(info, "prefixlen").and_then(|length| u8::try_from(length).ok())?;
            Ipv4Net::new(text(info, "local")?.parse().ok()?, length).ok()
        };
        links.push(Link {
            name: name.to_owned(),
            mtu: number(item, "mtu").unwrap_or(0),
            up: flag(item, "UP"),
            loopback: flag(item, "LOOPBACK"),
            addresses: all.iter().take(ENTRIES_MAX).filter_map(address).collect(),
        });
    }
    Ok(links)
}

/// Parses `ip -j route show table all`.
///
/// # Errors
/// If it is not a list of routes.
pub fn routes(input: &str) -> Result<Vec<Route>, ReadError> {
    const SOURCE: &str = "ip -j route";
    let mut routes = Vec::new();
    for (index, item) in list(SOURCE, input)?.iter().enumerate() {
        let Some(to) = text(item, "dst") else {
            return Err(error(SOURCE, format!("[{index}]"), "a text \"dst\""));
        };
        // The default route of IPv6 has the same form; its gateway shows the family.
        let six =
            text(item, "gateway").is_some_and(|gateway| gateway.contains(':')) || item.get("pref").is_some();
        let Some(to) = network(to).filter(|_| !six) else { continue };
        let hop = item.get("nexthops").and_then(Json::as_array).and_then(|hops| hops.first()).unwrap_or(item);
        let metrics = item.get("metrics").and_then(Json::as_array).and_then(|metrics| metrics.first());
        routes.push(Route {
            to,
            via: text(hop, "gateway").and_then(|gateway| gateway.parse().ok()),
            dev: text(hop, "dev").or_else(|| text(item, "dev")).map(str::to_owned),
            table: text(item, "table").unwrap_or("main").to_owned(),
            kind: text(item, "type").unwrap_or("unicast").to_owned(),
            metric: number(item, "metric").unwrap_or(0),
            source: text(item, "prefsrc").and_then(|source| source.parse().ok()),
            mtu: metrics.and_then(|metrics| number(metrics, "mtu")),
            dead: flag(item, "linkdown") || flag(item, "dead"),
        });
    }
    Ok(routes)
}

/// Parses `ip -j -4 rule`.
///
/// # Errors
/// If it is not a list of rules.
pub fn rules(input: &str) -> Result<Vec<Rule>, ReadError> {
    const SOURCE: &str = "ip -j rule";
    let mut rules = Vec::new();
    for (index, item) in list(SOURCE, input)?.iter().enumerate() {
        let Some(priority) = number(item, "priority") else {
            return Err(error(SOURCE, format!("[{index}]"), "a number \"priority\""));
        };
        let end = |word: &str, length: &str| match (text(item, word), number(item, length)) {
            (None, _) => Some(Ipv4Net::default()),
            (Some(address), Some(length)) => {
                Ipv4Net::new(address.parse().ok()?, u8::try_from(length).ok()?).ok().map(|net| net.trunc())
            }
            (Some(address), None) => network(address),
        };
        let (Some(from), Some(to)) = (end("src", "srclen"), end("dst", "dstlen")) else { continue };
        let unusual = [
            "fwmark",
            "oif",
            "uid_start",
            "ipproto",
            "sport",
            "dport",
            "tos",
            "dsfield",
            "not",
            "suppress_prefixlen",
        ];
        rules.push(Rule {
            priority,
            from,
            to,
            iif: text(item, "iif").map(str::to_owned),
            other: unusual.iter().any(|key| item.get(key).is_some()),
            table: text(item, "table").map(str::to_owned),
        });
    }
    rules.sort_by_key(|rule| rule.priority);
    Ok(rules)
}

/// Parses `ip -j -4 neighbour`.
///
/// # Errors
/// If it is not a list of neighbours.
pub fn neighbours(input: &str) -> Result<Vec<Neighbour>, ReadError> {
    const SOURCE: &str = "ip -j neighbour";
    let all = list(SOURCE, input)?;
    let neighbour = |item: &Json| {
        let failed = |state: &Json| matches!(state.as_str(), Some("FAILED" | "INCOMPLETE"));
        let states = item.get("state").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        Some(Neighbour {
            address: text(item, "dst")?.parse().ok()?,
            dev: text(item, "dev")?.to_owned(),
            known: item.get("lladdr").is_some() && !states.iter().any(failed),
        })
    };
    Ok(all.iter().filter_map(neighbour).collect())
}

/// The route that the kernel selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way<'a> {
    /// This route.
    Route(&'a Route),
    /// There is no route.
    Nowhere,
    /// It depends on a rule with a condition that is not evaluated here.
    Unknown(&'a Rule),
}

/// Selects the route of a packet; `iif` is the interface on which it arrived, `None` for one of this host.
pub fn way<'a>(
    rules: &'a [Rule],
    routes: &'a [Route],
    from: Ipv4Addr,
    to: Ipv4Addr,
    iif: Option<&str>,
) -> Way<'a> {
    for rule in rules {
        let is_from = rule.iif.as_deref().is_none_or(|wanted| iif.unwrap_or("lo") == wanted);
        if !is_from || !rule.from.contains(&from) || !rule.to.contains(&to) {
            continue;
        }
        let found = rule.table.as_deref().and_then(|table| best(routes, table, to));
        match (rule.other, found) {
            (true, Some(_)) => return Way::Unknown(rule),
            (true, None) if rule.table.is_none() => return Way::Unknown(rule),
            (_, Some(route)) if route.kind == "throw" => {}
            (false, Some(route)) => return Way::Route(route),
            _ => {}
        }
    }
    Way::Nowhere
}

/// The route with the longest matching prefix in a table; of those, the lowest metric.
fn best<'a>(routes: &'a [Route], table: &str, to: Ipv4Addr) -> Option<&'a Route> {
    let fits = |route: &&Route| {
        let same = route.table == table || route.table == "main" && table == "254";
        same && route.to.contains(&to)
            && !matches!(route.kind.as_str(), "broadcast" | "multicast" | "anycast")
    };
    routes.iter().filter(fits).min_by_key(|route| (u8::MAX - route.to.prefix_len(), route.dead, route.metric))
}
