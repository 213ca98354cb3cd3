//! `adit log`

mod follow;

use adit_api::SessionId;
use adit_api::log::{Event, Filter, Lagged};
use adit_diag::Layer;
use adit_store::NewEvent;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::document::{self, Document, Utc};
use crate::failure::{Exit, Failure};
use crate::output::{Form, Output};
use crate::places::Places;
use crate::service::Service;
use crate::settings::Settings;
use crate::table::printable;

/// Lines shown when nothing says how many.
const USUAL: u32 = 100;

/// Show what happened: logins, ends, failures, changes
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  adit log --failed --since 24h          what went wrong since yesterday
  adit log --user bob --layer G,A        GRE and authentication of one person
  adit log -f                            and what happens now
Layers: N name, C control, G gre, L lcp, A auth, E encrypt, I address, R route, M mtu, S this host")]
pub(crate) struct Args {
    /// Go on with what happens from now on
    #[arg(short, long)]
    follow: bool,
    /// From then on: 24h, 2026-11-22, yesterday
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Until then
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Only about this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only about this session
    #[arg(long, value_name = "ID")]
    session: Option<SessionId>,
    /// Only with a code of these layers
    #[arg(long, value_name = "G,L", value_delimiter = ',', value_parser = layer)]
    layer: Vec<Layer>,
    /// Only with a code
    #[arg(long)]
    failed: bool,
    /// The newest so many [default: 100, or all since --since]
    #[arg(short = 'n', long, value_name = "N")]
    lines: Option<u32>,
    /// As comma-separated values
    #[arg(long, conflicts_with_all = ["json", "jsonl"])]
    csv: bool,
}

/// What `adit log --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Log {
    /// Oldest first.
    events: Vec<EventBody>,
}

impl Document for Log {
    const NAME: &'static str = "adit.log/1";
}

/// One line of `adit log --jsonl`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Line {
    #[serde(flatten)]
    event: EventBody,
}

impl Document for Line {
    const NAME: &'static str = "adit.event/1";
}

/// A line of `adit log --follow --jsonl` in the place of events that were not read in time.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Gap {
    /// How many events are missing, whatever the flags say about them.
    missed: u64,
}

impl Document for Gap {
    const NAME: &'static str = "adit.event-gap/1";
}

#[derive(Serialize, JsonSchema)]
struct EventBody {
    /// Counts up; null while the store cannot write the event.
    id: Option<i64>,
    /// When.
    at: Utc,
    /// What kind: `auth.fail`.
    kind: String,
    /// Who.
    user: Option<String>,
    /// The public address it came from.
    from: Option<String>,
    /// The code, when something is wrong.
    code: Option<String>,
    /// The session: `s39`.
    session: Option<String>,
    /// More, all of them texts.
    fields: Map<String, Value>,
}

impl From<&Event> for EventBody {
    fn from(event: &Event) -> EventBody {
        EventBody {
            id: event.id,
            at: Utc(event.at),
            kind: event.kind.clone(),
            user: event.user.clone(),
            from: event.from.map(|from| from.to_string()),
            code: event.code.clone(),
            session: event.session.map(|session| session.to_string()),
            fields: event.fields.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect(),
        }
    }
}

fn layer(text: &str) -> Result<Layer, String> {
    let mut letters = text.chars();
    let by_letter = letters.next().filter(|_| letters.next().is_none()).and_then(Layer::from_letter);
    by_letter.or_else(|| Layer::ALL.into_iter().find(|layer| layer.word() == text)).ok_or_else(|| {
        let words: Vec<String> =
            Layer::ALL.iter().map(|layer| format!("{} {}", layer.letter(), layer.word())).collect();
        format!("one of {}", words.join(", "))
    })
}

pub(crate) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    if args.follow && output.form == Form::Json {
        return Err(Failure::usage("what is followed has no end, so it is no one document").fix("--jsonl"));
    }
    let when = |given: &Option<String>, flag: &str| match given {
        None => Ok(None),
        Some(text) => {
            let wrong = |hint| Failure::usage(format!("{flag}: \"{text}\" is no time")).fix(hint);
            output.clock.since(text).map(Some).map_err(wrong)
        }
    };
    let filter = Filter {
        since: when(&args.since, "--since")?,
        until: when(&args.until, "--until")?,
        after: None,
        before: None,
        user: args.user.clone(),
        session: args.session,
        layers: args.layer.clone(),
        failed: args.failed,
        last: args.lines.or(if args.since.is_none() { Some(USUAL) } else { None }),
    };
    if args.csv {
        output.line("at,kind,user,from,code,session,fields")?;
    }
    let settings = Settings::load(output, places)?;
    if args.follow {
        return follow::run(args, output, places, &settings, filter);
    }
    let events = Service::open(output, places, &settings)?.log(&filter)?;
    if output.form == Form::Json {
        output.document(&Log { events: events.iter().map(EventBody::from).collect() })?;
        return Ok(Exit::Done);
    }
    events.iter().try_for_each(|event| put(args, output, event))?;
    if events.is_empty() && output.is_text() && !args.csv {
        let all = Filter { last: filter.last, ..Filter::default() };
        output.remark("nothing", if filter == all { "was written yet" } else { "fits" });
    }
    Ok(Exit::Done)
}

/// Shows that events are missing.
fn put_gap(output: &Output, lagged: Lagged) -> Result<(), Failure> {
    if output.form == Form::JsonLines {
        return output.value(&document::envelope(&Gap { missed: lagged.missed }, output.clock.now()));
    }
    output.remark("warning", &format!("{lagged}: adit log shows them"));
    Ok(())
}

fn put(args: &Args, output: &Output, event: &Event) -> Result<(), Failure> {
    if output.form == Form::JsonLines {
        return output.value(&document::envelope(&Line { event: event.into() }, output.clock.now()));
    }
    if !args.csv {
        return output.line(&line(event));
    }
    let body = EventBody::from(event);
    let at = serde_json::to_value(body.at).unwrap_or_default();
    let fields = event.fields.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
    let cells = [
        at.as_str().unwrap_or_default().to_owned(),
        body.kind,
        body.user.unwrap_or_default(),
        body.from.unwrap_or_default(),
        body.code.unwrap_or_default(),
        body.session.unwrap_or_default(),
        fields.join(" "),
    ];
    output.line(&cells.map(|cell| csv(&printable(&cell))).join(","))
}

/// The line of an event, as the server's own log has it.
fn line(event: &Event) -> String {
    let Event { id: _, at, kind, user, from, code, session, fields } = event.clone();
    NewEvent { at, kind, user, from, code, session, fields }.to_string()
}

/// A cell of CSV (RFC 4180) without line ends. A leading `=`, `+`, `-` or `@` would be a formula to a spreadsheet: a name from the
/// network must not become one.
fn csv(cell: &str) -> String {
    let guarded = if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.to_owned() };
    if guarded.contains([',', '"']) { format!("\"{}\"", guarded.replace('"', "\"\"")) } else { guarded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells() {
        for (cell, written) in [
            ("bob", "bob"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=cmd()", "'=cmd()"),
            ("-", "'-"),
        ] {
            assert_eq!(csv(cell), written);
        }
    }

    #[test]
    fn layers_by_letter_or_word() {
        assert_eq!(layer("g"), Ok(Layer::Gre));
        assert_eq!(layer("encrypt"), Ok(Layer::Encrypt));
        assert!(layer("x").is_err() && layer("").is_err() && layer("gg").is_err());
    }
}
