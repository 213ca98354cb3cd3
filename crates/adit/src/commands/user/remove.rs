//! `adit user remove`

use super::change::{ChangeDocument, record};
use super::find::{find, nobody};
use super::switch::remark_connected;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::prompt;
use crate::settings::Settings;

/// Remove somebody for good
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is on record about past sessions stays. To keep somebody out for a while: adit user disable NAME")]
pub(crate) struct Args {
    /// Who
    name: String,
}

pub(crate) fn run(
    args: &Args,
    output: &Output,
    places: &Places,
    settings: &Settings,
) -> Result<Exit, Failure> {
    let store = if output.dry_run { settings.store_to_read()? } else { Some(settings.store()?) };
    let Some(store) = store else {
        return Err(nobody(&[], &args.name));
    };
    let account = find(&store, &args.name)?;
    if !output.dry_run {
        let question = format!("Remove {} for good?", account.name);
        if !prompt::agree(output, &question, false, "--yes")? {
            output.remark("nothing", "was changed");
            return Ok(Exit::Done);
        }
        store.remove_account(&account.name)?;
        record(&store, output, "user.remove", &account.name, &[]);
    }
    if output.is_text() {
        let word = if output.dry_run { "would remove" } else { "removed " };
        output.line(&format!("{word} {}", account.name))?;
    } else {
        output.document(&ChangeDocument {
            action: "removed",
            user: account.name.clone(),
            changed: true,
            dry_run: output.dry_run,
            changes: Vec::new(),
            password: None,
        })?;
    }
    remark_connected(&account, output, places, settings)?;
    Ok(Exit::Done)
}
