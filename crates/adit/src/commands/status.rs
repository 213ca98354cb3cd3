//! `adit status`, and what other commands show of the running server.

pub(crate) mod clients;

use adit_api::session::{SessionDetail, SessionRow, State};
use adit_api::status::{Drops, QueueStatus, Status};
use adit_api::{Request, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::doctor::json::Judgement;
use super::verdict;
use crate::control;
use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::list::{Column, ListFlags};
use crate::output::Output;
use crate::places::Places;
use crate::style::Tone;
use crate::table::{Field, printable};
use crate::when;

/// Show the status of the server, and of clients on this host
///
/// Without a running server only the clients of `adit connect` are shown, if there are any.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Show only the clients of `adit connect`; exit status 1 if one of them is not connected, 5 if there is none
    #[arg(long, conflicts_with = "check")]
    client: bool,
    /// Set only the exit status: `live` when the server answers, `ready` when it also takes calls
    #[arg(long, value_name = "WHAT", value_enum)]
    check: Option<Check>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Check {
    Live,
    Ready,
}

impl Document for Status {
    const NAME: &'static str = "adit.status/1";
}

/// What `adit sessions --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Sessions {
    /// The sessions, oldest first.
    sessions: Vec<SessionRow>,
}

impl Document for Sessions {
    const NAME: &'static str = "adit.sessions/1";
}

/// What `adit session ID --json` prints about an active session.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LiveSession {
    #[serde(flatten)]
    detail: SessionDetail,
    /// The verdict.
    verdict: Judgement,
}

impl Document for LiveSession {
    const NAME: &'static str = "adit.session/1";
}

/// What `adit kick --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Kicked {
    /// The sessions that were ended, or with --dry-run would be.
    sessions: Vec<SessionRow>,
}

impl Document for Kicked {
    const NAME: &'static str = "adit.kick/1";
}

/// Sends a request to the running server.
pub(crate) fn ask(request: &Request, output: &Output, places: &Places) -> Result<Response, Failure> {
    control::connect(output, places)?.ask(request)
}

pub(crate) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    if args.client {
        return clients::run(output, places);
    }
    let status = match ask(&Request::Status, output, places) {
        Ok(Response::Status(status)) => status,
        Ok(_) => return Err(control::other_version()),
        // A host that is only a client has no server.
        Err(failure)
            if failure.exit == Exit::Unreachable && args.check.is_none() && clients::exist(places) =>
        {
            return clients::run(output, places);
        }
        Err(failure) => return Err(failure),
    };
    match args.check {
        Some(Check::Live) => return Ok(Exit::Done),
        Some(Check::Ready) if !takes_calls(&status) => return Ok(Exit::Problem),
        Some(Check::Ready) => return Ok(Exit::Done),
        None => {}
    }
    if output.is_text() {
        output.text(&text(&status, output))?;
        output.text(&clients::text(places, output))?;
    } else {
        output.document(&*status)?;
    }
    Ok(Exit::Done)
}

/// Whether new calls are accepted: the server is not drained, and no fault of its host refuses them.
fn takes_calls(status: &Status) -> bool {
    !status.draining && !status.faults.iter().any(|fault| fault.refuses_calls)
}

