//! Fixed addresses of accounts that no pool has.

use std::path::Path;

use adit_config::{Config, Finding, Fix, Level};
use adit_policy::{AddressRefusal, PoolConfig};
use adit_store::{Account, ErrorKind, StoreConfig};

use crate::failure::Failure;
use crate::places::Places;
use crate::settings;

/// One finding for each account that cannot get its fixed address with this configuration. Empty without a database.
pub(super) fn findings(file: &Path, config: &Config, places: &Places) -> Result<Vec<Finding>, Failure> {
    let store =
        match adit_store::open(&StoreConfig::sqlite_read_only(settings::database(places, Some(config))?)) {
            Err(error) if error.kind == ErrorKind::Missing => return Ok(Vec::new()),
            opened => opened?,
        };
    let accounts = store.accounts()?;
    Ok(accounts.iter().filter_map(|account| finding(file, account, config)).collect())
}

fn finding(file: &Path, account: &Account, config: &Config) -> Option<Finding> {
    let (address, user) = (account.address?, account.name.clone());
    let refusal = match config.pools.values().find(|pool: &&PoolConfig| pool.net.contains(&address)) {
        None => AddressRefusal::OutsidePools { address, user },
        Some(pool) if !pool.is_host(address) => AddressRefusal::NotHost { address, user },
        Some(_) => return None,
    };
    let fix = format!("adit user set {} --address ADDRESS, or --no-address", account.name);
    Some(Finding {
        file: file.display().to_string(),
        fix: Some(Fix { text: fix, replace: None }),
        ..Finding::new(refusal.code(), Level::Warning, "pool.net", refusal.to_string())
    })
}
