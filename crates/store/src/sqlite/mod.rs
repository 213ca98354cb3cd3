//! The back end on one SQLite file.

mod accounts;
mod clock;
mod events;
mod fail;
mod file;
mod lease_table;
mod leases;
mod lockout;
mod open;
mod restore;
mod row;
mod schema;
mod second_factor;
mod servers;
mod sessions;
mod upkeep;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adit_policy::{AddressRefusal, Chosen, PoolConfig};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use self::fail::Fail;
use self::file::FileId;
use self::lease_table::Cursors;
use crate::time::ms_before;
use crate::{
    Account, AccountChange, AccountWrite, Accounts, Change, Changes, ClockCheck, Error, ErrorKind, Event,
    EventFilter, Events, Lease, LeaseClaim, Leases, LockoutChange, Lockouts, Maintenance, NewAccount,
    NewSession, Place, Pruned, Recovered, Release, Result, Retention, SealedFactor, SealedSecret, ServerId,
    ServerIdentity, Servers, Session, SessionFilter, SessionId, Sessions, Step,
};

/// A database in one SQLite file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    path: PathBuf,
    /// The same without symbolic links, as SQLite names its log.
    real: PathBuf,
    /// How long it waits for another program's lock.
    busy: Duration,
    /// The file that is open; `None` in memory.
    file: Mutex<Option<FileId>>,
    connection: Mutex<Connection>,
    /// Whether what is written now is on the disk when that returns; the last setting of the connection.
    durable: AtomicBool,
    /// Where the search for unused addresses goes on.
    cursors: Mutex<Cursors>,
}

impl Sqlite {
    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A thread that panicked left no half transaction behind: dropping one rolls it back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cursors(&self) -> MutexGuard<'_, Cursors> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> MutexGuard<'_, Option<FileId>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
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
        // What is written to a file without a name is lost.
        if let Some(file) = *self.file() {
            file.check(&self.path)?;
        }
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

impl Accounts for Sqlite {
    fn accounts(&self) -> Result<Vec<Account>> {
        self.read(accounts::all)
    }

    fn account(&self, name: &str) -> Result<Option<Account>> {
        self.read(|c| accounts::one(c, name))
    }

    fn sealed_credentials(&self, name: &str) -> Result<Option<(Account, Option<SealedSecret>)>> {
        self.read(|c| accounts::credentials(c, name))
    }

    fn insert_account(
        &self,
        new: &NewAccount,
        secret: Option<&SealedSecret>,
        now: Timestamp,
    ) -> Result<Account> {
        self.write(true, |t| accounts::insert(t, new, secret, now))
    }

    fn change_account(&self, name: &str, change: &AccountChange) -> Result<Account> {
        let changed = self.write(true, |t| accounts::change(t, name, change))?;
        if change.address.is_some() {
            self.cursors().rewind_all();
        }
        Ok(changed)
    }

    fn set_sealed_secret(
        &self,
        name: &str,
        secret: &SealedSecret,
        must_change: bool,
        now: Timestamp,
    ) -> Result<()> {
        self.write(true, |t| accounts::set_secret(t, name, secret, must_change, now))
    }

    fn write_accounts(&self, writes: &[AccountWrite]) -> Result<()> {
        self.write(true, |t| accounts::write(t, writes))?;
        self.cursors().rewind_all();
        Ok(())
    }

    fn sealed_factor(&self, name: &str) -> Result<Option<SealedFactor>> {
        self.read(|c| second_factor::one(c, name))
    }

    fn set_sealed_factor(&self, name: &str, factor: Option<&SealedFactor>) -> Result<()> {
        self.write(true, |t| second_factor::set(t, name, factor))
    }

    fn replace_sealed_factor(&self, name: &str, before: &SealedFactor, after: &SealedFactor) -> Result<bool> {
        self.write(true, |t| second_factor::replace(t, name, before, after))
    }

    fn remove_account(&self, name: &str) -> Result<()> {
        self.write(true, |t| accounts::remove(t, name))?;
        self.cursors().rewind_all();
        Ok(())
    }
}

impl Servers for Sqlite {
    fn register_server(&self, identity: &ServerIdentity) -> Result<ServerId> {
        self.write(true, |t| servers::register(t, identity))
    }

