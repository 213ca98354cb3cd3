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

/// How often to look for new events, and for the server, while it does not run.
const POLL: Duration = Duration::from_millis(500);

/// Shows the events on record, then those that happen, until it is interrupted. The server sends them while it runs; else
/// they are read from the store, to which other programs may write.
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
        // Subscribed first: what happens between the two is in the record, in the subscription, or in both.
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

/// What was shown already, and how to show more.
struct Shown<'a> {
    csv: bool,
    output: &'a Output,
    /// What is still to be shown: `after` is the last event that was.
    filter: Filter,
}

impl Shown<'_> {
    /// Shows what is on record and was not shown yet.
    fn catch_up(&mut self, service: &Service<'_>) -> Result<(), Failure> {
        for event in service.log(&self.filter)? {
            self.event(&event)?;
        }
        // From now on everything counts, not only the newest.
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
