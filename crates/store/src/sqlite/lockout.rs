//! The state of the lockout in SQLite.

use std::collections::BTreeSet;

use adit_policy::lockout::{Account, Ban, Bucket, Change, Home, Penalty, Sender, Strikes};
use ipnet::Ipv4Net;
use rusqlite::{Connection, Row, Transaction};

use super::fail::Fail;
use super::row::{bad, count, parse, store_count};

/// Everything, accounts before their networks. A database of an older version that is only read has nothing.
pub(super) fn all(connection: &Connection) -> Result<Vec<Change>, Fail> {
    let exists = "SELECT count(*) FROM sqlite_schema WHERE name = 'lockout_accounts'";
    if connection.query_row(exists, (), |row| row.get::<_, i64>(0))? == 0 {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    let mut read = |sql: &str, read: fn(&Row<'_>) -> rusqlite::Result<Change>| -> Result<(), Fail> {
        let mut statement = connection.prepare_cached(sql)?;
        for row in statement.query_map((), read)? {
            all.push(row?);
        }
        Ok(())
    };
    read("SELECT * FROM lockout_accounts", account)?;
    read("SELECT * FROM lockout_homes", home)?;
    read("SELECT * FROM lockout_senders", sender)?;
    read("SELECT * FROM bans", ban)?;
    Ok(all)
}

fn small<T: TryFrom<u64>>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let n = count(row, column)?;
    T::try_from(n).map_err(|_| bad(column, &n.to_string(), "the number is too large"))
}

fn strikes(row: &Row<'_>) -> rusqlite::Result<Strikes> {
    Ok(Strikes {
        count: small(row, "failures")?,
        last: count(row, "failed")?,
        lock: Penalty { times: small(row, "locks")?, until: count(row, "locked_until")? },
    })
}

fn bucket(row: &Row<'_>, full: &str, at: &str) -> rusqlite::Result<Bucket> {
    Ok(Bucket { filled: count(row, full)?, at: count(row, at)? })
}

fn name(row: &Row<'_>) -> rusqlite::Result<Box<str>> {
    Ok(row.get::<_, String>("name_key")?.into())
}

fn account(row: &Row<'_>) -> rusqlite::Result<Change> {
    let foreign = bucket(row, "foreign_full", "foreign_at")?;
    let account = Account::new(strikes(row)?, foreign, bucket(row, "own_full", "own_at")?);
    Ok(Change::Account(name(row)?, Some(account)))
}

fn home(row: &Row<'_>) -> rusqlite::Result<Change> {
    let network = parse(row, "network")?;
    let home =
        Home { network, address: parse(row, "address")?, at: count(row, "login")?, strikes: strikes(row)? };
    Ok(Change::Home(name(row)?, network, Some(home)))
}

fn sender(row: &Row<'_>) -> rusqlite::Result<Change> {
    let sender = Sender {
        bucket: bucket(row, "bucket_full", "bucket_at")?,
        ban: Penalty { times: small(row, "bans")?, until: count(row, "banned_until")? },
    };
    Ok(Change::Sender(parse(row, "network")?, Some(sender)))
}

fn ban(row: &Row<'_>) -> rusqlite::Result<Change> {
    let ban = Ban {
        since: count(row, "since")?,
        until: count(row, "until")?,
        by: row.get("by")?,
        reason: row.get("reason")?,
    };
    Ok(Change::Ban(parse(row, "network")?, Some(ban)))
}

/// Stores and removes rows.
pub(super) fn apply(transaction: &Transaction<'_>, changes: &[Change]) -> Result<(), Fail> {
    let mut touched = BTreeSet::new();
    for change in changes {
        match change {
            Change::Account(name, account) => {
                put_account(transaction, name, account.as_ref())?;
                touched.insert(&**name);
            }
            Change::Home(name, network, home) => {
                put_home(transaction, name, *network, home.as_ref())?;
                touched.insert(&**name);
            }
            Change::Sender(network, sender) => put_sender(transaction, *network, sender.as_ref())?,
            Change::Ban(network, ban) => put_ban(transaction, *network, ban.as_ref())?,
        }
    }
    // The account shows the lock that ends last. This is no change that an administrator could run into.
    let mut statement = transaction.prepare_cached(
        "UPDATE accounts SET locked_until = nullif(max(
            coalesce((SELECT locked_until FROM lockout_accounts WHERE name_key = ?1), 0),
            coalesce((SELECT max(locked_until) FROM lockout_homes WHERE name_key = ?1), 0)), 0)
         WHERE name_key = ?1",
    )?;
    for name in touched {
        statement.execute([name])?;
    }
    Ok(())
}

fn put_account(t: &Transaction<'_>, name: &str, account: Option<&Account>) -> Result<(), Fail> {
    let Some(Account { strikes, foreign, own, .. }) = account else {
        t.prepare_cached("DELETE FROM lockout_accounts WHERE name_key = ?1")?.execute([name])?;
        t.prepare_cached("DELETE FROM lockout_homes WHERE name_key = ?1")?.execute([name])?;
        return Ok(());
    };
    let sql = "INSERT OR REPLACE INTO lockout_accounts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    t.prepare_cached(sql)?.execute((
        name,
        strikes.count,
        store_count(strikes.last),
        strikes.lock.times,
        store_count(strikes.lock.until),
        store_count(foreign.filled),
        store_count(foreign.at),
        store_count(own.filled),
        store_count(own.at),
    ))?;
    Ok(())
}

fn put_home(t: &Transaction<'_>, name: &str, network: Ipv4Net, home: Option<&Home>) -> Result<(), Fail> {
    let Some(Home { address, at, strikes, .. }) = home else {
        let sql = "DELETE FROM lockout_homes WHERE name_key = ?1 AND network = ?2";
        t.prepare_cached(sql)?.execute((name, network.to_string()))?;
        return Ok(());
    };
    let sql = "INSERT OR REPLACE INTO lockout_homes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    t.prepare_cached(sql)?.execute((
        name,
        network.to_string(),
        address.to_string(),
        store_count(*at),
        strikes.count,
        store_count(strikes.last),
        strikes.lock.times,
        store_count(strikes.lock.until),
    ))?;
    Ok(())
}

fn put_sender(t: &Transaction<'_>, network: Ipv4Net, sender: Option<&Sender>) -> Result<(), Fail> {
    let Some(Sender { bucket, ban }) = sender else {
        t.prepare_cached("DELETE FROM lockout_senders WHERE network = ?1")?.execute([network.to_string()])?;
        return Ok(());
    };
    let sql = "INSERT OR REPLACE INTO lockout_senders VALUES (?1, ?2, ?3, ?4, ?5)";
    t.prepare_cached(sql)?.execute((
        network.to_string(),
        store_count(bucket.filled),
        store_count(bucket.at),
        ban.times,
        store_count(ban.until),
    ))?;
    Ok(())
}

fn put_ban(t: &Transaction<'_>, network: Ipv4Net, ban: Option<&Ban>) -> Result<(), Fail> {
    let Some(Ban { since, until, by, reason }) = ban else {
        t.prepare_cached("DELETE FROM bans WHERE network = ?1")?.execute([network.to_string()])?;
        return Ok(());
    };
    let sql = "INSERT OR REPLACE INTO bans VALUES (?1, ?2, ?3, ?4, ?5)";
    let (since, until) = (store_count(*since), store_count(*until));
    t.prepare_cached(sql)?.execute((network.to_string(), since, until, by, reason))?;
    Ok(())
}
