//! `adit kick`

use crate::control;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// End sessions
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// s41, a user, an inner address, from:ADDRESS, group:NAME or all
    #[arg(value_name = "SELECTOR")]
    selector: String,
    /// Why, for the log
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

pub(crate) fn run(_: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    let _ = control::connect(output, places)?;
    Ok(Exit::Done)
}