    fn recover(&self, server: ServerId, now: Timestamp) -> Result<Recovered> {
        self.write(true, |t| servers::recover(t, server, now))
    }
}

impl Leases for Sqlite {
    fn claim_lease<'a>(
        &self,
        claim: &LeaseClaim<'a>,
        released: &[Release],
        now: Timestamp,
    ) -> Result<core::result::Result<Chosen<'a>, AddressRefusal>> {
        self.write(false, |t| leases::claim(t, &mut self.cursors(), claim, released, now))
    }

    fn leases(&self, pool: &PoolConfig, after: Option<Ipv4Addr>, most: u32) -> Result<Vec<Lease>> {
        self.read(|c| leases::page(c, pool, after, most))
    }

    fn forget_lease(&self, address: Ipv4Addr) -> Result<bool> {
        let is_forgotten = self.write(true, |t| leases::forget(t, address))?;
        self.cursors().rewind_all();
        Ok(is_forgotten)
    }
}

impl Sessions for Sqlite {
    fn start_sessions(&self, server: ServerId, new: &[NewSession]) -> Result<Vec<SessionId>> {
        self.write(false, |t| new.iter().map(|new| sessions::start(t, server, new)).collect())
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
}

impl Lockouts for Sqlite {
    fn lockout(&self) -> Result<Vec<LockoutChange>> {
        self.read(lockout::all)
    }
}

impl Events for Sqlite {
    fn events(&self, filter: &EventFilter) -> Result<Vec<Event>> {
        self.read(|c| events::list(c, filter))
    }
}

impl Changes for Sqlite {
    fn apply(&self, changes: &[Change], now: Timestamp) -> Result<Vec<i64>> {
        self.write(false, |t| {
            let mut ids = Vec::new();
            changes.iter().try_for_each(|change| apply_one(t, change, &mut ids, now))?;
            Ok(ids)
        })
    }
}

/// Records one change; the ids of its events go to `ids`.
fn apply_one(
    t: &Transaction<'_>,
    change: &Change,
    ids: &mut Vec<i64>,
    now: Timestamp,
) -> core::result::Result<(), Fail> {
    match change {
        Change::Events(events) => events::add(t, events, ids),
        Change::Login(name, from) => accounts::record_login(t, name, *from, now),
        Change::Update(id, update) => sessions::update(t, *id, update, now).map(drop),
        Change::Count(traffic) => sessions::count(t, traffic, now),
        Change::End(id, end, traffic, steps, omitted) => {
            sessions::save_record(t, *id, steps, *omitted)?;
            sessions::end(t, *id, end, *traffic).map(drop)
        }
        Change::Release(release) => leases::release(t, release, now),
        Change::Lockout(changes) => lockout::apply(t, changes),
    }
}

impl Maintenance for Sqlite {
    fn place(&self) -> Place {
        Place::File(self.path.clone())
    }

    fn key_check(&self) -> Result<Option<Vec<u8>>> {
        self.read(key_check)
    }

    fn set_key_check(&self, fresh: &[u8]) -> Result<Vec<u8>> {
        self.write(true, |t| {
            t.execute("INSERT OR IGNORE INTO sealed_meta (key, value) VALUES ('check', ?1)", [fresh])?;
            Ok(key_check(t)?.unwrap_or_default())
        })
    }

    fn check_place(&self) -> Result<()> {
        let Some(file) = *self.file() else { return Ok(()) };
        match file.check(&self.path) {
            Err(Error { kind: ErrorKind::Gone { .. }, place }) => {
                let moved = file.other_name();
                if moved.is_some() {
                    self.empty_log();
                }
                Err(Error { kind: ErrorKind::Gone { moved }, place })
            }
            Err(error) => {
                if error.kind == ErrorKind::Replaced {
                    self.empty_log();
                }
                Err(error)
            }
            Ok(()) => file::check_writable(&self.path),
        }
    }

    fn put_back(&self) -> Result<bool> {
        self.write_back()
    }

    fn check_clock(&self, now: Timestamp, ran: Duration) -> Result<ClockCheck> {
        self.write(true, |t| clock::check(t, now, ran))
    }

    fn prune(&self, retention: &Retention, now: Timestamp) -> Result<Pruned> {
        let now = self.read(|c| clock::time(c, now))?;
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

fn key_check(connection: &Connection) -> core::result::Result<Option<Vec<u8>>, Fail> {
    let sql = "SELECT value FROM sealed_meta WHERE key = 'check'";
    Ok(connection.query_row(sql, (), |row| row.get(0)).optional()?)
}
