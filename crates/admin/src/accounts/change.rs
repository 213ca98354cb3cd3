//! Changes to accounts: validate everything, write the account, then record the change in the event log.

use std::net::Ipv4Addr;

use adit_api::accounts::{Account, AccountChange, Action, Change, Changed, NewAccount, NewPassword};
use adit_api::{Error, Kind, Result, SessionId};
use adit_crypto::proof::Secret;
use adit_crypto::secret::Password;
use adit_diag::event::{AccountChanged, EventFacts};
use adit_policy::name::key;
use adit_policy::without_hosts;
use adit_store::{ErrorKind, NewEvent, NewSecret};
use jiff::tz::TimeZone;

use super::check::{check_address, check_group, check_networks, check_new};
use super::difference::differences;
use super::find;
use super::password::accept;
use super::seen::Seen;
use crate::{Context, refused};

/// Constructor of the event for a change.
type EventOf = fn(AccountChanged) -> EventFacts;

/// The result of a change, for the response and the event log.
struct Outcome {
    kind: EventOf,
    before: Option<Account>,
    after: Option<Account>,
    changed: bool,
    /// Changed fields of the account, with their new values as text.
    fields: Vec<(String, String)>,
    /// The generated password.
    made: Option<Password>,
    /// A remark on what the change does not do.
    remark: Option<String>,
}

/// Makes a change, or with `dry_run` reports what it would do.
///
/// # Errors
/// The change cannot be made; nothing was changed.
pub fn change(context: &Context<'_>, request: &Change) -> Result<Changed> {
    let Change { dry_run, by, action } = request;
    let dry_run = *dry_run;
    let outcome = match action {
        Action::Add { account, password, reversible } => {
            add(context, account, password, *reversible, dry_run)
        }
        Action::Set { name, change } => set(context, name, change, dry_run),
        Action::Password { name, password, reversible, must_change } => {
            set_password(context, name, password, (*reversible, *must_change), dry_run)
        }
        Action::Enable { name } => enable(context, name, dry_run),
        Action::Disable { name, reason } => disable(context, name, reason, dry_run),
        Action::Unlock { name, from } => unlock(context, name, *from, dry_run),
        Action::Remove { name } => remove(context, name, dry_run),
    }?;
    let unrecorded = if outcome.changed && !dry_run { record(context, &outcome, by) } else { None };
    let Outcome { before, after, changed, made, remark, .. } = outcome;
    let warning = unrecorded.or(remark);
    let now = after.as_ref().or(before.as_ref());
    let group = now.and_then(|account| account.group.as_deref());
    let connected = match (action, now) {
        (Action::Disable { .. } | Action::Remove { .. }, Some(account)) => connected(context, &account.name)?,
        _ => None,
    };
    let pool = context.config.access_for(group).pool.clone();
    Ok(Changed { before, after, changed, password: made, pool, connected, warning })
}

fn add(
    context: &Context<'_>,
    new: &NewAccount,
    password: &NewPassword,
    reversible: bool,
    dry_run: bool,
) -> Result<Outcome> {
    adit_policy::name::check_new(&new.name, &context.config.auth.domain)
        .map_err(|why| refused(ErrorKind::BadName { name: new.name.clone(), why }.into()))?;
    if let Some(group) = &new.group {
        check_group(group, context.config, context.file)?;
    }
    if let Some(address) = new.address {
        check_address(context, address, new.group.as_deref())?;
    }
    let accounts = context.store.accounts().map_err(refused)?;
    check_new(new, &accounts)?;
    check_networks(context, &new.name, &new.networks, &accounts)?;
    let accepted = accept(context, &new.name, password)?;
    let after = if dry_run {
        new.clone().into_account(Some(reversible), context.now)
    } else {
        let secret = Secret::Clear(accepted.password.clone());
        context.store.add_account(new, Some(&secret), reversible, context.now).map_err(refused)?
    };
    let made = Some(accepted.password).filter(|_| accepted.is_made && !dry_run);
    Ok(Outcome {
        kind: EventFacts::UserAdd,
        fields: fields(None, &after),
        before: None,
        after: Some(after),
        changed: true,
        made,
        remark: None,
    })
}

