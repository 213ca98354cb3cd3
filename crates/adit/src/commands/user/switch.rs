//! `adit user enable`, `disable`, `unlock`

use std::net::Ipv4Addr;

use adit_api::accounts::{Action, Changed};

use super::change::{Change, document, name, remarks, request};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::service::Service;
use crate::when;

/// Enable a user
#[derive(Debug, clap::Args)]
pub(crate) struct EnableArgs {
    /// Select the user
    name: String,
}

/// Disable a user
#[derive(Debug, clap::Args)]
#[command(after_help = "This applies from the next login on; to terminate active sessions: adit kick NAME")]
pub(crate) struct DisableArgs {
    /// Select the user
    name: String,
    /// Record this reason, for the log and for other administrators
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
}

/// Unlock a user after failed logins
#[derive(Debug, clap::Args)]
pub(crate) struct UnlockArgs {
    /// Select the user
    name: String,
    /// Admit the user from this address and its /24 network, as after a login from there; the lock stays for all others
    #[arg(long, value_name = "ADDRESS")]
    from: Option<Ipv4Addr>,
}

pub(crate) fn enable(args: &EnableArgs, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    switch(("enable", "enabled"), Action::Enable { name: args.name.clone() }, output, service)
}

pub(crate) fn disable(args: &DisableArgs, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    let action = Action::Disable { name: args.name.clone(), reason: args.reason.clone() };
    switch(("disable", "disabled"), action, output, service)
}

pub(crate) fn unlock(args: &UnlockArgs, output: &Output, service: &Service<'_>) -> Result<Exit, Failure> {
    switch(
        ("unlock", "unlocked"),
        Action::Unlock { name: args.name.clone(), from: args.from },
        output,
        service,
    )
}

/// Changes one property; `verb` and `done` are the words for it in messages.
fn switch(
    (verb, done): (&str, &'static str),
    action: Action,
    output: &Output,
    service: &Service<'_>,
) -> Result<Exit, Failure> {
    let from = if let Action::Unlock { from, .. } = &action { *from } else { None };
    let changed = service.change(request(action, output.dry_run))?;
    let change = match from {
        Some(from) => Some(Change { field: "from", from: "-".to_owned(), to: from.to_string() }),
        None => difference(&changed, output).filter(|_| changed.changed),
    };
    if output.is_text() {
        let reason = match &change {
            Some(change) if change.to != "no" && change.to != "yes" => format!("   {}", change.to),
            _ => String::new(),
        };
        let word = match (&change, output.dry_run) {
            (None, _) => "unchanged".to_owned(),
            (Some(_), true) => format!("would {verb}"),
            (Some(_), false) => format!("{done:<8}"),
        };
        output.line(&format!("{word} {}{}", name(&changed), crate::table::printable(&reason)))?;
    } else {
        document(done, &changed, change.into_iter().collect(), output)?;
    }
    remarks(&changed, output);
    Ok(Exit::Done)
}

/// The difference in the disabled or locked state.
fn difference(changed: &Changed, output: &Output) -> Option<Change> {
    let (before, after) = (changed.before.as_ref()?, changed.after.as_ref()?);
    if before.disabled != after.disabled {
        let words = |disabled: &Option<String>| match disabled.as_deref() {
            None => "no".to_owned(),
            Some("") => "yes".to_owned(),
            Some(reason) => reason.to_owned(),
        };
        return Some(Change { field: "disabled", from: words(&before.disabled), to: words(&after.disabled) });
    }
    let until = before.locked_until.unwrap_or(output.clock.now());
    let left = when::about(when::between(output.clock.now(), until));
    Some(Change { field: "locked", from: format!("another {left}"), to: "no".into() })
}
