//! `adit doctor --server`

use super::Args;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

pub(super) fn run(_args: &Args, _output: &Output, _places: &Places) -> Result<Exit, Failure> {
    Err(Failure::usage("this build does not look at servers yet"))
}
