//! Accounts in SQLite.

use std::net::IpAddr;
use std::path::Path;

use adit_crypto::proof::Secret;
use adit_crypto::secret::{NtHash, Password};
use adit_policy::name::key;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, named_params};

use super::fail::Fail;
use super::row::{bad, parse_optional, time, time_optional};
use crate::time::to_ms;
use crate::{Account, AccountChange, Error, Login, NewAccount, SealKey};

/// A secret as it goes into the database.
pub(super) struct Sealed {
    nt_hash: Vec<u8>,
    password: Option<Vec<u8>>,
}

impl Sealed {
    pub(super) fn new(
        seal: &SealKey,
        path: &Path,
        name: &str,
        secret: &Secret,
        reversible: bool,
    ) -> crate::Result<Sealed> {
        let nt_hash = seal.seal(path, &purpose("nt-hash", name), secret.nt_hash().as_bytes())?;
        let password = match secret {
            Secret::Clear(password) if reversible => {
                Some(seal.seal(path, &purpose("password", name), password.expose().as_bytes())?)
            }
            _ => None,
        };
        Ok(Sealed { nt_hash, password })
    }
}

/// What a sealed secret is bound to.
fn purpose(kind: &str, name: &str) -> String {
    format!("adit {kind} {}", key(name))
}

pub(super) fn all(connection: &Connection) -> Result<Vec<Account>, Fail> {
    let mut statement = connection.prepare_cached("SELECT * FROM accounts ORDER BY name_key")?;
    let rows = statement.query_map((), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn one(connection: &Connection, name: &str) -> Result<Option<Account>, Fail> {
    let mut statement = connection.prepare_cached("SELECT * FROM accounts WHERE name_key = ?1")?;
    Ok(statement.query_row([key(name)], read).optional()?)
}

fn must(connection: &Connection, name: &str) -> Result<Account, Fail> {
    one(connection, name)?.ok_or_else(|| Error::NoSuchAccount(name.into()).into())
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

pub(super) fn secret(connection: &Connection, seal: &SealKey, name: &str) -> Result<Option<Secret>, Fail> {
    let mut statement =
        connection.prepare_cached("SELECT nt_hash, password FROM accounts WHERE name_key = ?1")?;
    let columns = |row: &Row<'_>| Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get::<_, Option<Vec<u8>>>(1)?));
    let Some((nt_hash, password)) = statement.query_row([key(name)], columns).optional()? else {
        return Ok(None);
    };
    let unsealable = || Fail::from(Error::Unsealable { name: name.into() });
    if let Some(sealed) = password {
        let clear = seal.open(&purpose("password", name), &sealed).ok_or_else(unsealable)?;
        let text = core::str::from_utf8(&clear).map_err(|_| unsealable())?;
        return Ok(Some(Secret::Clear(Password::new(text))));
    }
    let Some(sealed) = nt_hash else {
        return Ok(None);
    };
    let hash = seal.open(&purpose("nt-hash", name), &sealed).ok_or_else(unsealable)?;
    let octets: [u8; 16] = hash.as_slice().try_into().map_err(|_| unsealable())?;
    Ok(Some(Secret::NtHash(NtHash::from_bytes(octets))))
}

pub(super) fn add(
    transaction: &Transaction<'_>,
    new: &NewAccount,
    sealed: Option<&Sealed>,
    now: Timestamp,
) -> Result<Account, Fail> {
    adit_policy::name::check(&new.name).map_err(|why| Error::BadName { name: new.name.clone(), why })?;
    if let Some(there) = one(transaction, &new.name)? {
        return Err(Error::AccountExists(there.name).into());
    }
    let account = Account {
        name: new.name.clone(),
        group: new.group.clone(),
        address: new.address,
        networks: new.networks.clone(),
        expires: new.expires,
        disabled: None,
        vpn: new.vpn,
        locked_until: None,
        must_change: new.must_change,
        password_changed: sealed.map(|_| now),
        reversible: sealed.is_some_and(|sealed| sealed.password.is_some()),
        created: now,
        note: new.note.clone(),
        last_login: None,
        revision: 1,
    };
    free_address(transaction, &account)?;
    transaction.execute(
        "INSERT INTO accounts (name_key, name, created, nt_hash, password, password_changed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (
            key(&new.name),
            &new.name,
            to_ms(now),
            sealed.map(|s| &s.nt_hash),
            sealed.and_then(|s| s.password.as_ref()),
            account.password_changed.map(to_ms),
        ),
    )?;
    write(transaction, &account)?;
    must(transaction, &new.name)
}

pub(super) fn change(
    transaction: &Transaction<'_>,
    name: &str,
    change: &AccountChange,
) -> Result<Account, Fail> {
    let account = must(transaction, name)?;
    if change.revision.is_some_and(|revision| revision != account.revision) {
        return Err(Error::Changed(account.name).into());
    }
    let mut account = change.clone().apply(account);
    account.revision += 1;
    free_address(transaction, &account)?;
    write(transaction, &account)?;
    must(transaction, name)
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
        Some(by) => Err(Error::AddressTaken { address, by }.into()),
        None => Ok(()),
    }
}

/// Writes what [`AccountChange`] can change.
fn write(transaction: &Transaction<'_>, account: &Account) -> Result<(), Fail> {
    let networks: Vec<String> = account.networks.iter().map(Ipv4Net::to_string).collect();
    transaction.execute(
        "UPDATE accounts SET group_name = :group, address = :address, networks = :networks, expires = :expires,
            disabled = :disabled, vpn = :vpn, locked_until = :locked, must_change = :must, note = :note, revision = :revision
         WHERE name_key = :key",
        named_params! {
            ":group": account.group,
            ":address": account.address.map(|a| a.to_string()),
            ":networks": networks.join(" "),
            ":expires": account.expires.map(to_ms),
            ":disabled": account.disabled,
            ":vpn": account.vpn,
            ":locked": account.locked_until.map(to_ms),
            ":must": account.must_change,
            ":note": account.note,
            ":revision": account.revision,
            ":key": key(&account.name),
        },
    )?;
    Ok(())
}

pub(super) fn set_secret(
    transaction: &Transaction<'_>,
    name: &str,
    sealed: &Sealed,
    now: Timestamp,
) -> Result<(), Fail> {
    let changed = transaction.execute(
        "UPDATE accounts SET nt_hash = ?2, password = ?3, password_changed = ?4, must_change = 0,
            revision = revision + 1
         WHERE name_key = ?1",
        (key(name), &sealed.nt_hash, &sealed.password, to_ms(now)),
    )?;
    if changed == 0 { Err(Error::NoSuchAccount(name.into()).into()) } else { Ok(()) }
}

pub(super) fn remove(transaction: &Transaction<'_>, name: &str) -> Result<(), Fail> {
    if transaction.execute("DELETE FROM accounts WHERE name_key = ?1", [key(name)])? == 0 {
        return Err(Error::NoSuchAccount(name.into()).into());
    }
    // Addresses kept for somebody who does not come back; one in use is freed when its session ends.
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
