//! `adit explain route`: whether a user may reach a destination, by the configuration and the accounts.

use std::net::Ipv4Addr;

use adit_diag::Code;
use adit_doctor::text;
use adit_policy::Tunnel;
use adit_store::{SessionFilter, Store};
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::Serialize;

use crate::commands::verdict;
use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::settings::Settings;
use crate::style::Tone;
use crate::table::printable;

/// What `adit explain route --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Route {
    /// The account.
    user: String,
    /// Its group; null for the defaults.
    group: Option<String>,
    /// The destination.
    destination: String,
    /// The configuration key that decides.
    key: String,
    /// The origin of its value; `default` if it is not configured.
    written: String,
    /// The networks that were compared, in order.
    lines: Vec<Line>,
    /// Whether the server forwards packets to the destination.
    allowed: bool,
    /// R02 if it does not.
    code: Option<&'static str>,
    /// The route to the destination that clients receive; null without one.
    pushed: Option<String>,
    /// What the server dropped in the newest session of the user, as text.
    dropped: Option<String>,
}

impl Document for Route {
    const NAME: &'static str = "adit.explain-route/1";
}

/// Reasons why a network may be reached.
const ROUTE: &str = "route";
const EVERYTHING: &str = "all traffic";

/// One network of the effective rules.
#[derive(Serialize, JsonSchema)]
struct Line {
    /// The network.
    network: String,
    /// Why it may be reached: a configured route, the server's inner address, an assigned DNS server, or all traffic.
    because: &'static str,
    /// Whether the destination is in it.
    matches: bool,
}

pub(super) fn run(user: &str, to: &str, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let destination = destination(to)?;
    let settings = Settings::load(places)?;
    let Some(store) = settings.store_to_read()? else {
        return Err(unknown_user(user));
    };
    let account = store.account(user)?.ok_or_else(|| unknown_user(user))?;
    let route = judge(&settings, &store, account.name, account.group, destination)?;
    if output.is_text() {
        output.text(&words(&route, output))?;
    } else {
        output.document(&route)?;
    }
    Ok(Exit::Done)
}

fn unknown_user(user: &str) -> Failure {
    Failure::new(Exit::NotFound, format!("there is no user \"{}\"", printable(user))).fix("adit user list")
}

/// Parses an address and an optional port, which the present rules ignore.
fn destination(to: &str) -> Result<Ipv4Addr, Failure> {
    let address = match to.rsplit_once(':') {
        Some((address, port)) if port.parse::<u16>().is_ok() => address,
        _ => to,
    };
    address.parse().map_err(|_| {
        Failure::usage(format!("\"{}\" is no IPv4 address, nor one with :PORT", printable(to)))
            .fix("look the name up at the inner DNS server: nslookup NAME SERVER")
    })
}

fn judge(
    settings: &Settings,
    store: &Store,
    user: String,
    group: Option<String>,
    destination: Ipv4Addr,
) -> Result<Route, Failure> {
    let config = settings.effective();
    let access = config.access_for(group.as_deref());
    let mut networks: Vec<(Ipv4Net, &'static str)> = Vec::new();
    if access.tunnel == Tunnel::All {
        networks.push((Ipv4Net::default(), EVERYTHING));
    } else {
        networks.extend(access.routes.iter().map(|net| (*net, ROUTE)));
        if let Some(pool) = config.pools.get(&access.pool) {
            networks.push((pool.server.into(), "our end of the tunnel"));
            networks.extend(pool.dns.iter().map(|dns| (Ipv4Net::from(*dns), "DNS server")));
            networks.extend(pool.wins.iter().map(|wins| (Ipv4Net::from(*wins), "WINS server")));
        }
    }
    let fits = |net: &Ipv4Net| net.contains(&destination);
    let allowed = networks.iter().any(|(net, _)| fits(net));
    let pushed = networks.iter().find(|(net, because)| fits(net) && *because == ROUTE);
    let (key, written) = written(settings, group.as_deref(), access.tunnel);
    let dropped = dropped(store, &user)?;
    Ok(Route {
        group: group.filter(|group| config.groups.contains_key(group)),
        user,
        destination: destination.to_string(),
        key,
        written,
        pushed: pushed.map(|(net, _)| net.to_string()),
        lines: networks
            .iter()
            .map(|(net, because)| Line { network: net.to_string(), because, matches: fits(net) })
            .collect(),
        allowed,
        code: (!allowed).then_some(Code::R02.as_str()),
        dropped,
    })
}

/// The key that decides, and the origin of its value.
fn written(settings: &Settings, group: Option<&str>, tunnel: Tunnel) -> (String, String) {
    let name = if tunnel == Tunnel::All { "tunnel" } else { "routes" };
    let defaults = format!("access.{name}");
    let keys = group.map(|group| format!("groups.{group}.{name}")).into_iter();
    let all: Vec<_> = settings.file().map(|checked| checked.effective()).unwrap_or_default();
    for key in keys.chain([defaults.clone()]) {
        if let Some(setting) = all.iter().find(|setting| setting.key == key)
            && let Some((file, line)) = &setting.origin
        {
            return (key, format!("{file} line {line}"));
        }
    }
    (defaults, "default".to_owned())
}

/// What the server dropped, from the record of the newest session.
fn dropped(store: &Store, user: &str) -> Result<Option<String>, Failure> {
    let newest = SessionFilter { user: Some(user.to_owned()), last: Some(1), ..SessionFilter::default() };
    let Some(session) = store.sessions(&newest)?.pop() else { return Ok(None) };
    let steps = store.record(session.id)?;
    Ok(verdict::denied(&steps).map(|found| format!("{}: {found}", session.id)))
}

fn words(route: &Route, output: &Output) -> String {
    let group = route.group.as_ref().map(|group| format!(" → group {group}")).unwrap_or_default();
    let mut out = format!("{}{group} → {} ({})\n", printable(&route.user), route.key, route.written);
    for line in &route.lines {
        let (tone, word) = if line.matches { (Tone::Good, "MATCH") } else { (Tone::Plain, "no match") };
        let word = output.paint(tone, &format!("{word:<9}"));
        out.push_str(&format!("  {:<18} {word} {}\n", line.network, line.because));
    }
    let to = &route.destination;
    match (&route.pushed, route.allowed) {
        (Some(net), _) => {
            out.push_str(&format!("  allowed: {to} is in {net}\n"));
            text::paragraph(
                &mut out,
                "  route told",
                &format!(
                    "{net}, by DHCPINFORM; a client that does not ask for it (RouterOS, Android, pppd) \
                     needs it in its own profile"
                ),
            );
        }
        (None, true) => out.push_str(&format!("  allowed: {to}\n")),
        (None, false) => {
            out.push_str(&format!(
                "  {}  denied: no line has {to}, so the server drops it\n",
                output.paint(Tone::Bad, "R02")
            ));
            text::paragraph(
                &mut out,
                "  fix",
                &format!("add its network to {}: adit explain key {}", route.key, route.key),
            );
        }
    }
    if let Some(dropped) = &route.dropped {
        text::paragraph(&mut out, "  seen", &printable(dropped));
    }
    out.push_str("  ports are not looked at; the way back: adit doctor --server\n");
    out
}
