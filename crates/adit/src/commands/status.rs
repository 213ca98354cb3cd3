//! `adit status`, and what other commands ask the running server.

use crate::control;
use crate::failure::{Exit, Failure};
use crate::list::ListFlags;
use crate::output::Output;
use crate::places::Places;

/// Show how the server is
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let _ = control::connect(output, places)?;
    Ok(Exit::Done)
}

/// The sessions that run.
pub(crate) fn live_sessions(_: &ListFlags, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let _ = control::connect(output, places)?;
    Ok(Exit::Done)
}

/// One session that runs; `None` when the server does not have it.
pub(crate) fn live_session(_: &str, output: &Output, places: &Places) -> Result<Option<Exit>, Failure> {
    let _ = control::connect(output, places)?;
    Ok(None)
}
