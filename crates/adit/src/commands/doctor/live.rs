//! `adit doctor HOST`

use super::Args;
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(super) fn run(_args: &Args, _output: &Output) -> Result<Exit, Failure> {
    Err(Failure::usage("this build does not ask servers yet"))
}
