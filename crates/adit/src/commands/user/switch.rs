//! `adit user enable`, `disable`, `unlock`

use adit_store::{Account, AccountChange, SessionFilter};

use super::change::{Change, ChangeDocument, record};
use super::find::{find, nobody};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::settings::Settings;

/// Switch somebody on again
#[derive(Debug, clap::Args)]
pub(crate) struct EnableArgs {
    /// Who
    name: String,
}

/// Switch somebody off
#[derive(Debug, clap::Args)]
#[command(after_help = "It counts from the next login on; to end sessions that run: adit kick NAME")]
pub(crate) struct DisableArgs {
    /// Who
    name: String,
    /// Why, for the log and for colleagues
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
}

/// Lift the lock after failed logins
#[derive(Debug, clap::Args)]
pub(crate) struct UnlockArgs {
    /// Who
    name: String,
}

pub(crate) fn enable(args: &EnableArgs, output: &Output, settings: &Settings) -> Result<Exit, Failure> {
    let change = AccountChange { disabled: Some(None), ..AccountChange::default() };
    switch(("enable", "enabled"), &args.name, change, output, settings, |account| {
        let from = account.disabled.as_ref()?;
        let from = if from.is_empty() { "yes".into() } else { from.clone() };
        Some(Change { field: "disabled", from, to: "no".into() })
    })?;
    Ok(Exit::Done)
}

pub(crate) fn disable(
    args: &DisableArgs,
    output: &Output,
    places: &Places,
    settings: &Settings,
) -> Result<Exit, Failure> {
    let change = AccountChange { disabled: Some(Some(args.reason.clone())), ..AccountChange::default() };
    let account = switch(("disable", "disabled"), &args.name, change, output, settings, |account| {
        let words = |reason: &str| if reason.is_empty() { "yes".to_owned() } else { reason.to_owned() };
        let from = account.disabled.as_deref().map_or_else(|| "no".into(), words);
        let to = words(&args.reason);
        (from != to).then_some(Change { field: "disabled", from, to })
    })?;
    remark_connected(&account, output, places, settings)?;
    Ok(Exit::Done)
}

pub(crate) fn unlock(args: &UnlockArgs, output: &Output, settings: &Settings) -> Result<Exit, Failure> {
    let change = AccountChange { locked_until: Some(None), ..AccountChange::default() };
    let now = output.clock.now();
    switch(("unlock", "unlocked"), &args.name, change, output, settings, |account| {
        let until = account.locked_until.filter(|until| *until > now)?;
        let left = crate::when::about(crate::when::between(now, until));
        Some(Change { field: "locked", from: format!("another {left}"), to: "no".into() })
    })?;
    Ok(Exit::Done)
}

/// Makes one change if it changes anything; `verb` and `done` are words for it.
fn switch(
    (verb, done): (&str, &'static str),
    name: &str,
    change: AccountChange,
    output: &Output,
    settings: &Settings,
    difference: impl FnOnce(&Account) -> Option<Change>,
) -> Result<Account, Failure> {
    let store = if output.dry_run { settings.store_to_read()? } else { Some(settings.store()?) };
    let Some(store) = store else {
        return Err(nobody(&[], name));
    };
    let account = find(&store, name)?;
    let difference = difference(&account);
    if difference.is_some() && !output.dry_run {
        store.change_account(&account.name, &change)?;
        record(&store, output, &format!("user.{verb}"), &account.name, difference.as_slice());
    }
    if output.is_text() {
        let reason = match &difference {
            Some(change) if change.to != "no" && change.to != "yes" => format!("   {}", change.to),
            _ => String::new(),
        };
        let word = match (&difference, output.dry_run) {
            (None, _) => "unchanged".to_owned(),
            (Some(_), true) => format!("would {verb}"),
            (Some(_), false) => format!("{done:<8}"),
        };
        output.line(&format!("{word} {}{}", account.name, crate::table::printable(&reason)))?;
    } else {
        output.document(&ChangeDocument {
            action: done,
            user: account.name.clone(),
            changed: difference.is_some(),
            dry_run: output.dry_run,
            changes: difference.into_iter().collect(),
            password: None,
        })?;
    }
    Ok(account)
}

/// Who is connected stays so: say it before somebody believes otherwise.
pub(super) fn remark_connected(
    account: &Account,
    output: &Output,
    places: &Places,
    settings: &Settings,
) -> Result<(), Failure> {
    if !places.daemon_runs() {
        return Ok(());
    }
    let running =
        SessionFilter { running: Some(true), user: Some(account.name.clone()), ..SessionFilter::default() };
    let sessions = match settings.store_to_read()? {
        Some(store) => store.sessions(&running)?,
        None => Vec::new(),
    };
    if let Some(session) = sessions.iter().find(|session| session.up.is_some()) {
        let (name, id) = (&account.name, session.id);
        output.remark("note", &format!("{name} is still connected ({id}); to end that: adit kick {name}"));
    }
    Ok(())
}
