//! Accounts: requests and answers.

mod account;
mod change;
mod password;
mod view;

pub use account::{Account, AccountChange, Login, NewAccount};
pub use change::{Action, Change, Changed};
pub use password::NewPassword;
pub use view::{Attempt, Connected, Listed, Page, Shown, State};

use serde::{Deserialize, Serialize};

/// What may be asked about accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// The accounts by name, a page at a time.
    List {
        /// The last name of the page before; `None` for the first page.
        after: Option<String>,
    },
    /// One account with its sessions and its last attempts to log in.
    Show {
        /// Its name, without regard to case.
        name: String,
    },
    /// Change something.
    Change(Box<Change>),
}

impl Request {
    /// Whether the request, carried out, changes something.
    pub fn is_change(&self) -> bool {
        matches!(self, Request::Change(change) if !change.dry_run)
    }
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// To [`Request::List`].
    Page(Page),
    /// To [`Request::Show`].
    Shown(Box<Shown>),
    /// To [`Request::Change`].
    Changed(Box<Changed>),
}
