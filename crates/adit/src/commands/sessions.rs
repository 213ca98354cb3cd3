//! `adit sessions`

mod totals;

use adit_api::history;
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::{Document, Utc};
use crate::failure::{Exit, Failure};
use crate::list::{Column, EXTRA, ListFlags};
use crate::output::Output;
use crate::places::Places;
use crate::service::Service;
use crate::settings::Settings;
use crate::style::Tone;
use crate::table::Field;
use crate::when;
use totals::UserTotal;

/// Number of sessions shown by default.
const USUAL: u32 = 50;

/// List active or past sessions
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  adit sessions                                   active sessions
  adit sessions --failed --since 24h              failed sessions of the last 24 hours
  adit sessions --past --filter 'user=al* up>1h' --sort -rx
  adit sessions --since 2026-11-01 --until 2026-12-01 --totals   traffic of each user in November")]
pub(crate) struct Args {
    /// List past sessions
    #[arg(long)]
    past: bool,
    /// List sessions that had not ended by then: 24h, 2026-11-22
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// List only past sessions that began before then
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Print one line for each user instead: sessions, time and traffic
    #[arg(long)]
    totals: bool,
    /// List only past sessions of this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// List only past sessions that ended with a code
    #[arg(long)]
    failed: bool,
    /// List the newest N past sessions [default: 50, or all since --since]
    #[arg(short = 'n', long, value_name = "N")]
    lines: Option<u32>,
    #[command(flatten)]
    list: ListFlags,
}

/// What `adit sessions --past --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PastSessions {
    /// The sessions, oldest first.
    sessions: Vec<PastSession>,
    /// The same, summed up for each user, by name.
    totals: Vec<UserTotal>,
}

impl Document for PastSessions {
    const NAME: &'static str = "adit.past-sessions/1";
}

/// A past session.
#[derive(Clone, Serialize, JsonSchema)]
pub(crate) struct PastSession {
    /// Session ID, such as `s41`.
    pub(crate) id: String,
    /// User name; the claimed one if authentication failed.
    pub(crate) user: Option<String>,
    /// The group whose rules applied.
    pub(crate) group: Option<String>,
    /// The client's inner address.
    pub(crate) address: Option<String>,
    /// The client's public address.
    pub(crate) from: String,
    /// When the control connection was accepted.
    pub(crate) started: Utc,
    /// When it ended.
    pub(crate) ended: Option<Utc>,
    /// Uptime in seconds; 0 if it never came up.
    pub(crate) up_s: u64,
    /// Bytes from the client.
    pub(crate) rx_bytes: u64,
    /// Bytes to the client.
    pub(crate) tx_bytes: u64,
    /// Packets from the client.
    pub(crate) rx_packets: u64,
    /// Packets to the client.
    pub(crate) tx_packets: u64,
    /// Authentication method.
    pub(crate) method: Option<String>,
    /// Encryption, as text.
    pub(crate) mppe: Option<String>,
    /// Vendor name that the client sent, escaped.
    pub(crate) vendor: Option<String>,
    /// Why it ended, in one word: user-request, idle-timeout, failed, crash ...
    pub(crate) end: Option<String>,
    /// The code of the failure.
    pub(crate) code: Option<String>,
    /// One line of evidence.
    pub(crate) detail: Option<String>,
}

impl From<history::PastSession> for PastSession {
    fn from(session: history::PastSession) -> PastSession {
        let text = |value: Option<String>| value.filter(|value| !value.is_empty());
        let (ended, why, code, detail) = match session.end {
            Some(end) => (Some(end.at), Some(end.why), end.code, Some(end.detail)),
            None => (None, None, None, None),
        };
        PastSession {
            id: session.id.to_string(),
            user: text(session.user),
            group: text(session.group),
            address: session.address.map(|address| address.to_string()),
            from: session.from.ip().to_string(),
            started: Utc(session.started),
            ended: ended.map(Utc),
            up_s: session.up.zip(ended).map_or(0, |(up, ended)| when::between(up, ended)),
            rx_bytes: session.traffic.rx_bytes,
            tx_bytes: session.traffic.tx_bytes,
            rx_packets: session.traffic.rx_packets,
            tx_packets: session.traffic.tx_packets,
            method: text(session.method),
            mppe: text(session.mppe),
            vendor: text(session.vendor),
            end: why,
            code: text(code),
            detail: text(detail),
        }
    }
}

fn octets(octets: u64) -> Field {
    when::size(octets).into()
}

