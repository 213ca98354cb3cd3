//! The opened store: a back end, and the key that seals secrets above it.

use core::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use adit_crypto::proof::Secret;
use jiff::Timestamp;

use crate::seal::purpose;
use crate::{
    Account, AccountWrite, Backend, Error, ErrorKind, NewAccount, Result, SealKey, SealedFactor, SecondFactor,
};

/// An opened store; clones share it. All roles of the back end are called on it directly, and it has what needs the
/// key: clear secrets never reach a back end. Made by [`crate::open`].
#[derive(Clone, Debug)]
pub struct Store {
    backend: Arc<dyn Backend>,
    /// `None` when opened only to read.
    key: Option<SealKey>,
    /// The file of the key, if it has one.
    key_file: Option<Arc<Path>>,
}

impl Deref for Store {
    type Target = dyn Backend;

    fn deref(&self) -> &Self::Target {
        &*self.backend
    }
}

/// A new secret of an account.
#[derive(Clone, Copy, Debug)]
pub struct NewSecret<'a> {
    /// The secret.
    pub secret: &'a Secret,
    /// Whether a clear password is kept itself too, sealed, for methods that need it.
    pub reversible: bool,
    /// Whether the user must change it at the next login.
    pub must_change: bool,
}

/// An account to write as a whole, with its secret in clear.
#[derive(Clone, Debug)]
pub struct NewAccountState {
    /// The account as it is to be; see [`AccountWrite`].
    pub account: Account,
    /// Its new secret; `None` keeps the one of an existing account.
    pub secret: Option<Secret>,
    /// Whether the account is added; otherwise it exists.
    pub is_new: bool,
}

impl Store {
    /// A store on a back end of any kind; without a key it gives and takes no secrets.
    pub fn new(backend: Arc<dyn Backend>, key: Option<SealKey>) -> Store {
        Store { backend, key, key_file: None }
    }

    /// The same store, whose key is in this file.
    pub(crate) fn with_key_file(self, file: &Path) -> Store {
        Store { key_file: Some(file.into()), ..self }
    }

    /// Writes the key file again if it was deleted while the store is open: without it every password would be lost with the
    /// end of this process. Returns the file if it was.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub fn put_key_back(&self) -> Result<Option<&Path>> {
        let (Some(key), Some(file)) = (&self.key, &self.key_file) else { return Ok(None) };
        Ok(key.put_back(file)?.then_some(&**file))
    }

    /// One account and its secret as of one moment: the clear password when it is kept, else the NT hash, `None` when it
    /// has no password. `None` when there is no such account.
    ///
    /// # Errors
    /// [`ErrorKind::Unsealable`]; [`ErrorKind::Permission`] on a store that was opened only to read.
    pub fn credentials(&self, name: &str) -> Result<Option<(Account, Option<Secret>)>> {
        let key = self.key()?;
        let Some((account, sealed)) = self.backend.sealed_credentials(name)? else { return Ok(None) };
        let secret = sealed.map(|sealed| key.open_secret(&account.name, &sealed)).transpose()?;
        Ok(Some((account, secret)))
    }

    /// Adds an account; without a secret it cannot log in. See [`NewSecret`] for `reversible`.
    ///
    /// # Errors
    /// Those of [`crate::Accounts::insert_account`].
    pub fn add_account(
        &self,
        new: &NewAccount,
        secret: Option<&Secret>,
        reversible: bool,
        now: Timestamp,
    ) -> Result<Account> {
        let sealed =
            secret.map(|secret| self.key()?.seal_secret(&new.name, secret, reversible)).transpose()?;
        self.backend.insert_account(new, sealed.as_ref(), now)
    }

    /// Sets the secret of an account, in one write.
    ///
    /// # Errors
    /// Those of [`crate::Accounts::set_sealed_secret`].
    pub fn set_secret(&self, name: &str, new: &NewSecret<'_>, now: Timestamp) -> Result<()> {
        let sealed = self.key()?.seal_secret(name, new.secret, new.reversible)?;
        self.backend.set_sealed_secret(name, &sealed, new.must_change, now)
    }

    /// Writes whole accounts, all or none. A clear password is kept itself too where the account is marked reversible.
    ///
    /// # Errors
    /// Those of [`crate::Accounts::write_accounts`].
    pub fn write_states(&self, states: Vec<NewAccountState>) -> Result<()> {
        let key = self.key()?;
        let seal = |NewAccountState { account, secret, is_new }: NewAccountState| {
            let sealed = secret
                .map(|secret| key.seal_secret(&account.name, &secret, account.reversible))
                .transpose()?;
            Ok(AccountWrite { account, secret: sealed, is_new })
        };
        let writes = states.into_iter().map(seal).collect::<Result<Vec<_>>>()?;
        self.backend.write_accounts(&writes)
    }

    /// The second factor of an account; `None` when none is enrolled, or when there is no such account.
    ///
    /// # Errors
    /// [`ErrorKind::Unsealable`]; [`ErrorKind::Permission`] on a store that was opened only to read.
    pub fn second_factor(&self, name: &str) -> Result<Option<SecondFactor>> {
        let key = self.key()?;
        let Some(sealed) = self.sealed_factor(name)? else { return Ok(None) };
        let opened = key.open(&purpose("second-factor", name), &sealed.sealed);
        let octets = opened.ok_or_else(|| ErrorKind::Unsealable { name: name.into() })?;
        Ok(Some(SecondFactor { octets, name: name.to_owned(), sealed }))
    }

    /// Enrols a second factor in place of the one that there is. `step` is that of the code that confirmed it.
    ///
    /// # Errors
    /// [`ErrorKind::NoSuchAccount`].
    pub fn enroll_second_factor(
        &self,
        name: &str,
        octets: &[u8],
        step: u64,
        by: &str,
        now: Timestamp,
    ) -> Result<()> {
        let sealed = self.key()?.seal(&purpose("second-factor", name), octets)?;
        self.set_sealed_factor(name, Some(&SealedFactor { sealed, step, enrolled: now, by: by.to_owned() }))
    }

    /// Records that a code was used: its `step` and, after a recovery code, the `octets` without it. False if the factor
    /// is not as it was read: another login was faster, and this one must be refused.
    ///
    /// # Errors
    /// Those of the back end.
    pub fn use_second_factor(
        &self,
        read: &SecondFactor,
        step: Option<u64>,
        octets: Option<&[u8]>,
    ) -> Result<bool> {
        let mut after = read.sealed.clone();
        after.step = step.unwrap_or(after.step);
        if let Some(octets) = octets {
            after.sealed = self.key()?.seal(&purpose("second-factor", &read.name), octets)?;
        }
        self.replace_sealed_factor(&read.name, &read.sealed, &after)
    }

    fn key(&self) -> Result<&SealKey> {
        self.key.as_ref().ok_or_else(|| Error {
            kind: ErrorKind::Permission { detail: "it was opened only to read".into() },
            place: self.backend.place(),
        })
    }
}
