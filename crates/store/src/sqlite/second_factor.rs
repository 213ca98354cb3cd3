//! Second factors in SQLite.

use adit_policy::name::key;
use rusqlite::{Connection, OptionalExtension as _, Transaction, named_params};

use super::fail::Fail;
use super::row::time;
use crate::time::to_ms;
use crate::{ErrorKind, SealedFactor};

pub(super) fn one(connection: &Connection, name: &str) -> Result<Option<SealedFactor>, Fail> {
    let mut statement = connection.prepare_cached(
        // Every column: a database that is only read may be of a version without those of the second factor.
        "SELECT * FROM accounts WHERE name_key = ?1",
    )?;
    if statement.column_index("factor").is_err() {
        return Ok(None);
    }
    let read = |row: &rusqlite::Row<'_>| {
        let Some(sealed) = row.get("factor")? else { return Ok(None) };
        Ok(Some(SealedFactor {
            sealed,
            step: row.get::<_, i64>("factor_step")?.unsigned_abs(),
            enrolled: time(row, "factor_enrolled")?,
            by: row.get("factor_by")?,
        }))
    };
    Ok(statement.query_row([key(name)], read).optional()?.flatten())
}

pub(super) fn set(
    transaction: &Transaction<'_>,
    name: &str,
    factor: Option<&SealedFactor>,
) -> Result<(), Fail> {
    let sql = "UPDATE accounts SET factor = :factor, factor_step = :step, factor_enrolled = :enrolled,
                   factor_by = :by WHERE name_key = :key";
    let changed = transaction.execute(
        sql,
        named_params! {
            ":key": key(name),
            ":factor": factor.map(|factor| &factor.sealed),
            ":step": factor.map(|factor| number(factor.step)),
            ":enrolled": factor.map(|factor| to_ms(factor.enrolled)),
            ":by": factor.map(|factor| &factor.by),
        },
    )?;
    if changed == 0 { Err(ErrorKind::NoSuchAccount(name.into()).into()) } else { Ok(()) }
}

/// Writes `after` if `before` is what is on record; whether it was.
pub(super) fn replace(
    transaction: &Transaction<'_>,
    name: &str,
    before: &SealedFactor,
    after: &SealedFactor,
) -> Result<bool, Fail> {
    if one(transaction, name)?.as_ref() != Some(before) {
        return Ok(false);
    }
    set(transaction, name, Some(after))?;
    Ok(true)
}

fn number(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}
