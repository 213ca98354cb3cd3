//! How a SQLite file is made, opened and checked.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::fail::Fail;
use super::file::FileId;
use super::{Sqlite, schema};
use crate::files::{create_directory, directory_of, give_to_owner_of};
use crate::{Error, ErrorKind, Result};

/// The write-ahead log is cut back to this many octets once its content is in the database.
const LOG_LIMIT: i64 = 16 << 20;

impl Sqlite {
    /// Opens the database for everything; makes it (mode 0600) and its directory if they are not there.
    pub(crate) fn open(path: &Path, busy: Duration) -> Result<Sqlite> {
        let directory = directory_of(path);
        create_directory(directory)?;
        // SQLite would make it world-readable.
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(_) => give_to_owner_of(directory, path).map_err(|e| Error::io(path, "giving away", &e))?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io(path, "making the database", &error)),
        }
        Sqlite::of_file(connect(path, busy)?, path, busy)
    }

    /// Opens an existing database only to read; changes nothing.
    pub(crate) fn open_read_only(path: &Path, busy: Duration) -> Result<Sqlite> {
        let failed = |fail: Fail| fail.at(path, busy);
        if let Err(error) = std::fs::File::open(path) {
            return Err(match error.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::Missing.at(path),
                _ => Error::io(path, "reading the database", &error),
            });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|e| failed(e.into()))?;
        prepare(&connection, busy).map_err(failed)?;
        if schema::check(&connection, path, schema::newest()).map_err(failed)? == 0 {
            return Err(ErrorKind::Missing.at(path));
        }
        Sqlite::of_file(connection, path, busy)
    }

    fn of_file(connection: Connection, path: &Path, busy: Duration) -> Result<Sqlite> {
        let failed = |error: std::io::Error| Error::io(path, "looking for the database", &error);
        let (file, real) = (FileId::of(path).map_err(failed)?, path.canonicalize().map_err(failed)?);
        Ok(Sqlite { real, file: Mutex::new(Some(file)), ..Sqlite::with(connection, path, busy) })
    }

    /// A database in memory; gone when it is dropped.
    pub(crate) fn in_memory() -> Result<Sqlite> {
        let (path, busy) = (Path::new(":memory:"), Duration::ZERO);
        let failed = |fail: Fail| fail.at(path, busy);
        let mut connection = Connection::open_in_memory().map_err(|error| failed(error.into()))?;
        prepare(&connection, busy).map_err(failed)?;
        schema::migrate(&mut connection, path, schema::SCRIPTS).map_err(failed)?;
        Ok(Sqlite::with(connection, path, busy))
    }

    fn with(connection: Connection, path: &Path, busy: Duration) -> Sqlite {
        Sqlite {
            path: path.into(),
            real: path.into(),
            busy,
            file: Mutex::default(),
            connection: Mutex::new(connection),
            durable: AtomicBool::new(true),
            cursors: Mutex::default(),
        }
    }
}

/// Connects to a database that exists, and brings it to the version of this program.
pub(super) fn connect(path: &Path, busy: Duration) -> Result<Connection> {
    let failed = |fail: Fail| fail.at(path, busy);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|e| failed(e.into()))?;
    prepare(&connection, busy).map_err(failed)?;
    // Before anything is written: a file of another program is left as it is.
    schema::check(&connection, path, schema::newest()).map_err(failed)?;
    write_ahead(&connection, busy).map_err(failed)?;
    schema::migrate(&mut connection, path, schema::SCRIPTS).map_err(failed)?;
    Ok(connection)
}

/// Settings that every connection needs.
fn prepare(connection: &Connection, busy: Duration) -> core::result::Result<(), Fail> {
    connection.busy_timeout(busy)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.set_prepared_statement_cache_capacity(64);
    // Plans do not depend on values. Otherwise SQLite 3.54 compiles some of the statements that choose an address at every
    // use, which is half of the instructions of a claim.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A schema from outside must not run functions or views with side effects.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(())
}

/// How often a lock is tried where SQLite does not wait for it.
const AGAIN: Duration = Duration::from_millis(10);

/// Readers and the one writer do not wait for each other.
fn write_ahead(connection: &Connection, busy: Duration) -> core::result::Result<(), Fail> {
    // The change of a new file wants it alone, and SQLite does not wait for that by itself.
    let begin = Instant::now();
    while let Err(error) = connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
        if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) || begin.elapsed() >= busy {
            return Err(error.into());
        }
        std::thread::sleep(AGAIN);
    }
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_LIMIT, |_| Ok(()))?;
    Ok(())
}