const COLUMNS: &[Column<PastSession>] = &[
    Column::left("id", "ID", 0, |s, _| s.id.clone().into()),
    Column::left("user", "USER", 0, |s, _| s.user.clone().unwrap_or_default().into()),
    Column::left("group", "GROUP", 8, |s, _| s.group.clone().unwrap_or_default().into()),
    Column::left("address", "ADDRESS", 5, |s, _| s.address.clone().unwrap_or_default().into()),
    Column::left("from", "FROM", 0, |s, _| s.from.clone().into()),
    Column::left("started", "STARTED", 0, |s, output| output.clock.minute(s.started.0).into()),
    Column::right("up_s", "UP", 1, |s, _| match s.up_s {
        0 => "".into(),
        seconds => when::length(seconds).into(),
    }),
    Column::right("rx_bytes", "RX", 3, |s, _| octets(s.rx_bytes)),
    Column::right("tx_bytes", "TX", 3, |s, _| octets(s.tx_bytes)),
    Column::left("mppe", "MPPE", 6, |s, _| s.mppe.clone().unwrap_or_default().into()),
    Column::left("method", "METHOD", 7, |s, _| s.method.clone().unwrap_or_default().into()),
    Column::left("vendor", "VENDOR", 9, |s, _| s.vendor.clone().unwrap_or_default().into()),
    Column::left("code", "CODE", 2, |s, _| Field::new(Tone::Bad, s.code.clone().unwrap_or_default())),
    Column::left("end", "END", 0, |s, _| s.end.clone().unwrap_or_default().into()),
    Column::left("detail", "DETAIL", EXTRA, |s, _| s.detail.clone().unwrap_or_default().into()),
];

pub(crate) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    // Flags that apply only to past sessions imply --past.
    let past_only = args.since.is_some()
        || args.until.is_some()
        || args.totals
        || args.user.is_some()
        || args.failed
        || args.lines.is_some();
    if args.past || past_only {
        past(args, output, places)
    } else {
        super::status::live_sessions(&args.list, output, places)
    }
}

fn past(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let when = |text: &Option<String>, flag: &str| {
        let read = |text: &String| {
            let wrong = |hint| Failure::usage(format!("{flag}: \"{text}\" is no time")).fix(hint);
            output.clock.since(text).map_err(wrong)
        };
        text.as_ref().map(read).transpose()
    };
    let (since, until) = (when(&args.since, "--since")?, when(&args.until, "--until")?);
    if let (Some(since), Some(until)) = (since, until)
        && until <= since
    {
        return Err(Failure::usage("--until is not after --since").fix("exchange the two times"));
    }
    // Totals of the newest sessions alone would mislead.
    let usual = (since.is_none() && !args.totals).then_some(USUAL);
    let filter = history::Filter {
        user: args.user.clone(),
        since,
        until,
        before: None,
        failed: args.failed,
        last: args.lines.or(usual),
    };
    let settings = Settings::load(places)?;
    let sessions = Service::open(output, places, &settings)?.history(&filter)?;
    let chosen = args.list.choose(COLUMNS, sessions.into_iter().map(PastSession::from).collect())?;
    let totals = totals::of(chosen.rows());
    if !output.is_text() {
        chosen.document(output, "sessions", &PastSessions { sessions: Vec::new(), totals })?;
        return Ok(Exit::Done);
    }
    let (all, failed) =
        (chosen.rows().count(), chosen.rows().filter(|session| session.code.is_some()).count());
    if args.totals && all > 0 {
        output.text(&totals::text(totals, output)?)?;
    } else if all > 0 {
        output.text(&chosen.text(output))?;
    }
    output.line(&match (all, failed) {
        (0, _) => "no past sessions".to_owned(),
        (1, 0) => "1 session".to_owned(),
        (all, 0) => format!("{all} sessions"),
        (all, failed) => format!("{all} session{}, {failed} with a code", if all == 1 { "" } else { "s" }),
    })?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_a_field_of_the_document() {
        let session = history::PastSession {
            id: adit_api::SessionId(1),
            started: "2026-11-22T18:00:00Z".parse().unwrap(),
            from: "192.0.2.1:5".parse().unwrap(),
            up: None,
            host: None,
            vendor: None,
            user: None,
            group: None,
            pool: None,
            address: None,
            server_address: None,
            method: None,
            mppe: None,
            traffic: adit_diag::Traffic::default(),
            end: None,
            omitted: 0,
        };
        let fields = serde_json::to_value(PastSession::from(session)).unwrap();
        for column in COLUMNS {
            assert!(fields.get(column.name).is_some(), "{}", column.name);
        }
    }
}
