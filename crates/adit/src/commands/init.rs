//! `adit init`

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// Look at this host and write a first configuration
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, _: &Output, _: &Places) -> Result<Exit, Failure> {
    Err(Failure::usage("not in this build"))
}
