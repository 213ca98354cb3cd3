//! `adit log --follow`

use std::time::Duration;

use adit_api::log::{Event, Filter, Followed};

use super::line::{put, put_gap};
use crate::control;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::places::Places;
use crate::service::Service;
use crate::settings::Settings;

/// Interval at which events and the server are polled while the server does not run.
const POLL: Duration = Duration::from_millis(500);

/// Shows the stored events, then new ones, until interrupted. A running server sends them; otherwise they are read from
/// the store, to which other programs may write.
pub(super) fn run(
    csv: bool,
    output: &Output,
    places: &Places,
    settings: &Settings,
    filter: Filter,
) -> Result<Exit, Failure> {
    let mut shown = Shown { csv, output, filter };
    loop {
        let service = Service::open(output, places, settings)?;
        if !service.is_serving() {
            shown.catch_up(&service)?;
            std::thread::sleep(POLL);
            continue;
        }
        // Subscribe first: events in between are then in the store, in the subscription, or in both.
        let mut follower = control::connect(output, places)?.follow(shown.filter.clone())?;
        shown.catch_up(&service)?;
        let ended = loop {
            match follower.next() {
                Ok(Some(Followed::Event(event))) => shown.event(&event)?,
                Ok(Some(Followed::Lagged(lagged))) => put_gap(output, lagged)?,
                Ok(Some(Followed::Begun | Followed::Idle)) => {}
                Ok(None) => break "the server has stopped".to_owned(),
                Err(failure) if failure.exit == Exit::Unreachable => break failure.message,
                Err(failure) => return Err(failure),
            }
        };
        output.remark("note", &format!("{ended}; waiting for it"));
        std::thread::sleep(POLL);
    }
}

/// Which events were shown, and how to show more.
struct Shown<'a> {
    csv: bool,
    output: &'a Output,
    /// Selects the events that are still to be shown: `after` is the last one that was.
    filter: Filter,
}

impl Shown<'_> {
    /// Shows stored events that were not shown yet.
    fn catch_up(&mut self, service: &Service<'_>) -> Result<(), Failure> {
        for event in service.log(&self.filter)? {
            self.event(&event)?;
        }
        // From now on all events are shown, not only the newest.
        self.filter.last = None;
        self.filter.after = self.filter.after.or(Some(0));
        Ok(())
    }

    /// Shows an event, unless it was shown already.
    fn event(&mut self, event: &Event) -> Result<(), Failure> {
        if event.id.is_some_and(|id| self.filter.after.is_some_and(|after| id <= after)) {
            return Ok(());
        }
        put(self.csv, self.output, event)?;
        self.filter.after = event.id.or(self.filter.after);
        Ok(())
    }
}
