//! The I/O of a worker as traits, so that tests can replace it.

use std::io;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use adit_sys::gre::{GreSocket, IcmpReport, MAX_BATCH, RecvBatch, SendBatch};
use adit_sys::tun::{Tun, VnetHeader};
use adit_sys::xdp;

/// The size of a buffer for one GRE packet, received or sent with its headroom. It fits frames of the largest
/// usual MTU on Ethernet with some spare space; larger packets count as damaged.
pub(crate) const SLOT: usize = 2048;
const _: () = assert!(SLOT <= xdp::SLOT);

/// The sources that a turn polls. A source that is not polled was idle a moment ago: polling it would cost a
/// system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Ask {
    /// The GRE socket for packets.
    pub(crate) gre: bool,
    /// The GRE socket for ICMP errors.
    pub(crate) reports: bool,
    /// The TUN interface.
    pub(crate) tun: bool,
}

impl Ask {
    /// All sources.
    pub(crate) const ALL: Ask = Ask { gre: true, reports: true, tun: true };
}

/// The receiving side of GRE.
pub(crate) trait GreIn {
    /// Receives a batch; returns the number of packets, 0 if there is none now. Sources without a system call
    /// are always polled, the socket only if `ask` includes it.
    fn receive(&mut self, ask: Ask) -> io::Result<usize>;
    /// A packet of the batch: its source and its octets, starting with the GRE header.
    fn packet(&mut self, index: usize) -> Option<(Ipv4Addr, &mut [u8])>;
    /// The octets of a packet of the batch.
    fn octets(&self, index: usize) -> &[u8];
    /// The octets of all packets of the batch, in order.
    fn packets(&mut self) -> impl Iterator<Item = &mut [u8]>;
    /// The number of packets left out of batches so far because they were damaged or too long.
    fn damaged(&self) -> u64;
    /// The number of packets so far that the kernel dropped because the receive buffer was full, or because they
    /// did not fit a frame of AF_XDP. Costs a system call for each source.
    fn overflowed(&self) -> u64;
    /// The number of packets so far that AF_XDP left to the socket.
    fn left_by_xdp(&self) -> u64 {
        0
    }
    /// The next ICMP error about a packet that was sent.
    fn icmp(&mut self) -> Option<IcmpReport>;
}

/// The sending side of GRE: packets are built in slots and sent together.
pub(crate) trait GreOut {
    /// The next free slot, [`SLOT`] octets; `None` until the next flush.
    fn slot(&mut self) -> Option<&mut [u8]>;
    /// Queues the packet in the slot at `range` for the next flush. At least [`adit_tunnel::path::HEADROOM`]
    /// less 24 octets before it are free for the lower headers.
    fn push(&mut self, destination: Ipv4Addr, source: Option<Ipv4Addr>, range: Range<usize>);
    /// The slots of all queued packets, in order.
    fn slots(&mut self) -> impl Iterator<Item = &mut [u8]>;
    /// Sends the queued packets.
    fn flush(&mut self);
    /// Whether the last flush left packets that only another flush sends.
    fn has_backlog(&mut self) -> bool {
        false
    }
    /// The number of packets so far that AF_XDP left to the socket.
    fn left_by_xdp(&self) -> u64 {
        0
    }
    /// The number of packets so far that the kernel rejected.
    fn refused(&self) -> u64;
}

/// The TUN interface.
pub(crate) trait TunIo {
    /// Reads one packet; `None` if there is none now.
    fn read(&mut self, packet: &mut [u8]) -> io::Result<Option<(VnetHeader, usize)>>;
    /// Writes one packet, given in slices.
    fn write(&mut self, header: VnetHeader, packet: &[&[u8]]) -> io::Result<()>;
    /// Uses another interface from now on.
    fn replace(&mut self, tun: Arc<Tun>);
}

/// Receives from a kernel socket.
pub(crate) struct SocketIn {
    socket: Arc<GreSocket>,
    batch: RecvBatch,
}

impl SocketIn {
    pub(crate) fn new(socket: Arc<GreSocket>) -> SocketIn {
        SocketIn { socket, batch: RecvBatch::new(MAX_BATCH, SLOT) }
    }
}

impl GreIn for SocketIn {
    fn receive(&mut self, ask: Ask) -> io::Result<usize> {
        if ask.gre { self.socket.receive(&mut self.batch) } else { Ok(0) }
    }

    fn packet(&mut self, index: usize) -> Option<(Ipv4Addr, &mut [u8])> {
        self.batch.get_mut(index).map(|packet| (packet.source, packet.gre))
    }

