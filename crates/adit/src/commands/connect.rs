//! `adit connect`

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// Connect to a server
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, _: &Output, _: &Places) -> Result<Exit, Failure> {
    Err(Failure::usage("not in this build"))
}