fn text(status: &Status, output: &Output) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| text.push_str(&format!("{name:<9}{value}\n"));
    line("adit", format!("{}   up {}   pid {}", status.version, when::length(status.up_s), status.pid));
    line("config", status.config.clone());
    let listen: Vec<String> = status.listen.iter().map(ToString::to_string).collect();
    line("listen", format!("{} tcp, gre ({})", listen.join(" "), status.io));
    if !status.no_xdp.is_empty() {
        line("af_xdp", format!("not used: {}", status.no_xdp));
    }
    match status.left_by_xdp {
        0 => {}
        1 => line("", "1 packet left to the socket by AF_XDP".to_owned()),
        left => line("", format!("{left} packets left to the socket by AF_XDP")),
    }
    line("rc4", status.cipher.clone());
    let calls: u64 = status.calls_failed.iter().map(|failed| failed.count).sum();
    let starting = match status.sessions_starting {
        0 => String::new(),
        n => format!(", {n} in set-up"),
    };
    line("sessions", format!("{} of {} up{starting}", status.sessions_up, status.sessions_limit));
    if let Some(text) = queue(status.queue) {
        line("queue", text);
    }
    for pool in &status.pools {
        line("pool", format!("{}  {}  {} of {} used", pool.name, pool.net, pool.used, pool.size));
    }
    for (index, server) in status.radius.iter().enumerate() {
        let state = if server.in_service { "in service" } else { "out of service" };
        line(
            if index == 0 { "radius" } else { "" },
            format!("{}  {state}   {} answered, {} not", server.address, server.answered, server.unanswered),
        );
    }
    line("users", status.users.to_string());
    line("calls", format!("{} came up, {calls} failed since the start", status.calls_ok));
    for failed in &status.calls_failed {
        let code = output.paint(Tone::Bad, failed.code.as_str());
        line("", format!("{code} {:>6}  {}", failed.count, failed.code.title()));
    }
    for text in dropped(status.drops) {
        line("dropped", text);
    }
    if status.draining {
        line("draining", "new calls are refused".to_owned());
    }
    for warning in &status.warnings {
        line(
            "warning",
            format!("{} {}", output.paint(Tone::Bad, warning.code.as_str()), printable(&warning.text)),
        );
    }
    text
}

const COLUMNS: &[Column<SessionRow>] = &[
    Column::left("id", "ID", 0, |s, _| s.id.to_string().into()),
    Column::left("user", "USER", 0, |s, _| s.user.clone().into()),
    Column::left("group", "GROUP", 7, |s, _| s.group.clone().into()),
    Column::left("address", "ADDRESS", 0, |s, _| text_of(s.address.as_ref()).into()),
    Column::left("from", "FROM", 0, |s, _| s.from.to_string().into()),
    Column::right("up_s", "UP", 1, |s, _| when::length(if s.up_s > 0 { s.up_s } else { s.age_s }).into()),
    Column::right("counters.rx_bytes", "RX", 3, |s, _| when::size(s.counters.rx_bytes).into()),
    Column::right("counters.tx_bytes", "TX", 3, |s, _| when::size(s.counters.tx_bytes).into()),
    Column::right("counters.lost", "LOSS", 5, |s, _| loss(s).into()),
    Column::right("mppe", "MPPE", 4, |s, _| match (s.mppe, s.state) {
        (0, State::Up) => Field::new(Tone::Bad, "none"),
        (0, _) => "".into(),
        (bits, _) => bits.to_string().into(),
    }),
    Column::left("method", "METHOD", 8, |s, _| s.method.clone().into()),
    Column::left("vendor", "VENDOR", 9, |s, _| s.vendor.clone().into()),
    Column::left("state", "STATE", 0, |s, _| match s.code {
        None => s.state.to_string().into(),
        Some(code) => Field::new(Tone::Bad, format!("{} {code}", s.state)),
    }),
];

