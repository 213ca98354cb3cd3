//! The end of a session: the event with its cause and the findings.

use std::time::{Duration, Instant};

use adit_diag::event::{Ended, EventFacts, Failed};
use adit_diag::note::{Cause, Finding};
use adit_diag::{Code, Layer};
use adit_tunnel::blame::{self, Neighbour};
use adit_tunnel::events::End;

use crate::registry::Registry;
use crate::session::Session;

/// The end of a session, adjusted for the other sessions from the same address.
pub(crate) fn behind_one_address(session: &Session, registry: &Registry, end: End) -> End {
    let (call_ids, up_at) = {
        let known = session.known();
        (known.call_ids, known.up_at)
    };
    let neighbours: Vec<Neighbour> = registry
        .all()
        .iter()
        .filter(|other| other.id != session.id && other.from.ip() == session.from.ip())
        .filter_map(|other| {
            let known = other.known();
            Some(Neighbour {
                name: other.id.to_string(),
                same_call_id: known.call_ids?.1 == call_ids?.1,
                heard: known.up.is_some() || known.layer.is_some_and(|layer| layer >= Layer::Gre),
                began_behind: up_at.is_some_and(|up_at| other.started_at > up_at),
            })
        })
        .collect();
    blame::behind_one_address(end, &neighbours)
}

/// The facts for the log at the end of a session: how far it got, why it ended, and what was found.
pub(crate) fn facts(end: &End, now: Instant, session: &Session, found: &[Finding]) -> EventFacts {
    let (counters, vendor, up_at) = {
        let known = session.known();
        (known.counters, known.vendor.clone(), known.up_at)
    };
    let (why, cause) = (end.why, Cause::from(end.detail.as_str()));
    let findings = found.to_vec();
    if let Some(up_at) = up_at {
        let up_s = now.saturating_duration_since(up_at).as_secs();
        let (rx_bytes, tx_bytes) = (counters.rx_bytes, counters.tx_bytes);
        return EventFacts::SessionEnd(Ended { why, up_s, rx_bytes, tx_bytes, cause, findings });
    }
    let after_ms = Some(milliseconds(now.saturating_duration_since(session.started_at)));
    let failed = Failed { why: Some(why), after_ms, cause, vendor, findings };
    match end.code.map(Code::layer) {
        Some(Layer::Auth) => EventFacts::AuthFail(failed),
        Some(_) => EventFacts::CallFail(failed),
        // There is no fault: the client disconnected, or only checked whether the call would come up.
        None => EventFacts::CallEnd(failed),
    }
}

/// A duration for the log.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The end of a session in one line.
pub(crate) fn end_text(end: &End) -> String {
    let code = end.code.map(|code| format!(" {code}")).unwrap_or_default();
    let detail = if end.detail.is_empty() { String::new() } else { format!(": {}", end.detail) };
    format!("{}{code}{detail}", end.why.word())
}