fn set(context: &Context<'_>, name: &str, change: &AccountChange, dry_run: bool) -> Result<Outcome> {
    if let Some(Some(group)) = &change.group {
        check_group(group, context.config, context.file)?;
    }
    let before = find(context.store, name)?;
    let after = change.clone().apply(before.clone());
    if let Some(address) = after.address.filter(|_| change.address.is_some() || change.group.is_some()) {
        check_address(context, address, after.group.as_deref())?;
    }
    if change.networks.is_some() {
        let accounts = context.store.accounts().map_err(refused)?;
        check_networks(context, &before.name, &after.networks, &accounts)?;
    }
    let fields = fields(Some(&before), &after);
    let changed = !fields.is_empty();
    // The revision that the caller read, or that was validated here: a concurrent change is a conflict.
    let revision = change.revision.or(Some(before.revision));
    let after = write(context, after, AccountChange { revision, ..change.clone() }, changed && !dry_run)?;
    Ok(Outcome {
        kind: EventFacts::UserSet,
        before: Some(before),
        after: Some(after),
        changed,
        fields,
        made: None,
        remark: None,
    })
}

fn set_password(
    context: &Context<'_>,
    name: &str,
    password: &NewPassword,
    (reversible, must_change): (Option<bool>, bool),
    dry_run: bool,
) -> Result<Outcome> {
    let before = find(context.store, name)?;
    let accepted = accept(context, &before.name, password)?;
    let reversible = reversible.unwrap_or(before.reversible);
    if !reversible && context.store.sealed_factor(&before.name).map_err(refused)?.is_some() {
        let message = format!("{} has a second factor, which needs the clear-text password", before.name);
        let fix = format!("--reversible, or first: adit user mfa remove {}", before.name);
        return Err(Error::new(Kind::Invalid, message).fix(fix));
    }
    let after = before.clone().with_new_password(reversible, must_change, context.now);
    if !dry_run {
        let secret = Secret::Clear(accepted.password.clone());
        let new = NewSecret { secret: &secret, reversible, must_change };
        context.store.set_secret(&before.name, &new, context.now).map_err(refused)?;
    }
    let made = Some(accepted.password).filter(|_| accepted.is_made && !dry_run);
    Ok(Outcome {
        kind: EventFacts::UserPasswd,
        before: Some(before),
        after: Some(after),
        changed: true,
        fields: Vec::new(),
        made,
        remark: None,
    })
}

fn enable(context: &Context<'_>, name: &str, dry_run: bool) -> Result<Outcome> {
    let change = AccountChange { disabled: Some(None), ..AccountChange::default() };
    switch(context, (EventFacts::UserEnable, "disabled"), name, change, dry_run, |account| {
        account.disabled.as_ref().map(|_| "no".to_owned())
    })
}

fn disable(context: &Context<'_>, name: &str, reason: &str, dry_run: bool) -> Result<Outcome> {
    let change = AccountChange { disabled: Some(Some(reason.to_owned())), ..AccountChange::default() };
    switch(context, (EventFacts::UserDisable, "disabled"), name, change, dry_run, |account| {
        let is_new = account.disabled.as_deref() != Some(reason);
        is_new.then(|| if reason.is_empty() { "yes".to_owned() } else { reason.to_owned() })
    })
}

