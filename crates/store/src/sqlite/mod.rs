//! [`Store`] on one SQLite file.

mod accounts;
mod events;
mod fail;
mod leases;
mod row;
mod schema;
mod sessions;
mod upkeep;

use std::fs::OpenOptions;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use adit_crypto::proof::Secret;
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior};

use self::fail::Fail;
use crate::seal::{create_directory, directory_of, give_to_owner_of};
use crate::time::ms_before;
use crate::{
    Account, AccountChange, Change, Counters, Error, Event, EventFilter, Lease, NewAccount, NewEvent,
    NewSession, Pruned, Recovered, Result, Retention, SealKey, Session, SessionEnd, SessionFilter, SessionId,
    SessionUpdate, Step, Store,
};

/// How long to wait for another program's lock before giving up.
pub(crate) const BUSY: Duration = Duration::from_secs(5);
/// The write-ahead log is cut back to this many octets once its content is in the database.
const LOG_LIMIT: i64 = 16 << 20;
/// What the sealed check value says.
const SEAL_CHECK: &[u8] = b"adit";

/// The store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    busy: Duration,
    connection: Mutex<Connection>,
    /// Whether what is written now is on the disk when that returns; what the connection was told last.
    durable: AtomicBool,
    /// `None` when opened only to read.
    key: Option<SealKey>,
}

impl SqliteStore {
    /// Opens the database for everything; makes it (mode 0600), its directory and the key file if they are not there.
    ///
    /// # Errors
    /// Everything that can be wrong with a file. A key file that is gone while the database has sealed passwords is
    /// [`Error::NoKey`]: a new key would not open them.
    pub fn open(path: &Path, seal_key: &Path) -> Result<SqliteStore> {
        SqliteStore::open_waiting(path, seal_key, BUSY)
    }

    /// The same with another time to wait for locks.
    pub fn open_waiting(path: &Path, seal_key: &Path, busy: Duration) -> Result<SqliteStore> {
        let mut store = SqliteStore::writable(path, busy)?;
        let made = store.read(seal_check)?.is_some();
        let key = match SealKey::read(seal_key) {
            Err(Error::NoKey { .. }) if !made => SealKey::create(seal_key)?,
            other => other?,
        };
        store.take_key(key).map_err(|error| match error {
            Error::WrongKey { .. } => Error::WrongKey { key: Some(seal_key.into()) },
            other => other,
        })?;
        Ok(store)
    }

    /// The same with a key that comes from elsewhere, such as a systemd credential.
    pub fn open_with_key(path: &Path, key: SealKey) -> Result<SqliteStore> {
        let mut store = SqliteStore::writable(path, BUSY)?;
        store.take_key(key)?;
        Ok(store)
    }

    /// A store in memory, with a key of its own; gone when it is dropped. For tests and for trying things out.
    pub fn in_memory() -> Result<SqliteStore> {
        let path = Path::new(":memory:");
        let failed = |fail: Fail| fail.at(path, BUSY);
        let mut connection = Connection::open_in_memory().map_err(|error| failed(error.into()))?;
        prepare(&connection, BUSY).map_err(failed)?;
        schema::migrate(&mut connection, path, schema::SCRIPTS).map_err(failed)?;
        let mut store = SqliteStore {
            path: path.into(),
            busy: BUSY,
            connection: Mutex::new(connection),
            durable: AtomicBool::new(true),
            key: None,
        };
        store.take_key(SealKey::random()?)?;
        Ok(store)
    }

    /// Opens an existing database only to read what is not secret; needs no key and changes nothing.
    pub fn open_to_read(path: &Path) -> Result<SqliteStore> {
        let failed = |fail: Fail| fail.at(path, BUSY);
        if let Err(error) = std::fs::File::open(path) {
            return Err(match error.kind() {
                std::io::ErrorKind::NotFound => Error::Missing { path: path.into() },
                _ => Error::io(path, "reading the database", &error),
            });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|e| failed(e.into()))?;
        prepare(&connection, BUSY).map_err(failed)?;
        let known = i64::try_from(schema::SCRIPTS.len()).unwrap_or(i64::MAX);
        if schema::check(&connection, path, known).map_err(failed)? == 0 {
            return Err(Error::Missing { path: path.into() });
        }
        Ok(SqliteStore {
            path: path.into(),
            busy: BUSY,
            connection: Mutex::new(connection),
            durable: AtomicBool::new(true),
            key: None,
        })
    }

