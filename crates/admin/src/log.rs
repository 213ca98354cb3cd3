//! Events on record.

use adit_api::Result;
use adit_api::log::{Event, Filter, Page};
use adit_store::{EventFilter, NewEvent};

use crate::{Context, refused};

/// The newest events that fit, at most a page of them.
pub(crate) fn read(context: &Context<'_>, filter: &Filter) -> Result<Page> {
    let most = u32::try_from(context.page).unwrap_or(u32::MAX);
    let want = filter.last.map_or(most, |last| last.min(most));
    let stored = EventFilter {
        since: filter.since,
        until: filter.until,
        after: filter.after,
        before: filter.before,
        user: filter.user.clone(),
        session: filter.session,
        layers: filter.layers.iter().map(|layer| layer.letter()).collect(),
        failed: filter.failed,
        last: Some(want),
    };
    let events = context.store.events(&stored).map_err(refused)?;
    // A full page may have more before it, unless it is all that was asked for.
    let may_have_more = events.len() == want as usize && filter.last.is_none_or(|last| last > want);
    let next = events.first().map(|event| event.id).filter(|_| may_have_more);
    Ok(Page { events: events.into_iter().map(|stored| event(Some(stored.id), stored.event)).collect(), next })
}

/// An event as it is shown; without an id while the store does not have it.
pub fn event(id: Option<i64>, event: NewEvent) -> Event {
    Event {
        id,
        at: event.at,
        kind: event.kind,
        user: event.user,
        from: event.from,
        code: event.code,
        session: event.session,
        fields: event.fields,
    }
}
