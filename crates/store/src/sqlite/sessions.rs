//! Sessions and their records in SQLite.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use adit_diag::Traffic;
use adit_policy::name::key;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, Transaction, named_params};

use super::fail::Fail;
use super::row::{
    count as get_count, json, newer, parse, parse_optional, store_count, store_json, time, time_optional,
};
use super::servers::FIRST;
use crate::time::to_ms;
use crate::{
    ErrorKind, NewSession, ServerId, Session, SessionEnd, SessionFilter, SessionId, SessionUpdate, Step,
};

pub(super) fn start(
    transaction: &Transaction<'_>,
    server: ServerId,
    new: &NewSession,
) -> Result<SessionId, Fail> {
    // No RETURNING: with it, SQLite keeps a journal of 64 KiB for the statement.
    let mut statement = transaction.prepare_cached(
        "INSERT INTO sessions (started, seen, from_address, from_port, server) VALUES (?1, ?1, ?2, ?3, ?4)",
    )?;
    let values = (to_ms(new.started), new.from.ip().to_string(), new.from.port(), store_count(server.0));
    Ok(SessionId(statement.insert(values)?.unsigned_abs()))
}

pub(super) fn update(
    transaction: &Transaction<'_>,
    id: SessionId,
    update: &SessionUpdate,
    now: Timestamp,
) -> Result<bool, Fail> {
    let mut statement = transaction.prepare_cached(
        "UPDATE sessions SET seen = :now,
            up = coalesce(:up, up), host = coalesce(:host, host), vendor = coalesce(:vendor, vendor),
            user = coalesce(:user, user), user_key = coalesce(:user_key, user_key),
            group_name = coalesce(:group, group_name), pool = coalesce(:pool, pool),
            address = coalesce(:address, address), server_address = coalesce(:server, server_address),
            method = coalesce(:method, method), mppe = coalesce(:mppe, mppe)
         WHERE id = :id AND ended IS NULL",
    )?;
    let changed = statement.execute(named_params! {
        ":now": to_ms(now),
        ":up": update.up.map(to_ms),
        ":host": update.host,
        ":vendor": update.vendor,
        ":user": update.user,
        ":user_key": update.user.as_deref().map(key),
        ":group": update.group,
        ":pool": update.pool,
        ":address": update.address.map(|a| a.to_string()),
        ":server": update.server_address.map(|a| a.to_string()),
        ":method": update.method,
        ":mppe": update.mppe,
        ":id": store_count(id.0),
    })?;
    if changed == 1
        && let Some(traffic) = update.traffic
    {
        count(transaction, &[(id, traffic)], now)?;
    }
    Ok(changed == 1)
}

pub(super) fn count(
    transaction: &Transaction<'_>,
    traffic: &[(SessionId, Traffic)],
    now: Timestamp,
) -> Result<(), Fail> {
    let mut statement = transaction.prepare_cached(
        "UPDATE sessions SET seen = ?2, rx_bytes = ?3, tx_bytes = ?4, rx_packets = ?5, tx_packets = ?6
         WHERE id = ?1 AND ended IS NULL",
    )?;
    for (id, c) in traffic {
        let [rx, tx, rx_packets, tx_packets] =
            [c.rx_bytes, c.tx_bytes, c.rx_packets, c.tx_packets].map(store_count);
        statement.execute((store_count(id.0), to_ms(now), rx, tx, rx_packets, tx_packets))?;
    }
    Ok(())
}

pub(super) fn end(
    transaction: &Transaction<'_>,
    id: SessionId,
    end: &SessionEnd,
    traffic: Option<Traffic>,
) -> Result<bool, Fail> {
    if let Some(traffic) = traffic {
        count(transaction, &[(id, traffic)], end.at)?;
    }
    let mut statement = transaction.prepare_cached(
        "UPDATE sessions SET ended = ?2, why = ?3, ended_by = ?4, code = ?5, detail = ?6, refusal = ?7
         WHERE id = ?1 AND ended IS NULL",
    )?;
    let refusal = store_json(end.refusal.as_ref());
    let ended = statement.execute((
        store_count(id.0),
        to_ms(end.at),
        &end.why,
        &end.by,
        &end.code,
        &end.detail,
        refusal,
    ))?;
    Ok(ended == 1)
}