    fn octets(&self, index: usize) -> &[u8] {
        self.batch.get(index).unwrap_or_default()
    }

    fn packets(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.batch.packets().map(|packet| packet.gre)
    }

    fn damaged(&self) -> u64 {
        self.batch.damaged()
    }

    fn overflowed(&self) -> u64 {
        self.socket.dropped().into()
    }

    fn icmp(&mut self) -> Option<IcmpReport> {
        self.socket.icmp()
    }
}

/// Sends to a kernel socket.
pub(crate) struct SocketOut {
    socket: Arc<GreSocket>,
    batch: SendBatch,
    refused: u64,
}

impl SocketOut {
    pub(crate) fn new(socket: Arc<GreSocket>) -> SocketOut {
        SocketOut { socket, batch: SendBatch::new(MAX_BATCH, SLOT), refused: 0 }
    }
}

impl GreOut for SocketOut {
    fn slot(&mut self) -> Option<&mut [u8]> {
        self.batch.slot()
    }

    fn push(&mut self, destination: Ipv4Addr, source: Option<Ipv4Addr>, range: Range<usize>) {
        if !self.batch.push_in_place(destination, source, range) {
            self.refused += 1;
        }
    }

    fn slots(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.batch.slots_mut()
    }

    fn flush(&mut self) {
        if self.batch.pending() > 0 {
            let report = self.socket.send(&mut self.batch);
            self.refused += (report.refused + report.congested) as u64;
        }
    }

    fn refused(&self) -> u64 {
        self.refused
    }
}

/// Receives through AF_XDP, and the remaining packets from the socket.
pub(crate) struct XdpIn {
    receiver: xdp::Receiver,
    socket: Arc<GreSocket>,
}

impl GreIn for XdpIn {
    fn receive(&mut self, ask: Ask) -> io::Result<usize> {
        self.receiver.receive(ask.gre)
    }

    fn packet(&mut self, index: usize) -> Option<(Ipv4Addr, &mut [u8])> {
        self.receiver.get_mut(index).map(|packet| (packet.source, packet.gre))
    }

    fn octets(&self, index: usize) -> &[u8] {
        self.receiver.get(index).unwrap_or_default()
    }

    fn packets(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.receiver.packets().map(|packet| packet.gre)
    }

    fn damaged(&self) -> u64 {
        self.receiver.damaged()
    }

    fn overflowed(&self) -> u64 {
        self.receiver.dropped()
    }

    fn left_by_xdp(&self) -> u64 {
        self.receiver.left()
    }

    fn icmp(&mut self) -> Option<IcmpReport> {
        self.socket.icmp()
    }
}

/// Sends through AF_XDP, and the remaining packets through the socket.
pub(crate) struct XdpOut {
    sender: xdp::Sender,
    refused: u64,
}

impl GreOut for XdpOut {
    fn slot(&mut self) -> Option<&mut [u8]> {
        self.sender.slot()
    }

    fn push(&mut self, destination: Ipv4Addr, source: Option<Ipv4Addr>, range: Range<usize>) {
        if !self.sender.push(destination, source, range) {
            self.refused += 1;
        }
    }

    fn slots(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.sender.slots_mut()
    }

    fn flush(&mut self) {
        let report = self.sender.flush(Instant::now());
        self.refused += (report.refused + report.congested) as u64;
    }

    fn has_backlog(&mut self) -> bool {
        self.sender.backlog() > 0
    }

    fn left_by_xdp(&self) -> u64 {
        self.sender.left()
    }

    fn refused(&self) -> u64 {
        self.refused
    }
}

/// The two halves of AF_XDP for a worker.
pub(crate) fn xdp(xdp: xdp::Xdp, socket: &Arc<GreSocket>) -> (XdpIn, XdpOut) {
    let input = XdpIn { receiver: xdp.receiver, socket: Arc::clone(socket) };
    (input, XdpOut { sender: xdp.sender, refused: 0 })
}

impl AsFd for XdpIn {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.receiver.as_fd()
    }
}

impl TunIo for Arc<Tun> {
    fn read(&mut self, packet: &mut [u8]) -> io::Result<Option<(VnetHeader, usize)>> {
        Tun::read(self, packet)
    }

    fn write(&mut self, header: VnetHeader, packet: &[&[u8]]) -> io::Result<()> {
        Tun::write(self, header, packet)
    }

    fn replace(&mut self, tun: Arc<Tun>) {
        *self = tun;
    }
}
