//! `adit user passwd`

use adit_api::accounts::{Action, NewPassword};

use super::change::{Change, document, name, remarks, request};
use super::password::{PasswordFlags, new_password, print_made};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::service::Service;

/// Set a user's password
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prompts for the password; an empty answer generates one and shows it once.
The password applies from the next login on; active sessions are kept.")]
pub(crate) struct Args {
    /// Select the user
    name: String,
    #[command(flatten)]
    password: PasswordFlags,
    /// Stop storing the clear-text password
    #[arg(long, conflicts_with = "reversible")]
    no_reversible: bool,
}

pub(crate) fn run(args: &Args, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    let PasswordFlags { reversible, must_change, .. } = args.password;
    let reversible = if args.no_reversible { Some(false) } else { reversible.then_some(true) };
    let set = |password, dry_run| {
        let action = Action::Password { name: args.name.clone(), password, reversible, must_change };
        service.change(request(action, dry_run))
    };
    // Check that the account exists before prompting for a password.
    let would_change = set(NewPassword::Made, true)?;
    let question = format!("New password for {} (empty: make one): ", name(&would_change));
    let changed = set(new_password(&args.password, &question)?, output.dry_run)?;
    if output.is_text() {
        let word = if output.dry_run { "would change" } else { "changed " };
        let is_kept = changed.after.as_ref().is_some_and(|account| account.reversible);
        let kept = if is_kept { "   kept reversible" } else { "" };
        output.line(&format!("{word} {}   new password{kept}", name(&changed)))?;
        print_made(changed.password.as_ref(), output)?;
    } else {
        let change = Change { field: "password", from: "old".into(), to: "new".into() };
        document("password", &changed, vec![change], output)?;
    }
    remarks(&changed, output);
    Ok(Exit::Done)
}
