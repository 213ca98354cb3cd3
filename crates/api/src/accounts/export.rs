//! Export of accounts with their secrets.

use serde::{Deserialize, Serialize};

use super::{Account, ImportSecret};

/// A page of accounts with their secrets. It is as short as a response with one password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPage {
    /// The accounts, sorted by name.
    pub accounts: Vec<ExportedAccount>,
    /// The `after` of the request for the next page; `None` on the last page.
    pub next: Option<String>,
}

/// An account with its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedAccount {
    /// The account.
    pub account: Account,
    /// The secret: the clear-text password if it is stored, else the NT hash.
    pub secret: ImportSecret,
}
