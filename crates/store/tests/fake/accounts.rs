use adit_policy::name;
use adit_store::{
    Account, AccountChange, AccountWrite, Accounts, Error, ErrorKind, NewAccount, Result, SealedFactor,
    SealedSecret,
};
use jiff::Timestamp;

use crate::Fake;
use crate::state::State;

fn missing(name: &str) -> Error {
    ErrorKind::NoSuchAccount(name.into()).into()
}

/// Puts an account where it is or was, unless another one has its address.
fn put(state: &mut State, account: Account, secret: Option<SealedSecret>) -> Result<Account> {
    let key = name::key(&account.name);
    if let Some(address) = account.address
        && let Some((_, (other, _))) =
            state.accounts.iter().find(|(other, (found, _))| **other != key && found.address == Some(address))
    {
        return Err(ErrorKind::AddressTaken { address, by: other.name.clone() }.into());
    }
    state.accounts.insert(key, (account.clone(), secret));
    Ok(account)
}

fn write_all(state: &mut State, writes: &[AccountWrite]) -> Result<()> {
    for write in writes.iter().filter(|write| !write.is_new) {
        if let Some((account, _)) = state.accounts.get_mut(&name::key(&write.account.name)) {
            account.address = None;
        }
    }
    for AccountWrite { account, secret, is_new } in writes {
        let found = state.accounts.get(&name::key(&account.name)).cloned();
        let (revision, kept) = match (found, is_new) {
            (None, true) => (0, None),
            (None, false) => return Err(missing(&account.name)),
            (Some((there, _)), true) => return Err(ErrorKind::AccountExists(there.name).into()),
            (Some((there, kept)), false) if there.revision == account.revision => (there.revision, kept),
            (Some((there, _)), false) => return Err(ErrorKind::Changed(there.name).into()),
        };
        let account = Account { revision: revision + 1, ..account.clone() };
        put(state, account, secret.clone().or(kept))?;
    }
    Ok(())
}

impl Accounts for Fake {
    fn accounts(&self) -> Result<Vec<Account>> {
        Ok(self.lock().accounts.values().map(|(account, _)| account.clone()).collect())
    }

    fn account(&self, name: &str) -> Result<Option<Account>> {
        Ok(self.sealed_credentials(name)?.map(|(account, _)| account))
    }

    fn sealed_credentials(&self, name: &str) -> Result<Option<(Account, Option<SealedSecret>)>> {
        Ok(self.lock().accounts.get(&name::key(name)).cloned())
    }

    fn insert_account(
        &self,
        new: &NewAccount,
        secret: Option<&SealedSecret>,
        now: Timestamp,
    ) -> Result<Account> {
        name::check(&new.name).map_err(|why| ErrorKind::BadName { name: new.name.clone(), why })?;
        self.write(|state| {
            if let Some((there, _)) = state.accounts.get(&name::key(&new.name)) {
                return Err(ErrorKind::AccountExists(there.name.clone()).into());
            }
            put(
                state,
                new.clone().into_account(secret.map(|secret| secret.password.is_some()), now),
                secret.cloned(),
            )
        })
    }

    fn change_account(&self, name: &str, change: &AccountChange) -> Result<Account> {
        self.write(|state| {
            let found = state.accounts.get(&name::key(name)).cloned();
            let (account, secret) = found.ok_or_else(|| missing(name))?;
            if change.revision.is_some_and(|revision| revision != account.revision) {
                return Err(ErrorKind::Changed(account.name).into());
            }
            let mut account = change.clone().apply(account);
            account.revision += 1;
            put(state, account, secret)
        })
    }

    fn set_sealed_secret(
        &self,
        name: &str,
        secret: &SealedSecret,
        must_change: bool,
        now: Timestamp,
    ) -> Result<()> {
        self.write(|state| {
            let found = state.accounts.get(&name::key(name)).cloned();
            let (account, _) = found.ok_or_else(|| missing(name))?;
            let account = account.with_new_password(secret.password.is_some(), must_change, now);
            put(state, account, Some(secret.clone())).map(drop)
        })
    }

    fn write_accounts(&self, writes: &[AccountWrite]) -> Result<()> {
        self.write(|state| write_all(state, writes))
    }

    fn sealed_factor(&self, name: &str) -> Result<Option<SealedFactor>> {
        Ok(self.lock().factors.get(&name::key(name)).cloned())
    }

    fn set_sealed_factor(&self, name: &str, factor: Option<&SealedFactor>) -> Result<()> {
        let key = name::key(name);
        self.write(|state| {
            if !state.accounts.contains_key(&key) {
                return Err(missing(name));
            }
            match factor {
                Some(factor) => state.factors.insert(key, factor.clone()),
                None => state.factors.remove(&key),
            };
            Ok(())
        })
    }

    fn replace_sealed_factor(&self, name: &str, before: &SealedFactor, after: &SealedFactor) -> Result<bool> {
        self.write(|state| {
            let Some(found) = state.factors.get_mut(&name::key(name)).filter(|found| *found == before) else {
                return Ok(false);
            };
            found.clone_from(after);
            Ok(true)
        })
    }

    fn remove_account(&self, name: &str) -> Result<()> {
        let key = name::key(name);
        self.write(|state| {
            state.accounts.remove(&key).ok_or_else(|| missing(name))?;
            state.factors.remove(&key);
            state.leases.retain(|_, lease| lease.session.is_some() || name::key(&lease.user) != key);
            Ok(())
        })
    }
}
