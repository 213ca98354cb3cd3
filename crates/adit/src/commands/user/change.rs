//! What every command that changes an account tells of it, and writes into the log.

use std::os::unix::fs::MetadataExt as _;

use adit_store::{NewEvent, Store};
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::output::Output;

/// What every `adit user` command that changes something prints with `--json`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ChangeDocument {
    /// What was done: added, changed, removed, enabled, disabled, unlocked, password.
    pub(crate) action: &'static str,
    /// The account.
    pub(crate) user: String,
    /// Whether anything is different now.
    pub(crate) changed: bool,
    /// Whether it was only tried.
    pub(crate) dry_run: bool,
    /// What is different.
    pub(crate) changes: Vec<Change>,
    /// The password that was made, if one was made. It is shown here and nowhere else.
    pub(crate) password: Option<String>,
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

/// Who calls this program, for the log.
fn caller() -> String {
    let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let uid = || std::fs::metadata("/proc/self").map(|me| me.uid()).ok();
    let by_uid = || match uid()? {
        0 => Some("root".to_owned()),
        uid => Some(format!("uid:{uid}")),
    };
    named("SUDO_USER").or_else(|| named("LOGNAME")).or_else(by_uid).unwrap_or_else(|| "-".into())
}

/// Writes down that an account was changed. The change itself is done already, so a failure here is only a remark.
pub(super) fn record(store: &Store, output: &Output, kind: &str, user: &str, changes: &[Change]) {
    let mut event = NewEvent::new(output.clock.now(), kind);
    event.user = Some(user.to_owned());
    event.fields = changes.iter().map(|change| (change.field.to_owned(), change.to.clone())).collect();
    event.fields.push(("by".into(), caller()));
    if let Err(error) = store.apply(&[adit_store::Change::Events(vec![event])], output.clock.now()) {
        output.remark("warning", &format!("the change is done, but not in the log: {error}"));
    }
}
