//! Bulk import of accounts: entries of a file, and what becomes of them.

use adit_crypto::secret::{NtHash, Password};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AccountChange;

/// The most entries of one import.
pub const MAX_IMPORT: usize = 10_000;
/// The longest entry, in octets of JSON: every entry fits into a request.
pub const MAX_IMPORT_ENTRY: usize = 32 << 10;

/// Entries of an import. An import that is longer than one request is sent as several on one connection: the server
/// checks and collects the entries, and the last request carries out the import of all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Only check the entries and report what the import would do.
    pub dry_run: bool,
    /// Name of the administrator, for the log.
    pub by: String,
    /// Change accounts that exist already; otherwise they are errors.
    pub update: bool,
    /// Whether all entries are sent.
    pub is_last: bool,
    /// The entries, in the order of the file.
    pub entries: Vec<ImportEntry>,
}

/// One account of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportEntry {
    /// The line of the file, for messages.
    pub line: u64,
    /// Name of the account.
    pub name: String,
    /// Its properties; `None` for what the file does not contain.
    pub properties: AccountChange,
    /// Its secret.
    pub secret: ImportSecret,
    /// When the password was set; `None` for now.
    pub password_changed: Option<Timestamp>,
    /// When the account was added; `None` for now. An existing account keeps its own.
    pub created: Option<Timestamp>,
    /// Whether the entry passed the checks that need no other entry; set by the server only.
    #[serde(skip)]
    pub is_checked: bool,
}

/// The secret of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ImportSecret {
    /// None: an existing account keeps its own, and a new one cannot log in yet.
    None,
    /// A password.
    Password {
        /// The password.
        #[serde(with = "super::password::hex")]
        password: Password,
        /// Store the clear-text password too; `None` keeps what the account has.
        reversible: Option<bool>,
        /// Do not check it against the configured rules.
        weak: bool,
    },
    /// An NT hash, which no rule can check.
    NtHash(#[serde(with = "super::password::hash")] NtHash),
}

/// What an import did, or would do; for a request that is not the last one, only the errors in its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Errors, by line; at most one for each entry. With any error nothing is written.
    pub problems: Vec<ImportProblem>,
    /// Errors that are not in the list.
    pub omitted: u64,
    /// Accounts that are new.
    pub added: u64,
    /// Accounts that differ.
    pub changed: u64,
    /// Accounts that are as in the file already.
    pub unchanged: u64,
    /// NT hashes and passwords that were not checked against the rules.
    pub not_checked: u64,
    /// New accounts without a password.
    pub without_password: u64,
    /// Whether the import was written.
    pub written: bool,
    /// A problem that did not prevent the import.
    pub warning: Option<String>,
}

/// An error in one entry of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportProblem {
    /// The line of the file.
    pub line: u64,
    /// Name of the account; empty if the line has none.
    pub user: String,
    /// What is wrong, and what was expected.
    pub message: String,
    /// The first thing to do.
    pub fix: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_survive_and_are_never_written_in_clear() {
        let password = Password::new("secret\"");
        let hash = password.nt_hash();
        for secret in [
            ImportSecret::None,
            ImportSecret::Password { password, reversible: Some(true), weak: false },
            ImportSecret::NtHash(hash),
        ] {
            let json = serde_json::to_string(&secret).unwrap();
            assert!(!json.contains("secret") && !format!("{secret:?}").contains("secret"), "{json}");
            assert_eq!(serde_json::from_str::<ImportSecret>(&json).unwrap(), secret);
        }
        for hex in ["", "00", &"g".repeat(32), &"0".repeat(31), &"0".repeat(34)] {
            let json = format!(r#"{{"nt-hash":"{hex}"}}"#);
            assert!(serde_json::from_str::<ImportSecret>(&json).is_err(), "{hex}");
        }
    }

    #[test]
    fn a_caller_cannot_skip_the_checks() {
        let entry = ImportEntry {
            line: 2,
            name: "alice".to_owned(),
            properties: AccountChange::default(),
            secret: ImportSecret::None,
            password_changed: None,
            created: None,
            is_checked: true,
        };
        let json = serde_json::to_string(&entry).unwrap();
        assert!(!serde_json::from_str::<ImportEntry>(&json).unwrap().is_checked);
        assert!(
            serde_json::from_str::<ImportEntry>(&json.replacen('{', r#"{"is_checked":true,"#, 1)).is_err()
        );
    }
}