/// Ends the locks of an account, or with `from` makes an address its own.
fn unlock(context: &Context<'_>, name: &str, from: Option<Ipv4Addr>, dry_run: bool) -> Result<Outcome> {
    if let Some(from) = from.filter(|from| without_hosts((*from).into()).is_some()) {
        let message = format!("{from} is not the address of a client");
        return Err(Error::new(Kind::Invalid, message)
            .fix("the public address from which the user calls: adit log --failed --user NAME"));
    }
    let account = find(context.store, name)?;
    let key = key(&account.name);
    let mut is_locked = account.locked_until.is_some_and(|until| until > context.now);
    context.lockout.with(&mut |now, lockout| {
        is_locked |= lockout.is_locked(now, &key);
        if !dry_run && (is_locked || from.is_some()) {
            lockout.unlock(now, &key, from);
        }
    })?;
    if let Some(from) = from {
        // The lock stays for all other addresses.
        let after = if dry_run { account.clone() } else { find(context.store, name)? };
        let remark = (!is_locked).then(|| {
            format!("{} is not locked; {from} is one of its own addresses if a lock begins", account.name)
        });
        return Ok(Outcome {
            kind: EventFacts::UserUnlock,
            before: Some(account),
            after: Some(after),
            changed: true,
            fields: vec![("from".to_owned(), from.to_string())],
            made: None,
            remark,
        });
    }
    let change = AccountChange { locked_until: Some(None), ..AccountChange::default() };
    switch(context, (EventFacts::UserUnlock, "locked"), name, change, dry_run, |_| {
        is_locked.then(|| "no".to_owned())
    })
}

/// Makes a change that sets a single field. `to` returns the new value as text, or `None` if nothing changes.
fn switch(
    context: &Context<'_>,
    (kind, field): (EventOf, &str),
    name: &str,
    change: AccountChange,
    dry_run: bool,
    to: impl FnOnce(&Account) -> Option<String>,
) -> Result<Outcome> {
    let before = find(context.store, name)?;
    let to = to(&before);
    let changed = to.is_some();
    let mut after = before.clone();
    if changed {
        after = write(context, change.clone().apply(after), change, !dry_run)?;
    }
    let fields = to.into_iter().map(|to| (field.to_owned(), to)).collect();
    Ok(Outcome { kind, before: Some(before), after: Some(after), changed, fields, made: None, remark: None })
}

fn remove(context: &Context<'_>, name: &str, dry_run: bool) -> Result<Outcome> {
    let before = find(context.store, name)?;
    if !dry_run {
        context.store.remove_account(&before.name).map_err(refused)?;
        // A later account with this name begins without failures and without networks of its own.
        context.lockout.with(&mut |_, lockout| lockout.forget(&key(&before.name)))?;
    }
    Ok(Outcome {
        kind: EventFacts::UserRemove,
        before: Some(before),
        after: None,
        changed: true,
        fields: Vec::new(),
        made: None,
        remark: None,
    })
}

/// Writes the change if `is_to_be_written`; returns the account as it is, or would be, afterwards.
fn write(
    context: &Context<'_>,
    would_be: Account,
    change: AccountChange,
    is_to_be_written: bool,
) -> Result<Account> {
    if !is_to_be_written {
        return Ok(would_be);
    }
    context.store.change_account(&would_be.name, &change).map_err(refused)
}

fn fields(before: Option<&Account>, after: &Account) -> Vec<(String, String)> {
    let differences = differences(before, after, &TimeZone::system());
    differences.into_iter().map(|change| (change.field.to_owned(), change.to)).collect()
}

/// Records a change in the event log. The change is already made, so a failure here is only a warning.
fn record(context: &Context<'_>, outcome: &Outcome, by: &str) -> Option<String> {
    let changed = AccountChanged { changes: outcome.fields.clone(), by: by.to_owned() };
    let mut event = NewEvent::new(context.now, (outcome.kind)(changed));
    event.user = outcome.after.as_ref().or(outcome.before.as_ref()).map(|account| account.name.clone());
    let error = context.recorder.record(event).err()?;
    Some(format!("the change is done, but not in the log: {error}"))
}

/// The account's oldest active session: a change to the account does not end it.
fn connected(context: &Context<'_>, name: &str) -> Result<Option<SessionId>> {
    Ok(Seen::of_one(context, name)?.up(name).first().map(|connected| connected.session))
}
