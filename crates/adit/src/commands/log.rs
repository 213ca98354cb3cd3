//! `adit log`

mod follow;
mod line;

use adit_api::SessionId;
use adit_api::log::Filter;
use adit_diag::Layer;
use schemars::JsonSchema;
use serde::Serialize;

use line::{EventBody, put};
pub(crate) use line::{Gap, Line};

use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::{Form, Output};
use crate::places::Places;
use crate::service::Service;
use crate::settings::Settings;

/// Number of lines shown by default.
const USUAL: u32 = 100;

/// Show events: logins, session ends, failures, changes
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  adit log --failed --since 24h          failures of the last 24 hours
  adit log --user bob --layer G,A        GRE and authentication of one user
  adit log -f                            also new events as they happen
Layers: N name, C control, G gre, L lcp, A auth, E encrypt, I address, R route, M mtu, S this host")]
pub(crate) struct Args {
    /// Continue with new events as they happen
    #[arg(short, long)]
    follow: bool,
    /// Show events from this time on: 24h, 2026-11-22, yesterday
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Show events before this time
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Show only events of this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Show only events of this session
    #[arg(long, value_name = "ID")]
    session: Option<SessionId>,
    /// Show only events with a code of these layers
    #[arg(long, value_name = "G,L", value_delimiter = ',', value_parser = layer)]
    layer: Vec<Layer>,
    /// Show only events with a code
    #[arg(long)]
    failed: bool,
    /// Show the newest N events [default: 100, or all since --since]
    #[arg(short = 'n', long, value_name = "N")]
    lines: Option<u32>,
    /// Print comma-separated values
    #[arg(long, conflicts_with_all = ["json", "jsonl"])]
    csv: bool,
}

/// What `adit log --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Log {
    /// The events, oldest first.
    events: Vec<EventBody>,
}

impl Document for Log {
    const NAME: &'static str = "adit.log/1";
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
        return Err(
            Failure::usage("a followed log has no end, so it is not a single document").fix("--jsonl")
        );
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
    let settings = Settings::load(places)?;
    if args.follow {
        return follow::run(args.csv, output, places, &settings, filter);
    }
    let events = Service::open(output, places, &settings)?.log(&filter)?;
    if output.form == Form::Json {
        output.document(&Log { events: events.iter().map(EventBody::from).collect() })?;
        return Ok(Exit::Done);
    }
    events.iter().try_for_each(|event| put(args.csv, output, event))?;
    if events.is_empty() && output.is_text() && !args.csv {
        let all = Filter { last: filter.last, ..Filter::default() };
        output.remark("nothing", if filter == all { "was written yet" } else { "fits" });
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_by_letter_or_word() {
        assert_eq!(layer("g"), Ok(Layer::Gre));
        assert_eq!(layer("encrypt"), Ok(Layer::Encrypt));
        assert!(layer("x").is_err() && layer("").is_err() && layer("gg").is_err());
    }
}
