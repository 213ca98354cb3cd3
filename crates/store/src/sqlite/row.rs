//! Values in rows that are more than numbers and texts.

use core::str::FromStr;

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::{FromSql, Type};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::time::from_ms;

/// A text that must be a `T`.
pub(super) fn parse<T: FromStr>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T::Err: core::fmt::Display,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error: T::Err| bad(column, &text, &error.to_string()))
}

/// The same where there may be nothing.
pub(super) fn parse_optional<T: FromStr>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>>
where
    T::Err: core::fmt::Display,
{
    match row.get::<_, Option<String>>(column)? {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|error: T::Err| bad(column, &text, &error.to_string())),
    }
}

/// A column that is `None` in a database that an older adit wrote and that was opened only to read.
pub(super) fn newer<T: FromSql>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    match row.get(column) {
        Err(rusqlite::Error::InvalidColumnName(_)) => Ok(None),
        value => value.map(Some),
    }
}

/// A time.
pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(from_ms)
}

/// The same where there may be none.
pub(super) fn time_optional(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(from_ms))
}

/// A value that is kept as JSON. `None` where there is none, where the column is missing (a reader changes nothing, not the
/// tables of an older version either), and where a newer adit wrote what this one does not know.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    let Ok(index) = row.as_ref().column_index(column) else { return Ok(None) };
    let text: Option<String> = row.get(index)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// A value as JSON for the database. Everything that is kept so can be written.
pub(super) fn store_json<T: Serialize>(value: Option<&T>) -> Option<String> {
    value.and_then(|value| serde_json::to_string(value).ok())
}

/// A count; a negative one is an error.
pub(super) fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    let n: i64 = row.get(column)?;
    u64::try_from(n).map_err(|_| bad(column, &n.to_string(), "a count is not negative"))
}

/// A count for the database; it stops at 2^63 - 1, nine exabytes.
pub(super) fn store_count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A value that cannot be what the column says.
pub(super) fn bad(column: &str, found: &str, why: &str) -> rusqlite::Error {
    let text = format!("column {column} holds \"{}\": {why}", found.escape_debug());
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, text.into())
}
