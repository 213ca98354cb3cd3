//! Accounts in SQLite.

use std::net::IpAddr;

use adit_policy::name::key;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, named_params};

use super::fail::Fail;
use super::row::{bad, parse_optional, time, time_optional};
use crate::time::to_ms;
use crate::{Account, AccountChange, AccountWrite, ErrorKind, Login, NewAccount, SealedSecret};

pub(super) fn all(connection: &Connection) -> Result<Vec<Account>, Fail> {
    let mut statement = connection.prepare_cached("SELECT * FROM accounts ORDER BY name_key")?;
    let rows = statement.query_map((), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn one(connection: &Connection, name: &str) -> Result<Option<Account>, Fail> {
    let mut statement = connection.prepare_cached("SELECT * FROM accounts WHERE name_key = ?1")?;
    Ok(statement.query_row([key(name)], read).optional()?)
}

fn must(connection: &Connection, name: &str) -> Result<(Account, Option<SealedSecret>), Fail> {
    credentials(connection, name)?.ok_or_else(|| ErrorKind::NoSuchAccount(name.into()).into())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Account> {
    let networks: String = row.get("networks")?;
    let networks = networks
        .split_ascii_whitespace()
        .map(|net| net.parse::<Ipv4Net>().map_err(|e| bad("networks", net, &e.to_string())))
        .collect::<rusqlite::Result<_>>()?;
    let login_from: Option<IpAddr> = parse_optional(row, "login_from")?;
    let login_at = time_optional(row, "login_at")?;
    Ok(Account {
        name: row.get("name")?,
        group: row.get("group_name")?,
        address: parse_optional(row, "address")?,
        networks,
        expires: time_optional(row, "expires")?,
        disabled: row.get("disabled")?,
        vpn: row.get("vpn")?,
        locked_until: time_optional(row, "locked_until")?,
        must_change: row.get("must_change")?,
        password_changed: time_optional(row, "password_changed")?,
        reversible: row.get::<_, Option<Vec<u8>>>("password")?.is_some(),
        created: time(row, "created")?,
        note: row.get("note")?,
        last_login: login_at.zip(login_from).map(|(at, from)| Login { at, from }),
        revision: row.get("revision")?,
    })
}

pub(super) fn credentials(
    connection: &Connection,
    name: &str,
) -> Result<Option<(Account, Option<SealedSecret>)>, Fail> {
    let mut statement = connection.prepare_cached("SELECT * FROM accounts WHERE name_key = ?1")?;
    Ok(statement.query_row([key(name)], |row| Ok((read(row)?, read_secret(row)?))).optional()?)
}

fn read_secret(row: &Row<'_>) -> rusqlite::Result<Option<SealedSecret>> {
    let password = row.get("password")?;
    Ok(row.get::<_, Option<Vec<u8>>>("nt_hash")?.map(|nt_hash| SealedSecret { nt_hash, password }))
}

pub(super) fn insert(
    transaction: &Transaction<'_>,
    new: &NewAccount,
    secret: Option<&SealedSecret>,
    now: Timestamp,
) -> Result<Account, Fail> {
    adit_policy::name::check(&new.name).map_err(|why| ErrorKind::BadName { name: new.name.clone(), why })?;
    if let Some(there) = one(transaction, &new.name)? {
        return Err(ErrorKind::AccountExists(there.name).into());
    }
    let account = new.clone().into_account(secret.map(|secret| secret.password.is_some()), now);
    put(transaction, &account, secret)?;
    Ok(must(transaction, &account.name)?.0)
}

pub(super) fn change(
    transaction: &Transaction<'_>,
    name: &str,
    change: &AccountChange,
) -> Result<Account, Fail> {
    let (account, secret) = must(transaction, name)?;
    if change.revision.is_some_and(|revision| revision != account.revision) {
        return Err(ErrorKind::Changed(account.name).into());
    }
    let mut account = change.clone().apply(account);
    account.revision += 1;
    put(transaction, &account, secret.as_ref())?;
    Ok(must(transaction, name)?.0)
}

pub(super) fn set_secret(
    transaction: &Transaction<'_>,
    name: &str,
    secret: &SealedSecret,
    must_change: bool,
    now: Timestamp,
) -> Result<(), Fail> {
    let (account, _) = must(transaction, name)?;
    let account = account.with_new_password(secret.password.is_some(), must_change, now);
    put(transaction, &account, Some(secret))
}

/// Writes whole accounts.
pub(super) fn write(transaction: &Transaction<'_>, writes: &[AccountWrite]) -> Result<(), Fail> {
    // Two accounts may exchange their addresses: all of them are free before one is assigned.
    let mut release = transaction.prepare_cached("UPDATE accounts SET address = NULL WHERE name_key = ?1")?;
    for write in writes.iter().filter(|write| !write.is_new) {
        release.execute([key(&write.account.name)])?;
    }
    for AccountWrite { account, secret, is_new } in writes {
        let name = &account.name;
        adit_policy::name::check(name).map_err(|why| ErrorKind::BadName { name: name.clone(), why })?;
        let there = credentials(transaction, name)?;
        match (there, is_new) {
            (None, true) => put(transaction, &Account { revision: 1, ..account.clone() }, secret.as_ref())?,
            (Some((there, _)), true) => return Err(ErrorKind::AccountExists(there.name).into()),
            (None, false) => return Err(ErrorKind::NoSuchAccount(name.clone()).into()),
            (Some((there, _)), false) if there.revision != account.revision => {
                return Err(ErrorKind::Changed(there.name).into());
            }
            (Some((there, kept)), false) => {
                let account = Account { revision: there.revision + 1, ..account.clone() };
                put(transaction, &account, secret.as_ref().or(kept.as_ref()))?;
            }
        }
    }
    Ok(())
}

/// Sees that no other account has the fixed address.
fn free_address(transaction: &Transaction<'_>, account: &Account) -> Result<(), Fail> {
    let Some(address) = account.address else {
        return Ok(());
    };
    let sql = "SELECT name FROM accounts WHERE address = ?1 AND name_key <> ?2";
    let by =
        transaction.query_row(sql, (address.to_string(), key(&account.name)), |row| row.get(0)).optional()?;
    match by {
        Some(by) => Err(ErrorKind::AddressTaken { address, by }.into()),
        None => Ok(()),
    }
}

/// Writes a whole account, new or changed: the one statement that does.
fn put(transaction: &Transaction<'_>, account: &Account, secret: Option<&SealedSecret>) -> Result<(), Fail> {
    free_address(transaction, account)?;
    let networks: Vec<String> = account.networks.iter().map(Ipv4Net::to_string).collect();
    let mut statement = transaction.prepare_cached(
        "INSERT INTO accounts (name_key, name, group_name, address, networks, expires, disabled, vpn, locked_until,
            must_change, nt_hash, password, password_changed, created, note, login_at, login_from, revision)
         VALUES (:key, :name, :group, :address, :networks, :expires, :disabled, :vpn, :locked,
            :must, :nt_hash, :password, :password_changed, :created, :note, :login_at, :login_from, :revision)
         ON CONFLICT (name_key) DO UPDATE SET
            group_name = excluded.group_name, address = excluded.address, networks = excluded.networks,
            expires = excluded.expires, disabled = excluded.disabled, vpn = excluded.vpn,
            locked_until = excluded.locked_until, must_change = excluded.must_change, nt_hash = excluded.nt_hash,
            password = excluded.password, password_changed = excluded.password_changed, note = excluded.note,
            revision = excluded.revision",
    )?;
    statement.execute(named_params! {
        ":key": key(&account.name),
        ":name": account.name,
        ":group": account.group,
        ":address": account.address.map(|a| a.to_string()),
        ":networks": networks.join(" "),
        ":expires": account.expires.map(to_ms),
        ":disabled": account.disabled,
        ":vpn": account.vpn,
        ":locked": account.locked_until.map(to_ms),
        ":must": account.must_change,
        ":nt_hash": secret.map(|secret| &secret.nt_hash),
        ":password": secret.and_then(|secret| secret.password.as_ref()),
        ":password_changed": account.password_changed.map(to_ms),
        ":created": to_ms(account.created),
        ":note": account.note,
        ":login_at": account.last_login.as_ref().map(|login| to_ms(login.at)),
        ":login_from": account.last_login.as_ref().map(|login| login.from.to_string()),
        ":revision": account.revision,
    })?;
    Ok(())
}

pub(super) fn remove(transaction: &Transaction<'_>, name: &str) -> Result<(), Fail> {
    if transaction.execute("DELETE FROM accounts WHERE name_key = ?1", [key(name)])? == 0 {
        return Err(ErrorKind::NoSuchAccount(name.into()).into());
    }
    // Addresses kept for a user who does not return; one in use is released when its session ends.
    transaction.execute("DELETE FROM leases WHERE user_key = ?1 AND state = 'free'", [key(name)])?;
    Ok(())
}

pub(super) fn record_login(
    transaction: &Transaction<'_>,
    name: &str,
    from: IpAddr,
    at: Timestamp,
) -> Result<(), Fail> {
    let sql = "UPDATE accounts SET login_at = ?2, login_from = ?3 WHERE name_key = ?1";
    transaction.prepare_cached(sql)?.execute((key(name), to_ms(at), from.to_string()))?;
    Ok(())
}
