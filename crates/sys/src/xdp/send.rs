//! The sending half of AF_XDP.

use std::io;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::CallSet;
use super::header::{HEADERS, IP, Outer};
use super::hops::{Hop, Hops};
use super::memory::Frame;
use super::socket::{Outlet, Wake};
use crate::gre::{GreSocket, MAX_BATCH, SendBatch, Sent};

/// The size of a slot in octets.
pub const SLOT: usize = super::memory::FRAME;
/// The least offset of a packet in its slot: the headers of Ethernet and IP precede it.
pub const HEADROOM: usize = HEADERS;

/// The most wake-ups for a batch: one makes the kernel send at least 32 packets, or drop one.
const MAX_WAKES: usize = MAX_BATCH + 8;

/// Sends packets through AF_XDP if they leave through its interface to a resolved neighbour and fit a frame,
/// and the rest through the raw socket.
///
/// A packet is written into [`Sender::slot`] and queued with [`Sender::push`]; until [`Sender::flush`] it can still be
/// changed ([`Sender::slots_mut`]).
#[derive(Debug)]
pub struct Sender {
    outlet: Outlet,
    hops: Hops,
    batch: Vec<Queued>,
    /// The frame that [`Sender::slot`] returned.
    open: Option<Frame>,
    socket: Arc<GreSocket>,
    by_socket: SendBatch,
    /// Says whether AF_XDP is used.
    calls: Arc<CallSet>,
    /// The destination of the previous packet, and whether it took the kernel's path: order is preserved when
    /// that changes.
    before: Option<(Ipv4Addr, bool)>,
    identification: u16,
    dont_fragment: bool,
    given: u64,
    left: u64,
}

#[derive(Debug)]
struct Queued {
    frame: Frame,
    destination: Ipv4Addr,
    source: Option<Ipv4Addr>,
    start: usize,
    end: usize,
}

impl Sender {
    pub(super) fn new(
        outlet: Outlet,
        hops: Hops,
        socket: Arc<GreSocket>,
        calls: Arc<CallSet>,
        dont_fragment: bool,
    ) -> Sender {
        Sender {
            outlet,
            hops,
            batch: Vec::with_capacity(MAX_BATCH),
            open: None,
            socket,
            by_socket: SendBatch::new(MAX_BATCH, SLOT),
            calls,
            before: None,
            identification: 0,
            dont_fragment,
            given: 0,
            left: 0,
        }
    }

    /// The slot for the next packet, [`SLOT`] octets with undefined content. Returns the same slot until
    /// [`Sender::push`].
    ///
    /// `None` if the batch is full and needs a flush, or if the interface is congested: drop the packet and
    /// count it, as a router would.
    pub fn slot(&mut self) -> Option<&mut [u8]> {
        if self.batch.len() >= MAX_BATCH {
            return None;
        }
        if self.open.is_none() {
            if self.outlet.free.is_empty() {
                self.outlet.reap();
            }
            if self.outlet.free.is_empty() {
                // An error occurs again, and is reported, in the next flush.
                let _ = self.outlet.wake();
                self.outlet.reap();
            }
            self.open = self.outlet.free.pop();
        }
        let frame = self.open.as_mut()?;
        Some(self.outlet.octets(frame))
    }

    /// Queues the packet in the slot: `range` begins with the GRE header, at [`HEADROOM`] or later. Without
    /// `source` the packet gets the address that the route selects.
    ///
    /// Returns false, and queues nothing, when there is no slot or the range is not in it.
    #[must_use]
    pub fn push(&mut self, destination: Ipv4Addr, source: Option<Ipv4Addr>, range: Range<usize>) -> bool {
        let fits = range.start >= HEADROOM && range.start <= range.end && range.end <= SLOT;
        if !fits || self.batch.len() >= MAX_BATCH {
            return false;
        }
        let Some(frame) = self.open.take() else { return false };
        self.batch.push(Queued { frame, destination, source, start: range.start, end: range.end });
        true
    }

    /// The number of packets queued for the next flush.
    pub fn pending(&self) -> usize {
        self.batch.len()
    }

    /// Whether the next packet needs a flush first.
    pub fn is_full(&self) -> bool {
        self.batch.len() >= MAX_BATCH
    }

