//! `adit undo`

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// Put back what a crashed adit changed on this host
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, _: &Output, _: &Places) -> Result<Exit, Failure> {
    Err(Failure::usage("not in this build"))
}
