//! `adit reload`

use adit_api::{Done, Request, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::control;
use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// Make the running server read its configuration again
///
/// The new configuration applies to new calls; sessions that are up keep theirs, except for access rules, which apply at once.
/// If it has errors, needs a restart, or would disconnect sessions, nothing of it is applied and the reason is printed. SIGHUP
/// and `systemctl reload adit` do the same.
///
/// Exit status: 0 if it is in effect, 1 if it has errors or needs a restart, 3 if no server runs, 6 if it would disconnect
/// sessions.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// What `adit reload --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Reloaded {
    /// Whether the configuration is in effect; otherwise the command fails.
    reloaded: bool,
}

impl Document for Reloaded {
    const NAME: &'static str = "adit.reload/1";
}

pub(crate) fn run(_: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    output.refuse_dry_run("reload", "adit check")?;
    let done = match control::connect(output, places)?.ask(&Request::Reload)? {
        Response::Done(done @ Done::Reloaded) => done,
        _ => return Err(control::other_version()),
    };
    if output.is_text() {
        output.line(&format!("reloaded {done}"))?;
    } else {
        output.document(&Reloaded { reloaded: true })?;
    }
    Ok(Exit::Done)
}
