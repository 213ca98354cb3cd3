//! `adit disconnect`

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// Hang up
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, _: &Output, _: &Places) -> Result<Exit, Failure> {
    Err(Failure::usage("not in this build"))
}
