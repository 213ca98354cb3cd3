//! The suite over SQLite.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod suite;

use adit_store::SqliteStore;
use tempfile::TempDir;

/// The same again in memory.
mod memory {
    use adit_store::SqliteStore;

    use crate::suite;

    fn open() -> (SqliteStore, ()) {
        (SqliteStore::in_memory().unwrap(), ())
    }

    suite::suite!(open);
}

fn open() -> (SqliteStore, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("adit.db"), &dir.path().join("seal.key")).unwrap();
    (store, dir)
}

suite::suite!(open);
