//! The last words on a session: the one line of the log that says how it ended, and what was noticed on the way.

use std::time::Instant;

use adit_diag::note::Finding;
use adit_diag::{Code, Layer};
use adit_store::NewEvent;
use adit_tunnel::blame::{self, Neighbour};
use adit_tunnel::events::End;

use crate::registry::Registry;
use crate::session::Session;

/// The end of a session in the light of the others that come from the same address.
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

/// The line: an event with source address, user, code, layer and what happened.
pub(crate) fn event(
    mut event: NewEvent,
    end: &End,
    now: Instant,
    session: &Session,
    found: &[Finding],
) -> NewEvent {
    let (counters, vendor, up_at) = {
        let known = session.known();
        (known.counters, known.vendor.clone(), known.up_at)
    };
    let layer = end.code.map(Code::layer);
    event.kind = match (up_at, layer) {
        (Some(_), _) => "session.end",
        (None, Some(Layer::Auth)) => "auth.fail",
        // It never came up, and nobody is to blame: somebody hung up, or only looked whether it would.
        (None, None) => "call.end",
        (None, Some(_)) => "call.fail",
    }
    .to_owned();
    set_code(&mut event, end.code);
    let mut field = |key: &str, value: String| event.fields.push((key.to_owned(), value));
    field("why", end.why.word().to_owned());
    match up_at {
        Some(at) => {
            field("up_s", now.saturating_duration_since(at).as_secs().to_string());
            field("rx", counters.rx_bytes.to_string());
            field("tx", counters.tx_bytes.to_string());
        }
        None => {
            let after = now.saturating_duration_since(session.started_at);
            field("after_s", format!("{:.1}", after.as_secs_f64()));
        }
    }
    if !end.detail.is_empty() {
        field("detail", end.detail.clone());
    }
    if up_at.is_none() && !vendor.is_empty() {
        field("vendor", vendor);
    }
    if !found.is_empty() {
        let codes: Vec<&str> = found.iter().map(|finding| finding.code().as_str()).collect();
        field("findings", codes.join(","));
    }
    event
}

/// Gives an event the code of what is wrong, and the word of its layer.
pub(crate) fn set_code(event: &mut NewEvent, code: Option<Code>) {
    event.code = code.map(|code| code.to_string());
    if let Some(code) = code {
        event.fields.push(("layer".to_owned(), code.layer().word().to_owned()));
    }
}

/// How a session ended, in one line.
pub(crate) fn end_text(end: &End) -> String {
    let code = end.code.map(|code| format!(" {code}")).unwrap_or_default();
    let detail = if end.detail.is_empty() { String::new() } else { format!(": {}", end.detail) };
    format!("{}{code}{detail}", end.why.word())
}