pub(super) fn save_record(
    transaction: &Transaction<'_>,
    id: SessionId,
    steps: &[Step],
    omitted: u64,
) -> Result<(), Fail> {
    let cut = steps.len().saturating_sub(Step::MAX) as u64;
    let omitted = store_count(omitted.saturating_add(cut));
    let sql = "UPDATE sessions SET omitted = ?2 WHERE id = ?1";
    if transaction.prepare_cached(sql)?.execute((store_count(id.0), omitted))? == 0 {
        return Err(ErrorKind::NoSuchSession(id).into());
    }
    transaction.prepare_cached("DELETE FROM steps WHERE session = ?1")?.execute([store_count(id.0)])?;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO steps (session, n, at_us, who, layer, text, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (n, step) in steps.iter().take(Step::MAX).enumerate() {
        let at = i64::try_from(step.at.as_micros()).unwrap_or(i64::MAX);
        let (id, note) = (store_count(id.0), store_json(step.note.as_ref()));
        statement.execute((id, n as i64, at, &step.who, &step.layer, &step.text, note))?;
    }
    Ok(())
}

pub(super) fn one(connection: &Connection, id: SessionId) -> Result<Option<Session>, Fail> {
    let mut statement = connection.prepare_cached("SELECT * FROM sessions WHERE id = ?1")?;
    Ok(statement.query_row([store_count(id.0)], read).optional()?)
}

pub(super) fn record(connection: &Connection, id: SessionId) -> Result<Vec<Step>, Fail> {
    let sql = "SELECT * FROM steps WHERE session = ?1 ORDER BY n";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([store_count(id.0)], |row| {
        Ok(Step {
            at: Duration::from_micros(get_count(row, "at_us")?),
            who: row.get("who")?,
            layer: row.get("layer")?,
            text: row.get("text")?,
            note: json(row, "note")?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn list(connection: &Connection, filter: &SessionFilter) -> Result<Vec<Session>, Fail> {
    // Only what is asked for stands in the statement, so that it can use an index.
    let mut fits = vec![match filter.running {
        Some(true) => "ended IS NULL",
        Some(false) => "ended IS NOT NULL",
        None => "true",
    }];
    let user = filter.user.as_deref().map(key);
    let (since, until) = (filter.since.map(to_ms), filter.until.map(to_ms));
    let before = filter.before.map(|id| store_count(id.0));
    let last = filter.last.map_or(-1, i64::from);
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":last", &last)];
    if let Some(user) = &user {
        fits.push("user_key = :user");
        values.push((":user", user));
    }
    if let Some(since) = &since {
        fits.push("(ended IS NULL OR ended >= :since)");
        values.push((":since", since));
    }
    if let Some(until) = &until {
        fits.push("started < :until");
        values.push((":until", until));
    }
    if let Some(before) = &before {
        fits.push("id < :before");
        values.push((":before", before));
    }
    if filter.failed {
        fits.push("code IS NOT NULL");
    }
    let fits = fits.join(" AND ");
    let newest = match filter.newest_per_user {
        true => format!(
            "id IN (SELECT max(id) FROM sessions WHERE {fits} AND user_key IS NOT NULL GROUP BY user_key)"
        ),
        false => "true".to_owned(),
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT * FROM (SELECT * FROM sessions WHERE {fits} AND {newest} ORDER BY id DESC LIMIT :last) ORDER BY id"
    ))?;
    let rows = statement.query_map(values.as_slice(), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Session> {
    let end = match time_optional(row, "ended")? {
        None => None,
        Some(at) => Some(SessionEnd {
            at,
            why: row.get::<_, Option<String>>("why")?.unwrap_or_default(),
            by: row.get::<_, Option<String>>("ended_by")?.unwrap_or_default(),
            code: row.get("code")?,
            detail: row.get::<_, Option<String>>("detail")?.unwrap_or_default(),
            refusal: json(row, "refusal")?,
        }),
    };
    Ok(Session {
        id: SessionId(get_count(row, "id")?),
        server: newer(row, "server")?.map_or(FIRST, |id: i64| ServerId(id.unsigned_abs())),
        started: time(row, "started")?,
        from: SocketAddr::new(parse::<IpAddr>(row, "from_address")?, row.get("from_port")?),
        up: time_optional(row, "up")?,
        host: row.get("host")?,
        vendor: row.get("vendor")?,
        user: row.get("user")?,
        group: row.get("group_name")?,
        pool: row.get("pool")?,
        address: parse_optional(row, "address")?,
        server_address: parse_optional(row, "server_address")?,
        method: row.get("method")?,
        mppe: row.get("mppe")?,
        traffic: Traffic {
            rx_bytes: get_count(row, "rx_bytes")?,
            tx_bytes: get_count(row, "tx_bytes")?,
            rx_packets: get_count(row, "rx_packets")?,
            tx_packets: get_count(row, "tx_packets")?,
        },
        seen: time(row, "seen")?,
        end,
        omitted: get_count(row, "omitted")?,
    })
}
