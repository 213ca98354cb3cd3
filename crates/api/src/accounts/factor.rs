//! The second factor of an account.

use adit_crypto::secret::Password;
use serde::{Deserialize, Serialize};

use crate::Utc;

/// A request about the second factor of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactorRequest {
    /// Name of the account, without regard to case.
    pub name: String,
    /// Name of the administrator, for the log.
    pub by: String,
    /// Only check the request and report what it would do.
    pub dry_run: bool,
    /// What to do.
    pub action: FactorAction,
}

/// What to do with the second factor of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FactorAction {
    /// Show whether one is enrolled.
    Status,
    /// Enrol this one, in place of the one that there is.
    Enroll {
        /// Its secret, in the text form of `adit_mfa::Factor`.
        #[serde(with = "super::password::hex")]
        secret: Password,
        /// A code of it; `None` enrols it unconfirmed.
        #[serde(with = "super::password::hex_option")]
        code: Option<Password>,
    },
    /// Replace the recovery codes.
    RenewRecovery,
    /// Remove it: the password alone is enough again.
    Remove,
}

/// The second factor of an account after a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactorState {
    /// The account.
    pub user: String,
    /// Whether the clear-text password is stored, which codes need.
    pub reversible: bool,
    /// The enrolled factor.
    pub enrolled: Option<EnrolledFactor>,
    /// Whether anything differs.
    pub changed: bool,
    /// The new recovery codes, separated by spaces. No other response contains them.
    #[serde(with = "super::password::hex_option")]
    pub recovery: Option<Password>,
    /// A problem that did not prevent the change.
    pub warning: Option<String>,
}

/// A second factor without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolledFactor {
    /// When it was enrolled.
    pub at: Utc,
    /// Who enrolled it.
    pub by: String,
    /// Recovery codes that were not used yet.
    pub recovery_left: usize,
}
