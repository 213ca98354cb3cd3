use adit_policy::name;
use adit_store::{Event, EventFilter, Events, Result};

use crate::Fake;

fn fits(event: &Event, filter: &EventFilter) -> bool {
    let user = filter.user.as_deref().map(name::key);
    filter.since.is_none_or(|since| event.at >= since)
        && filter.until.is_none_or(|until| event.at < until)
        && filter.after.is_none_or(|after| event.id > after)
        && filter.before.is_none_or(|before| event.id < before)
        && user.is_none_or(|user| event.user.as_deref().map(name::key) == Some(user))
        && filter.session.is_none_or(|session| event.session == Some(session))
        && (!filter.failed || event.code.is_some())
        && (filter.layers.is_empty()
            || event.known_code().is_some_and(|code| filter.layers.contains(&code.layer())))
}

impl Events for Fake {
    fn events(&self, filter: &EventFilter) -> Result<Vec<Event>> {
        let state = self.lock();
        let mut events: Vec<Event> =
            state.events.iter().filter(|event| fits(event, filter)).cloned().collect();
        let last = filter.last.map_or(events.len(), |last| events.len().min(last as usize));
        Ok(events.split_off(events.len() - last))
    }
}
