//! The one place that knows which back ends there are.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::sqlite::Sqlite;
use crate::{Backend, KeySource, Result, Store, seal};

/// Where a store is, and how it is used.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where it is.
    pub location: Location,
    /// What it is opened for.
    pub access: Access,
    /// How long to wait for a lock of another program before giving up.
    pub lock_wait: Duration,
}

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// In one SQLite file.
    Sqlite(PathBuf),
    /// In memory: gone when it is dropped.
    Memory,
}

/// What a store is opened for.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everything. What is missing is made: the database (mode 0600), its directory, the key file.
    Full(KeySource),
    /// Only to read what is not secret; needs no key and changes nothing.
    ReadOnly,
}

impl StoreConfig {
    /// A store that waits five seconds for locks.
    pub fn new(location: Location, access: Access) -> StoreConfig {
        StoreConfig { location, access, lock_wait: Duration::from_secs(5) }
    }

    /// A SQLite file for everything, with its key file.
    pub fn sqlite(path: impl Into<PathBuf>, key: impl Into<PathBuf>) -> StoreConfig {
        StoreConfig::new(Location::Sqlite(path.into()), Access::Full(KeySource::File(key.into())))
    }

    /// A SQLite file, only to read.
    pub fn sqlite_read_only(path: impl Into<PathBuf>) -> StoreConfig {
        StoreConfig::new(Location::Sqlite(path.into()), Access::ReadOnly)
    }

    /// A store in memory.
    pub fn memory() -> StoreConfig {
        StoreConfig::new(Location::Memory, Access::Full(KeySource::Random))
    }
}

/// Opens a store.
///
/// # Errors
/// Everything that can be wrong with a database and its key. [`crate::ErrorKind::Missing`] when it is only to be read
/// and nothing was written yet.
pub fn open(config: &StoreConfig) -> Result<Store> {
    let backend: Arc<dyn Backend> = match (&config.location, &config.access) {
        (Location::Memory, _) => Arc::new(Sqlite::in_memory()?),
        (Location::Sqlite(path), Access::Full(_)) => Arc::new(Sqlite::open(path, config.lock_wait)?),
        (Location::Sqlite(path), Access::ReadOnly) => {
            Arc::new(Sqlite::open_read_only(path, config.lock_wait)?)
        }
    };
    let key = match &config.access {
        Access::Full(source) => Some(seal::unlock(&*backend, source)?),
        Access::ReadOnly => None,
    };
    let store = Store::new(backend, key);
    Ok(match &config.access {
        Access::Full(KeySource::File(file)) => store.with_key_file(file),
        Access::Full(_) | Access::ReadOnly => store,
    })
}
