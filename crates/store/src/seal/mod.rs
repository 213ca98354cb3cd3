//! Secrets of accounts above the back end, which keeps sealed octets only.

mod key;

use adit_crypto::proof::Secret;
use adit_crypto::secret::{NtHash, Password};
use adit_policy::name;

pub use key::SealKey;

use crate::{Backend, ErrorKind, KeySource, Result};

/// What the sealed check value says.
const CHECK: &[u8] = b"adit";
/// What it is bound to.
const CHECK_PURPOSE: &str = "adit seal check";

/// A secret as a back end keeps it: sealed octets that say nothing without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// The sealed NT hash.
    pub nt_hash: Vec<u8>,
    /// The sealed clear password, only where it is kept too.
    pub password: Option<Vec<u8>>,
}

/// What a sealed secret is bound to.
fn purpose(kind: &str, name: &str) -> String {
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

/// The key for a back end, after seeing that it is the one that sealed what is there. A key file is made at first use.
///
/// # Errors
/// [`ErrorKind::NoKey`] when the file is gone while the database has sealed passwords: a new key would not open them.
pub(crate) fn unlock(backend: &dyn Backend, source: &KeySource) -> Result<SealKey> {
    let (key, wrong) = match source {
        KeySource::Key(key) => {
            (key.clone(), crate::Error { kind: ErrorKind::WrongKey, place: crate::Place::Caller })
        }
        KeySource::File(path) => {
            let key = match SealKey::read(path) {
                Err(error) if error.kind == ErrorKind::NoKey && backend.key_check()?.is_none() => {
                    SealKey::create(path)?
                }
                read => read?,
            };
            (key, ErrorKind::WrongKey.at(path))
        }
        KeySource::Random => (SealKey::random()?, ErrorKind::WrongKey.into()),
    };
    let stored = backend.set_key_check(&key.seal(CHECK_PURPOSE, CHECK)?)?;
    match key.open(CHECK_PURPOSE, &stored) {
        Some(opened) if opened.as_slice() == CHECK => Ok(key),
        _ => Err(wrong),
    }
}
