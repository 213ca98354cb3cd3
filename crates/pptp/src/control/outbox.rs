//! The output queue of a control connection, with limits.

use std::collections::VecDeque;

use adit_diag::note as diag;
use adit_wire::note;
use adit_wire::pptp::Message;

use super::events::ControlEvent;

/// The most messages that wait to be sent. A peer that does not read them is taken for dead.
pub const MESSAGES_MAX: usize = 64;
/// The number of waiting events above which steps are left out.
pub const STEPS_MAX: usize = 256;
/// The number of waiting events at which the connection is closed; its end adds one event for each call and
/// one for itself.
pub const EVENTS_MAX: usize = 512;

/// Queued messages and events. A connection is idle most of the time, so an empty queue holds no memory.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Option<Box<Waiting>>,
    overflow: Option<Overflow>,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Message>,
    events: VecDeque<ControlEvent>,
}

/// The limit that was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overflow {
    Messages,
    Events,
}

impl Outbox {
    fn waiting(&mut self) -> &mut Waiting {
        self.waiting.get_or_insert_default()
    }

    fn messages(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.messages.len())
    }

    /// Queues a message and its note for the record.
    pub(super) fn send(&mut self, message: impl Into<Message>) {
        if self.messages() >= MESSAGES_MAX {
            self.overflow = Some(Overflow::Messages);
            return;
        }
        let message = message.into();
        self.note(true, note::pptp(&message));
        self.waiting().messages.push_back(message);
    }

    /// Whether there is capacity for an optional message.
    pub(super) fn has_capacity(&self) -> bool {
        self.messages() < MESSAGES_MAX / 2
    }

    pub(super) fn note(&mut self, sent: bool, message: diag::Message) {
        let events = &mut self.waiting().events;
        if events.len() < STEPS_MAX {
            let treatment = diag::Treatment::Handled;
            events.push_back(ControlEvent::Packet(diag::Packet { sent, message, treatment }));
        }
    }

    pub(super) fn push_event(&mut self, event: ControlEvent) {
        let events = &mut self.waiting().events;
        let is_full = events.len() >= EVENTS_MAX;
        events.push_back(event);
        if is_full {
            self.overflow = Some(Overflow::Events);
        }
    }

    /// The limit that was exceeded, so that the connection must be closed.
    pub(super) fn overflow(&self) -> Option<Overflow> {
        self.overflow
    }

    /// Discards the queued messages.
    pub(super) fn drop_messages(&mut self) {
        if let Some(waiting) = &mut self.waiting {
            waiting.messages.clear();
        }
    }

    pub(super) fn next_message(&mut self) -> Option<Message> {
        let next = self.waiting.as_mut().and_then(|waiting| waiting.messages.pop_front());
        self.rest();
        next
    }

    pub(super) fn next_event(&mut self) -> Option<ControlEvent> {
        let next = self.waiting.as_mut().and_then(|waiting| waiting.events.pop_front());
        self.rest();
        next
    }

    fn rest(&mut self) {
        self.waiting.take_if(|waiting| waiting.messages.is_empty() && waiting.events.is_empty());
    }
}
