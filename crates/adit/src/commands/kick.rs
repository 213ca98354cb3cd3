//! `adit kick`

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;

/// Terminate sessions
///
/// The server terminates LCP; `adit connect` and Windows reconnect unless the account is disabled too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  adit kick s41
  adit kick alice --reason 'maintenance 20:00'
  adit kick from:198.51.100.7 --yes")]
pub(crate) struct Args {
    /// Select s41, a user, an inner address, from:ADDRESS, group:NAME or all
    #[arg(value_name = "SELECTOR")]
    selector: String,
    /// Record this reason in the log
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

pub(crate) fn run(args: &Args, output: &Output, places: &Places) -> Result<Exit, Failure> {
    super::status::kick(&args.selector, &args.reason, output, places)
}
