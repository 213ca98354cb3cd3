//! `adit doctor --server`

mod purpose;
mod record;
mod show;

use adit_doctor::facts::host::{Check, NotTested};
use adit_doctor::{Facts, Vantage, host, judge};

use self::purpose::Known;
use super::args::Args;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::service::Service;
use crate::settings::Settings;

pub(super) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let settings = Settings::load(places)?;
    let known = Known::ask(output, places, &settings);
    let name = known.name();
    let mut facts = Facts::new(Vantage::Host, name.clone());
    facts.host = adit_inspect::look::look(&known.purpose());
    known.put(&mut facts.host);
    record::put(&settings, output, &known, &mut facts.host);
    let mut lines = host::lines(&facts);
    if let Some(user) = &args.user {
        lines.push(record::user(user, &settings, output)?);
    }
    if let Some(session) = &args.session {
        let service = Service::open(output, places, &settings)?;
        lines.push(record::session(session, &service, settings.effective().server.name.as_deref())?);
    }
    let verdict = judge(&facts);
    let next = format!("from another network: adit doctor {name}");
    let report = show::Report { lines, verdict, next };
    if output.is_text() {
        output.text(&report.text(&|tone, word| output.paint(tone, word)))?;
        if args.why {
            output.text(&format!("\n{}", adit_doctor::text::why(&report.verdict)))?;
        }
    } else {
        output.document(&report.document())?;
    }
    Ok(match report.count() {
        // Checks that were skipped for lack of privileges do not count as healthy.
        (0, 0) if not_permitted(&facts) => Exit::Denied,
        (0, 0) => Exit::Done,
        _ => Exit::Problem,
    })
}

fn not_permitted(facts: &Facts) -> bool {
    matches!(facts.host.not_tested.get(&Check::Firewall), Some(NotTested::NeedsRoot { .. }))
}
