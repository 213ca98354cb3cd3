//! `adit explain route`: whether a user may reach a destination, by the configuration and the accounts.

use std::sync::Arc;

use adit_config::Config;
use adit_diag::Code;
use adit_doctor::text;
use adit_policy::reach::{Action, Answer, Decider, Locals, Outcome, Question, Reach, Target};
use adit_policy::{Access, Tunnel};
use adit_store::{SessionFilter, Store};
use adit_sys::net::Net;
use ipnet::IpNet;
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

/// Half the length of a list that the text shows as a whole.
const SHOWN: usize = 20;

/// What `adit explain route --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Route {
    /// The account.
    user: String,
    /// Its group; null for the defaults.
    group: Option<String>,
    /// The destination, as it was understood: ADDRESS:PORT, ADDRESS:PORT/udp, ADDRESS/icmp, or ADDRESS for all packets.
    destination: String,
    /// The configuration key that decides, with the number of the entry in a list.
    key: String,
    /// Its value: the rule.
    rule: String,
    /// Where that key is set; `default` if it is not configured.
    written: String,
    /// The effective rules, in order.
    lines: Vec<Line>,
    /// Whether the server passes the packets: `allowed`, `denied`, or `partly` if some of them.
    outcome: &'static str,
    /// Whether the server passes all these packets.
    allowed: bool,
    /// R02 if it passes none of them.
    code: Option<&'static str>,
    /// The route to the destination that clients receive; null without one.
    pushed: Option<String>,
    /// What the server dropped in the newest session of the user, as text.
    dropped: Option<String>,
    /// Whether clients send nothing to the destination for want of a route.
    #[serde(skip)]
    lacks_route: bool,
}

impl Document for Route {
    const NAME: &'static str = "adit.explain-route/1";
}

/// One step of the decision.
#[derive(Serialize, JsonSchema)]
struct Line {
    /// The configuration key, with the number of the entry in a list.
    key: String,
    /// Its value: the rule.
    rule: String,
    /// Whether it decides about the destination.
    matches: bool,
    /// Whether it allows what it decides about.
    allows: bool,
    /// The networks that `routes` stands for in this rule; empty in other rules, and if it is all networks.
    routes: Vec<String>,
}

pub(super) fn run(user: &str, to: &str, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let question: Question = to.parse().map_err(|_| {
        Failure::usage(format!("\"{}\" is no destination", printable(to)))
            .fix("ADDRESS[:PORT[/udp]], ADDRESS/icmp; a name: nslookup NAME SERVER")
    })?;
    let settings = Settings::load(places)?;
    let Some(store) = settings.store_to_read()? else {
        return Err(unknown_user(user));
    };
    let account = store.account(user)?.ok_or_else(|| unknown_user(user))?;
    let route = judge(&settings, &store, account.name, account.group, question)?;
    if output.is_text() {
        output.text(&words(&route, output))?;
    } else {
        output.document(&route)?;
    }
    Ok(if route.allowed { Exit::Done } else { Exit::Problem })
}

fn unknown_user(user: &str) -> Failure {
    Failure::new(Exit::NotFound, format!("there is no user \"{}\"", printable(user))).fix("adit user list")
}

/// The addresses of the server: those of this host, and those of the configuration, which it has while it runs.
fn locals(config: &Config) -> Arc<Locals> {
    let host = Net::open().and_then(|net| adit_sys::local::networks(&net)).unwrap_or_default();
    let own = config.own_addresses().map(|address| IpNet::V4(address.into()));
    Arc::new(Locals::new(host.into_iter().chain(own)))
}

fn judge(
    settings: &Settings,
    store: &Store,
    user: String,
    group: Option<String>,
    question: Question,
) -> Result<Route, Failure> {
    let config = settings.effective();
    let access = config.access_for(group.as_deref());
    let reach = config.reach(group.as_deref(), locals(config));
    let answer = reach.answer(question);
    // Of several the first that does not allow it is the one to change.
    let by = answer.by.iter().find(|by| !allows(&reach, &answer, **by)).or(answer.by.first());
    let by = by.copied().unwrap_or(Decider::End);
    let dropped = dropped(store, &user)?;
    let (outcome, code) = match answer.outcome {
        Outcome::Allowed => ("allowed", None),
        Outcome::Partly => ("partly", None),
        Outcome::Denied => ("denied", Some(Code::R02.as_str())),
    };
    Ok(Route {
        group: group.filter(|group| config.groups.contains_key(group)),
        user,
        destination: question.to_string(),
        key: reach.key(by),
        rule: reach.value(by),
        written: written(settings, &reach.key(by)),
        lines: lines(&reach, &answer),
        outcome,
        allowed: answer.outcome == Outcome::Allowed,
        code,
        lacks_route: access.tunnel == Tunnel::Split && by != Decider::Server,
        pushed: pushed(access, question),
        dropped,
    })
}

