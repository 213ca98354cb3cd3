//! The sockets of a client: connected UDP, each with a task that reads.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdSocket};
use std::sync::Arc;

use adit_radius::MAX_LEN;
use adit_radius::client::SocketId;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What arrived on a socket.
pub(crate) enum Arrival {
    /// A datagram, from the server that the socket is connected to.
    Datagram(Vec<u8>),
    /// The system reports that a packet did not reach its port (ICMP).
    Unreachable,
}

/// What arrived, and where.
pub(crate) type Arrivals = mpsc::Sender<(SocketId, SocketAddr, Arrival)>;

/// An open socket. Its reader ends with it.
struct Socket {
    socket: Arc<UdpSocket>,
    reader: JoinHandle<()>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// The open sockets.
pub(crate) struct Sockets {
    open: BTreeMap<SocketId, Socket>,
    arrivals: Arrivals,
}

impl Sockets {
    pub(crate) fn new(arrivals: Arrivals) -> Sockets {
        Sockets { open: BTreeMap::new(), arrivals }
    }

    /// Sends a packet; opens the socket before if needed. A full send buffer loses the packet, which is sent again later
    /// as any lost packet is.
    ///
    /// # Errors
    /// The socket cannot be opened, or the packet not be sent. [`io::ErrorKind::ConnectionRefused`] is a report about an
    /// earlier packet; this one was sent.
    pub(crate) fn send(&mut self, id: SocketId, to: SocketAddr, packet: &[u8]) -> io::Result<()> {
        let socket = match self.open.entry(id) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(open(id, to, self.arrivals.clone())?)
            }
        };
        // Not by Tokio, which takes a new socket for one that cannot send yet until it was polled.
        let mut reported = None;
        loop {
            match send(&socket.socket, packet, SendFlags::DONTWAIT) {
                Ok(_) => return reported.map_or(Ok(()), Err),
                Err(Errno::INTR) => {}
                // The error of a packet before, which the system has now forgotten.
                Err(Errno::CONNREFUSED) if reported.is_none() => reported = Some(Errno::CONNREFUSED.into()),
                Err(Errno::WOULDBLOCK | Errno::NOBUFS) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(crate) fn close(&mut self, id: SocketId) {
        self.open.remove(&id);
    }
}

fn open(id: SocketId, to: SocketAddr, arrivals: Arrivals) -> io::Result<Socket> {
    let any: SocketAddr = match to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = StdSocket::bind(any)?;
    socket.connect(to)?;
    socket.set_nonblocking(true)?;
    let socket = Arc::new(UdpSocket::from_std(socket)?);
    let reader = tokio::spawn(read(id, to, Arc::clone(&socket), arrivals));
    Ok(Socket { socket, reader })
}

/// Passes on what arrives, until the client is gone.
async fn read(id: SocketId, from: SocketAddr, socket: Arc<UdpSocket>, arrivals: Arrivals) {
    // One octet more than a packet may have: a longer one is not cut to a valid one.
    let mut buffer = vec![0; MAX_LEN + 1];
    loop {
        // Interest in errors, without which a report by ICMP wakes nothing.
        let interest = Interest::READABLE | Interest::ERROR;
        let receive = || match recv(&socket, &mut *buffer, RecvFlags::DONTWAIT) {
            Ok((length, _)) => Ok(Some(length)),
            Err(Errno::WOULDBLOCK) => Err(io::ErrorKind::WouldBlock.into()),
            Err(_) => Ok(None),
        };
        let arrival = match socket.async_io(interest, receive).await {
            Ok(Some(length)) => Arrival::Datagram(buffer.get(..length).unwrap_or_default().to_vec()),
            Ok(None) => Arrival::Unreachable,
            // Tokio's own error: the runtime shuts down.
            Err(_) => return,
        };
        if arrivals.send((id, from, arrival)).await.is_err() {
            return;
        }
    }
}
