//! What keeps the database right after a crash and small over the years.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::fail::Fail;
use super::row::store_count;
use crate::time::to_ms;
use crate::{Recovered, SessionId};

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

/// Rows removed in one transaction: a big clean-up must not keep the server from writing.
const CHUNK: i64 = 2000;

/// One kind of thing that grows old: how to find the next ones by id, and how to remove one.
pub(super) struct Old {
    /// Takes `?1` a time, `?2` a floor of ids, `?3` the id to go on behind, `?4` how many.
    find: &'static str,
    remove: &'static str,
}

pub(super) const EVENTS: Old = Old {
    find: "SELECT id FROM events WHERE (at < ?1 OR id <= ?2) AND id > ?3 ORDER BY id LIMIT ?4",
    remove: "DELETE FROM events WHERE id = ?1",
};

/// Records of sessions; the sessions themselves are kept for longer.
pub(super) const RECORDS: Old = Old {
    find: "SELECT id FROM sessions WHERE ended IS NOT NULL AND (ended < ?1 OR id <= ?2) AND id > ?3
             AND EXISTS (SELECT 1 FROM steps WHERE session = sessions.id) ORDER BY id LIMIT ?4",
    remove: "DELETE FROM steps WHERE session = ?1",
};

pub(super) const SESSIONS: Old = Old {
    find: "SELECT id FROM sessions WHERE ended IS NOT NULL AND (ended < ?1 OR id <= ?2) AND id > ?3
           ORDER BY id LIMIT ?4",
    remove: "DELETE FROM sessions WHERE id = ?1",
};

/// The newest id that is one too many of a table; -1 while there are not more than `most`.
pub(super) fn floor(connection: &Connection, table: &str, most: u64) -> Result<i64, Fail> {
    let sql = format!("SELECT coalesce((SELECT id FROM {table} ORDER BY id DESC LIMIT 1 OFFSET ?1), -1)");
    Ok(connection.query_row(&sql, [store_count(most)], |row| row.get(0))?)
}

impl Old {
    /// The next ones behind `after`, by id.
    pub(super) fn find(
        &self,
        connection: &Connection,
        before: i64,
        floor: i64,
        after: i64,
    ) -> Result<Vec<i64>, Fail> {
        let mut statement = connection.prepare_cached(self.find)?;
        let rows = statement.query_map((before, floor, after, CHUNK), |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Removes them; says how many rows went.
    pub(super) fn remove(&self, transaction: &Transaction<'_>, ids: &[i64]) -> Result<u64, Fail> {
        let mut statement = transaction.prepare_cached(self.remove)?;
        let mut removed = 0;
        for id in ids {
            removed += statement.execute([id])? as u64;
        }
        Ok(removed)
    }
}
