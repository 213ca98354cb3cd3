//! The first account of a server, added when the server starts.

use adit_admin::Context;
use adit_api::accounts::{Action, NewAccount, NewPassword};

use super::change::{remarks, request};
use super::password::print_made;
use crate::failure::Failure;
use crate::output::Output;

/// Adds a user with a generated password, and prints it once: `adit serve --first-user`.
pub(crate) fn add_first(name: &str, context: &Context<'_>, output: &Output) -> Result<(), Failure> {
    let account = NewAccount::named(name);
    let action = Action::Add { account, password: NewPassword::Made, reversible: false };
    let added = adit_admin::accounts::change(context, &request(action, false))?;
    output.line(&format!("added    {name}"))?;
    print_made(added.password.as_ref(), output)?;
    remarks(&added, output);
    Ok(())
}
