//! Requests and output of all commands that change an account.

use std::os::unix::fs::MetadataExt as _;

use adit_admin::accounts::{Difference, differences};
use adit_api::accounts::{Action, Change as Request, Changed};
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::failure::Failure;
use crate::output::Output;

/// What every `adit user` command that changes something prints with `--json`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ChangeDocument {
    /// What was done: added, changed, removed, enabled, disabled, unlocked, password.
    action: &'static str,
    /// The account.
    user: String,
    /// Whether anything has changed.
    changed: bool,
    /// Whether this was a dry run.
    dry_run: bool,
    /// The properties that differ.
    changes: Vec<Change>,
    /// The generated password, if there is one. It is shown here and not again.
    password: Option<String>,
}

impl Document for ChangeDocument {
    const NAME: &'static str = "adit.user-change/1";
}

/// A property that differs.
#[derive(Clone, Serialize, JsonSchema)]
pub(crate) struct Change {
    /// Name of the property.
    pub(crate) field: &'static str,
    /// The old value, as text.
    pub(crate) from: String,
    /// The new value, as text.
    pub(crate) to: String,
}

impl From<Difference> for Change {
    fn from(Difference { field, from, to }: Difference) -> Change {
        Change { field, from, to }
    }
}

/// Builds the request for a change by the user of this program.
pub(super) fn request(action: Action, dry_run: bool) -> Request {
    Request { dry_run, by: caller(), action }
}

/// The user who runs this program, for the log.
pub(crate) fn caller() -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let uid = || std::fs::metadata("/proc/self").map(|me| me.uid()).ok();
    let by_uid = || match uid()? {
        0 => Some("root".to_owned()),
        uid => Some(format!("uid:{uid}")),
    };
    named("SUDO_USER").or_else(|| named("LOGNAME")).or_else(by_uid).unwrap_or_else(|| "-".into())
}

/// The name of the account that was changed.
pub(super) fn name(changed: &Changed) -> &str {
    changed.account().map_or("", |account| account.name.as_str())
}

/// The differences of a change, as text.
pub(super) fn changes(changed: &Changed, output: &Output) -> Vec<Change> {
    let Some(after) = &changed.after else { return Vec::new() };
    let differences = differences(changed.before.as_ref(), after, output.clock.zone());
    differences.into_iter().map(Change::from).collect()
}

/// Prints the document of a change; `action` is the kind of the change.
pub(super) fn document(
    action: &'static str,
    changed: &Changed,
    changes: Vec<Change>,
    output: &Output,
) -> Result<(), Failure> {
    output.document(&ChangeDocument {
        action,
        user: name(changed).to_owned(),
        changed: changed.changed,
        dry_run: output.dry_run,
        changes,
        password: changed.password.as_ref().map(|password| password.expose().to_owned()),
    })
}

/// Prints remarks about a change: an active session continues, or the log entry is missing.
pub(super) fn remarks(changed: &Changed, output: &Output) {
    if let Some(warning) = &changed.warning {
        output.remark("warning", warning);
    }
    if let Some(id) = changed.connected {
        let name = name(changed);
        output.remark("note", &format!("{name} is still connected ({id}); to end that: adit kick {name}"));
    }
}
