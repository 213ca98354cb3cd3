//! The output queue of a machine: packets and events.

use std::collections::VecDeque;

/// A queue of at most `PACKETS` packets and `EVENTS` events. Thousands of machines are idle most of the time,
/// so an empty queue is a single null pointer.
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

    /// Queues a packet; `false` if there is no space. It is then dropped, as a lossy line would do.
    pub(crate) fn send(&mut self, packet: Vec<u8>) -> bool {
        let packets = &mut self.waiting().packets;
        let has_capacity = packets.len() < PACKETS;
        if has_capacity {
            packets.push_back(packet);
        }
        has_capacity
    }

    /// Queues an event; if the caller does not collect events, the oldest is lost.
    pub(crate) fn push_event(&mut self, event: E) {
        let events = &mut self.waiting().events;
        if events.len() >= EVENTS {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// The number of waiting events.
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

    /// The next event, if any.
    pub(crate) fn poll_event(&mut self) -> Option<E> {
        let next = self.waiting.as_mut().and_then(|waiting| waiting.events.pop_front());
        self.rest();
        next
    }

    /// Frees the memory when the queue is empty.
    fn rest(&mut self) {
        self.waiting.take_if(|waiting| waiting.packets.is_empty() && waiting.events.is_empty());
    }
}
