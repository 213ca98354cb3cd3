//! Accounts: requests and responses.

mod account;
mod change;
mod export;
mod factor;
mod import;
mod password;
mod view;

pub use account::{Account, AccountChange, Login, NewAccount};
pub use change::{Action, Change, Changed};
pub use export::{ExportPage, ExportedAccount};
pub use factor::{EnrolledFactor, FactorAction, FactorRequest, FactorState};
pub use import::{Import, ImportEntry, ImportProblem, ImportSecret, Imported, MAX_IMPORT, MAX_IMPORT_ENTRY};
pub use password::{NewPassword, nt_hash_from_hex};
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
    /// List the accounts by name with their secrets, one page at a time.
    Export {
        /// The last name of the previous page; `None` for the first page.
        after: Option<String>,
    },
    /// Import accounts.
    Import(Box<Import>),
    /// Show or change the second factor of an account.
    SecondFactor(FactorRequest),
}

impl Request {
    /// Whether the request changes something when it is carried out.
    pub fn is_change(&self) -> bool {
        match self {
            Request::Change(change) => !change.dry_run,
            Request::Import(import) => !import.dry_run,
            Request::SecondFactor(factor) => !factor.dry_run,
            Request::List { .. } | Request::Show { .. } | Request::Export { .. } => false,
        }
    }

    /// Whether the response contains stored secrets.
    pub fn reads_secrets(&self) -> bool {
        // A second factor is opened to count its recovery codes.
        matches!(self, Request::Export { .. } | Request::SecondFactor(_))
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
    /// Response to [`Request::Export`].
    Exported(Box<ExportPage>),
    /// Response to [`Request::Import`].
    Imported(Box<Imported>),
    /// Response to [`Request::SecondFactor`].
    SecondFactor(Box<FactorState>),
}
