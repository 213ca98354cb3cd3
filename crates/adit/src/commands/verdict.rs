//! The verdict on a session, from the server's own record of it.

use std::net::SocketAddr;
use std::time::Duration;

use adit_api::history::PastDetail;
use adit_api::session::{SessionDetail, State};
use adit_diag::note::Finding;
use adit_diag::{Code, Note};
use adit_doctor::from::record::{self, Noted, Record};
use adit_doctor::{Outcome, Side, Verdict, judge, text};
use adit_store::Step;

/// The verdict on a session that has ended, or that a server left open when it crashed.
pub(crate) fn past(detail: &PastDetail, host: Option<&str>) -> Verdict {
    let PastDetail { session, steps, failures_in_a_row } = detail;
    let end = session.end.as_ref();
    let code: Option<Code> = end.and_then(|end| end.code.as_deref()).and_then(|code| code.parse().ok());
    let name = session.id.to_string();
    let record = Record {
        name: &name,
        host,
        was_up: session.up.is_some(),
        from: Some(session.from),
        user: session.user.as_deref(),
        address: session.address,
        server_address: session.server_address,
        code,
        detail: end.map(|end| end.detail.as_str()).unwrap_or_default(),
        why: end.map(|end| end.why.as_str()).unwrap_or_default(),
        by: end.and_then(|end| side(&end.by)),
        failures_in_a_row: *failures_in_a_row,
        received: session.traffic.rx_packets,
        refusal: end.and_then(|end| end.refusal.as_ref()),
        notes: steps
            .iter()
            .filter_map(|step| Some(Noted { at: step.at, note: step.note.as_ref()? }))
            .collect(),
        has_untyped: steps.iter().any(|step| step.note.is_none()),
    };
    judge(&record::facts(&record))
}

/// The verdict on an active session.
pub(crate) fn live(detail: &SessionDetail) -> Verdict {
    let session = &detail.session;
    let findings: Vec<Note> =
        detail.findings.iter().filter_map(|row| row.finding.clone().map(Note::Finding)).collect();
    let notes = detail
        .steps
        .iter()
        .filter_map(|step| Some(Noted { at: Duration::from_millis(step.at_ms), note: step.note.as_ref()? }));
    let found = findings.iter().map(|note| Noted { at: Duration::ZERO, note });
    let (name, to) = (session.id.to_string(), detail.to.map(|to| to.to_string()));
    let record = Record {
        name: &name,
        host: to.as_deref(),
        was_up: session.up_s > 0 || session.state == State::Up,
        from: Some(SocketAddr::new(session.from, 0)),
        user: Some(session.user.as_str()).filter(|user| !user.is_empty()),
        address: session.address,
        server_address: None,
        code: session.code,
        detail: &detail.suspicion,
        why: "",
        by: None,
        failures_in_a_row: 0,
        received: session.counters.rx_packets,
        refusal: None,
        notes: notes.chain(found).collect(),
        has_untyped: detail.steps.iter().any(|step| step.note.is_none()),
    };
    judge(&record::facts(&record))
}

/// The last finding of a record about destinations that the account may not reach.
pub(crate) fn denied(steps: &[Step]) -> Option<&Finding> {
    steps.iter().rev().find_map(|step| match &step.note {
        Some(Note::Finding(finding @ Finding::Denied { .. })) => Some(finding),
        _ => None,
    })
}

/// The verdict as text, after an empty line; empty if nothing is wrong.
pub(crate) fn words(verdict: &Verdict) -> String {
    if verdict.outcome != Outcome::Failed && verdict.findings.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{verdict}");
    let code = verdict.first_failure.or(verdict.findings.first().map(|finding| finding.code));
    if let Some(code) = code {
        text::paragraph(&mut out, "Page", &format!("adit explain {code}"));
    }
    out
}

/// The side that acted, as stored.
fn side(by: &str) -> Option<Side> {
    match by {
        "sent" => Some(Side::Server),
        "received" => Some(Side::Client),
        _ => None,
    }
}
