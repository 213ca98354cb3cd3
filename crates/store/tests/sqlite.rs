//! The suite over SQLite.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod suite;

use adit_store::{Store, StoreConfig};
use tempfile::TempDir;

/// The same again in memory.
mod memory {
    use adit_store::{Store, StoreConfig};

    use crate::suite;

    fn open() -> (Store, ()) {
        (adit_store::open(&StoreConfig::memory()).unwrap(), ())
    }

    suite::suite!(open);
}

fn open() -> (Store, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig::sqlite(dir.path().join("adit.db"), dir.path().join("seal.key"));
    (adit_store::open(&config).unwrap(), dir)
}

suite::suite!(open);
