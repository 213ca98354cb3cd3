//! The receiving half of AF_XDP.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use super::header::{self, HEADERS, Inner};
use super::memory::Frame;
use super::socket::Queue;
use crate::gre::{GreSocket, MAX_BATCH, Packet, RecvBatch};
use crate::poll::{Interest, Poller};

/// While AF_XDP always has packets, the raw socket is polled once in this many turns.
const SOCKET_EVERY: u32 = 16;

/// The size of the largest packet received from the raw socket, including the IP header.
const SLOT: usize = 2048;

/// Receives from the AF_XDP sockets of all receive queues, and the remaining packets from the raw socket.
///
/// It is ready ([`AsFd`]) when AF_XDP has packets; wait on the raw socket as well, which also reports ICMP
/// errors. If either is ready, call [`Receiver::receive`].
#[derive(Debug)]
pub struct Receiver {
    /// First, so that the program is detached before the sockets are closed. It is detached with the last of
    /// several receivers; until then packets of a queue without a socket take the kernel's path.
    _attachment: Arc<OwnedFd>,
    queues: Vec<Queue>,
    /// Ready if one of several queues is.
    several: Option<Poller>,
    /// The queue that is polled first.
    first: usize,
    arrived: Vec<Arrived>,
    socket: Arc<GreSocket>,
    by_socket: RecvBatch,
    from_socket: bool,
    turns: u32,
    damaged: u64,
    taken: u64,
    left: u64,
}

#[derive(Debug)]
struct Arrived {
    queue: usize,
    frame: Frame,
    /// The offset of GRE in the frame.
    start: usize,
    inner: Inner,
}

impl Receiver {
    pub(super) fn new(
        attachment: Arc<OwnedFd>,
        queues: Vec<Queue>,
        socket: Arc<GreSocket>,
    ) -> crate::Result<Receiver> {
        let several = if queues.len() > 1 {
            let poller = Poller::new()?;
            for (number, queue) in queues.iter().enumerate() {
                poller.add(&queue.fd, number as u64, Interest::Read)?;
            }
            Some(poller)
        } else {
            None
        };
        Ok(Receiver {
            _attachment: attachment,
            queues,
            several,
            first: 0,
            arrived: Vec::with_capacity(MAX_BATCH),
            socket,
            by_socket: RecvBatch::new(MAX_BATCH, SLOT),
            from_socket: false,
            turns: 0,
            damaged: 0,
            taken: 0,
            left: 0,
        })
    }

    /// Releases the packets of the previous batch and receives up to [`MAX_BATCH`] packets; 0 if there are
    /// none now. Polling the raw socket costs a system call and is skipped unless `ask_socket`.
    ///
    /// # Errors
    /// As [`GreSocket::receive`]. AF_XDP has no errors: an interface that is down or removed delivers no
    /// packets.
    pub fn receive(&mut self, ask_socket: bool) -> io::Result<usize> {
        for arrived in self.arrived.drain(..) {
            if let Some(queue) = self.queues.get_mut(arrived.queue) {
                queue.give(arrived.frame);
            }
        }
        self.turns = self.turns.wrapping_add(1);
        self.from_socket = ask_socket && self.turns.is_multiple_of(SOCKET_EVERY);
        if self.from_socket && self.socket.receive(&mut self.by_socket)? > 0 {
            // The released frames reach the kernel in the next turn.
            self.left += self.by_socket.len() as u64;
            return Ok(self.by_socket.len());
        }
        self.from_socket = false;
        for offset in 0..self.queues.len() {
            let number = (self.first + offset) % self.queues.len();
            self.take(number);
        }
        self.first = (self.first + 1) % self.queues.len().max(1);
        if self.arrived.is_empty() && ask_socket {
            self.from_socket = true;
            let received = self.socket.receive(&mut self.by_socket)?;
            self.left += received as u64;
            return Ok(received);
        }
        self.taken += self.arrived.len() as u64;
        Ok(self.arrived.len())
    }

    /// Fills the batch from one queue.
    fn take(&mut self, number: usize) {
        let Some(queue) = self.queues.get_mut(number) else { return };
        while self.arrived.len() < MAX_BATCH {
            let Some((mut frame, at, len)) = queue.receive() else { break };
            let read = queue.octets(&mut frame).get(at..at + len).and_then(header::read);
            match read {
                Some(inner) => {
                    self.arrived.push(Arrived { queue: number, frame, start: at + HEADERS, inner });
                }
                None => {
                    self.damaged += 1;
                    queue.give(frame);
                }
            }
        }
        queue.turn();
    }

    /// The number of packets in the batch.
    pub fn len(&self) -> usize {
        if self.from_socket { self.by_socket.len() } else { self.arrived.len() }
    }

    /// Whether there are no packets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The packet at `index`, in the order of arrival.
    pub fn get_mut(&mut self, index: usize) -> Option<Packet<'_>> {
        if self.from_socket {
            return self.by_socket.get_mut(index);
        }
        let queues = &self.queues;
        self.arrived.get_mut(index).and_then(|arrived| arrived.packet(queues))
    }

    /// The octets of the packet at `index`, starting with its GRE header.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        if self.from_socket {
            return self.by_socket.get(index);
        }
        let arrived = self.arrived.get(index)?;
        let octets = self.queues.get(arrived.queue)?.read(&arrived.frame);
        octets.get(arrived.start..arrived.start + arrived.inner.gre)
    }

    /// All packets at once, in the order of arrival; their octets are disjoint.
    pub fn packets(&mut self) -> impl Iterator<Item = Packet<'_>> {
        let queues = &self.queues;
        let (from_socket, from_queues) = match self.from_socket {
            true => (Some(self.by_socket.packets()), None),
            false => (None, Some(self.arrived.iter_mut().filter_map(|arrived| arrived.packet(queues)))),
        };
        from_socket.into_iter().flatten().chain(from_queues.into_iter().flatten())
    }

    /// The number of packets left out of batches so far because they were damaged or too long.
    pub fn damaged(&self) -> u64 {
        self.damaged + self.by_socket.damaged()
    }

    /// The number of packets so far that arrived through AF_XDP.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// The number of packets so far that arrived on the raw socket.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// The number of packets that the kernel dropped because the receive buffer was full, or because they did
    /// not fit a frame.
    pub fn dropped(&self) -> u64 {
        self.queues.iter().map(Queue::dropped).sum::<u64>() + u64::from(self.socket.dropped())
    }

    /// Whether the interface was removed; from then on all packets go through the raw socket.
    pub fn gone(&self) -> bool {
        self.queues.iter().any(Queue::gone)
    }
}

impl Arrived {
    fn packet<'a>(&'a mut self, queues: &'a [Queue]) -> Option<Packet<'a>> {
        let octets = queues.get(self.queue)?.octets(&mut self.frame);
        let gre = octets.get_mut(self.start..self.start + self.inner.gre)?;
        Some(Packet { source: self.inner.source, destination: self.inner.destination, gre })
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match (&self.several, self.queues.first()) {
            (Some(poller), _) => poller.as_fd(),
            (None, Some(queue)) => queue.fd.as_fd(),
            (None, None) => self.socket.as_fd(),
        }
    }
}
