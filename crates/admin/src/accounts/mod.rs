//! Accounts: list, show, change.

mod change;
mod check;
mod difference;
mod export;
mod factor;
mod import;
mod list;
mod password;
mod seen;

pub use change::change;
pub use difference::{Difference, differences, last_day, networks_text};

use adit_api::accounts::{Account, Request, Response};
use adit_api::{Error, Kind, Result};
use adit_diag::printable;
use adit_store::Store;

use crate::{Context, refused};

/// Carries out one request.
pub(crate) fn call(context: &Context<'_>, request: &Request) -> Result<Response> {
    match request {
        Request::List { after } => list::page(context, after.as_deref()).map(Response::Page),
        Request::Show { name } => list::show(context, name).map(|shown| Response::Shown(Box::new(shown))),
        Request::Change(request) => {
            change(context, request).map(|changed| Response::Changed(Box::new(changed)))
        }
        Request::Export { after } => {
            export::page(context, after.as_deref()).map(|page| Response::Exported(Box::new(page)))
        }
        Request::SecondFactor(request) => {
            factor::call(context, request).map(|state| Response::SecondFactor(Box::new(state)))
        }
        Request::Import(request) => {
            import::import(context, request).map(|imported| Response::Imported(Box::new(imported)))
        }
    }
}

/// Finds an account by name; the error suggests a similar name.
fn find(store: &Store, name: &str) -> Result<Account> {
    if let Some(account) = store.account(name).map_err(refused)? {
        return Ok(account);
    }
    let accounts = store.accounts().map_err(refused)?;
    let near = adit_diag::nearest(name, accounts.iter().map(|account| account.name.as_str()));
    let meant = near.map(|near| format!(": did you mean \"{near}\"?")).unwrap_or_default();
    let fix = if accounts.is_empty() { "adit user add NAME" } else { "adit user list" };
    let message = format!("there is no user \"{}\"{meant}", printable(name));
    Err(Error::new(Kind::NotFound, message).fix(fix))
}
