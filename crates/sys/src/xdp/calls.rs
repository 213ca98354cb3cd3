//! The calls whose packets are redirected to AF_XDP.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use super::bpf;
use super::program::{CALLS, GATE};

/// The calls whose packets are redirected to AF_XDP, by Call ID and address of the peer, and whether AF_XDP is used at all.
/// All other packets are left to the kernel: they may belong to another program, or to a host behind this one.
#[derive(Debug)]
pub struct CallSet {
    map: OwnedFd,
    /// What the entry of the gate says, for senders.
    open: AtomicBool,
}

impl CallSet {
    /// Creates an empty set; AF_XDP is used.
    pub(super) fn new() -> io::Result<CallSet> {
        let map = bpf::number_map(CALLS)?;
        bpf::set(map.as_fd(), GATE, 1)?;
        Ok(CallSet { map, open: AtomicBool::new(true) })
    }

    /// Redirects packets of `peer` with this Call ID from now on.
    pub fn insert(&self, call_id: u16, peer: Ipv4Addr) {
        // As the program loads it from the packet.
        self.set(u32::from(call_id), u32::from_ne_bytes(peer.octets()));
    }

    /// Leaves packets with this Call ID to the kernel from now on.
    pub fn remove(&self, call_id: u16) {
        self.set(u32::from(call_id), 0);
    }

    /// Uses AF_XDP for the calls in the set, or leaves all packets to the kernel, from now on. What is in the rings
    /// already still takes the old path.
    pub fn use_xdp(&self, yes: bool) {
        self.open.store(yes, Ordering::Relaxed);
        self.set(GATE, u32::from(yes));
    }

    /// Whether AF_XDP is used.
    pub fn uses_xdp(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn map(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }

    /// Sets an entry. The map has space for every key, so this cannot fail. If it did, the raw socket would receive the
    /// packets.
    fn set(&self, key: u32, value: u32) {
        let _ = bpf::set(self.map.as_fd(), key, value);
    }
}
