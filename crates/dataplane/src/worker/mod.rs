//! A worker, which processes all packets of its calls.

mod calls;
mod cipher;
mod early;
mod outside;
mod run;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use adit_sys::gre::{IcmpKind, IcmpReport};
use adit_sys::tun::{Gso, Tun, VnetHeader};
use adit_tunnel::path::{Begin, Finished, HEADROOM, PathCommand, Pending, Prepared};
use adit_wire::gre;
use adit_wire::{LocalCallId, PeerCallId};

use self::calls::{Call, Calls};
use self::cipher::Work;
use self::early::Early;
use self::outside::Outside;
use crate::coalesce::{Coalescer, Slots};
use crate::counters::count;
use crate::event::Event;
use crate::io::{Ask, GreIn, GreOut, SLOT, TunIo};
use crate::order::{self, Order, Orders};
use crate::routes::Routes;
use crate::segment::{Segments, complete_checksum};
use crate::timers::Timers;

pub(crate) use outside::{Around, Parts};
pub(crate) use run::{Sources, run};

/// The most reads of the TUN interface in one turn: as much data as in 64 GRE packets.
const TUN_READS: usize = 16;
/// A turn that moved more packets than this is likely to be followed by more of them.
const FEW: usize = 4;
/// The most orders executed in one turn: all that can have been queued before its packets arrived.
const ORDERS: usize = order::WAITING;
/// The most ICMP errors handled in one turn.
const REPORTS: usize = 16;
/// The largest packet that the TUN interface returns, in octets.
const TUN_PACKET: usize = 65_536;
/// The smallest path MTU that is accepted: a smaller one is forged, or the path is unusable (RFC 1191 section
/// 7.1 lists no useful value below it).
const MTU_MIN: u32 = 552;
/// The octets of IP and TCP headers with all options.
const LONGEST_HEADERS: usize = 60 + 60;
/// The most octets that GRE, PPP and MPPE add to an inner packet: 20 + 16 + 8.
const OVERHEAD: u32 = 44;
/// The delay until the next flush after one that left packets: a blocked interface must not keep a core busy.
const FLUSH_AGAIN: Duration = Duration::from_millis(2);
/// The shortest interval at which the kernel is asked how many packets it dropped.
const OVERFLOW_INTERVAL: Duration = Duration::from_secs(1);
/// The shortest interval at which ICMP errors of one call are reported.
const UNREACHABLE_EVERY: Duration = Duration::from_secs(1);

/// A worker without its thread.
pub(crate) struct Worker<I, O, T> {
    input: I,
    outside: Outside<O, T>,
    orders: Receiver<Order>,
    /// The order queues of all workers, including this one; the low bits of a Call ID are the index.
    workers: Vec<Orders>,
    number: usize,
    reads_tun: bool,
    /// A new interface on which the thread does not wait yet.
    new_tun: Option<Arc<Tun>>,
    dont_fragment: bool,
    calls: Calls,
    early: Early,
    routes: Routes,
    timers: Timers,
    /// Packets of the batch whose cipher work is pending: number, Call ID.
    begun: Vec<(usize, LocalCallId, Pending)>,
    /// The IP packets of the batch for the host.
    coalescer: Coalescer,
    /// [`HEADROOM`] octets, then the packet read from the TUN interface.
    packet: Box<[u8]>,
    /// The same for one segment of it.
    piece: Box<[u8]>,
    damaged: u64,
    refused: u64,
    left_by_xdp: u64,
    overflowed: u64,
    /// When the kernel is asked next for `overflowed`.
    asks_at: Option<Instant>,
}

/// The result of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// There was much work, so more may be available at once.
    Busy,
    /// The polled sources had little or no work: wait until this time, or until something arrives.
    Idle(Option<Instant>),
    /// The worker must stop.
    Stop,
}

impl<I: GreIn, O: GreOut, T: TunIo> Worker<I, O, T> {
    pub(crate) fn new(parts: Parts<I, O, T>) -> Worker<I, O, T> {
        let Parts { input, gre, around } = parts;
        let Around { tun, events, drops, orders, workers, number, reads_tun, dont_fragment } = around;
        Worker {
            input,
            outside: Outside::new(gre, tun, events, drops),
            orders,
            workers,
            number,
            reads_tun,
            new_tun: None,
            dont_fragment,
            calls: Calls::new(),
            early: Early::default(),
            routes: Routes::default(),
            timers: Timers::default(),
            begun: Vec::new(),
            coalescer: Coalescer::new(),
            packet: vec![0; HEADROOM + TUN_PACKET].into_boxed_slice(),
            piece: vec![0; HEADROOM + TUN_PACKET].into_boxed_slice(),
            damaged: 0,
            refused: 0,
            left_by_xdp: 0,
            overflowed: 0,
            asks_at: None,
        }
    }

