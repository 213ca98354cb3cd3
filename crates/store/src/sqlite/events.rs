//! Events in SQLite.

use core::fmt;

use adit_diag::{Code, EventFacts, Recorded};
use adit_policy::name::key;
use rusqlite::{Connection, Row, ToSql, Transaction};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::fail::Fail;
use super::row::{bad, count, json, parse_optional, store_count, store_json, time};
use crate::time::to_ms;
use crate::{Event, EventFilter, NewEvent, SessionId};

/// Adds events; their ids in the same order go to `ids`.
pub(super) fn add(
    transaction: &Transaction<'_>,
    events: &[NewEvent],
    ids: &mut Vec<i64>,
) -> Result<(), Fail> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO events (at, kind, user, user_key, from_address, code, session, fields, facts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for event in events {
        let fields = serde_json::to_string(&Fields(event.fields()))
            .map_err(|error| bad("fields", "", &error.to_string()))?;
        statement.execute((
            to_ms(event.at),
            event.facts.kind().word(),
            &event.user,
            event.user.as_deref().map(key),
            event.from.map(|from| from.to_string()),
            event.code.map(Code::as_str),
            event.session.map(|id| store_count(id.0)),
            fields,
            store_json(Some(&event.facts)),
        ))?;
        ids.push(transaction.last_insert_rowid());
    }
    Ok(())
}

pub(super) fn list(connection: &Connection, filter: &EventFilter) -> Result<Vec<Event>, Fail> {
    // Only what is asked for stands in the statement, so that it can use an index.
    let (since, until) = (filter.since.map(to_ms), filter.until.map(to_ms));
    let (user, session) = (filter.user.as_deref().map(key), filter.session.map(|id| store_count(id.0)));
    let layers: String = filter.layers.iter().map(|layer| layer.letter()).collect();
    let last = filter.last.map_or(-1, i64::from);
    let asked: [(bool, &str, &str, &dyn ToSql); 7] = [
        (since.is_some(), "at >= :since", ":since", &since),
        (until.is_some(), "at < :until", ":until", &until),
        (filter.after.is_some(), "id > :after", ":after", &filter.after),
        (filter.before.is_some(), "id < :before", ":before", &filter.before),
        (user.is_some(), "user_key = :user", ":user", &user),
        (session.is_some(), "session = :session", ":session", &session),
        (!layers.is_empty(), "instr(:layers, substr(code, 1, 1)) > 0", ":layers", &layers),
    ];
    let mut fits = vec![if filter.failed { "code IS NOT NULL" } else { "true" }];
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":last", &last)];
    for (_, clause, name, value) in asked.into_iter().filter(|(is_asked, ..)| *is_asked) {
        fits.push(clause);
        values.push((name, value));
    }
    let fits = fits.join(" AND ");
    let mut statement = connection.prepare_cached(&format!(
        "SELECT * FROM (SELECT * FROM events WHERE {fits} ORDER BY id DESC LIMIT :last) ORDER BY id"
    ))?;
    let rows = statement.query_map(values.as_slice(), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Event> {
    let fields: String = row.get("fields")?;
    let Fields(fields) =
        serde_json::from_str(&fields).map_err(|error| bad("fields", &fields, &error.to_string()))?;
    let session: Option<i64> = row.get("session")?;
    Ok(Event {
        id: row.get("id")?,
        at: time(row, "at")?,
        kind: row.get::<_, String>("kind")?.into(),
        user: row.get("user")?,
        from: parse_optional(row, "from_address")?,
        code: row.get::<_, Option<String>>("code")?.map(Recorded::from),
        session: if session.is_some() { Some(SessionId(count(row, "session")?)) } else { None },
        fields,
        // What another version wrote may have facts that this one cannot read; its text can be shown.
        facts: json::<EventFacts>(row, "facts")?,
    })
}

/// A JSON object of texts whose order is kept.
struct Fields(Vec<(String, String)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
