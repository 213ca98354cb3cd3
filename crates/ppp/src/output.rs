//! What waits to be collected from a machine: packets, and events.

use std::collections::VecDeque;

/// At most `PACKETS` and `EVENTS` of them. Thousands of machines have nothing to say for most of their lives: then this is
/// one pointer, and to nothing.
#[derive(Debug)]
pub(crate) struct Output<E, const PACKETS: usize = 32, const EVENTS: usize = 32> {
    waiting: Option<Box<Waiting<E>>>,
}

#[derive(Debug)]
struct Waiting<E> {
    packets: VecDeque<Vec<u8>>,
    events: VecDeque<E>,
}

impl<E, const PACKETS: usize, const EVENTS: usize> Output<E, PACKETS, EVENTS> {
    pub(crate) const fn new() -> Self {
        Output { waiting: None }
    }

    fn waiting(&mut self) -> &mut Waiting<E> {
        self.waiting
            .get_or_insert_with(|| Box::new(Waiting { packets: VecDeque::new(), events: VecDeque::new() }))
    }

    /// Keeps a packet; says whether there was room. Without, it is dropped, as a bad line would drop it.
    pub(crate) fn send(&mut self, packet: Vec<u8>) -> bool {
        let packets = &mut self.waiting().packets;
        let has_capacity = packets.len() < PACKETS;
        if has_capacity {
            packets.push_back(packet);
        }
        has_capacity
    }

    /// Keeps an event; a caller that never collects them loses the oldest.
    pub(crate) fn push_event(&mut self, event: E) {
        let events = &mut self.waiting().events;
        if events.len() >= EVENTS {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// Events that wait.
    pub(crate) fn events(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.events.len())
    }

    /// Appends the next packet to `out`; `false` when there is none.
    pub(crate) fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        let next = self.waiting.as_mut().and_then(|waiting| waiting.packets.pop_front());
        out.extend_from_slice(next.as_deref().unwrap_or_default());
        self.rest();
        next.is_some()
    }

    /// The next event.
    pub(crate) fn poll_event(&mut self) -> Option<E> {
        let next = self.waiting.as_mut().and_then(|waiting| waiting.events.pop_front());
        self.rest();
        next
    }

    /// Holds no memory for what may come.
    fn rest(&mut self) {
        self.waiting.take_if(|waiting| waiting.packets.is_empty() && waiting.events.is_empty());
    }
}