    /// The whole slots of the queued packets, in order.
    pub fn slots_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let outlet = &self.outlet;
        self.batch.iter_mut().map(|queued| outlet.octets(&mut queued.frame))
    }

    /// The number of packets so far that were sent through AF_XDP.
    pub fn given(&self) -> u64 {
        self.given
    }

    /// The number of packets so far that were left to the raw socket.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// The number of frames that the interface has not accepted yet. They are sent with the next flush; while
    /// there are some, call it soon.
    pub fn backlog(&mut self) -> usize {
        self.outlet.backlog()
    }

    /// Sends the queued packets without waiting: what the interface does not accept now stays for the next
    /// flush, and once all frames are in use [`Sender::slot`] returns `None`.
    pub fn flush(&mut self, now: Instant) -> Sent {
        let mut report = Sent::default();
        self.hops.refresh(now);
        self.outlet.reap();
        let mut batch = std::mem::take(&mut self.batch);
        for queued in batch.drain(..) {
            self.send(now, queued, &mut report);
        }
        self.batch = batch;
        self.wake(&mut report);
        self.by_socket(&mut report);
        report
    }

    fn send(&mut self, now: Instant, mut queued: Queued, report: &mut Sent) {
        let (destination, gre) = (queued.destination, queued.end - queued.start);
        let hop = match self.hops.find(now, destination, queued.source) {
            _ if !self.calls.uses_xdp() => Hop::Kernel,
            Hop::Direct { mtu, .. } if IP + gre > mtu as usize => Hop::Kernel,
            hop => hop,
        };
        let by_kernel = hop == Hop::Kernel;
        if self.before.is_some_and(|(to, before)| to == destination && before != by_kernel) {
            self.wake(report);
            self.by_socket(report);
        }
        self.before = Some((destination, by_kernel));
        match hop {
            Hop::Direct { ethernet, source, .. } => {
                let start = queued.start - HEADERS;
                let headers = self.outlet.octets(&mut queued.frame).get_mut(start..);
                if let Some(headers) = headers.and_then(|headers| headers.first_chunk_mut()) {
                    let (identification, dont_fragment) = (self.identification, self.dont_fragment);
                    Outer { ethernet, source, destination, identification, dont_fragment }
                        .write(headers, gre);
                    self.identification = identification.wrapping_add(1);
                }
                if self.outlet.push(queued.frame, start, HEADERS + gre) {
                    report.sent += 1;
                    self.given += 1;
                } else {
                    report.congested += 1;
                }
            }
            Hop::Kernel => {
                if self.by_socket.is_full() {
                    self.by_socket(report);
                }
                let octets = self.outlet.octets(&mut queued.frame);
                let gre = octets.get(queued.start..queued.end).unwrap_or_default();
                if !self.by_socket.push(destination, queued.source, gre) {
                    report.refused += 1;
                }
                self.outlet.free.push(queued.frame);
                self.left += 1;
            }
        }
    }

    /// Wakes the kernel to send the packets in the ring.
    fn wake(&mut self, report: &mut Sent) {
        for _ in 0..MAX_WAKES {
            let before = self.outlet.backlog();
            if before == 0 {
                return;
            }
            match self.outlet.wake() {
                Ok(Wake::Done) => return,
                Ok(Wake::Again) => {
                    self.outlet.reap();
                    if self.outlet.backlog() == before {
                        return;
                    }
                }
                Ok(Wake::Dropped) => {
                    report.sent = report.sent.saturating_sub(1);
                    report.congested += 1;
                }
                // The packets in the ring are sent if the interface is up again; later ones go to the raw
                // socket as soon as the message about it is read.
                Ok(Wake::Down) => {
                    self.hops.down();
                    report.error = Some(io::Error::from_raw_os_error(libc::ENETDOWN));
                    return;
                }
                Err(error) => {
                    report.error = Some(error);
                    return;
                }
            }
        }
    }

    fn by_socket(&mut self, report: &mut Sent) {
        if self.by_socket.pending() == 0 {
            return;
        }
        let sent = self.socket.send(&mut self.by_socket);
        report.sent += sent.sent;
        report.congested += sent.congested;
        report.refused += sent.refused;
        report.error = sent.error.or(report.error.take());
    }
}