    /// Checks the whole file for damage. Slow on a big one.
    pub fn check(&self) -> Result<()> {
        let said: String = self.read(|c| Ok(c.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?))?;
        if said == "ok" { Ok(()) } else { Err(Error::Corrupt { path: self.path.clone(), detail: said }) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn writable(path: &Path, busy: Duration) -> Result<SqliteStore> {
        let directory = directory_of(path);
        create_directory(directory)?;
        // SQLite would make it readable for everybody.
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(_) => give_to_owner_of(directory, path).map_err(|e| Error::io(path, "giving away", &e))?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io(path, "making the database", &error)),
        }
        let failed = |fail: Fail| fail.at(path, busy);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(|e| failed(e.into()))?;
        prepare(&connection, busy).map_err(failed)?;
        // Before anything is written: a file of another program is left as it is.
        let known = i64::try_from(schema::SCRIPTS.len()).unwrap_or(i64::MAX);
        schema::check(&connection, path, known).map_err(failed)?;
        write_ahead(&connection, busy).map_err(failed)?;
        schema::migrate(&mut connection, path, schema::SCRIPTS).map_err(failed)?;
        Ok(SqliteStore {
            path: path.into(),
            busy,
            connection: Mutex::new(connection),
            durable: AtomicBool::new(true),
            key: None,
        })
    }

    /// Takes the key after seeing that it is the one that sealed what is here.
    fn take_key(&mut self, key: SealKey) -> Result<()> {
        let fresh = key.seal(&self.path, "adit seal check", SEAL_CHECK)?;
        let stored = self.write(true, |t| {
            t.execute("INSERT OR IGNORE INTO sealed_meta (key, value) VALUES ('check', ?1)", [&fresh])?;
            seal_check(t)
        })?;
        let opened = stored.and_then(|sealed| key.open("adit seal check", &sealed));
        if opened.as_deref().map(Vec::as_slice) != Some(SEAL_CHECK) {
            return Err(Error::WrongKey { key: None });
        }
        self.key = Some(key);
        Ok(())
    }

