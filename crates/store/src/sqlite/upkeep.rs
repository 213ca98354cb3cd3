//! What keeps the database small over the years.

use rusqlite::{Connection, Transaction};

use super::fail::Fail;
use super::row::store_count;

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
