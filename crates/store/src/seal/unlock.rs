//! The key that opens what a back end keeps.

use crate::seal::{KeySource, SealKey};
use crate::{Backend, Error, ErrorKind, Place, Result};

/// What the sealed check value says.
const CHECK: &[u8] = b"adit";
/// What it is bound to.
const CHECK_PURPOSE: &str = "adit seal check";

/// The key for a back end, after seeing that it is the one that sealed what is there. A key file is made at first use.
///
/// # Errors
/// [`ErrorKind::NoKey`] when the file is gone while the database has sealed passwords: a new key would not open them.
pub(crate) fn unlock(backend: &dyn Backend, source: &KeySource) -> Result<SealKey> {
    let (key, wrong) = match source {
        KeySource::Key(key) => (key.clone(), Error { kind: ErrorKind::WrongKey, place: Place::Caller }),
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
