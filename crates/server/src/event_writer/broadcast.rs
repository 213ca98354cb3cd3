//! Events on their way to subscribers: followers of the log.

use std::sync::Arc;

use adit_api::log::Event;
use adit_store::Change;
use tokio::sync::broadcast;

/// The most events that wait for one subscriber.
const MAX_UNREAD: usize = 1024;

/// Sends events to subscribers; never waits for one. Clones are the same one.
#[derive(Clone)]
pub(super) struct Broadcast(broadcast::Sender<Arc<Event>>);

impl Broadcast {
    /// One without subscribers.
    pub(super) fn new() -> Broadcast {
        Broadcast(broadcast::channel(MAX_UNREAD).0)
    }

    /// Subscribes to every event from now on.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        self.0.subscribe()
    }

    /// Sends the events among some changes, with their ids in the store; without ids where it does not have them yet.
    pub(super) fn send(&self, changes: &[Change], ids: &[i64]) {
        if self.0.receiver_count() == 0 {
            return;
        }
        let events = changes.iter().filter_map(|change| match change {
            Change::Events(events) => Some(events),
            _ => None,
        });
        let mut ids = ids.iter().copied();
        for event in events.flatten() {
            let event = Arc::new(adit_admin::event(ids.next(), event.clone()));
            if self.0.send(event).is_err() {
                // The last subscriber has disconnected.
                return;
            }
        }
    }
}
