//! An account by its name.

use adit_store::{Account, Store};

use crate::failure::{Exit, Failure};
use crate::table::printable;

/// The account of a name; with a suggestion when there is none.
pub(super) fn find(store: &Store, name: &str) -> Result<Account, Failure> {
    if let Some(account) = store.account(name)? {
        return Ok(account);
    }
    Err(nobody(&store.accounts()?, name))
}

/// There is nobody of this name among these.
pub(super) fn nobody(accounts: &[Account], name: &str) -> Failure {
    let near = adit_diag::nearest(name, accounts.iter().map(|account| account.name.as_str()));
    let meant = near.map(|near| format!(": did you mean \"{near}\"?")).unwrap_or_default();
    let fix = if accounts.is_empty() { "adit user add NAME" } else { "adit user list" };
    Failure::new(Exit::NotFound, format!("there is no user \"{}\"{meant}", printable(name))).fix(fix)
}
