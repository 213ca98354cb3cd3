//! Events from workers to their owner.

use adit_tunnel::path::Origin;
use adit_wire::LocalCallId;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

use crate::reply_limit::{Kind, ReplyLimit};

/// The most events that wait, of all calls together.
const WAITING: usize = 8192;
/// The most events that wait for one call, so that a flood does not take the space of the others.
const WAITING_OF_ONE: u16 = 64;

/// An event that the owner of a call must handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A PPP control frame from the peer.
    Frame {
        /// Our Call ID.
        call_id: LocalCallId,
        /// The frame, starting with the address field (or the protocol field if that is compressed).
        frame: Vec<u8>,
        /// How it arrived.
        origin: Origin,
    },
    /// A DHCPINFORM from the peer.
    Dhcp {
        /// Our Call ID.
        call_id: LocalCallId,
        /// The whole IPv4 packet.
        packet: Vec<u8>,
    },
    /// The peer has acknowledged a packet of ours, for the first time: GRE reaches it.
    Acknowledged {
        /// Our Call ID.
        call_id: LocalCallId,
    },
    /// A router or host rejected our GRE with an ICMP message of type 3. At most one a second for each call.
    Unreachable {
        /// Our Call ID.
        call_id: LocalCallId,
        /// The sender of the ICMP message.
        from: Ipv4Addr,
        /// The ICMP code: 2 for "protocol unreachable", 9, 10 and 13 for "prohibited".
        code: u8,
    },
    /// The peer keeps sending data that is not encrypted as agreed.
    EncryptionBroken {
        /// Our Call ID.
        call_id: LocalCallId,
    },
    /// The peer has rejected a data packet: [`adit_tunnel::path::PathEvent::DataRejected`].
    DataRejected {
        /// Our Call ID.
        call_id: LocalCallId,
    },
}

impl Event {
    /// The call of the event.
    pub fn call_id(&self) -> LocalCallId {
        match self {
            Event::Frame { call_id, .. }
            | Event::Dhcp { call_id, .. }
            | Event::Acknowledged { call_id }
            | Event::Unreachable { call_id, .. }
            | Event::EncryptionBroken { call_id }
            | Event::DataRejected { call_id } => *call_id,
        }
    }
}

/// The number of waiting events for each Call ID.
type Waiting = Arc<[AtomicU16]>;

/// The last heartbeat of each worker that arrived at the receiving end: it has passed through the worker's turn, this queue,
/// and the thread that takes events from it.
pub(crate) type Beats = Arc<[AtomicU64]>;

/// The most workers.
const WORKERS: usize = 256;

/// An item of the queue.
#[derive(Debug)]
enum Item {
    Event(Event),
    Beat { worker: usize, number: u64 },
}

/// The receiving end, on which one thread waits.
#[derive(Debug)]
pub struct Events {
    receiver: Receiver<Item>,
    waiting: Waiting,
    beats: Beats,
}

impl Events {
    /// Waits for the next event; `None` once the data plane has stopped.
    pub fn recv(&self) -> Option<Event> {
        loop {
            if let Some(event) = self.take(self.receiver.recv().ok()?) {
                return Some(event);
            }
        }
    }

    /// The next event, without waiting.
    pub fn try_recv(&self) -> Option<Event> {
        loop {
            if let Some(event) = self.take(self.receiver.try_recv().ok()?) {
                return Some(event);
            }
        }
    }

    /// The event of an item; a heartbeat is recorded.
    fn take(&self, item: Item) -> Option<Event> {
        match item {
            Item::Event(event) => {
                self.taken(&event);
                Some(event)
            }
            Item::Beat { worker, number } => {
                if let Some(beat) = self.beats.get(worker) {
                    beat.store(number, Ordering::Relaxed);
                }
                None
            }
        }
    }

    /// The heartbeats that arrived.
    pub(crate) fn beats(&self) -> Beats {
        Arc::clone(&self.beats)
    }

