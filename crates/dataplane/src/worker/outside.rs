//! The output side of a worker.

use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use adit_sys::tun::VnetHeader;
use adit_tunnel::path::{Cipher, HEADROOM, Origin, PathEvent, Sink};
use adit_wire::LocalCallId;

use super::calls::Calls;
use super::cipher::{self, Work};
use crate::counters::{SharedDrops, count};
use crate::event::{Event, EventSender};
use crate::io::{GreOut, TunIo};
use crate::order::{Order, Orders};
use crate::reply_limit::Kind;

/// The most MPPE key changes for skipped frames that all calls of a worker may cause at once.
const CHANGES: u32 = 50_000;
/// The time in which one change is added to the budget: 100 000 a second, about a twentieth of a core.
const EARNED_IN: Duration = Duration::from_micros(10);

/// The parts of a worker.
pub(crate) struct Parts<I, O, T> {
    pub(crate) input: I,
    pub(crate) gre: O,
    pub(crate) around: Around<T>,
}

/// The parts of a worker that do not depend on how GRE packets are moved.
pub(crate) struct Around<T> {
    pub(crate) tun: T,
    pub(crate) events: EventSender,
    pub(crate) drops: Arc<SharedDrops>,
    pub(crate) orders: Receiver<Order>,
    /// The order queues of all workers.
    pub(crate) workers: Vec<Orders>,
    /// The index of this worker.
    pub(crate) number: usize,
    pub(crate) reads_tun: bool,
    pub(crate) dont_fragment: bool,
}

/// The outputs of a worker.
pub(super) struct Outside<O, T> {
    gre: O,
    /// Cipher work for packets in `gre`: the number of the packet, its call, and the work.
    ciphers: Vec<(usize, LocalCallId, Cipher)>,
    /// The number of packets queued in `gre`.
    waiting: usize,
    pub(super) tun: T,
    pub(super) drops: Arc<SharedDrops>,
    events: EventSender,
    changes_left: u32,
    changes_counted: Option<Instant>,
}

impl<O: GreOut, T: TunIo> Outside<O, T> {
    /// Passes a heartbeat on to the owner's thread.
    pub(super) fn beat(&self, worker: usize, number: u64) {
        self.events.beat(worker, number);
    }

    pub(super) fn new(gre: O, tun: T, events: EventSender, drops: Arc<SharedDrops>) -> Outside<O, T> {
        Outside {
            gre,
            ciphers: Vec::new(),
            waiting: 0,
            tun,
            drops,
            events,
            changes_left: CHANGES,
            changes_counted: None,
        }
    }

    /// Whether there is no free slot before the next flush.
    pub(super) fn is_full(&mut self) -> bool {
        self.gre.slot().is_none()
    }

    /// The next free slot for a packet to a peer.
    pub(super) fn slot(&mut self) -> Option<&mut [u8]> {
        self.gre.slot()
    }

    /// Queues the packet in the slot at `range` for `peer`; `cipher` is applied to the slot before it is
    /// sent.
    pub(super) fn push(
        &mut self,
        call_id: LocalCallId,
        (peer, local): (Ipv4Addr, Option<Ipv4Addr>),
        range: Range<usize>,
        cipher: Option<Cipher>,
    ) {
        if let Some(cipher) = cipher {
            self.ciphers.push((self.waiting, call_id, cipher));
        }
        self.gre.push(peer, local, range);
        self.waiting += 1;
    }

    /// Sends all queued packets, and those that an earlier flush left. Keys of `calls` are precomputed if
    /// possible.
    pub(super) fn flush(&mut self, calls: Option<&mut Calls>) {
        let work = (self.ciphers.iter()).map(|(number, call_id, cipher)| Work {
            number: *number,
            call_id: *call_id,
            cipher,
        });
        cipher::apply(work, self.gre.slots(), calls);
        self.ciphers.clear();
        if self.waiting > 0 || self.gre.has_backlog() {
            self.gre.flush();
            self.waiting = 0;
        }
    }

    /// Whether a flush is needed soon, even if nothing arrives that causes one.
    pub(super) fn has_backlog(&mut self) -> bool {
        self.gre.has_backlog()
    }

    /// The number of packets that AF_XDP left to the socket so far.
    pub(super) fn left_by_xdp(&self) -> u64 {
        self.gre.left_by_xdp()
    }

    /// The number of packets that the kernel rejected so far.
    pub(super) fn refused(&self) -> u64 {
        self.gre.refused()
    }

    /// Passes an IP packet to the host.
    pub(super) fn write(&mut self, header: VnetHeader, packet: &[&[u8]]) {
        if self.tun.write(header, packet).is_err() {
            count(&self.drops.refused, 1);
        }
    }

    /// Returns the sink for one call.
    pub(super) fn sink(
        &mut self,
        now: Instant,
        call_id: LocalCallId,
        local: Option<Ipv4Addr>,
        peer: Ipv4Addr,
    ) -> CallSink<'_, O, T> {
        CallSink { outside: self, now, call_id, local, peer }
    }

    /// Queues an event, or counts it as lost.
    pub(super) fn report(&self, event: Event) -> bool {
        let reported = self.events.send(event);
        if !reported {
            count(&self.drops.queue_full, 1);
        }
        reported
    }

    /// Queues an event of the call, unless the call sends more of them than are handled.
    fn report_limited(&self, now: Instant, call_id: LocalCallId, kind: Kind, event: impl FnOnce() -> Event) {
        if self.events.may_send(now, call_id, kind) {
            self.report(event());
        } else {
            count(&self.drops.queue_full, 1);
        }
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
    call_id: LocalCallId,
    local: Option<Ipv4Addr>,
    peer: Ipv4Addr,
}

impl<O: GreOut, T: TunIo> Sink for CallSink<'_, O, T> {
    fn gre(&mut self, packet: &[u8]) {
        let range = HEADROOM..HEADROOM + packet.len();
        if self.outside.is_full() {
            self.outside.flush(None);
        }
        match self.outside.slot().and_then(|slot| slot.get_mut(range.clone())) {
            Some(buffer) => {
                buffer.copy_from_slice(packet);
                self.outside.push(self.call_id, (self.peer, self.local), range, None);
            }
            None => count(&self.outside.drops.refused, 1),
        }
    }

    fn ip(&mut self, packet: &mut [u8]) {
        self.outside.write(VnetHeader::default(), &[packet]);
    }

    fn frame(&mut self, frame: &[u8], origin: Origin) {
        let call_id = self.call_id;
        self.outside.report_limited(self.now, call_id, Kind::of(frame), || Event::Frame {
            call_id,
            frame: frame.to_vec(),
            origin,
        });
    }

    fn dhcp(&mut self, packet: &[u8]) {
        let call_id = self.call_id;
        self.outside.report_limited(self.now, call_id, Kind::Dhcp, || Event::Dhcp {
            call_id,
            packet: packet.to_vec(),
        });
    }

    fn event(&mut self, event: PathEvent) {
        let call_id = self.call_id;
        self.outside.report(match event {
            PathEvent::EncryptionBroken => Event::EncryptionBroken { call_id },
            PathEvent::DataRejected => Event::DataRejected { call_id },
        });
    }

    fn may_spend(&mut self, changes: u32) -> bool {
        self.outside.may_spend(self.now, changes)
    }
}
