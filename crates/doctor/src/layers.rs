//! The state of each layer, and what follows from it.

use adit_diag::{Code, Layer};

use crate::facts::{Answer, Connect, Facts, Resolved};
use crate::{LayerResult, Outcome, State, Vantage};

/// The state of one layer if no rule applies to it: only what is proven. A higher layer that works proves the
/// lower ones.
pub(crate) fn state(facts: &Facts, layer: Layer) -> (State, String) {
    let works = |so: bool, text: String| {
        if so { (State::Pass, text) } else { not_seen(facts, layer) }
    };
    match layer {
        Layer::Name => works(path_works(facts), name(facts)),
        Layer::Control => works(facts.granted() || facts.link_is_up(), control(facts)),
        Layer::Gre => works(facts.link_is_up() || heard_both(facts), "both ways".to_owned()),
        Layer::Lcp => works(facts.link_is_up(), lcp(facts)),
        Layer::Auth => works(facts.logged_in(), auth(facts)),
        // If encryption is unknown, "up" does not show it.
        Layer::Encrypt => {
            let is_known = !facts.is_untyped(layer);
            works(facts.encrypt.opened.is_some() || facts.is_up() && is_known, encrypt(facts))
        }
        Layer::Address => works(facts.is_up(), address(facts)),
        Layer::Route => works(inside_works(facts), inside(facts)),
        Layer::Mtu => {
            works(facts.mtu.to_server.passes.is_some() || facts.mtu.to_client.passes.is_some(), mtu(facts))
        }
        _ => not_seen(facts, layer),
    }
}

fn not_seen(facts: &Facts, layer: Layer) -> (State, String) {
    if let Some((_, reason)) = facts.left_out.iter().find(|(left, _)| *left == layer) {
        return (State::NotTested, reason.clone());
    }
    if facts.stop_after.is_some_and(|last| layer > last) {
        return (State::NotTested, "needs an account: -u USER".to_owned());
    }
    match (facts.vantage, layer) {
        (Vantage::Client, Layer::Route) if facts.is_up() => {
            (State::NotTested, "--reach TARGET tests it".to_owned())
        }
        (Vantage::Client, _) => (State::NotTested, String::new()),
        _ => (State::NotVisible, String::new()),
    }
}

/// Whether anything of the server was received.
fn path_works(facts: &Facts) -> bool {
    matches!(
        facts.tcp.connect.as_ref().map(|seen| &seen.what),
        Some(Connect::Open { .. } | Connect::Refused { .. })
    ) || facts.vantage == Vantage::Client
        && facts.name.no_route.is_none()
        && facts.tcp.server.is_some()
        && !matches!(
            facts.name.resolved.as_ref().map(|seen| &seen.what),
            Some(Resolved::NoSuchName | Resolved::NoAnswer | Resolved::OnlyV6 | Resolved::Failed(_))
        )
        || facts.granted()
        || facts.link_is_up()
}

fn heard_both(facts: &Facts) -> bool {
    use crate::facts::Arrival::Proven;
    facts.gre.to_server.arrival == Proven && facts.gre.to_client.arrival == Proven
}

fn inside_works(facts: &Facts) -> bool {
    let inside = &facts.inside;
    let open = |answer| matches!(answer, Answer::Open { .. });
    let tested = !inside.targets.is_empty() || !inside.dns.is_empty() || !inside.names.is_empty();
    tested
        && inside.targets.iter().all(|target| open(target.what.answer))
        && inside.dns.iter().all(|dns| dns.what.answered.is_some())
        && inside.names.iter().all(|name| name.what.found.as_ref().is_some_and(|found| !found.is_empty()))
}

/// Whether the call came up, or got as far as intended.
pub(crate) fn works(facts: &Facts) -> bool {
    match (facts.vantage, facts.stop_after) {
        (Vantage::Host, _) => true,
        (_, Some(last)) => state(facts, last).0 == State::Pass,
        _ => facts.is_up(),
    }
}