/// Whether a decider allows what it decides about.
fn allows(reach: &Reach, answer: &Answer, by: Decider) -> bool {
    match by {
        Decider::Rule(_) => reach.rule(by).is_some_and(|rule| rule.action == Action::Allow),
        Decider::Server => answer.outcome != Outcome::Denied,
        Decider::Clients | Decider::End | Decider::Source => false,
    }
}

/// The steps of the decision: the keys that come before the rules if one of them decides, else the rules.
fn lines(reach: &Reach, answer: &Answer) -> Vec<Line> {
    let line = |by: Decider| Line {
        key: reach.key(by),
        rule: reach.value(by),
        matches: answer.by.contains(&by),
        allows: allows(reach, answer, by),
        routes: routes(reach, by),
    };
    match answer.by.as_slice() {
        [by @ (Decider::Server | Decider::Clients)] => vec![line(*by)],
        _ => {
            let rules = (0..reach.acl.rules().len() as u32).map(Decider::Rule);
            let end = answer.by.contains(&Decider::End).then_some(Decider::End);
            rules.chain(end).map(line).collect()
        }
    }
}

/// The networks that `routes` stands for.
fn routes(reach: &Reach, by: Decider) -> Vec<String> {
    let Some(rule) = reach.rule(by).filter(|rule| rule.target == Target::Routes) else { return Vec::new() };
    let networks = reach.acl.networks(rule);
    networks.iter().filter(|net| net.prefix_len() > 0).map(ToString::to_string).collect()
}

/// The route to a destination that clients receive.
fn pushed(access: &Access, question: Question) -> Option<String> {
    let mut routes = access.routes.iter().filter(|_| access.tunnel == Tunnel::Split);
    routes.find(|net| net.contains(&question.address)).map(ToString::to_string)
}

/// The origin of a key.
fn written(settings: &Settings, key: &str) -> String {
    let key = key.split('[').next().unwrap_or(key);
    let all = settings.file().map(|checked| checked.effective()).unwrap_or_default();
    let origin = all.iter().find(|setting| setting.key == key).and_then(|setting| setting.origin.as_ref());
    origin.map_or_else(|| "default".to_owned(), |(file, line)| format!("{file} line {line}"))
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
    let list = route.key.split('[').next().unwrap_or(&route.key);
    let mut out = format!("{}{group} → {list} ({})\n", printable(&route.user), route.written);
    let shown = chosen(&route.lines);
    let mut before = None;
    for index in shown {
        let Some(line) = route.lines.get(index) else { continue };
        let omitted = index - before.map_or(0, |before| before + 1);
        if omitted > 0 {
            out.push_str(&format!("  ...  {omitted} more without a match\n"));
        }
        before = Some(index);
        let (tone, word) = match (line.matches, line.allows) {
            (true, true) => (Tone::Good, "MATCH → allowed"),
            (true, false) => (Tone::Bad, "MATCH → denied"),
            (false, _) => (Tone::Plain, "no match"),
        };
        out.push_str(&format!("  {:<22} {:<36} {}\n", line.key, line.rule, output.paint(tone, word)));
        for net in line.routes.iter().take(SHOWN) {
            out.push_str(&format!("  {:<22}   {net}\n", ""));
        }
        if line.routes.len() > SHOWN {
            out.push_str(&format!("  {:<22}   ... {} more\n", "", line.routes.len() - SHOWN));
        }
    }
    let rest = route.lines.len() - before.map_or(0, |before| before + 1);
    if rest > 0 {
        out.push_str(&format!("  ...  {rest} more without a match\n"));
    }
    let to = &route.destination;
    match (route.outcome, route.code) {
        ("allowed", _) => out.push_str(&format!("  allowed: {to}\n")),
        (_, Some(code)) => {
            out.push_str(&format!(
                "  {}  denied: {to}, so the server drops it\n",
                output.paint(Tone::Bad, code)
            ));
            text::paragraph(&mut out, "  fix", &format!("change {}: adit explain key {list}", route.key));
        }
        _ => out.push_str(&format!("  partly allowed: {to}; ask about a port: {to}:443\n")),
    }
    match &route.pushed {
        Some(net) => text::paragraph(
            &mut out,
            "  route told",
            &format!(
                "{net}, by DHCPINFORM; a client that does not ask for it (RouterOS, Android, pppd) \
                 needs it in its own profile"
            ),
        ),
        None if route.lacks_route => out.push_str("  no route to it is sent to clients\n"),
        None => {}
    }
    if let Some(dropped) = &route.dropped {
        text::paragraph(&mut out, "  seen", &printable(dropped));
    }
    out.push_str("  the way back is not looked at: adit doctor --server\n");
    out
}

/// The lines to show: all of a short list, of a long one those that match and the first ones.
fn chosen(lines: &[Line]) -> Vec<usize> {
    let is_short = lines.len() <= 2 * SHOWN;
    let all = lines.iter().enumerate();
    all.filter(|(index, line)| is_short || line.matches || *index < 3).map(|(index, _)| index).collect()
}
