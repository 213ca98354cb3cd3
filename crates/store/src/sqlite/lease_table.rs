//! What SQLite knows of addresses, for the choice of one: a few look-ups, however large the pool is.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use adit_policy::PoolConfig;
use adit_policy::name::key;
use adit_policy::pool::LeaseTable;
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction};

use super::fail::Fail;
use crate::time::ms_before;

/// `?1` an address as a number.
pub(super) const HOLDER: &str = "SELECT user FROM leases WHERE number = ?1 AND state = 'used'";
/// `?1` an address as text.
pub(super) const OWNER: &str = "SELECT name FROM accounts WHERE address = ?1";
/// `?1` a user's key, `?2` a pool, `?3` a time.
pub(super) const LAST: &str = "SELECT number FROM leases INDEXED BY leases_by_user
     WHERE user_key = ?1 AND pool = ?2 AND state = 'free' AND since > ?3 ORDER BY since DESC, number DESC";
/// `?1` a pool, `?2` and `?3` a range.
pub(super) const KNOWN: &str =
    "SELECT number FROM leases WHERE pool = ?1 AND number BETWEEN ?2 AND ?3 ORDER BY number";
/// `?1` a pool.
pub(super) const BY_AGE: &str =
    "SELECT number FROM leases WHERE pool = ?1 AND state = 'free' ORDER BY since, number";

/// The leases as of one transaction.
pub(super) struct Table<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) cursors: &'a mut Cursors,
    pub(super) now: Timestamp,
}

impl Table<'_> {
    fn is_free(&mut self, address: Ipv4Addr) -> Result<bool, Fail> {
        Ok(self.holder(address)?.is_none() && self.owner(address)?.is_none())
    }

    /// The first free one of the rows of a statement.
    fn first_free(
        &mut self,
        sql: &str,
        values: impl rusqlite::Params,
        pool: &PoolConfig,
    ) -> Result<Option<Ipv4Addr>, Fail> {
        let mut statement = self.transaction.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            let address = Ipv4Addr::from(row.get::<_, u32>(0)?);
            if pool.assigns(address) && self.is_free(address)? {
                return Ok(Some(address));
            }
        }
        Ok(None)
    }

    /// The lowest free address from `first` to `last` without a row.
    fn first_without_row(
        &mut self,
        pool: &PoolConfig,
        (first, last): (u32, u32),
    ) -> Result<Option<Ipv4Addr>, Fail> {
        let mut statement = self.transaction.prepare_cached(KNOWN)?;
        let mut rows = statement.query((&pool.name, first, last))?;
        let mut known = rows.next()?.map(|row| row.get::<_, u32>(0)).transpose()?;
        for number in first..=last {
            if known == Some(number) {
                known = rows.next()?.map(|row| row.get(0)).transpose()?;
                continue;
            }
            let address = Ipv4Addr::from(number);
            if pool.assigns(address) && self.is_free(address)? {
                return Ok(Some(address));
            }
        }
        Ok(None)
    }
}

impl LeaseTable for Table<'_> {
    type Error = Fail;

    fn holder(&mut self, address: Ipv4Addr) -> Result<Option<String>, Fail> {
        let mut statement = self.transaction.prepare_cached(HOLDER)?;
        Ok(statement.query_row([u32::from(address)], |row| row.get(0)).optional()?)
    }

    fn owner(&mut self, address: Ipv4Addr) -> Result<Option<String>, Fail> {
        let mut statement = self.transaction.prepare_cached(OWNER)?;
        Ok(statement.query_row([address.to_string()], |row| row.get(0)).optional()?)
    }

    fn last_of(&mut self, pool: &PoolConfig, user: &str) -> Result<Option<Ipv4Addr>, Fail> {
        self.first_free(LAST, (key(user), &pool.name, ms_before(self.now, pool.sticky)), pool)
    }

    fn unused(&mut self, pool: &PoolConfig) -> Result<Option<Ipv4Addr>, Fail> {
        let cursor = self.cursors.of(pool);
        cursor.began = cursor.next;
        let from = cursor.next;
        let mut ranges = pool.ranges.clone();
        ranges.sort_unstable();
        for (first, last) in ranges {
            let (first, last) = (u32::from(first).max(from), u32::from(last));
            if let Some(address) = self.first_without_row(pool, (first, last))? {
                // Not behind it: the transaction may yet fail.
                self.cursors.of(pool).next = address.into();
                return Ok(Some(address));
            }
        }
        self.cursors.of(pool).next = u32::MAX;
        Ok(None)
    }

    fn longest_free(&mut self, pool: &PoolConfig) -> Result<Option<Ipv4Addr>, Fail> {
        self.first_free(BY_AGE, [&pool.name], pool)
    }
}

