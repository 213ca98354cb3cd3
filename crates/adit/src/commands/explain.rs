//! `adit explain`

use adit_diag::Code;

use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Say what a code means and what to do
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Codes such as G01
    #[arg(required = true)]
    codes: Vec<String>,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<Exit, Failure> {
    for code in &args.codes {
        let code: Code =
            code.parse().map_err(|_| Failure::new(Exit::NotFound, format!("unknown code {code}")))?;
        output.line(code.page())?;
    }
    Ok(Exit::Done)
}
