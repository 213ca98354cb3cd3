//! Orders to a worker.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use adit_sys::poll::Waker;
use adit_sys::tun::Tun;
use adit_tunnel::path::{PathCommand, PathConfig};
use adit_wire::LocalCallId;
use ipnet::{IpNet, Ipv4Net};

use crate::counters::SharedCounters;

/// The most orders that wait for one worker.
pub(crate) const WAITING: usize = 4096;

/// An order.
#[derive(Debug)]
pub(crate) enum Order {
    /// A call with this peer may begin soon: hold its first packets.
    Expect(LocalCallId, Ipv4Addr),
    /// Open a call.
    Open(Box<Open>),
    /// Pass a command to the path of a call.
    Path(LocalCallId, PathCommand),
    /// Send a PPP control frame to the peer.
    Frame(LocalCallId, Vec<u8>),
    /// Send an IP packet to the peer; it follows the headroom that a path needs.
    Packet(LocalCallId, Vec<u8>),
    /// Close a call.
    Close(LocalCallId),
    /// Set the destinations of a call, replacing the earlier ones.
    Routes(LocalCallId, Vec<IpNet>),
    /// Set the pools.
    Pools(Vec<Ipv4Net>),
    /// Use this queue of a new TUN interface; read from it too, if it is the worker's own.
    Tun {
        /// The queue.
        tun: Arc<Tun>,
        /// Whether to read from it.
        reads: bool,
    },
    /// Show that the worker executes orders, with this number.
    Beat(u64),
    /// Stop the thread.
    Stop,
}

/// The parameters of an [`Order::Open`].
#[derive(Debug)]
pub(crate) struct Open {
    /// Our address towards the peer, the source of what we send; if unspecified, the routing table selects
    /// it.
    pub(crate) local: Ipv4Addr,
    pub(crate) peer: Ipv4Addr,
    pub(crate) config: PathConfig,
    pub(crate) counters: Arc<SharedCounters>,
}

/// The sending end of a worker's order queue.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    sender: SyncSender<Order>,
    waker: Waker,
}

/// Creates a queue of orders for the worker that waits on `waker`.
pub(crate) fn queue(waker: Waker) -> (Orders, Receiver<Order>) {
    let (sender, receiver) = sync_channel(WAITING);
    (Orders { sender, waker }, receiver)
}

impl Orders {
    /// Sends an order that must arrive. Waits while the queue is full, which is short because workers do not
    /// block.
    pub(crate) fn give(&self, order: Order) {
        // An error means that the worker has stopped, and nothing needs to be done.
        if self.sender.send(order).is_ok() {
            self.waker.wake();
        }
    }

    /// Sends an order that may be lost; false if it is.
    pub(crate) fn try_give(&self, order: Order) -> bool {
        let given = self.sender.try_send(order).is_ok();
        if given {
            self.waker.wake();
        }
        given
    }
}
