//! Leases in SQLite.

use std::net::Ipv4Addr;
use std::time::Duration;

use adit_policy::name::key;
use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction};

use super::fail::Fail;
use super::row::{bad, count, parse, store_count, time, time_optional};
use crate::time::{ms_after, to_ms};
use crate::{Lease, LeaseState, SessionId};

pub(super) fn take(
    transaction: &Transaction<'_>,
    pool: &str,
    address: Ipv4Addr,
    user: &str,
    session: SessionId,
    now: Timestamp,
) -> Result<bool, Fail> {
    // One statement, so that two programs can never both get a row. A user's own quarantine does not bind him.
    let mut statement = transaction.prepare_cached(
        "INSERT INTO leases (pool, number, address, user, user_key, state, session, since, until)
         VALUES (?1, ?2, ?3, ?4, ?5, 'used', ?6, ?7, NULL)
         ON CONFLICT (pool, number) DO UPDATE
            SET user = excluded.user, user_key = excluded.user_key, state = 'used', session = excluded.session,
                since = excluded.since, until = NULL
            WHERE state = 'free'
               OR (state = 'quarantine' AND (until <= excluded.since OR user_key = excluded.user_key))
               OR (state = 'used' AND session = excluded.session)",
    )?;
    let number = u32::from(address);
    let taken = statement.execute((
        pool,
        number,
        address.to_string(),
        user,
        key(user),
        store_count(session.0),
        to_ms(now),
    ))?;
    Ok(taken == 1)
}

pub(super) fn release(
    transaction: &Transaction<'_>,
    pool: &str,
    address: Ipv4Addr,
    session: SessionId,
    quarantine: Option<Duration>,
    now: Timestamp,
) -> Result<bool, Fail> {
    let state = if quarantine.is_some() { LeaseState::Quarantine } else { LeaseState::Free };
    let mut statement = transaction.prepare_cached(
        "UPDATE leases SET state = ?4, session = NULL, since = ?5, until = ?6
         WHERE pool = ?1 AND number = ?2 AND session = ?3 AND state = 'used'",
    )?;
    let until = quarantine.map(|span| ms_after(now, span));
    let freed = statement.execute((
        pool,
        u32::from(address),
        store_count(session.0),
        state.word(),
        to_ms(now),
        until,
    ))?;
    Ok(freed == 1)
}

pub(super) fn list(
    connection: &Connection,
    pool: Option<&str>,
    user: Option<&str>,
) -> Result<Vec<Lease>, Fail> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM leases WHERE (?1 IS NULL OR pool = ?1) AND (?2 IS NULL OR user_key = ?2)
         ORDER BY pool, number",
    )?;
    let rows = statement.query_map((pool, user.map(key)), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Lease> {
    let state: String = row.get("state")?;
    let session: Option<i64> = row.get("session")?;
    Ok(Lease {
        pool: row.get("pool")?,
        address: parse(row, "address")?,
        user: row.get("user")?,
        state: LeaseState::from_word(&state).ok_or_else(|| bad("state", &state, "no such state"))?,
        session: if session.is_some() { Some(SessionId(count(row, "session")?)) } else { None },
        since: time(row, "since")?,
        until: time_optional(row, "until")?,
    })
}