    /// Does the available work, up to a limit, so that no source starves another.
    pub(crate) fn turn(&mut self, now: Instant, ask: Ask) -> Turn {
        let arrived = self.input.receive(ask).unwrap_or(0);
        // Execute orders after packets were received and before they are processed: a call that was opened
        // before its first packet was sent is then known when that packet is processed.
        let obeyed = match self.obey(now) {
            Some(obeyed) => obeyed,
            None => return Turn::Stop,
        };
        for index in 0..arrived {
            self.take_from_peer(now, index);
        }
        self.finish(now);
        let mut moved = arrived;
        for _ in 0..if ask.tun && self.reads_tun { TUN_READS } else { 0 } {
            let Some(packets) = self.take_from_host(now) else { break };
            moved += packets;
        }
        let reports = if ask.reports { REPORTS } else { 0 };
        let reports_left = (0..reports).all(|_| self.report(now)) && reports > 0;
        while let Some((at, call_id)) = self.timers.take_due(now) {
            self.time(now, at, call_id);
        }
        self.settle();
        self.outside.flush(Some(&mut self.calls));
        self.count(now);
        if moved > FEW || obeyed >= ORDERS || reports_left {
            return Turn::Busy;
        }
        let again = self.outside.has_backlog().then(|| now + FLUSH_AGAIN);
        Turn::Idle(self.timers.next().into_iter().chain(again).min())
    }

    /// The interface that an order has brought, once: the thread has to wait on it too.
    pub(crate) fn take_new_tun(&mut self) -> Option<Arc<Tun>> {
        self.new_tun.take()
    }

    /// Executes orders; `None` if one of them is to stop.
    fn obey(&mut self, now: Instant) -> Option<usize> {
        for obeyed in 0..ORDERS {
            let Ok(order) = self.orders.try_recv() else { return Some(obeyed) };
            match order {
                Order::Expect(call_id, peer) => self.early.expect(call_id, peer),
                Order::Open(open) => self.open(now, *open),
                Order::Path(call_id, command) => {
                    if let Some((call, _)) = self.call(call_id) {
                        call.path.command(now, command);
                    }
                }
                Order::Frame(call_id, frame) => {
                    if let Some((call, outside)) = self.call(call_id) {
                        let mut sink = outside.sink(now, call_id, call.local, call.peer);
                        call.path.send_frame(now, &frame, &mut sink);
                    }
                }
                Order::Packet(call_id, mut packet) => {
                    if let Some((call, outside)) = self.call(call_id) {
                        let mut sink = outside.sink(now, call_id, call.local, call.peer);
                        call.path.handle_ip(now, &mut packet, &mut sink);
                    }
                }
                Order::Close(call_id) => {
                    self.early.take(call_id);
                    self.routes.remove_call(call_id);
                    self.calls.close(call_id);
                }
                Order::Routes(call_id, networks) => {
                    self.routes.remove_call(call_id);
                    for net in networks {
                        self.routes.add(net, call_id);
                    }
                }
                Order::Pools(networks) => self.routes.set_pools(&networks),
                Order::Tun { tun, reads } => {
                    self.outside.tun.replace(Arc::clone(&tun));
                    self.reads_tun = reads;
                    self.new_tun = Some(tun).filter(|_| reads);
                }
                Order::Beat(number) => self.outside.beat(self.number, number),
                Order::Stop => return None,
            }
        }
        Some(ORDERS)
    }

    fn open(&mut self, now: Instant, open: order::Open) {
        let call_id = open.config.local_call_id;
        self.routes.remove_call(call_id);
        self.calls.open(call_id, Call::new(now, open));
        for mut packet in self.early.take(call_id) {
            if let Some((call, outside)) = self.call(call_id) {
                from_peer(now, call_id, call, &mut packet, outside);
            }
        }
    }

    /// A call of this worker, marked as active in this turn.
    fn call(&mut self, call_id: LocalCallId) -> Option<(&mut Call, &mut Outside<O, T>)> {
        self.calls.touch(call_id).map(|call| (call, &mut self.outside))
    }

