//! `adit session`

use adit_api::history::{PastDetail, PastSession, Step};
use adit_diag::Note;
use adit_doctor::Verdict;
use schemars::JsonSchema;
use serde::Serialize;

use super::doctor::json::Judgement;
use super::sessions;
use super::verdict;
use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::service::Service;
use crate::settings::Settings;
use crate::style::Tone;
use crate::table::printable;
use crate::when;

/// Note about steps that an older version recorded.
const UNTYPED: &str = "not in typed form: shown as text, the verdict uses code, layer and counters";

/// Show a session in detail, step by step
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  adit session s47        this session, active or past
  adit session alice      the newest session of alice")]
pub(crate) struct Args {
    /// Select a session (s41), or a user for the user's newest session
    #[arg(value_name = "ID|USER")]
    who: String,
}

/// What `adit session ID --json` prints about a past session.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PastSessionDocument {
    session: sessions::PastSession,
    /// Host name that the client sent, escaped.
    host: Option<String>,
    /// The record, step by step.
    steps: Vec<StepBody>,
    /// Number of steps omitted from the middle because there were too many.
    steps_omitted: u64,
    /// The verdict.
    verdict: Judgement,
}

impl Document for PastSessionDocument {
    const NAME: &'static str = "adit.past-session/1";
}

/// A step of a session's record.
#[derive(Serialize, JsonSchema)]
struct StepBody {
    /// Microseconds since the session started.
    at_us: u64,
    /// Kind of step: sent, received or note.
    who: String,
    /// The protocol.
    layer: String,
    /// Description in one line.
    text: String,
    /// The same in typed form; null if a version without typed notes wrote it.
    note: Option<Note>,
}

pub(crate) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    if places.daemon_runs()
        && let Some(exit) = super::status::live_session(&args.who, output, places)?
    {
        return Ok(exit);
    }
    let settings = Settings::load(places)?;
    let detail = Service::open(output, places, &settings)?.past_session(&args.who)?;
    let judged = verdict::past(&detail, settings.effective().server.name.as_deref());
    if output.is_text() {
        output.text(&show(&detail, output))?;
        output.text(&verdict::words(&judged))?;
    } else {
        output.document(&document(&detail, &judged))?;
    }
    Ok(Exit::Done)
}

fn document(detail: &PastDetail, judged: &Verdict) -> PastSessionDocument {
    let PastDetail { session, steps, .. } = detail;
    PastSessionDocument {
        session: session.clone().into(),
        host: session.host.clone().filter(|host| !host.is_empty()),
        steps: steps
            .iter()
            .map(|step| StepBody {
                at_us: u64::try_from(step.at.as_micros()).unwrap_or(u64::MAX),
                who: step.who.clone(),
                layer: step.layer.clone(),
                text: step.text.clone(),
                note: step.note.clone(),
            })
            .collect(),
        steps_omitted: session.omitted,
        verdict: Judgement::of(judged),
    }
}

fn show(detail: &PastDetail, output: &Output) -> String {
    let PastDetail { session, steps, .. } = detail;
    let mut text = format!("{}  ", output.paint(Tone::Head, &session.id.to_string()));
    if let Some(user) = &session.user {
        text.push_str(&format!("{}  ", printable(user)));
    }
    text.push_str(&format!("from {}  {}", session.from, output.clock.second(session.started)));
    let end = session.end.as_ref();
    text.push_str(&match (session.up, end) {
        (Some(up), Some(end)) => format!("  up {}", when::length(when::between(up, end.at))),
        (None, Some(end)) => {
            let lasted = end.at.duration_since(session.started);
            format!("  {:.1} s, never up", lasted.as_secs_f64().max(0.0))
        }
        (_, None) => "  running, or its server was killed".to_owned(),
    });
    text.push('\n');

    let mut fact = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            text.push_str(&format!("   {name:<9} {}\n", printable(&value)));
        }
    };
    let quoted = |value: &Option<String>| value.as_ref().map(|value| format!("\"{value}\""));
    let client = [("vendor", &session.vendor), ("host", &session.host)];
    let client: Vec<String> =
        client.iter().filter_map(|(name, value)| Some(format!("{name} {}", quoted(value)?))).collect();
    fact("client", Some(client.join(", ")));
    fact(
        "address",
        session.address.map(|address| {
            let pool = session.pool.as_ref().map(|pool| format!(", pool {pool}")).unwrap_or_default();
            let ours = session.server_address.map(|ours| format!(", ours {ours}")).unwrap_or_default();
            format!("{address}{pool}{ours}")
        }),
    );
    fact("auth", session.method.clone());
    fact("mppe", session.mppe.clone());
    let traffic = session.traffic;
    if traffic.rx_packets + traffic.tx_packets > 0 {
        let way = |octets, packets| format!("{} in {packets} packets", when::size(octets));
        fact("received", Some(way(traffic.rx_bytes, traffic.rx_packets)));
        fact("sent", Some(way(traffic.tx_bytes, traffic.tx_packets)));
    }

    if steps.iter().any(|step| step.note.is_none()) {
        fact("record", Some(UNTYPED.to_owned()));
    }

    let (head, tail) = steps.split_at(steps.len().min(before_gap(session, steps)));
    let mut line = |step: &Step| {
        let arrow = match step.who.as_str() {
            "sent" => "→",
            "received" => "←",
            _ => " ",
        };
        let at = format!("{:9.3}", step.at.as_secs_f64());
        let words = format!("{arrow} {:<6} {}", printable(&step.layer), printable(&step.text));
        text.push_str(&format!("{}  {words}\n", output.paint(Tone::Dim, &at)));
    };
    head.iter().for_each(&mut line);
    if session.omitted > 0 {
        let left_out = Step {
            at: tail.first().map(|step| step.at).unwrap_or_default(),
            who: String::new(),
            layer: "...".into(),
            text: format!("{} steps left out", session.omitted),
            note: None,
        };
        line(&left_out);
    }
    tail.iter().for_each(&mut line);

    let Some(end) = end else {
        return text;
    };
    let by = match end.by.as_str() {
        "sent" => ", by this server",
        "received" => ", by the client",
        _ => "",
    };
    let detail = if end.detail.is_empty() { String::new() } else { format!(": {}", printable(&end.detail)) };
    text.push_str(&format!("end   {}{by}{detail}\n", end.why));
    if let Some(code) = end.code.as_ref().filter(|code| code.parse::<adit_diag::Code>().is_err()) {
        text.push_str(&format!("{}   a code of a newer adit\n", output.paint(Tone::Bad, code)));
    }
    text
}

/// Number of steps before the omitted ones. A record keeps its first and its last steps.
fn before_gap(session: &PastSession, steps: &[Step]) -> usize {
    if session.omitted > 0 { adit_tunnel::record::FIRST } else { steps.len() }
}
