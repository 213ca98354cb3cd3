//! Bulk import: every entry is checked by itself, then against all other accounts; with any error nothing is written.

mod plan;

use adit_api::accounts::{Import, ImportEntry, ImportProblem, ImportSecret, Imported, MAX_IMPORT};
use adit_api::{Error, Kind, Result};
use adit_diag::event::{AccountChanged, EventFacts};
use adit_password::PasswordRules;
use adit_policy::name;
use adit_store::NewEvent;
use jiff::tz::TimeZone;

use self::plan::{Plan, Planned};
use super::check::{check_group, check_networks};
use super::difference::differences;
use crate::{Context, refused};

/// The most errors in one response.
const MAX_PROBLEMS: usize = 1000;

/// Checks the entries; those of the last request are imported, or with `dry_run` it is reported what would be done.
///
/// # Errors
/// The store cannot be used, or there are too many entries. Errors of entries are part of the report.
pub(super) fn import(context: &Context<'_>, request: &Import) -> Result<Imported> {
    let Import { dry_run, by, update, is_last, entries } = request;
    if entries.len() > MAX_IMPORT {
        let message = format!("the import has {} entries; at most {MAX_IMPORT} are accepted", entries.len());
        return Err(Error::new(Kind::Invalid, message).fix("split the file"));
    }
    let mut problems = Vec::new();
    let mut sound = Vec::new();
    for entry in entries {
        match check_alone(context, entry) {
            Ok(()) => sound.push(entry),
            Err(error) => problems.push(problem(entry, error)),
        }
    }
    if !is_last {
        return Ok(Imported { problems, ..Imported::default() });
    }
    let accounts = context.store.accounts().map_err(refused)?;
    let mut plan = Plan::new(context, &accounts, *update);
    for entry in sound {
        if let Err(error) = plan.add(entry) {
            problems.push(problem(entry, error));
        }
    }
    problems.extend(plan.check_together());
    problems.sort_by_key(|problem| problem.line);
    let mut report = plan.report();
    if problems.is_empty() && !dry_run {
        let planned = plan.into_planned();
        let states = planned.iter().filter_map(Planned::state).collect();
        context.store.write_states(states).map_err(refused)?;
        report.written = true;
        report.warning = record(context, &planned, by);
    }
    report.omitted = problems.len().saturating_sub(MAX_PROBLEMS) as u64;
    problems.truncate(MAX_PROBLEMS);
    Ok(Imported { problems, ..report })
}

fn problem(entry: &ImportEntry, error: Error) -> ImportProblem {
    ImportProblem { line: entry.line, user: entry.name.clone(), message: error.message, fix: error.fix }
}

/// Checks what does not depend on other accounts.
fn check_alone(context: &Context<'_>, entry: &ImportEntry) -> Result<()> {
    if entry.is_checked {
        return Ok(());
    }
    name::check_new(&entry.name, &context.config.auth.domain).map_err(|why| {
        Error::new(Kind::Invalid, format!("the name {why}"))
            .fix("1 to 64 characters, such as alice or old.fax")
    })?;
    if let Some(Some(group)) = &entry.properties.group {
        check_group(group, context.config, context.file)?;
    }
    if let Some(networks) = &entry.properties.networks {
        check_networks(context, &entry.name, networks, &[])?;
    }
    if let ImportSecret::Password { password, weak, .. } = &entry.secret {
        let rules = if *weak { PasswordRules::none() } else { context.config.auth.password.rules.clone() };
        rules.check(&entry.name, password.expose()).map_err(|fault| {
            let fix = if *weak { "choose another one" } else { "choose another one; --weak accepts it" };
            Error::new(Kind::Invalid, format!("this password is refused: {fault}")).fix(fix)
        })?;
    }
    Ok(())
}

/// Records the same events as the commands that change one account.
fn record(context: &Context<'_>, planned: &[Planned<'_>], by: &str) -> Option<String> {
    let zone = TimeZone::system();
    let mut events = Vec::new();
    for Planned { before, after, has_new_secret, .. } in planned {
        let mut event = |facts: fn(AccountChanged) -> EventFacts, changes: Vec<(String, String)>| {
            let changed = AccountChanged { changes, by: by.to_owned() };
            let mut event = NewEvent::new(context.now, facts(changed));
            event.user = Some(after.name.clone());
            events.push(event);
        };
        let mut fields: Vec<(String, String)> = differences(before.as_deref(), after, &zone)
            .into_iter()
            .map(|change| (change.field.to_owned(), change.to))
            .collect();
        let disabled = match after.disabled.as_deref() {
            None => "no",
            Some("") => "yes",
            Some(reason) => reason,
        };
        let disabled = vec![("disabled".to_owned(), disabled.to_owned())];
        let Some(before) = before else {
            if after.disabled.is_some() {
                fields.extend(disabled);
            }
            event(EventFacts::UserAdd, fields);
            continue;
        };
        if !fields.is_empty() {
            event(EventFacts::UserSet, fields);
        }
        if *has_new_secret {
            event(EventFacts::UserPasswd, Vec::new());
        }
        match (before.disabled == after.disabled, after.disabled.is_some()) {
            (true, _) => {}
            (false, true) => event(EventFacts::UserDisable, disabled),
            (false, false) => event(EventFacts::UserEnable, disabled),
        }
    }
    let error = context.recorder.record_all(events).err()?;
    Some(format!("the accounts are written, but not all of it is in the log: {error}"))
}