/// Below which address of each pool there is no unused one: the search does not begin at the start of the pool each time.
/// A hint only. An address below becomes unused again when an account gives up its fixed address or is removed; it is
/// found when the search begins anew.
#[derive(Debug, Default)]
pub(super) struct Cursors(BTreeMap<String, Cursor>);

#[derive(Debug, Default)]
struct Cursor {
    /// What the pool was when the search began.
    ranges: Vec<(Ipv4Addr, Ipv4Addr)>,
    next: u32,
    /// Where the last search began.
    began: u32,
}

impl Cursors {
    fn of(&mut self, pool: &PoolConfig) -> &mut Cursor {
        let cursor = self.0.entry(pool.name.clone()).or_default();
        if cursor.ranges != pool.ranges {
            *cursor = Cursor { ranges: pool.ranges.clone(), ..Cursor::default() };
        }
        cursor
    }

    /// Has the next search begin at the start; `false` when the last one did.
    pub(super) fn rewind(&mut self, pool: &str) -> bool {
        self.0.remove(pool).is_some_and(|cursor| cursor.began > 0)
    }

    /// The same for all pools.
    pub(super) fn rewind_all(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, StatementStatus};

    use super::*;
    use crate::sqlite::leases::{FORGET, RELEASE, SERVER};
    use crate::sqlite::{Sqlite, schema};

    #[test]
    fn no_statement_of_a_login_walks_a_table() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection, std::path::Path::new("t"), schema::SCRIPTS).unwrap();
        for (sql, expected) in [
            (HOLDER, "USING INDEX leases_by_number (number=?)"),
            (OWNER, "(address=?)"),
            (LAST, "USING COVERING INDEX leases_by_user (user_key=? AND pool=? AND since>?)"),
            (KNOWN, "USING PRIMARY KEY (pool=? AND number>? AND number<?)"),
            (BY_AGE, "USING COVERING INDEX leases_by_age (pool=?)"),
            (SERVER, "USING INTEGER PRIMARY KEY (rowid=?)"),
            (RELEASE, "USING PRIMARY KEY (pool=? AND number=?)"),
            (FORGET, "USING INDEX leases_by_number (number=?)"),
        ] {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let count = statement.parameter_count();
            let rows = statement.query_map(rusqlite::params_from_iter(vec![0; count]), |row| row.get(3));
            let plan = rows.unwrap().collect::<rusqlite::Result<Vec<String>>>().unwrap().join("\n");
            assert!(plan.contains(expected), "{sql}\n{plan}");
            assert!(!plan.contains("SCAN"), "{sql}\n{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "it sorts: {sql}\n{plan}");
        }
    }

    #[test]
    fn no_statement_of_a_login_is_compiled_for_each_set_of_values() {
        let sqlite = Sqlite::in_memory().unwrap();
        let connection = sqlite.lock();
        for sql in [HOLDER, OWNER, LAST, KNOWN, BY_AGE, SERVER, RELEASE] {
            for value in 0..4 {
                let mut statement = connection.prepare_cached(sql).unwrap();
                let values = vec![value; statement.parameter_count()];
                let mut rows = statement.query(rusqlite::params_from_iter(values)).unwrap();
                assert!(rows.next().unwrap().is_none());
                drop(rows);
                assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
            }
        }
    }
}
