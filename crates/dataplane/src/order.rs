//! What a worker is told.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use adit_sys::poll::Waker;
use adit_tunnel::path::{PathCommand, PathConfig};
use adit_wire::LocalCallId;
use ipnet::{IpNet, Ipv4Net};

use crate::counters::SharedCounters;

/// Orders that may wait for one worker.
pub(crate) const WAITING: usize = 4096;

/// One order.
#[derive(Debug)]
pub(crate) enum Order {
    /// A call with this peer may begin soon: its first packets wait for it.
    Expect(LocalCallId, Ipv4Addr),
    /// A call begins.
    Open(Box<Open>),
    /// For the path of a call.
    Path(LocalCallId, PathCommand),
    /// A PPP control frame for the peer.
    Frame(LocalCallId, Vec<u8>),
    /// An IP packet for the peer, behind the headroom that a path wants.
    Packet(LocalCallId, Vec<u8>),
    /// A call ends.
    Close(LocalCallId),
    /// The destinations of a call: these and no others.
    Routes(LocalCallId, Vec<IpNet>),
    /// The pools.
    Pools(Vec<Ipv4Net>),
    /// The thread ends.
    Stop,
}

/// How a call begins.
#[derive(Debug)]
pub(crate) struct Open {
    /// Our address towards the peer, the source of what we send; unspecified: whatever the route says.
    pub(crate) local: Ipv4Addr,
    pub(crate) peer: Ipv4Addr,
    pub(crate) config: PathConfig,
    pub(crate) counters: Arc<SharedCounters>,
}

/// Where to give a worker its orders.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    sender: SyncSender<Order>,
    waker: Waker,
}

/// A queue of orders for the worker that listens to `waker`.
pub(crate) fn queue(waker: Waker) -> (Orders, Receiver<Order>) {
    let (sender, receiver) = sync_channel(WAITING);
    (Orders { sender, waker }, receiver)
}

impl Orders {
    /// Gives an order that must arrive. Waits while the queue is full: the worker never waits for us, so not for long.
    pub(crate) fn give(&self, order: Order) {
        // An error means that the worker has stopped, and then nothing is to be done any more.
        if self.sender.send(order).is_ok() {
            self.waker.wake();
        }
    }

    /// Gives an order that may be lost; false when it is.
    pub(crate) fn try_give(&self, order: Order) -> bool {
        let given = self.sender.try_send(order).is_ok();
        if given {
            self.waker.wake();
        }
        given
    }
}