    /// Processes a GRE packet of the batch.
    fn take_from_peer(&mut self, now: Instant, index: usize) {
        let drops = &self.outside.drops;
        let Some((source, packet)) = self.input.packet(index) else { return };
        let Some(&[.., high, low]) = packet.first_chunk::<{ gre::HEADER_MIN }>() else {
            count(&drops.malformed, 1);
            return;
        };
        let call_id = LocalCallId::new(u16::from_be_bytes([high, low]));
        let Some(call) = self.calls.touch(call_id) else {
            let is_ours = gre::Repr::parse(packet).is_ok();
            match is_ours {
                true if self.early.hold(call_id, source, packet) => {}
                true => {
                    drops.unmatched.note(now, source, call_id.get());
                    count(&drops.unknown_call, 1);
                }
                false => count(&drops.malformed, 1),
            }
            return;
        };
        if source != call.peer {
            drops.unmatched.note(now, source, call_id.get());
            count(&drops.spoofed, 1);
            return;
        }
        let mut sink = self.outside.sink(now, call_id, call.local, call.peer);
        match call.path.begin(now, packet, &mut sink) {
            Begin::Later(pending) => self.begun.push((index, call_id, pending)),
            Begin::Ip(range) => self.coalescer.push(index, range),
            Begin::Done => {}
            Begin::NotNow => {
                self.finish(now);
                let Some((_, packet)) = self.input.packet(index) else { return };
                let Some(call) = self.calls.touch(call_id) else { return };
                return from_peer(now, call_id, call, packet, &mut self.outside);
            }
        }
        report_acknowledged(call_id, call, &self.outside);
    }

    /// Does the pending cipher work, and passes the results to the host.
    fn finish(&mut self, now: Instant) {
        let work = (self.begun.iter()).map(|(index, call_id, pending)| Work {
            number: *index,
            call_id: *call_id,
            cipher: &pending.cipher,
        });
        cipher::apply(work, self.input.packets(), Some(&mut self.calls));
        let mut begun = std::mem::take(&mut self.begun);
        for (index, call_id, pending) in begun.drain(..) {
            let Some(call) = self.calls.touch(call_id) else { continue };
            let Some((_, packet)) = self.input.packet(index) else { continue };
            let mut sink = self.outside.sink(now, call_id, call.local, call.peer);
            match call.path.finish(now, pending, packet, &mut sink) {
                Finished::Ip(range) => self.coalescer.push(index, range),
                Finished::Done => {}
                Finished::Again => {
                    // What was finished before must reach the host first.
                    self.pass_on();
                    let Some((_, packet)) = self.input.packet(index) else { continue };
                    let Some(call) = self.calls.touch(call_id) else { continue };
                    from_peer(now, call_id, call, packet, &mut self.outside);
                    continue;
                }
            }
            report_acknowledged(call_id, call, &self.outside);
        }
        self.begun = begun;
        self.pass_on();
    }

    /// Passes the IP packets of the batch to the host.
    fn pass_on(&mut self) {
        if !self.coalescer.is_empty() {
            let outside = &mut self.outside;
            let write = |header, packet: &[&[u8]]| outside.write(header, packet);
            self.coalescer.flush(&mut Batch(&mut self.input), write);
        }
    }

    /// Processes a packet of the host, up to 64 KiB; returns the approximate number of packets for the peer.
    /// `None` if there is none.
    fn take_from_host(&mut self, now: Instant) -> Option<usize> {
        let buffer = self.packet.get_mut(HEADROOM..).unwrap_or_default();
        let (header, len) = match self.outside.tun.read(buffer) {
            Ok(Some(read)) => read,
            // While the interface is down or removed there is nothing to read, whatever error the kernel
            // returns.
            Ok(None) | Err(_) => return None,
        };
        let call_id =
            buffer.get(..len).and_then(destination).and_then(|destination| self.routes.find(destination));
        match call_id {
            Some(call_id) if self.owner(call_id) == self.number => {
                self.send_to_peer(now, call_id, header, len)
            }
            Some(call_id) => self.hand_over(call_id, header, len),
            None => count(&self.outside.drops.no_route, 1),
        }
        Some(len.checked_div(header.gso_size.into()).map_or(1, |segments| segments.max(1)))
    }

    fn owner(&self, call_id: LocalCallId) -> usize {
        call_id.index() % self.workers.len().max(1)
    }

