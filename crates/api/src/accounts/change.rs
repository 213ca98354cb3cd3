//! Changes to accounts.

use std::net::Ipv4Addr;

use adit_crypto::secret::Password;
use serde::{Deserialize, Serialize};

use super::{Account, AccountChange, NewAccount, NewPassword};
use crate::SessionId;

/// A change to an account, or with `dry_run` the check of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Only check the change and report what it would do.
    pub dry_run: bool,
    /// Name of the administrator, for the log. A caller that may change accounts is trusted with it.
    pub by: String,
    /// The change to make.
    pub action: Action,
}

/// A change to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// Add an account.
    Add {
        /// Properties of the account.
        account: NewAccount,
        /// Its password.
        password: NewPassword,
        /// Store the clear-text password too.
        reversible: bool,
    },
    /// Change properties of an account.
    Set {
        /// Name of the account.
        name: String,
        /// The changes to make.
        change: AccountChange,
    },
    /// Set the password of an account.
    Password {
        /// Name of the account.
        name: String,
        /// The new password.
        password: NewPassword,
        /// Store the clear-text password too; `None` keeps the present setting.
        reversible: Option<bool>,
        /// Require a password change at the next login.
        must_change: bool,
    },
    /// Enable an account.
    Enable {
        /// Name of the account.
        name: String,
    },
    /// Disable an account.
    Disable {
        /// Name of the account.
        name: String,
        /// The reason; may be empty.
        reason: String,
    },
    /// Unlock an account that was locked after failed logins.
    Unlock {
        /// Name of the account.
        name: String,
        /// Only for this address and its /24 network, which are then as after a login of the user from there; `None` for
        /// all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Ipv4Addr>,
    },
    /// Remove an account.
    Remove {
        /// Name of the account.
        name: String,
    },
}

/// The result of a change, or of its check with `dry_run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The account before the change; `None` when it was added.
    pub before: Option<Account>,
    /// The account after the change; `None` when it was removed.
    pub after: Option<Account>,
    /// Whether the account differs.
    pub changed: bool,
    /// The generated password. No other response contains it.
    #[serde(with = "super::password::hex_option")]
    pub password: Option<Password>,
    /// The pool of the account's address.
    pub pool: String,
    /// The account's oldest active session: a change does not end it.
    pub connected: Option<SessionId>,
    /// A problem that did not prevent the change.
    pub warning: Option<String>,
}

impl Changed {
    /// The account after the change or, if it was removed, before it.
    pub fn account(&self) -> Option<&Account> {
        self.after.as_ref().or(self.before.as_ref())
    }
}
