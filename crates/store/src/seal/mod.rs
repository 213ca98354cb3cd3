//! Secrets of accounts above the back end, which keeps sealed octets only.

mod key;
mod unlock;

use adit_crypto::proof::Secret;
use adit_crypto::secret::{NtHash, Password};
use adit_policy::name;

pub use key::{KeySource, SealKey};
pub(crate) use unlock::unlock;

use crate::{ErrorKind, Result};

/// A secret as a back end keeps it: sealed octets that say nothing without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// The sealed NT hash.
    pub nt_hash: Vec<u8>,
    /// The sealed clear password, only where it is kept too.
    pub password: Option<Vec<u8>>,
}

/// What a sealed secret is bound to.
pub(crate) fn purpose(kind: &str, name: &str) -> String {
    format!("adit {kind} {}", name::key(name))
}

impl SealKey {
    /// Seals the secret of the account `name`. With `reversible`, a clear password is kept as well.
    pub(crate) fn seal_secret(&self, name: &str, secret: &Secret, reversible: bool) -> Result<SealedSecret> {
        let nt_hash = self.seal(&purpose("nt-hash", name), secret.nt_hash().as_bytes())?;
        let password = match secret {
            Secret::Clear(password) if reversible => {
                Some(self.seal(&purpose("password", name), password.expose().as_bytes())?)
            }
            _ => None,
        };
        Ok(SealedSecret { nt_hash, password })
    }

    /// Opens the secret of the account `name`: the clear password when it is kept, else the NT hash.
    pub(crate) fn open_secret(&self, name: &str, sealed: &SealedSecret) -> Result<Secret> {
        let unsealable = || ErrorKind::Unsealable { name: name.into() };
        if let Some(password) = &sealed.password {
            let clear = self.open(&purpose("password", name), password).ok_or_else(unsealable)?;
            let text = core::str::from_utf8(&clear).map_err(|_| unsealable())?;
            return Ok(Secret::Clear(Password::new(text)));
        }
        let hash = self.open(&purpose("nt-hash", name), &sealed.nt_hash).ok_or_else(unsealable)?;
        let octets: [u8; 16] = hash.as_slice().try_into().map_err(|_| unsealable())?;
        Ok(Secret::NtHash(NtHash::from_bytes(octets)))
    }
}
