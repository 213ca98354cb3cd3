//! The sessions that the last run of this server left open.

use adit_diag::EventFacts;
use adit_diag::event::Ended;
use adit_diag::note::{Cause, Why};
use adit_store::{Change, NewEvent, Result, ServerId, ServerIdentity, Session, SessionId, Store};
use jiff::Timestamp;

/// The events written in one transaction.
const AT_ONCE: usize = 500;

/// Registers this server, and ends the sessions that its last run left open: each that carried traffic gets the event that
/// its end would have been.
pub(crate) fn recover(store: &Store, identity: &ServerIdentity) -> Result<ServerId> {
    let id = store.register_server(identity)?;
    let now = Timestamp::now();
    for sessions in store.recover(id, now)?.sessions.chunks(AT_ONCE) {
        let events = sessions.iter().filter_map(|id| event(store, *id, now).transpose());
        store.apply(&[Change::Events(events.collect::<Result<_>>()?)], now)?;
    }
    Ok(id)
}

/// The event for a session that a crash ended; `None` if it never carried traffic.
fn event(store: &Store, id: SessionId, now: Timestamp) -> Result<Option<NewEvent>> {
    Ok(store.session(id)?.and_then(|session| {
        let facts = EventFacts::SessionEnd(ended(&session)?);
        let (user, from) = (session.user, Some(session.from.ip()));
        Some(NewEvent { user, from, session: Some(id), ..NewEvent::new(now, facts) })
    }))
}

fn ended(session: &Session) -> Option<Ended> {
    let end = session.end.as_ref()?;
    let up_s = end.at.duration_since(session.up?).as_secs();
    Some(Ended {
        why: Why::Crash,
        up_s: u64::try_from(up_s).unwrap_or_default(),
        rx_bytes: session.traffic.rx_bytes,
        tx_bytes: session.traffic.tx_bytes,
        cause: Cause::from(end.detail.as_str()),
        findings: Vec::new(),
    })
}
