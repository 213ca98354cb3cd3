//! Past sessions, summed up for each user.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::PastSession;
use crate::failure::Failure;
use crate::list::{Column, ListFlags};
use crate::output::Output;
use crate::style::Tone;
use crate::table::Field;
use crate::when;

/// All past sessions of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct UserTotal {
    /// User name; the claimed one if authentication failed, null for calls that ended before a name was sent.
    user: Option<String>,
    /// The number of sessions.
    sessions: u64,
    /// Those that ended with a code.
    failed: u64,
    /// Their uptime in seconds.
    up_s: u64,
    /// Bytes from the client.
    rx_bytes: u64,
    /// Bytes to the client.
    tx_bytes: u64,
}

const COLUMNS: &[Column<UserTotal>] = &[
    Column::left("user", "USER", 0, |t, _| t.user.clone().unwrap_or_else(|| "-".to_owned()).into()),
    Column::right("sessions", "SESSIONS", 0, |t, _| t.sessions.to_string().into()),
    Column::right("failed", "FAILED", 0, |t, _| match t.failed {
        0 => "".into(),
        failed => Field::new(Tone::Bad, failed.to_string()),
    }),
    Column::right("up_s", "UP", 0, |t, _| match t.up_s {
        0 => "".into(),
        seconds => when::length(seconds).into(),
    }),
    Column::right("rx_bytes", "RX", 0, |t, _| when::size(t.rx_bytes).into()),
    Column::right("tx_bytes", "TX", 0, |t, _| when::size(t.tx_bytes).into()),
];

/// The sums, by name.
pub(super) fn of<'a>(sessions: impl Iterator<Item = &'a PastSession>) -> Vec<UserTotal> {
    let mut totals: BTreeMap<Option<String>, UserTotal> = BTreeMap::new();
    for session in sessions {
        let user = session.user.clone();
        let total = totals.entry(user.clone()).or_insert_with(|| UserTotal { user, ..UserTotal::default() });
        total.sessions += 1;
        total.failed += u64::from(session.code.is_some());
        total.up_s = total.up_s.saturating_add(session.up_s);
        total.rx_bytes = total.rx_bytes.saturating_add(session.rx_bytes);
        total.tx_bytes = total.tx_bytes.saturating_add(session.tx_bytes);
    }
    totals.into_values().collect()
}

/// The sums as a table.
pub(super) fn text(totals: Vec<UserTotal>, output: &Output) -> Result<String, Failure> {
    Ok(ListFlags::default().choose(COLUMNS, totals)?.text(output))
}