/// The headline if no rule provides one.
pub(crate) fn so_far(facts: &Facts, outcome: Outcome) -> String {
    match (outcome, facts.vantage) {
        (Outcome::Healthy, Vantage::Host) => "nothing is wrong here".to_owned(),
        (Outcome::Healthy, Vantage::Client) => match facts.stop_after {
            Some(_) => "all that can be tested without an account works".to_owned(),
            None => "everything that was tested works".to_owned(),
        },
        (Outcome::Healthy, _) => match facts.ending.as_ref() {
            Some(end) => match end.what.by {
                Some(by) => format!("connected; the {by} ended it: {}", end.what.how),
                None => format!("connected; {}", end.what.how),
            },
            None => "connected".to_owned(),
        },
        _ => {
            let last = Layer::OF_A_CALL.into_iter().rfind(|layer| state(facts, *layer).0 == State::Pass);
            match last {
                Some(layer) => {
                    format!("it works as far as {}; what came after cannot be known from here", layer.word())
                }
                None => "it cannot be known from here".to_owned(),
            }
        }
    }
}

/// What is ruled out as the cause.
pub(crate) fn innocent(facts: &Facts, table: &[LayerResult], code: Option<Code>) -> Vec<String> {
    let mut innocent = Vec::new();
    let Some(failed) = code.map(Code::layer) else { return innocent };
    let passed = |layer| {
        table.iter().any(|result| result.layer == layer && matches!(result.state, State::Pass | State::Warn))
    };
    let words = [
        (Layer::Control, "TCP 1723 and the firewall for it: the server granted the call"),
        (Layer::Gre, "protocol 47: GRE passes both ways"),
        (Layer::Auth, "user and password: the server accepted them"),
        (Layer::Encrypt, "encryption: both sides agreed"),
        (Layer::Address, "the tunnel itself: it is up"),
    ];
    for (layer, text) in words {
        let is_there = layer != Layer::Encrypt || facts.encrypt.opened.is_some();
        if passed(layer) && is_there && layer != failed {
            innocent.push(text.to_owned());
        }
    }
    if failed < Layer::Auth && !facts.logged_in() && facts.auth.responses == 0 {
        innocent.push("user, password and encryption: they come after this step".to_owned());
    } else if failed == Layer::Auth {
        innocent.push("encryption, addresses and routes: they come after this step".to_owned());
    }
    if facts.gre.self_test == Some(true) && failed == Layer::Gre && code != Some(Code::S03) {
        innocent.push("this host: GRE to itself passes".to_owned());
    }
    innocent
}

fn name(facts: &Facts) -> String {
    let server = facts.tcp.server.map(|server| server.ip().to_string()).unwrap_or_default();
    match &facts.name.asked {
        _ if facts.vantage == Vantage::Record => "the client reaches this server".to_owned(),
        Some(asked) => format!("{asked} → {server}"),
        None => server,
    }
}

fn control(facts: &Facts) -> String {
    let mut parts = Vec::new();
    if let Some(Connect::Open { after }) = facts.tcp.connect.as_ref().map(|seen| &seen.what) {
        let port = facts.tcp.server.map_or(1723, |server| server.port());
        parts.push(match after.as_millis() {
            // The server does not know how long the connection took.
            0 if facts.vantage == Vantage::Record => format!("tcp {port} open"),
            ms => format!("tcp {port} in {ms} ms"),
        });
    }
    if let Some(reply) = &facts.control.reply {
        let reply = &reply.what;
        let vendor = if reply.vendor.is_empty() { String::new() } else { format!(", \"{}\"", reply.vendor) };
        parts.push(format!("PPTP {}.{}{vendor}", reply.version >> 8, reply.version & 0xff));
    }
    let mut text = parts.join("; ");
    if facts.granted() {
        text.push_str(if text.is_empty() { "call granted" } else { ", call granted" });
    }
    text
}

fn lcp(facts: &Facts) -> String {
    let mru = |mru: Option<u16>| mru.map_or("1500".to_owned(), |mru| mru.to_string());
    let reported = facts.lcp.client_mru.filter(|_| facts.vantage == Vantage::Record);
    let mut text = if let Some(mru) = reported {
        format!("mru {mru} to the client")
    } else if facts.lcp.client_mru.is_some() || facts.lcp.server_mru.is_some() {
        format!(
            "mru {} to the client, {} to the server",
            mru(facts.lcp.client_mru),
            mru(facts.lcp.server_mru)
        )
    } else {
        "up".to_owned()
    };
    if let Some(method) = &facts.auth.agreed {
        text += &format!("; the server wants {}", method.what);
    }
    text
}

