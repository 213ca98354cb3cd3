//! Where packets of a worker go.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use adit_tunnel::path::{PathEvent, Sink};

use crate::counters::{SharedDrops, count};
use crate::event::{Event, EventSender};
use crate::io::{GreOut, TunIo};
use crate::order::{Order, Orders};

/// MPPE key changes for skipped frames that all calls of a worker together may cause at once.
const CHANGES: u32 = 50_000;
/// One is earned in this time: 100 000 a second, about a twentieth of a core.
const EARNED_IN: Duration = Duration::from_micros(10);

/// What a worker is made of.
pub(crate) struct Parts<I, O, T> {
    pub(crate) input: I,
    pub(crate) gre: O,
    pub(crate) tun: T,
    pub(crate) events: EventSender,
    pub(crate) drops: Arc<SharedDrops>,
    pub(crate) orders: Receiver<Order>,
    /// Every worker's orders.
    pub(crate) workers: Vec<Orders>,
    /// Which of them this one is.
    pub(crate) number: usize,
    pub(crate) reads_tun: bool,
    pub(crate) dont_fragment: bool,
}

/// The ways out.
pub(super) struct Outside<O, T> {
    pub(super) gre: O,
    pub(super) tun: T,
    pub(super) drops: Arc<SharedDrops>,
    events: EventSender,
    changes_left: u32,
    changes_counted: Option<Instant>,
}

impl<O: GreOut, T: TunIo> Outside<O, T> {
    pub(super) fn new(gre: O, tun: T, events: EventSender, drops: Arc<SharedDrops>) -> Outside<O, T> {
        Outside { gre, tun, drops, events, changes_left: CHANGES, changes_counted: None }
    }

    /// Where the packets of one call go.
    pub(super) fn sink(
        &mut self,
        now: Instant,
        call_id: u16,
        local: Option<Ipv4Addr>,
        peer: Ipv4Addr,
    ) -> CallSink<'_, O, T> {
        CallSink { outside: self, now, call_id, local, peer }
    }

    /// Queues an event, or counts it as lost.
    pub(super) fn tell(&self, event: Event) -> bool {
        let told = self.events.send(event);
        if !told {
            count(&self.drops.queue_full, 1);
        }
        told
    }

    fn may_spend(&mut self, now: Instant, changes: u32) -> bool {
        let counted = self.changes_counted.get_or_insert(now);
        let full = EARNED_IN * CHANGES;
        let passed = now.saturating_duration_since(*counted).min(full);
        let earned = (passed.as_micros() / EARNED_IN.as_micros()) as u32;
        *counted = if passed == full { now } else { *counted + EARNED_IN * earned };
        self.changes_left = (self.changes_left + earned).min(CHANGES);
        match self.changes_left.checked_sub(changes) {
            Some(left) => {
                self.changes_left = left;
                true
            }
            None => false,
        }
    }
}

/// The sink of one call.
pub(super) struct CallSink<'a, O, T> {
    outside: &'a mut Outside<O, T>,
    now: Instant,
    call_id: u16,
    local: Option<Ipv4Addr>,
    peer: Ipv4Addr,
}

impl<O: GreOut, T: TunIo> Sink for CallSink<'_, O, T> {
    fn gre(&mut self, packet: &[u8]) {
        self.outside.gre.push(self.peer, self.local, packet);
    }

    fn ip(&mut self, packet: &mut [u8]) {
        if self.outside.tun.write(packet).is_err() {
            count(&self.outside.drops.refused, 1);
        }
    }

    fn frame(&mut self, frame: &[u8]) {
        self.outside.tell(Event::Frame { call_id: self.call_id, frame: frame.to_vec() });
    }

    fn dhcp(&mut self, packet: &[u8]) {
        self.outside.tell(Event::Dhcp { call_id: self.call_id, packet: packet.to_vec() });
    }

    fn event(&mut self, event: PathEvent) {
        match event {
            PathEvent::EncryptionBroken => {
                self.outside.tell(Event::EncryptionBroken { call_id: self.call_id });
            }
        }
    }

    fn may_spend(&mut self, changes: u32) -> bool {
        self.outside.may_spend(self.now, changes)
    }
}
