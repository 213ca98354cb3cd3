//! `adit user remove`

use adit_api::accounts::Action;

use super::change::{document, name, remarks, request};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::prompt;
use crate::service::Service;

/// Delete a user
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The records of past sessions are kept. To disable a user for a while: adit user disable NAME")]
pub(crate) struct Args {
    /// Select the user
    name: String,
}

pub(crate) fn run(args: &Args, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    let remove = |dry_run| service.change(request(Action::Remove { name: args.name.clone() }, dry_run));
    let mut removed = remove(true)?;
    if !output.dry_run {
        let question = format!("Remove {} for good?", name(&removed));
        if !prompt::agree(output, &question, false, "--yes")? {
            output.remark("nothing", "was changed");
            return Ok(Exit::Done);
        }
        removed = remove(false)?;
    }
    if output.is_text() {
        let word = if output.dry_run { "would remove" } else { "removed " };
        output.line(&format!("{word} {}", name(&removed)))?;
    } else {
        document("removed", &removed, Vec::new(), output)?;
    }
    remarks(&removed, output);
    Ok(Exit::Done)
}