    /// Sends the packet in the buffer to the peer of a call of this worker, segmented directly into the slots
    /// for sending.
    fn send_to_peer(&mut self, now: Instant, call_id: LocalCallId, header: VnetHeader, len: usize) {
        let Some(call) = self.calls.touch(call_id) else { return };
        let is_whole = header.gso == Gso::None;
        let longest = if is_whole { len } else { LONGEST_HEADERS + usize::from(header.gso_size) };
        let buffer = self.packet.get_mut(..HEADROOM + len).unwrap_or_default();
        if longest > SLOT - HEADROOM {
            // It must be fragmented or answered with an error: it is too long for a tunnel.
            let mut sink = self.outside.sink(now, call_id, call.local, call.peer);
            let sent = each_piece(header, buffer, &mut self.piece, |buffer| {
                call.path.handle_ip(now, buffer, &mut sink);
            });
            return count(&self.outside.drops.malformed, u64::from(!sent));
        }
        if is_whole && !complete_checksum(header, buffer.get_mut(HEADROOM..).unwrap_or_default()) {
            return count(&self.outside.drops.malformed, 1);
        }
        let packet = buffer.get(HEADROOM..).unwrap_or_default();
        let mut segments = if is_whole { None } else { Segments::new(header, packet) };
        if !is_whole && segments.is_none() {
            return count(&self.outside.drops.malformed, 1);
        }
        loop {
            if self.outside.is_full() {
                self.outside.flush(Some(&mut self.calls));
            }
            let Some(call) = self.calls.touch(call_id) else { return };
            let Some(slot) = self.outside.slot() else { return count(&self.outside.drops.refused, 1) };
            let buffer = slot.get_mut(HEADROOM..).unwrap_or_default();
            let len = match &mut segments {
                Some(segments) if segments.is_done() => return,
                Some(segments) => segments.next_into(buffer),
                None => buffer.get_mut(..packet.len()).map(|buffer| {
                    buffer.copy_from_slice(packet);
                    packet.len()
                }),
            };
            let Some(len) = len else { return count(&self.outside.drops.malformed, 1) };
            let buffer = slot.get_mut(..HEADROOM + len).unwrap_or_default();
            match call.path.prepare(now, buffer) {
                Prepared::Packet { range, cipher } => {
                    self.outside.push(call_id, (call.peer, call.local), range, cipher);
                }
                Prepared::TooBig => {
                    let piece = self.piece.get_mut(..HEADROOM + len).unwrap_or_default();
                    piece.copy_from_slice(buffer);
                    let mut sink = self.outside.sink(now, call_id, call.local, call.peer);
                    call.path.handle_ip(now, piece, &mut sink);
                }
                Prepared::Held | Prepared::Dropped => {}
            }
            if is_whole {
                return;
            }
        }
    }

    /// Passes the packet in the buffer to the worker that owns the call.
    fn hand_over(&mut self, call_id: LocalCallId, header: VnetHeader, len: usize) {
        let Some(owner) = self.workers.get(self.owner(call_id)) else { return };
        let buffer = self.packet.get_mut(..HEADROOM + len).unwrap_or_default();
        let drops = &self.outside.drops;
        let sent = each_piece(header, buffer, &mut self.piece, |buffer| {
            if !owner.try_give(Order::Packet(call_id, buffer.to_vec())) {
                count(&drops.queue_full, 1);
            }
        });
        if !sent {
            count(&drops.malformed, 1);
        }
    }

    /// Handles one ICMP error; false if there is none.
    fn report(&mut self, now: Instant) -> bool {
        let Some(report) = self.input.icmp() else { return false };
        let IcmpReport { destination, from, kind, call_id: Some(peer_call_id) } = report else { return true };
        // Only an error that quotes an open call is accepted.
        let Some(call_id) = self.calls.find(destination, PeerCallId::new(peer_call_id)) else { return true };
        let Some(call) = self.calls.touch(call_id) else { return true };
        if let IcmpKind::FragmentationNeeded { mtu } = kind {
            if self.dont_fragment
                && mtu >= MTU_MIN
                && let Ok(mtu) = u16::try_from(mtu - OVERHEAD)
            {
                call.path.command(now, PathCommand::Mtu(mtu));
            }
            return true;
        }
        let is_time = call.reported_unreachable.is_none_or(|at| now >= at + UNREACHABLE_EVERY);
        if let (Some(code), Some(from), true) = (unreachable_code(kind), from, is_time) {
            call.reported_unreachable = Some(now);
            self.outside.report(Event::Unreachable { call_id, from, code });
        }
        true
    }

    /// Handles an expired timer of a call, unless the entry is outdated.
    fn time(&mut self, now: Instant, at: Instant, call_id: LocalCallId) {
        let Some(call) = self.calls.touch(call_id).filter(|call| call.armed == Some(at)) else { return };
        call.armed = None;
        let mut sink = self.outside.sink(now, call_id, call.local, call.peer);
        call.path.handle_timeout(now, &mut sink);
    }

