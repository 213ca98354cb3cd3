//! Leases in SQLite.

use core::result::Result as Outcome;
use std::net::Ipv4Addr;

use adit_policy::name::key;
use adit_policy::pool::choose;
use adit_policy::{AddressRefusal, Chosen, PoolConfig};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::fail::Fail;
use super::lease_table::{Cursors, Table};
use super::row::{store_count, time};
use crate::time::to_ms;
use crate::{ErrorKind, Lease, LeaseClaim, Release, SessionId};

/// `?1` a session.
pub(super) const SERVER: &str = "SELECT server FROM sessions WHERE id = ?1";

/// `?1` to `?5` the row, `?6` the session, `?7` the time, `?8` the server. It has no SELECT: with one, SQLite
/// keeps a journal for the statement, 64 KiB that are allocated and freed at every use.
pub(super) const HOLD: &str =
    "INSERT INTO leases (pool, number, address, user, user_key, state, session, since, until, server)
     VALUES (?1, ?2, ?3, ?4, ?5, 'used', ?6, ?7, NULL, ?8)
     ON CONFLICT (pool, number) DO UPDATE
        SET user = excluded.user, user_key = excluded.user_key, state = 'used', session = excluded.session,
            since = excluded.since, until = NULL, server = excluded.server";

/// `?1` the pool, `?2` the address, `?3` the session, `?4` the time.
pub(super) const RELEASE: &str = "UPDATE leases SET state = 'free', session = NULL, since = ?4
     WHERE pool = ?1 AND number = ?2 AND session = ?3 AND state = 'used'";

/// `?1` the pool, `?2` and `?3` the first and the last address, `?4` the most rows. An address in use is before the same one that is not.
pub(super) const PAGE: &str = "SELECT number, user, session, since FROM leases INDEXED BY leases_by_number
     WHERE number BETWEEN ?2 AND ?3 AND (pool = ?1 OR state = 'used') ORDER BY number, state = 'used' DESC";

/// `?1` the address.
pub(super) const FORGET: &str = "DELETE FROM leases WHERE number = ?1 AND state <> 'used'";

pub(super) fn claim<'a>(
    transaction: &Transaction<'_>,
    cursors: &mut Cursors,
    claim: &LeaseClaim<'a>,
    released: &[Release],
    now: Timestamp,
) -> Outcome<Outcome<Chosen<'a>, AddressRefusal>, Fail> {
    for given_back in released {
        release(transaction, given_back, now)?;
    }
    let request = &claim.request;
    let mut chosen = choose(request, &mut Table { transaction, cursors, now })?;
    if let Err(AddressRefusal::Exhausted { pool }) = &chosen
        && cursors.rewind(pool)
    {
        chosen = choose(request, &mut Table { transaction, cursors, now })?;
    }
    if let Ok(chosen) = &chosen {
        hold(transaction, chosen, request.user, claim.session, now)?;
    }
    Ok(chosen)
}

fn hold(
    transaction: &Transaction<'_>,
    chosen: &Chosen<'_>,
    user: &str,
    session: SessionId,
    now: Timestamp,
) -> Outcome<(), Fail> {
    let Chosen { pool, address } = chosen;
    let id = store_count(session.0);
    let server =
        transaction.prepare_cached(SERVER)?.query_row([id], |row| row.get::<_, i64>(0)).optional()?;
    let server = server.ok_or(ErrorKind::NoSuchSession(session))?;
    transaction.prepare_cached(HOLD)?.execute((
        &pool.name,
        u32::from(*address),
        address.to_string(),
        user,
        key(user),
        id,
        to_ms(now),
        server,
    ))?;
    Ok(())
}

/// Ignored when the session does not have the address any more.
pub(super) fn release(transaction: &Transaction<'_>, release: &Release, now: Timestamp) -> Outcome<(), Fail> {
    let Release { session, pool, address } = release;
    let values = (pool, u32::from(*address), store_count(session.0), to_ms(now));
    transaction.prepare_cached(RELEASE)?.execute(values)?;
    Ok(())
}

/// At most `most` addresses on record behind `after`, see [`crate::Leases::leases`].
pub(super) fn page(
    connection: &Connection,
    pool: &PoolConfig,
    after: Option<Ipv4Addr>,
    most: u32,
) -> Outcome<Vec<Lease>, Fail> {
    let last = u32::from(pool.net.broadcast());
    let first = match after.map(u32::from) {
        Some(after) if after >= last => return Ok(Vec::new()),
        Some(after) => (after + 1).max(pool.net.network().into()),
        None => pool.net.network().into(),
    };
    let mut statement = connection.prepare_cached(PAGE)?;
    let mut rows = statement.query((&pool.name, first, last))?;
    let mut page: Vec<Lease> = Vec::new();
    while let Some(row) = rows.next()? {
        let address = Ipv4Addr::from(row.get::<_, u32>(0)?);
        if page.last().is_some_and(|before| before.address == address) {
            continue;
        }
        if page.len() >= most as usize {
            break;
        }
        page.push(Lease {
            address,
            user: row.get(1)?,
            session: row.get::<_, Option<i64>>(2)?.map(|id| SessionId(id.unsigned_abs())),
            since: time(row, "since")?,
        });
    }
    Ok(page)
}

pub(super) fn forget(transaction: &Transaction<'_>, address: Ipv4Addr) -> Outcome<bool, Fail> {
    Ok(transaction.prepare_cached(FORGET)?.execute([u32::from(address)])? > 0)
}
