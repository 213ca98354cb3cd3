//! `adit user passwd`

use adit_store::AccountChange;

use super::change::{Change, ChangeDocument, record};
use super::find::{find, nobody};
use super::password::{PasswordFlags, new_password, tell_password};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::settings::Settings;

/// Set somebody's password
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The password is asked for; when the answer is empty, one is made and shown once.
It counts from the next login on; who is connected stays connected.")]
pub(crate) struct Args {
    /// Who
    name: String,
    #[command(flatten)]
    password: PasswordFlags,
    /// Stop keeping the password itself
    #[arg(long, conflicts_with = "reversible")]
    no_reversible: bool,
}

pub(crate) fn run(args: &Args, output: &Output, settings: &Settings) -> Result<Exit, Failure> {
    let store = if output.dry_run { settings.store_to_read()? } else { Some(settings.store()?) };
    let Some(store) = store else {
        return Err(nobody(&[], &args.name));
    };
    let account = find(&store, &args.name)?;
    let reversible = (account.reversible || args.password.reversible) && !args.no_reversible;
    let question = format!("New password for {} (empty: make one): ", account.name);
    let password = new_password(&account.name, &args.password, &question, settings)?;
    if !output.dry_run {
        store.set_secret(&account.name, &password.secret, reversible, output.clock.now())?;
        if args.password.must_change {
            let change = AccountChange { must_change: Some(true), ..AccountChange::default() };
            store.change_account(&account.name, &change)?;
        }
        record(&store, output, "user.passwd", &account.name, &[]);
    }
    let made = password.made.as_ref().filter(|_| !output.dry_run);
    if !output.is_text() {
        let change = Change { field: "password", from: "old".into(), to: "new".into() };
        output.document(&ChangeDocument {
            action: "password",
            user: account.name,
            changed: true,
            dry_run: output.dry_run,
            changes: vec![change],
            password: made.map(|password| password.expose().to_owned()),
        })?;
        return Ok(Exit::Done);
    }
    let word = if output.dry_run { "would change" } else { "changed " };
    let kept = if reversible { "   kept reversible" } else { "" };
    output.line(&format!("{word} {}   new password{kept}", account.name))?;
    if let Some(made) = made {
        tell_password(output, made)?;
    }
    Ok(Exit::Done)
}
