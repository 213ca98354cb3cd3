//! One raw GRE socket for all clients, read and written by the one thread that drives them.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, AsRawFd, RawFd};

use adit_sys::gre::{GreOptions, GreSocket, MAX_BATCH, RecvBatch, SendBatch};
use tokio::io::unix::AsyncFd;

/// The largest GRE packet, in octets.
const SLOT: usize = 2048;
/// Batches that are read before others get a turn.
const IN_A_ROW: usize = 4;

/// The socket and what waits to be sent.
pub(crate) struct Gre {
    socket: AsyncFd<Socket>,
    outgoing: RefCell<SendBatch>,
}

struct Socket(GreSocket);

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Gre {
    /// Opens the socket; inside of a runtime.
    pub(crate) fn open() -> anyhow::Result<Gre> {
        let socket = Socket(GreSocket::open(&GreOptions::default())?);
        #[expect(deprecated, reason = "the socket owns its descriptor, and nothing here is unsafe")]
        let socket = AsyncFd::new(socket)?;
        Ok(Gre { socket, outgoing: RefCell::new(SendBatch::new(MAX_BATCH, SLOT)) })
    }

    /// Queues one GRE packet; [`Gre::flush`] sends what is queued. `from` unspecified: as the routing table selects.
    pub(crate) fn send(&self, from: Ipv4Addr, to: Ipv4Addr, packet: &[u8]) {
        let from = Some(from).filter(|from| !from.is_unspecified());
        let mut batch = self.outgoing.borrow_mut();
        if batch.is_full() {
            self.socket.get_ref().0.send(&mut batch);
        }
        // A packet that does not fit a slot is dropped: the path makes none.
        let _ = batch.push(to, from, packet);
    }

    /// Sends what is queued.
    pub(crate) fn flush(&self) {
        let mut batch = self.outgoing.borrow_mut();
        if batch.pending() > 0 {
            self.socket.get_ref().0.send(&mut batch);
        }
    }

    /// Passes every packet that arrives to `each` and calls `after` at the end of each batch; never returns.
    pub(crate) async fn run(&self, mut each: impl FnMut(&mut [u8]), mut after: impl FnMut()) {
        let mut batch = RecvBatch::new(MAX_BATCH, SLOT);
        loop {
            let Ok(mut ready) = self.socket.readable().await else { return };
            for turn in 0..=IN_A_ROW {
                if turn == IN_A_ROW {
                    break;
                }
                match self.socket.get_ref().0.receive(&mut batch) {
                    Ok(0) => {
                        ready.clear_ready();
                        break;
                    }
                    Ok(_) => {
                        batch.packets().for_each(|packet| each(packet.gre));
                        after();
                        self.flush();
                    }
                    Err(error) => {
                        eprintln!("the GRE socket cannot be read: {error}");
                        return;
                    }
                }
            }
            drop(ready);
            tokio::task::yield_now().await;
        }
    }
}