/// The connections that are not in set-up yet, and those that did not get there; `None` if there were none.
fn queue(queue: QueueStatus) -> Option<String> {
    let QueueStatus { arriving, waiting, oldest_s, refused, evicted, unfinished } = queue;
    let mut parts = Vec::new();
    if waiting > 0 {
        parts.push(format!("{waiting} waiting, the oldest for {oldest_s} s"));
    }
    if arriving > 0 {
        parts.push(format!("{arriving} without a first message"));
    }
    let past =
        [(refused, "refused"), (evicted, "ended without progress"), (unfinished, "closed before a message")];
    let past: Vec<_> =
        past.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if !past.is_empty() {
        parts.push(format!("since the start {}", past.join(", ")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What was dropped, if anything.
fn dropped(drops: Drops) -> Vec<String> {
    let Drops { unknown_call, spoofed, malformed, queue_full, overflowed, forged, refused } = drops;
    let mut texts = Vec::new();
    if unknown_call + spoofed + malformed + queue_full > 0 {
        texts.push(format!(
            "GRE packets: {unknown_call} for no call, {spoofed} from a wrong address, {malformed} malformed; {queue_full} for full queues"
        ));
    }
    if forged > 0 {
        texts.push(format!("forged control frames ignored: {forged}"));
    }
    if overflowed + refused > 0 {
        texts.push(format!(
            "by the kernel: {overflowed} received packets because the receive buffer was full; {refused} packets that it did not accept"
        ));
    }
    texts
}

/// An optional value as text; empty if it is missing.
fn text_of(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn words(values: &[impl ToString]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// GRE packets from the client that were lost, of all that it sent.
fn loss(session: &SessionRow) -> String {
    let counters = &session.counters;
    let all = counters.rx_packets + counters.lost;
    if all == 0 {
        return String::new();
    }
    format!("{:.1}%", counters.lost as f64 * 100.0 / all as f64)
}

/// Lists the active sessions.
pub(crate) fn live_sessions(list: &ListFlags, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let rows = match ask(&Request::Sessions, output, places)? {
        Response::Sessions(rows) => rows,
        _ => return Err(control::other_version()),
    };
    let chosen = list.choose(COLUMNS, rows)?;
    if !output.is_text() {
        chosen.document(output, "sessions", &Sessions { sessions: Vec::new() })?;
        return Ok(Exit::Done);
    }
    let all = chosen.rows().count();
    let up = chosen.rows().filter(|session| session.state == State::Up).count();
    if all > 0 {
        output.text(&chosen.text(output))?;
    }
    output.line(&match (all, all - up) {
        (0, _) => "no sessions".to_owned(),
        (1, 0) => "1 session".to_owned(),
        (_, 0) => format!("{all} sessions"),
        (_, starting) => format!("{all} sessions: {up} up, {starting} in set-up"),
    })?;
    Ok(Exit::Done)
}

/// Shows an active session; `None` if the server does not have it.
pub(crate) fn live_session(who: &str, output: &Output, places: &Places) -> Result<Option<Exit>, Failure> {
    let detail = match ask(&Request::Session { selector: who.to_owned() }, output, places) {
        Ok(Response::Session(detail)) => detail,
        Ok(_) => return Err(control::other_version()),
        Err(failure) if failure.exit == Exit::NotFound => return Ok(None),
        Err(failure) => return Err(failure),
    };
    if output.is_text() {
        output.text(&detail_text(&detail, output))?;
        output.text(&verdict::words(&verdict::live(&detail)))?;
    } else {
        let verdict = Judgement::of(&verdict::live(&detail));
        output.document(&LiveSession { detail: *detail, verdict })?;
    }
    Ok(Some(Exit::Done))
}

fn detail_text(detail: &SessionDetail, output: &Output) -> String {
    let session = &detail.session;
    let mut text = format!("{}  ", output.paint(Tone::Head, &session.id.to_string()));
    if !session.user.is_empty() {
        text.push_str(&format!("{}  ", printable(&session.user)));
    }
    let state = if session.state == State::Up {
        format!("up {}", when::length(session.up_s))
    } else {
        format!("{} s old, at {}", session.age_s, session.state)
    };
    text.push_str(&format!("from {}  {state}\n", session.from));
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            text.push_str(&format!("   {name:<9} {}\n", printable(&value)));
        }
    };
    fact("client", [session.vendor.as_str(), detail.host.as_str()].join(" ").trim().to_owned());
    fact("address", text_of(session.address.as_ref()));
    fact("auth", session.method.clone());
    fact("mppe", if session.mppe > 0 { session.mppe.to_string() } else { String::new() });
    fact("mtu", if detail.mtu > 0 { detail.mtu.to_string() } else { String::new() });
    fact("dns", words(&detail.dns));
    fact("reach", if detail.reach_any { "anything".to_owned() } else { words(&detail.reach) });
    for rule in &detail.rules {
        let last = rule.last.map(|last| format!(", the last to {last}")).unwrap_or_default();
        let verdict = if rule.is_denied { "denied" } else { "allowed" };
        fact("rule", format!("{} {}: {} packets {verdict}{last}", rule.key, rule.rule, rule.packets));
    }
    if detail.rules_omitted > 0 {
        fact("rule", format!("other rules: {} packets", detail.rules_omitted));
    }
    if let Some((ours, theirs)) = detail.call_ids {
        fact("call", format!("{ours} here, {theirs} there"));
    }
    let c = session.counters;
    if c.rx_packets + c.tx_packets > 0 {
        let way = |octets, packets| format!("{} in {packets} packets", when::size(octets));
        fact("received", way(c.rx_bytes, c.rx_packets));
        fact("sent", way(c.tx_bytes, c.tx_packets));
    }
    let odd = [
        ("lost", c.lost),
        ("reordered", c.reordered),
        ("duplicate", c.duplicate),
        ("out of window", c.out_of_window),
        ("not decrypted", c.decrypt_failures),
        ("in clear, refused", c.clear_refused),
        ("wrong source", c.spoofed),
        ("not allowed there", c.acl_denied),
        ("malformed", c.malformed),
        ("too big", c.too_big),
        ("window full", c.window_full),
        ("fragmented", c.fragmented),
    ];
    let odd: Vec<String> =
        odd.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{n} {name}")).collect();
    fact("packets", odd.join(", "));
    for (index, step) in detail.steps.iter().enumerate() {
        if detail.steps_omitted > 0 && index == adit_tunnel::record::FIRST {
            text.push_str(&format!("           ... {} steps left out\n", detail.steps_omitted));
        }
        let arrow = match step.who.as_str() {
            "sent" => "→",
            "received" => "←",
            _ => " ",
        };
        let at = format!("{:9.3}", step.at_ms as f64 / 1e3);
        let words = format!("{arrow} {:<6} {}", step.layer, printable(&step.text));
        text.push_str(&format!("{}  {words}\n", output.paint(Tone::Dim, &at)));
    }
    text
}

/// `adit kick`.
pub(crate) fn kick(selector: &str, reason: &str, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let request =
        |dry_run| Request::Kick { selector: selector.to_owned(), reason: reason.to_owned(), dry_run };
    let kicked = |response| match response {
        Response::Kicked(rows) => Ok(rows),
        _ => Err(control::other_version()),
    };
    let found = kicked(ask(&request(true), output, places)?)?;
    if found.len() > 1 && !output.dry_run {
        let question = format!("End {} sessions?", found.len());
        if !crate::prompt::agree(output, &question, false, "--yes")? {
            return Ok(Exit::Problem);
        }
    }
    let ended = if output.dry_run { found } else { kicked(ask(&request(false), output, places)?)? };
    if !output.is_text() {
        output.document(&Kicked { sessions: ended })?;
        return Ok(Exit::Done);
    }
    let verb = if output.dry_run { "would be ended" } else { "ended" };
    for session in &ended {
        let user = if session.user.is_empty() { "-" } else { &session.user };
        output.line(&format!(
            "{user}  {}  {}  up {}  {verb}",
            session.id,
            session.from,
            when::length(session.up_s)
        ))?;
    }
    output.line(&format!("{} session{} {verb}", ended.len(), if ended.len() == 1 { "" } else { "s" }))?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_drop_is_named_and_nothing_else() {
        assert!(dropped(Drops::default()).is_empty());
        let overflowed = dropped(Drops { overflowed: 7, ..Drops::default() });
        assert_eq!(
            overflowed,
            [
                "by the kernel: 7 received packets because the receive buffer was full; 0 packets that it did not accept"
            ]
        );
        let both = dropped(Drops { malformed: 1, refused: 2, ..Drops::default() });
        assert!(
            both[0].contains("1 malformed") && both[1].contains("2 packets that it did not accept"),
            "{both:?}"
        );
    }
}
