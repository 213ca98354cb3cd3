//! Servers in SQLite.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction};

use super::fail::Fail;
use super::row::store_count;
use crate::time::to_ms;
use crate::{Recovered, ServerId, ServerIdentity, SessionId};

/// The server of everything from before servers were told apart.
pub(super) const FIRST: ServerId = ServerId(1);

pub(super) fn register(transaction: &Transaction<'_>, identity: &ServerIdentity) -> Result<ServerId, Fail> {
    let (key, name) = (identity.key(), identity.name());
    let id = |sql: &str| {
        transaction.query_row(sql, (key, name), |row| row.get::<_, i64>(0)).optional().map_err(Fail::from)
    };
    let known = id("UPDATE servers SET name = ?2 WHERE key = ?1 RETURNING id")?;
    // The one whose rows are from before servers had keys.
    let unnamed = "UPDATE servers SET key = ?1, name = ?2 WHERE key IS NULL RETURNING id";
    let first = if known.is_none() { id(unnamed)? } else { known };
    let number = match first {
        Some(number) => number,
        None => {
            let insert = "INSERT INTO servers (key, name) VALUES (?1, ?2) RETURNING id";
            transaction.query_row(insert, (key, name), |row| row.get(0))?
        }
    };
    Ok(ServerId(number.unsigned_abs()))
}

/// What the record says of a session that a crash ended.
const CRASHED: &str = "server stopped unexpectedly";

pub(super) fn recover(
    transaction: &Transaction<'_>,
    server: ServerId,
    now: Timestamp,
) -> Result<Recovered, Fail> {
    // The clock may have been set back since: no session ends before it was seen last.
    let sql = "UPDATE sessions SET ended = max(seen, started), why = 'crash', ended_by = 'note', detail = ?1
               WHERE ended IS NULL AND server = ?2 RETURNING id";
    let mut statement = transaction.prepare(sql)?;
    let rows = statement.query_map((CRASHED, store_count(server.0)), |row| {
        row.get::<_, i64>(0).map(|id| SessionId(id.unsigned_abs()))
    })?;
    let mut sessions = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    sessions.sort();
    let sql =
        "UPDATE leases SET state = 'free', session = NULL, since = ?1 WHERE state = 'used' AND server = ?2";
    let leases = transaction.execute(sql, (to_ms(now), store_count(server.0)))? as u64;
    Ok(Recovered { sessions, leases })
}
