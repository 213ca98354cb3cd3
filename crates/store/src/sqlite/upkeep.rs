//! What keeps the database right after a crash and small over the years.

use jiff::Timestamp;
use rusqlite::Transaction;

use super::fail::Fail;
use super::row::store_count;
use crate::time::{ms_before, to_ms};
use crate::{Pruned, Recovered, Retention, SessionId};

/// What the record says of a session that a crash ended.
const CRASHED: &str = "server stopped unexpectedly";

pub(super) fn recover(transaction: &Transaction<'_>, now: Timestamp) -> Result<Recovered, Fail> {
    // The clock may have been set back since: no session ends before it was seen last.
    let sql = "UPDATE sessions SET ended = max(seen, started), why = 'crash', ended_by = 'note', detail = ?1
               WHERE ended IS NULL RETURNING id";
    let mut statement = transaction.prepare(sql)?;
    let rows =
        statement.query_map([CRASHED], |row| row.get::<_, i64>(0).map(|id| SessionId(id.unsigned_abs())))?;
    let mut sessions = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    sessions.sort();
    let sql = "UPDATE leases SET state = 'free', session = NULL, since = ?1 WHERE state = 'used'";
    let leases = transaction.execute(sql, [to_ms(now)])? as u64;
    Ok(Recovered { sessions, leases })
}

pub(super) fn prune(
    transaction: &Transaction<'_>,
    retention: &Retention,
    now: Timestamp,
) -> Result<Pruned, Fail> {
    let events_from = ms_before(now, retention.events);
    let sessions_from = ms_before(now, retention.sessions);
    // The oldest that still belongs to the newest `most`; nothing is below it while there are fewer.
    let most = store_count(retention.most);
    let nth = |table: &str| -> Result<i64, Fail> {
        let sql = format!("SELECT coalesce((SELECT id FROM {table} ORDER BY id DESC LIMIT 1 OFFSET ?1), -1)");
        Ok(transaction.query_row(&sql, [most], |row| row.get(0))?)
    };
    let (event_floor, session_floor) = (nth("events")?, nth("sessions")?);
    let events =
        transaction.execute("DELETE FROM events WHERE at < ?1 OR id <= ?2", (events_from, event_floor))?;
    let sessions = transaction.execute(
        "DELETE FROM sessions WHERE ended IS NOT NULL AND (ended < ?1 OR id <= ?2)",
        (sessions_from, session_floor),
    )?;
    let steps = transaction.execute(
        "DELETE FROM steps WHERE session NOT IN (SELECT id FROM sessions WHERE ended IS NULL OR ended >= ?1)",
        [events_from],
    )?;
    Ok(Pruned { events: events as u64, sessions: sessions as u64, steps: steps as u64 })
}
