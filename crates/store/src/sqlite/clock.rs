//! The believed time in SQLite: a row of `meta`, its two numbers as text.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::fail::Fail;
use super::row::bad;
use crate::ClockCheck;
use crate::clock::Believed;

/// What is believed so far. Before the first check it is the time of the newest record; `None` without a record.
fn get(connection: &Connection) -> Result<Option<Believed>, Fail> {
    let kept = "SELECT value FROM meta WHERE key = 'clock'";
    if let Some(text) = connection.query_row(kept, (), |row| row.get::<_, String>(0)).optional()? {
        let numbers = text.split_once(' ').and_then(|(newest, doubted)| {
            Some(Believed { newest: newest.parse().ok()?, doubted: doubted.parse().ok()? })
        });
        return Ok(Some(numbers.ok_or_else(|| bad("value", &text, "two numbers were expected"))?));
    }
    let newest = "SELECT max(coalesce((SELECT max(at) FROM events), 0), coalesce((SELECT max(seen) FROM sessions), 0))";
    let newest: i64 = connection.query_row(newest, (), |row| row.get(0))?;
    Ok((newest > 0).then_some(Believed { newest, doubted: 0 }))
}

/// Checks the clock, and keeps what is believed from now on.
pub(super) fn check(
    transaction: &Transaction<'_>,
    now: Timestamp,
    ran: Duration,
) -> Result<ClockCheck, Fail> {
    let (verdict, next) = match get(transaction)? {
        Some(believed) => believed.check(now, ran),
        None => (ClockCheck::Plausible, Believed::clock(now)),
    };
    let sql = "INSERT INTO meta (key, value) VALUES ('clock', ?1)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    transaction.execute(sql, [format!("{} {}", next.newest, next.doubted)])?;
    Ok(verdict)
}

/// The time by which things are old.
pub(super) fn time(connection: &Connection, now: Timestamp) -> Result<Timestamp, Fail> {
    Ok(get(connection)?.map_or(now, |believed| believed.time(now)))
}
