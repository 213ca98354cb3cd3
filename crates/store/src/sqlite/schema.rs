//! The versions of the schema and the way from each to the next.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::fail::Fail;
use crate::ErrorKind;

/// "adit" as a number: what `file(1)` and others recognise the database by.
const APPLICATION: i64 = 0x6164_6974;

/// Script `n` leads from version `n` to `n + 1`. A released script never changes; a new version is a new script.
pub(super) const SCRIPTS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("servers.sql"),
    include_str!("leases.sql"),
    include_str!("typed.sql"),
    include_str!("event_facts.sql"),
    include_str!("lockout.sql"),
    include_str!("second_factor.sql"),
];

/// The version that this program writes.
pub(super) fn newest() -> i64 {
    i64::try_from(SCRIPTS.len()).unwrap_or(i64::MAX)
}

/// Says whether the file is ours, and too new; asks nothing of an empty one.
pub(super) fn check(connection: &Connection, path: &Path, known: i64) -> Result<i64, Fail> {
    // One question: between two, another program may make its tables.
    let (version, application, tables): (i64, i64, i64) = connection.query_row(
        "SELECT (SELECT user_version FROM pragma_user_version),
                (SELECT application_id FROM pragma_application_id),
                (SELECT count(*) FROM sqlite_schema)",
        (),
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    if application != APPLICATION && (application != 0 || version != 0 || tables != 0) {
        return Err(ErrorKind::Foreign.at(path).into());
    }
    if version > known {
        return Err(ErrorKind::Newer { found: version, known }.at(path).into());
    }
    Ok(version)
}

/// Brings the database to the newest version, all steps or none.
pub(super) fn migrate(connection: &mut Connection, path: &Path, scripts: &[&str]) -> Result<(), Fail> {
    let known = i64::try_from(scripts.len()).unwrap_or(i64::MAX);
    if check(connection, path, known)? == known {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another program may have been quicker while this one waited for the lock.
    let version = check(&transaction, path, known)?;
    for script in scripts.iter().skip(usize::try_from(version).unwrap_or(0)) {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7);";
    const TWO: &str = "ALTER TABLE a ADD COLUMN y TEXT; UPDATE a SET y = 'was ' || x;";

    fn version(connection: &Connection) -> i64 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn each_version_leads_to_the_next_and_keeps_what_was_there() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Path::new("t"), &[ONE]).unwrap();
        assert_eq!(version(&connection), 1);
        migrate(&mut connection, Path::new("t"), &[ONE, TWO]).unwrap();
        migrate(&mut connection, Path::new("t"), &[ONE, TWO]).unwrap();
        assert_eq!(version(&connection), 2);
        let y: String = connection.query_row("SELECT y FROM a", (), |row| row.get(0)).unwrap();
        assert_eq!(y, "was 7");
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Path::new("t"), &[ONE]).unwrap();
        assert!(migrate(&mut connection, Path::new("t"), &[ONE, TWO, "nonsense"]).is_err());
        assert_eq!(version(&connection), 1);
        assert!(connection.query_row("SELECT y FROM a", (), |_| Ok(())).is_err());
    }

    #[test]
    fn newer_and_foreign_files_are_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Path::new("t"), &[ONE, TWO]).unwrap();
        let newer = migrate(&mut connection, Path::new("t"), &[ONE]).unwrap_err();
        assert_eq!(
            newer.at(Path::new("t"), std::time::Duration::ZERO),
            ErrorKind::Newer { found: 2, known: 1 }.at(Path::new("t"))
        );
        let mut other = Connection::open_in_memory().unwrap();
        other.execute_batch("CREATE TABLE browser_history (x)").unwrap();
        let foreign = migrate(&mut other, Path::new("t"), &[ONE]).unwrap_err();
        assert_eq!(
            foreign.at(Path::new("t"), std::time::Duration::ZERO),
            ErrorKind::Foreign.at(Path::new("t"))
        );
        assert_eq!(version(&other), 0);
    }
}
