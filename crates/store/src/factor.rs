//! The second factor of an account, above the back end, which keeps sealed octets only.

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::seal::purpose;
use crate::{ErrorKind, Result, Store};

/// A second factor as a back end keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedFactor {
    /// The secret and what belongs to it, sealed.
    pub sealed: Vec<u8>,
    /// The time step of the last code that was used: only a later one is valid.
    pub step: u64,
    /// When it was enrolled, in whole milliseconds.
    pub enrolled: Timestamp,
    /// Who enrolled it.
    pub by: String,
}

/// A second factor with its secret in clear. `Debug` does not print it.
#[derive(Clone)]
pub struct SecondFactor {
    /// The octets that were stored.
    pub octets: Zeroizing<Vec<u8>>,
    /// The account's name, as it is on record.
    name: String,
    sealed: SealedFactor,
}

impl core::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SecondFactor(..)")
    }
}

impl SecondFactor {
    /// What is known about it without its secret.
    pub fn record(&self) -> &SealedFactor {
        &self.sealed
    }
}

impl Store {
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
}
