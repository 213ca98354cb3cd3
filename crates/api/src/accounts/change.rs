//! Changes of accounts.

use adit_crypto::secret::Password;
use serde::{Deserialize, Serialize};

use super::{Account, AccountChange, NewAccount, NewPassword};
use crate::SessionId;

/// One change, or the question whether it could be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Only check it, and say what it would change.
    pub dry_run: bool,
    /// Who changes it, for the log. A caller that may change accounts is trusted with this.
    pub by: String,
    /// What to change.
    pub action: Action,
}

/// What to do with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// Add one.
    Add {
        /// What is special about it.
        account: NewAccount,
        /// Its password.
        password: NewPassword,
        /// Keep the clear password too.
        reversible: bool,
    },
    /// Change some of its properties.
    Set {
        /// Whose.
        name: String,
        /// What.
        change: AccountChange,
    },
    /// Set its password.
    Password {
        /// Whose.
        name: String,
        /// The password.
        password: NewPassword,
        /// Keep the clear password too; `None` as it is now.
        reversible: Option<bool>,
        /// It must be changed at the next login.
        must_change: bool,
    },
    /// Let it log in again.
    Enable {
        /// Whose.
        name: String,
    },
    /// Keep it from logging in.
    Disable {
        /// Whose.
        name: String,
        /// Why; may be empty.
        reason: String,
    },
    /// Lift the lock after failed logins.
    Unlock {
        /// Whose.
        name: String,
    },
    /// Remove it.
    Remove {
        /// Whose.
        name: String,
    },
}

/// What a change did, or with `dry_run` would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The account before; `None` when it was added.
    pub before: Option<Account>,
    /// The account now; `None` when it was removed.
    pub after: Option<Account>,
    /// Whether anything is different.
    pub changed: bool,
    /// The password that was made here. It is in this answer and nowhere else.
    #[serde(with = "super::password::hex_option")]
    pub password: Option<Password>,
    /// The pool of its address.
    pub pool: String,
    /// Its oldest session that is up: a change does not end it.
    pub connected: Option<SessionId>,
    /// What went wrong beside the change, which is done.
    pub warning: Option<String>,
}

impl Changed {
    /// The account that it is about: as it is now, or as it was.
    pub fn account(&self) -> Option<&Account> {
        self.after.as_ref().or(self.before.as_ref())
    }
}
