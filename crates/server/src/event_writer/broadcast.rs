//! Distribution of events to subscribers that follow the log.

use std::sync::Arc;

use adit_api::log::Event;
use adit_store::Change;
use tokio::sync::broadcast;

/// The most unread events per subscriber.
const MAX_UNREAD: usize = 1024;

/// Sends events to subscribers; never waits for one. Clones share the subscribers.
#[derive(Clone)]
pub(super) struct Broadcast(broadcast::Sender<Arc<Event>>);

impl Broadcast {
    /// Creates a broadcast without subscribers.
    pub(super) fn new() -> Broadcast {
        Broadcast(broadcast::channel(MAX_UNREAD).0)
    }

    /// Subscribes to all later events.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        self.0.subscribe()
    }

    /// Sends the events contained in some changes, with their ids in the store if they have any yet.
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
