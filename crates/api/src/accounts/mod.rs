//! Accounts: requests and responses.

mod account;
mod change;
mod password;
mod view;

pub use account::{Account, AccountChange, Login, NewAccount};
pub use change::{Action, Change, Changed};
pub use password::NewPassword;
pub use view::{Attempt, Connected, Listed, Page, Shown, State};

use serde::{Deserialize, Serialize};

/// A request about accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// List the accounts by name, one page at a time.
    List {
        /// The last name of the previous page; `None` for the first page.
        after: Option<String>,
    },
    /// Show an account with its sessions and its last login attempts.
    Show {
        /// Name of the account, without regard to case.
        name: String,
    },
    /// Change an account.
    Change(Box<Change>),
}

impl Request {
    /// Whether the request changes something when it is carried out.
    pub fn is_change(&self) -> bool {
        matches!(self, Request::Change(change) if !change.dry_run)
    }
}

/// The response to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// Response to [`Request::List`].
    Page(Page),
    /// Response to [`Request::Show`].
    Shown(Box<Shown>),
    /// Response to [`Request::Change`].
    Changed(Box<Changed>),
}
