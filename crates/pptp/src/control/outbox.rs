//! What waits to be sent and told, within bounds.

use std::collections::VecDeque;

use adit_wire::pptp::Message;

use super::events::{ControlEvent, Step};

/// Messages that may wait to be sent. A peer that does not read for so long is lost.
pub const MESSAGES_MAX: usize = 64;
/// Events that may wait before steps are left out.
pub const STEPS_MAX: usize = 256;
/// Events that may wait before the connection is given up; its end adds one event for each call and one for itself.
pub const EVENTS_MAX: usize = 512;

/// Messages and events on their way out.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    messages: VecDeque<Message>,
    events: VecDeque<ControlEvent>,
    overflow: Option<Overflow>,
}

/// Which bound was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overflow {
    Messages,
    Events,
}

impl Outbox {
    /// Queues a message, and its step for the record.
    pub(super) fn send(&mut self, message: impl Into<Message>) {
        if self.messages.len() >= MESSAGES_MAX {
            self.overflow = Some(Overflow::Messages);
            return;
        }
        let message = message.into();
        self.tell_step(true, message.to_string());
        self.messages.push_back(message);
    }

    /// Whether there is room for a message that nobody needs.
    pub(super) fn has_room(&self) -> bool {
        self.messages.len() < MESSAGES_MAX / 2
    }

    pub(super) fn tell_step(&mut self, sent: bool, text: String) {
        if self.events.len() < STEPS_MAX {
            self.events.push_back(ControlEvent::Step(Step { sent, text }));
        }
    }

    pub(super) fn tell(&mut self, event: ControlEvent) {
        if self.events.len() >= EVENTS_MAX {
            self.overflow = Some(Overflow::Events);
        }
        self.events.push_back(event);
    }

    /// The bound that was hit: the connection must be given up.
    pub(super) fn overflow(&self) -> Option<Overflow> {
        self.overflow
    }

    /// Forgets what was to be sent.
    pub(super) fn drop_messages(&mut self) {
        self.messages.clear();
    }

    pub(super) fn next_message(&mut self) -> Option<Message> {
        take(&mut self.messages)
    }

    pub(super) fn next_event(&mut self) -> Option<ControlEvent> {
        take(&mut self.events)
    }
}

/// The next entry. A connection is quiet for most of its life, so an empty queue holds no memory for what may come.
fn take<T>(queue: &mut VecDeque<T>) -> Option<T> {
    let next = queue.pop_front();
    if next.is_none() {
        *queue = VecDeque::new();
    }
    next
}
