//! Leases in SQLite.

use core::result::Result as Outcome;

use adit_policy::name::key;
use adit_policy::pool::choose;
use adit_policy::{AddressRefusal, Chosen};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction};

use super::fail::Fail;
use super::lease_table::{Cursors, Table};
use super::row::store_count;
use crate::time::to_ms;
use crate::{ErrorKind, LeaseClaim, Release, SessionId};

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
