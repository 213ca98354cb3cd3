//! Stored events.

use adit_api::Result;
use adit_api::log::{Event, Filter, Page};
use adit_diag::Recorded;
use adit_store::{Event as Stored, EventFilter, NewEvent};

use crate::{Context, refused};

/// The newest events that match, at most one page.
pub(crate) fn read(context: &Context<'_>, filter: &Filter) -> Result<Page> {
    let want = context.page.wanted(filter.last);
    let stored = EventFilter {
        since: filter.since,
        until: filter.until,
        after: filter.after,
        before: filter.before,
        user: filter.user.clone(),
        session: filter.session,
        layers: filter.layers.clone(),
        failed: filter.failed,
        last: Some(want),
    };
    let events = context.store.events(&stored).map_err(refused)?;
    let events: Vec<Event> = events.into_iter().map(on_record).collect();
    let (events, has_older) = context.page.newest(events, filter.last);
    let next = events.first().and_then(|event| event.id).filter(|_| has_older);
    Ok(Page { events, next })
}

/// Converts a stored event.
fn on_record(event: Stored) -> Event {
    let Stored { id, at, kind, user, from, code, session, fields, facts } = event;
    Event { id: Some(id), at, kind, user, from, code, session, fields, facts }
}

/// Converts an event; the ID is missing while the store does not have the event.
pub fn event(id: Option<i64>, event: NewEvent) -> Event {
    let fields = event.fields();
    let NewEvent { at, user, from, code, session, facts } = event;
    let (kind, code) = (Recorded::Known(facts.kind()), code.map(Recorded::Known));
    Event { id, at, kind, user, from, code, session, fields, facts: Some(facts) }
}