    fn key(&self) -> Result<&SealKey> {
        self.key.as_ref().ok_or_else(|| Error::Permission {
            path: self.path.clone(),
            detail: "it was opened only to read".into(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A thread that panicked left no half transaction behind: dropping one rolls it back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> core::result::Result<T, Fail>) -> Result<T> {
        work(&self.lock()).map_err(|fail| fail.at(&self.path, self.busy))
    }

    /// One transaction. `durable` ones are on the disk when this returns; the others survive a crash of the program,
    /// but perhaps not the last second before a power cut.
    fn write<T>(
        &self,
        durable: bool,
        work: impl FnOnce(&Transaction<'_>) -> core::result::Result<T, Fail>,
    ) -> Result<T> {
        let mut connection = self.lock();
        let run = || {
            if self.durable.load(Ordering::Relaxed) != durable {
                connection.pragma_update(None, "synchronous", if durable { "FULL" } else { "NORMAL" })?;
                self.durable.store(durable, Ordering::Relaxed);
            }
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        run().map_err(|fail: Fail| fail.at(&self.path, self.busy))
    }
}

impl SqliteStore {
    /// Removes what is old, a little at a time, so that others come in between.
    fn remove_old(&self, old: &upkeep::Old, before: i64, floor: i64) -> Result<u64> {
        let (mut removed, mut after) = (0, i64::MIN);
        loop {
            let ids = self.read(|c| old.find(c, before, floor, after))?;
            let Some(last) = ids.last() else {
                return Ok(removed);
            };
            after = *last;
            removed += self.write(false, |t| old.remove(t, &ids))?;
        }
    }
}

fn write_one(t: &Transaction<'_>, change: &Change, now: Timestamp) -> core::result::Result<(), Fail> {
    match change {
        Change::Events(events) => events::add(t, events),
        Change::Login(name, from) => accounts::record_login(t, name, (*from).into(), now),
        Change::Update(id, update) => sessions::update(t, *id, update, now).map(drop),
        Change::Count(counters) => sessions::count(t, counters, now),
        Change::End(id, end, counters, steps, omitted) => {
            sessions::save_record(t, *id, steps, *omitted)?;
            sessions::end(t, *id, end, *counters).map(drop)
        }
        Change::Release(id, pool, address) => leases::release(t, pool, *address, *id, None, now).map(drop),
    }
}

/// Settings that every connection needs.
fn prepare(connection: &Connection, busy: Duration) -> core::result::Result<(), Fail> {
    connection.busy_timeout(busy)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.set_prepared_statement_cache_capacity(64);
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

fn seal_check(connection: &Connection) -> core::result::Result<Option<Vec<u8>>, Fail> {
    let sql = "SELECT value FROM sealed_meta WHERE key = 'check'";
    Ok(connection.query_row(sql, (), |row| row.get(0)).optional()?)
}

impl Store for SqliteStore {
    fn accounts(&self) -> Result<Vec<Account>> {
        self.read(accounts::all)
    }

    fn account(&self, name: &str) -> Result<Option<Account>> {
        self.read(|c| accounts::one(c, name))
    }

    fn secret(&self, name: &str) -> Result<Option<Secret>> {
        let key = self.key()?;
        self.read(|c| accounts::secret(c, key, name))
    }

    fn add_account(
        &self,
        new: &NewAccount,
        secret: Option<&Secret>,
        reversible: bool,
        now: Timestamp,
    ) -> Result<Account> {
        let sealed = match secret {
            Some(secret) => {
                Some(accounts::Sealed::new(self.key()?, &self.path, &new.name, secret, reversible)?)
            }
            None => None,
        };
        self.write(true, |t| accounts::add(t, new, sealed.as_ref(), now))
    }

    fn change_account(&self, name: &str, change: &AccountChange) -> Result<Account> {
        self.write(true, |t| accounts::change(t, name, change))
    }

    fn set_secret(&self, name: &str, secret: &Secret, reversible: bool, now: Timestamp) -> Result<()> {
        let sealed = accounts::Sealed::new(self.key()?, &self.path, name, secret, reversible)?;
        self.write(true, |t| accounts::set_secret(t, name, &sealed, now))
    }

    fn remove_account(&self, name: &str) -> Result<()> {
        self.write(true, |t| accounts::remove(t, name))
    }

    fn record_login(&self, name: &str, from: IpAddr, at: Timestamp) -> Result<()> {
        self.write(false, |t| accounts::record_login(t, name, from, at))
    }

    fn take_lease(
        &self,
        pool: &str,
        address: Ipv4Addr,
        user: &str,
        session: SessionId,
        now: Timestamp,
    ) -> Result<bool> {
        self.write(false, |t| leases::take(t, pool, address, user, session, now))
    }

    fn release_lease(
        &self,
        pool: &str,
        address: Ipv4Addr,
        session: SessionId,
        quarantine: Option<Duration>,
        now: Timestamp,
    ) -> Result<bool> {
        self.write(false, |t| leases::release(t, pool, address, session, quarantine, now))
    }

    fn leases(&self, pool: Option<&str>, user: Option<&str>) -> Result<Vec<Lease>> {
        self.read(|c| leases::list(c, pool, user))
    }

    fn start_session(&self, new: &NewSession) -> Result<SessionId> {
        self.write(false, |t| sessions::start(t, new))
    }

    fn start_sessions(&self, new: &[NewSession]) -> Result<Vec<SessionId>> {
        self.write(false, |t| new.iter().map(|new| sessions::start(t, new)).collect())
    }

    fn write_all(&self, changes: &[Change], now: Timestamp) -> Result<()> {
        self.write(false, |t| changes.iter().try_for_each(|change| write_one(t, change, now)))
    }

    fn update_session(&self, id: SessionId, update: &SessionUpdate, now: Timestamp) -> Result<bool> {
        self.write(false, |t| sessions::update(t, id, update, now))
    }

    fn count(&self, counters: &[(SessionId, Counters)], now: Timestamp) -> Result<()> {
        self.write(false, |t| sessions::count(t, counters, now))
    }

    fn end_session(&self, id: SessionId, end: &SessionEnd, counters: Option<Counters>) -> Result<bool> {
        self.write(false, |t| sessions::end(t, id, end, counters))
    }

    fn save_record(&self, id: SessionId, steps: &[Step], omitted: u64) -> Result<()> {
        self.write(false, |t| sessions::save_record(t, id, steps, omitted))
    }

    fn session(&self, id: SessionId) -> Result<Option<Session>> {
        self.read(|c| sessions::one(c, id))
    }

    fn record(&self, id: SessionId) -> Result<Vec<Step>> {
        self.read(|c| sessions::record(c, id))
    }

    fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>> {
        self.read(|c| sessions::list(c, filter))
    }

    fn add_events(&self, events: &[NewEvent]) -> Result<()> {
        self.write(false, |t| events::add(t, events))
    }

    fn events(&self, filter: &EventFilter) -> Result<Vec<Event>> {
        self.read(|c| events::list(c, filter))
    }

    fn meta(&self, key: &str) -> Result<Option<String>> {
        let sql = "SELECT value FROM meta WHERE key = ?1";
        self.read(|c| Ok(c.query_row(sql, [key], |row| row.get(0)).optional()?))
    }

    fn set_meta(&self, key: &str, value: &str) -> Result<()> {
        let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
        self.write(true, |t| t.execute(sql, [key, value]).map(|_| ()).map_err(Fail::from))
    }

    fn recover(&self, now: Timestamp) -> Result<Recovered> {
        self.write(true, |t| upkeep::recover(t, now))
    }

    fn prune(&self, retention: &Retention, now: Timestamp) -> Result<Pruned> {
        let (events, sessions) = (ms_before(now, retention.events), ms_before(now, retention.sessions));
        let no_floor = -1;
        let (event_floor, session_floor) = self.read(|c| {
            Ok((upkeep::floor(c, "events", retention.most)?, upkeep::floor(c, "sessions", retention.most)?))
        })?;
        let steps = self.remove_old(&upkeep::RECORDS, events, no_floor)?
            + self.remove_old(&upkeep::RECORDS, sessions, session_floor)?;
        Ok(Pruned {
            events: self.remove_old(&upkeep::EVENTS, events, event_floor)?,
            sessions: self.remove_old(&upkeep::SESSIONS, sessions, session_floor)?,
            steps,
        })
    }
}
