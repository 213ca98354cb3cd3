//! What every command that changes an account asks for and shows.

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
    /// Whether anything is different now.
    changed: bool,
    /// Whether it was only tried.
    dry_run: bool,
    /// What is different.
    changes: Vec<Change>,
    /// The password that was made, if one was made. It is shown here and nowhere else.
    password: Option<String>,
}

impl Document for ChangeDocument {
    const NAME: &'static str = "adit.user-change/1";
}

/// One thing that is different.
#[derive(Clone, Serialize, JsonSchema)]
pub(crate) struct Change {
    /// What.
    pub(crate) field: &'static str,
    /// How it was, in words.
    pub(crate) from: String,
    /// How it is, in words.
    pub(crate) to: String,
}

impl From<Difference> for Change {
    fn from(Difference { field, from, to }: Difference) -> Change {
        Change { field, from, to }
    }
}

/// The request for a change by the user of this program.
pub(super) fn request(action: Action, dry_run: bool) -> Request {
    Request { dry_run, by: caller(), action }
}

/// Who runs this program, for the log.
fn caller() -> String {
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

/// What a change changes, in words.
pub(super) fn changes(changed: &Changed, output: &Output) -> Vec<Change> {
    let Some(after) = &changed.after else { return Vec::new() };
    let differences = differences(changed.before.as_ref(), after, output.clock.zone());
    differences.into_iter().map(Change::from).collect()
}

/// Prints the document of a change; `action` is what was done.
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

/// Prints what is worth knowing beside the change: a session goes on, or the log lacks the change.
pub(super) fn remarks(changed: &Changed, output: &Output) {
    if let Some(warning) = &changed.warning {
        output.remark("warning", warning);
    }
    if let Some(id) = changed.connected {
        let name = name(changed);
        output.remark("note", &format!("{name} is still connected ({id}); to end that: adit kick {name}"));
    }
}