    /// Ends a turn: publishes the counters of its active calls, and arms their timers.
    fn settle(&mut self) {
        let timers = &mut self.timers;
        self.calls.settle(|call_id, call| {
            call.counters.publish(&call.path.counters());
            call.counters.publish_hits(call.path.hits(), false);
            if let Some((at, _)) = call.path.poll_timeout()
                && call.armed.is_none_or(|armed| at < armed)
            {
                call.armed = Some(at);
                timers.arm(at, call_id);
            }
        });
    }

    fn count(&mut self, now: Instant) {
        let (damaged, refused) = (self.input.damaged(), self.outside.refused());
        count(&self.outside.drops.malformed, damaged - self.damaged);
        count(&self.outside.drops.refused, refused - self.refused);
        (self.damaged, self.refused) = (damaged, refused);
        let left = self.input.left_by_xdp() + self.outside.left_by_xdp();
        count(&self.outside.drops.left_by_xdp, left - self.left_by_xdp);
        self.left_by_xdp = left;
        if self.asks_at.is_none_or(|at| now >= at) {
            self.asks_at = Some(now + OVERFLOW_INTERVAL);
            let overflowed = self.input.overflowed();
            count(&self.outside.drops.overflowed, overflowed.saturating_sub(self.overflowed));
            self.overflowed = overflowed;
        }
    }
}

/// Processes a GRE packet of a call.
fn from_peer<O: GreOut, T: TunIo>(
    now: Instant,
    call_id: LocalCallId,
    call: &mut Call,
    packet: &mut [u8],
    outside: &mut Outside<O, T>,
) {
    let mut sink = outside.sink(now, call_id, call.local, call.peer);
    call.path.handle_gre(now, packet, &mut sink);
    report_acknowledged(call_id, call, outside);
}

/// Reports, once, that the peer has acknowledged a packet.
fn report_acknowledged<O: GreOut, T: TunIo>(call_id: LocalCallId, call: &mut Call, outside: &Outside<O, T>) {
    if !call.reported_acknowledged && call.path.is_acknowledged() {
        call.reported_acknowledged = outside.report(Event::Acknowledged { call_id });
    }
}

/// The batch as slots for the coalescer.
struct Batch<'a, I>(&'a mut I);

impl<I: GreIn> Slots for Batch<'_, I> {
    fn octets(&self, slot: usize) -> &[u8] {
        self.0.octets(slot)
    }

    fn octets_mut(&mut self, slot: usize) -> &mut [u8] {
        self.0.packet(slot).map(|(_, packet)| packet).unwrap_or_default()
    }
}

/// The destination of an IP packet.
fn destination(packet: &[u8]) -> Option<IpAddr> {
    match packet.first()? >> 4 {
        4 => packet.get(16..20)?.try_into().ok().map(|octets: [u8; 4]| Ipv4Addr::from(octets).into()),
        6 => packet.get(24..40)?.try_into().ok().map(|octets: [u8; 16]| octets.into()),
        _ => None,
    }
}

/// Calls `send` with each packet in `buffer` after the headroom: one, or the segments of a super-packet.
/// False if it does not match `header`.
fn each_piece(
    header: VnetHeader,
    buffer: &mut [u8],
    piece: &mut [u8],
    mut send: impl FnMut(&mut [u8]),
) -> bool {
    if header.gso == Gso::None {
        let is_good = complete_checksum(header, buffer.get_mut(HEADROOM..).unwrap_or_default());
        if is_good {
            send(buffer);
        }
        return is_good;
    }
    let Some(mut segments) = Segments::new(header, buffer.get(HEADROOM..).unwrap_or_default()) else {
        return false;
    };
    while let Some(len) = segments.next_into(piece.get_mut(HEADROOM..).unwrap_or_default()) {
        send(piece.get_mut(..HEADROOM + len).unwrap_or_default());
    }
    true
}

/// The code of an ICMP message of type 3, except "fragmentation needed".
fn unreachable_code(kind: IcmpKind) -> Option<u8> {
    match kind {
        IcmpKind::NetworkUnreachable => Some(0),
        IcmpKind::HostUnreachable => Some(1),
        IcmpKind::ProtocolUnreachable => Some(2),
        IcmpKind::Prohibited => Some(13),
        IcmpKind::Other { kind: 3, code } => Some(code),
        _ => None,
    }
}
