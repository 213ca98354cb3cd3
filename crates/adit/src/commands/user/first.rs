//! The first account of a server, made as the server starts.

use adit_config::Config;
use adit_crypto::proof::Secret;
use adit_store::{NewAccount, Store};

use super::change::record;
use super::password::{make_password, tell_password};
use crate::failure::Failure;
use crate::output::Output;

/// Adds somebody with a password made here, and tells it once: `adit serve --first-user`.
pub(crate) fn add_first(name: &str, config: &Config, store: &Store, output: &Output) -> Result<(), Failure> {
    let made = make_password(&config.auth.password)?;
    let new = NewAccount::named(name);
    store.add_account(&new, Some(&Secret::Clear(made.clone())), false, output.clock.now())?;
    record(store, output, "user.add", name, &[]);
    output.line(&format!("added    {name}"))?;
    tell_password(output, &made)
}