    fn taken(&self, event: &Event) {
        if let Some(waiting) = self.waiting.get(event.call_id().index()) {
            waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The sending end, one for each worker.
#[derive(Clone, Debug)]
pub(crate) struct EventSender {
    sender: SyncSender<Item>,
    waiting: Waiting,
    limit: ReplyLimit,
}

/// Creates a queue of events.
pub(crate) fn queue() -> (EventSender, Events) {
    let (sender, receiver) = sync_channel(WAITING);
    let waiting: Waiting = (0..=u16::MAX).map(|_| AtomicU16::new(0)).collect();
    let beats = (0..WORKERS).map(|_| AtomicU64::new(0)).collect();
    (
        EventSender { sender, waiting: Arc::clone(&waiting), limit: ReplyLimit::new(Instant::now()) },
        Events { receiver, waiting, beats },
    )
}

impl EventSender {
    /// Whether the call may send another frame of this kind to the control thread, which is then counted.
    pub(crate) fn may_send(&self, now: Instant, call_id: LocalCallId, kind: Kind) -> bool {
        self.limit.take(now, call_id, kind)
    }

    /// Queues an event without waiting; false if the limit of its call, or of all, is reached.
    pub(crate) fn send(&self, event: Event) -> bool {
        let Some(waiting) = self.waiting.get(event.call_id().index()) else { return false };
        // Only the worker that owns the call increments it, so the limit holds.
        if waiting.load(Ordering::Relaxed) >= WAITING_OF_ONE {
            return false;
        }
        waiting.fetch_add(1, Ordering::Relaxed);
        match self.sender.try_send(Item::Event(event)) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                waiting.fetch_sub(1, Ordering::Relaxed);
                false
            }
        }
    }
}

impl EventSender {
    /// Passes a heartbeat on; it is lost if the queue is full, because no thread takes from it.
    pub(crate) fn beat(&self, worker: usize, number: u64) {
        let _ = self.sender.try_send(Item::Beat { worker, number });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_arrives_only_when_the_queue_is_read() {
        let (sender, events) = queue();
        let beats = events.beats();
        sender.send(Event::Acknowledged { call_id: LocalCallId::new(1) });
        sender.beat(0, 7);
        sender.beat(WORKERS, 7);
        let beat = || beats[0].load(Ordering::Relaxed);
        assert_eq!(beat(), 0, "no thread has read");
        assert!(events.try_recv().is_some());
        assert_eq!(beat(), 0, "it stands behind the event");
        assert_eq!(events.try_recv(), None);
        assert_eq!(beat(), 7);
    }

    #[test]
    fn a_flooding_call_leaves_capacity_for_others() {
        let (sender, events) = queue();
        let flood =
            (0..1000).filter(|_| sender.send(Event::Acknowledged { call_id: LocalCallId::new(1) })).count();
        assert_eq!(flood, usize::from(WAITING_OF_ONE));
        assert!(sender.send(Event::Acknowledged { call_id: LocalCallId::new(2) }));
        assert_eq!(events.recv().unwrap().call_id(), LocalCallId::new(1));
        assert!(sender.send(Event::Acknowledged { call_id: LocalCallId::new(1) }));
        assert!(!sender.send(Event::Acknowledged { call_id: LocalCallId::new(1) }));
    }

    #[test]
    fn all_calls_together_are_bounded_and_recover() {
        let (sender, events) = queue();
        let sent = (0..10_000u16)
            .filter(|id| sender.send(Event::Acknowledged { call_id: LocalCallId::new(*id) }))
            .count();
        assert_eq!(sent, WAITING);
        while events.try_recv().is_some() {}
        assert!((0..64).all(|_| sender.send(Event::Acknowledged { call_id: LocalCallId::new(9999) })));
    }

    #[test]
    fn the_end_of_all_workers_ends_the_events() {
        let (sender, events) = queue();
        sender.send(Event::EncryptionBroken { call_id: LocalCallId::new(7) });
        drop(sender);
        assert!(events.recv().is_some());
        assert_eq!(events.recv(), None);
    }
}
