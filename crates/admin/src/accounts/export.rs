//! Accounts with their secrets.

use adit_api::Result;
use adit_api::accounts::{Account, ExportPage, ExportedAccount, ImportSecret};
use adit_crypto::proof::Secret;
use adit_policy::name::key;

use crate::{Context, PageLimit, refused};

/// The size of a page when it is sent: the buffer of a response with a secret does not grow, so that no copy is left behind.
const PAGE: PageLimit = PageLimit { items: 16, octets: 6 << 10 };

/// The accounts after a name, at most one page.
pub(super) fn page(context: &Context<'_>, after: Option<&str>) -> Result<ExportPage> {
    let after = after.map(key);
    let mut accounts: Vec<Account> = context.store.accounts().map_err(refused)?;
    accounts.retain(|account| after.as_ref().is_none_or(|after| key(&account.name) > *after));
    accounts.sort_by_cached_key(|account| key(&account.name));
    let count = accounts.len();
    if context.page != PageLimit::NONE {
        accounts.truncate(PAGE.items);
    }
    let mut exported = Vec::with_capacity(accounts.len());
    let mut last = None;
    for Account { name, .. } in accounts {
        // An account that was removed since the list was read is no part of the export.
        if let Some((account, secret)) = context.store.credentials(&name).map_err(refused)? {
            exported.push(ExportedAccount { account, secret: export(secret) });
        }
        last = Some(name);
    }
    let is_last = context.page == PageLimit::NONE || count <= PAGE.items;
    if context.page != PageLimit::NONE {
        let fits = PAGE.fitting(exported.iter());
        if fits < exported.len() {
            exported.truncate(fits);
            let next = exported.last().map(|exported| exported.account.name.clone());
            return Ok(ExportPage { accounts: exported, next });
        }
    }
    Ok(ExportPage { accounts: exported, next: last.filter(|_| !is_last) })
}

fn export(secret: Option<Secret>) -> ImportSecret {
    match secret {
        None => ImportSecret::None,
        Some(Secret::NtHash(hash)) => ImportSecret::NtHash(hash),
        Some(Secret::Clear(password)) => {
            ImportSecret::Password { password, reversible: Some(true), weak: true }
        }
    }
}
