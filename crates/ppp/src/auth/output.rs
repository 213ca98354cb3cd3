//! What waits to be collected.

use std::collections::VecDeque;

use crate::queue;

/// Packets, or events, that may wait; more packets are dropped, as a bad line would drop them.
const MAX_QUEUED: usize = 32;

/// The two queues of an end.
#[derive(Debug)]
pub(super) struct Output<E> {
    packets: VecDeque<Vec<u8>>,
    events: VecDeque<E>,
}

impl<E> Output<E> {
    pub(super) const fn new() -> Output<E> {
        Output { packets: VecDeque::new(), events: VecDeque::new() }
    }

    pub(super) fn send(&mut self, packet: Vec<u8>) {
        if self.packets.len() < MAX_QUEUED {
            self.packets.push_back(packet);
        }
    }

    /// Keeps an event; a caller that never collects them loses the oldest.
    pub(super) fn tell(&mut self, event: E) {
        if self.events.len() >= MAX_QUEUED {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    pub(super) fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        queue::take_into(&mut self.packets, out)
    }

    pub(super) fn poll_event(&mut self) -> Option<E> {
        queue::take(&mut self.events)
    }
}