fn auth(facts: &Facts) -> String {
    let method = facts.auth.agreed.as_ref().map(|method| method.what.to_string());
    let user = facts.auth.shown_user().map(|user| format!("as {user}"));
    let text: Vec<String> = [method, user].into_iter().flatten().collect();
    if text.is_empty() { "no login was asked for".to_owned() } else { text.join(" ") }
}

fn encrypt(facts: &Facts) -> String {
    match (&facts.encrypt.client_agreed, &facts.encrypt.server_agreed) {
        (Some(a), Some(b)) if a.what == b.what => format!("mppe {}", a.what),
        (Some(a), Some(b)) => format!("mppe {} to the client, {} to the server", a.what, b.what),
        (Some(a), None) | (None, Some(a)) => format!("mppe {}", a.what),
        (None, None) if facts.encrypt.opened.is_some() => "mppe".to_owned(),
        (None, None) => "none".to_owned(),
    }
}

fn address(facts: &Facts) -> String {
    let mut text = match &facts.address.assigned {
        Some(assigned) => assigned.what.to_string(),
        None => "agreed".to_owned(),
    };
    if let Some(peer) = &facts.address.peer {
        text += &format!(", peer {}", peer.what);
    }
    if let Some(dns) = facts.address.dns.as_ref().filter(|dns| !dns.what.is_empty()) {
        let dns: Vec<String> = dns.what.iter().map(ToString::to_string).collect();
        text += &format!(", dns {}", dns.join(" "));
    }
    text
}

fn inside(facts: &Facts) -> String {
    let mut parts = Vec::new();
    for dns in &facts.inside.dns {
        if let Some(after) = dns.what.answered {
            parts.push(format!("dns {} in {} ms", dns.what.server, after.as_millis()));
        }
    }
    for target in &facts.inside.targets {
        if let Answer::Open { after } = target.what.answer {
            parts.push(format!("{} in {} ms", target.what.asked, after.as_millis()));
        }
    }
    parts.join("; ")
}

fn mtu(facts: &Facts) -> String {
    let mut parts = vec![sizes(facts)];
    if let Some(round_trip) = facts.inside.round_trip {
        parts.push(format!("{} ms there and back", round_trip.as_millis()));
    }
    if let Some((sent, lost @ 1..)) = facts.inside.pings {
        parts.push(format!("{lost} of {sent} lost"));
        parts.extend(throughput(facts, sent, lost));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}

/// The highest throughput of one TCP connection on a line that loses packets (Mathis et al., 1997).
fn throughput(facts: &Facts, sent: u32, lost: u32) -> Option<String> {
    const CONSTANT: f64 = 1.22;
    let round_trip = facts.inside.round_trip?.as_secs_f64().max(0.001);
    let segment = f64::from(facts.mtu.agreed?.saturating_sub(40)) * 8.0;
    let loss = f64::from(lost) / f64::from(sent.max(1));
    let rate = segment / round_trip * CONSTANT / loss.sqrt() / 1_000_000.0;
    // On a short path another limit applies.
    (rate < 100.0).then(|| format!("one TCP connection gets {rate:.1} Mbit/s at most"))
}

fn sizes(facts: &Facts) -> String {
    let passes = |bracket: &crate::facts::Bracket| bracket.passes.as_ref().map(|passes| passes.what);
    match (passes(&facts.mtu.to_server), passes(&facts.mtu.to_client)) {
        (Some(a), Some(b)) if a == b => format!("{a} octets pass both ways"),
        (Some(a), Some(b)) => format!("{a} octets pass to the server, {b} to the client"),
        (Some(a), None) => format!("{a} octets pass to the server"),
        (None, Some(b)) => format!("{b} octets pass to the client"),
        (None, None) => String::new(),
    }
}
