//! Accounts that cannot log in because of their second factor.

use std::path::Path;

use adit_config::{Config, Finding, Fix, Level};
use adit_diag::{Code, printable};
use adit_policy::Mfa;
use adit_store::{Account, ErrorKind, StoreConfig};

use crate::failure::Failure;
use crate::places::Places;
use crate::settings;

/// Names that a finding lists.
const NAMES: usize = 3;

/// One finding for all accounts that need a second factor and have none, and one for those whose second factor cannot be
/// checked, because only the NT hash of the password is stored. Empty without a database.
pub(super) fn findings(file: &Path, config: &Config, places: &Places) -> Result<Vec<Finding>, Failure> {
    let store =
        match adit_store::open(&StoreConfig::sqlite_read_only(settings::database(places, Some(config))?)) {
            Err(error) if error.kind == ErrorKind::Missing => return Ok(Vec::new()),
            opened => opened?,
        };
    let (mut missing, mut unchecked) = (Vec::new(), Vec::new());
    for account in store.accounts()? {
        let is_needed = config.access_for(account.group.as_deref()).mfa == Mfa::Append;
        match store.sealed_factor(&account.name)? {
            None if is_needed => missing.push(account),
            Some(_) if !account.reversible => unchecked.push(account),
            _ => {}
        }
    }
    let mut findings = Vec::new();
    if let Some(first) = missing.first() {
        let message = format!("{}: a second factor is required and not enrolled", names(&missing));
        let name = printable(&first.name);
        let fix = match first.reversible {
            true => format!("adit user mfa enroll {name}"),
            false => format!("adit user passwd {name} --reversible, then adit user mfa enroll {name}"),
        };
        findings.push(finding(file, Code::A01, message, fix));
    }
    if let Some(first) = unchecked.first() {
        let message = format!(
            "{}: the second factor needs the clear-text password, and only its NT hash is stored",
            names(&unchecked)
        );
        let fix = format!("adit user passwd {} --reversible", printable(&first.name));
        findings.push(finding(file, Code::A05, message, fix));
    }
    Ok(findings)
}

fn names(accounts: &[Account]) -> String {
    let named: Vec<_> = accounts.iter().take(NAMES).map(|account| printable(&account.name)).collect();
    match accounts.len().saturating_sub(NAMES) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn finding(file: &Path, code: Code, message: String, fix: String) -> Finding {
    Finding {
        file: file.display().to_string(),
        fix: Some(Fix { text: fix, replace: None }),
        ..Finding::new(code, Level::Warning, "access.mfa", message)
    }
}
