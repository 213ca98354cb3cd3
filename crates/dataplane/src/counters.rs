//! Counters that a worker writes and others read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use adit_diag::Counters;
use adit_policy::reach::Hits;

use crate::unmatched::UnmatchedPackets;

/// GRE packets and messages that belong to no call, or found no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// GRE packets with a Call ID of no call.
    pub unknown_call: u64,
    /// GRE packets of a call from an address that is not its peer's.
    pub spoofed: u64,
    /// GRE packets that are none of PPTP's, and damaged ones.
    pub malformed: u64,
    /// Messages between workers and their owner that found a full queue.
    pub queue_full: u64,
    /// IP packets from the host that belong to no call.
    pub no_route: u64,
    /// Packets that the host's kernel did not take.
    pub refused: u64,
    /// GRE packets that the host's kernel dropped because the receive buffer was full, or because they did not fit a frame of
    /// AF_XDP. Read at most once a second, and only while a worker has work.
    pub overflowed: u64,
}

/// [`Drops`] in the making.
#[derive(Debug, Default)]
pub(crate) struct SharedDrops {
    pub(crate) unknown_call: AtomicU64,
    pub(crate) spoofed: AtomicU64,
    pub(crate) malformed: AtomicU64,
    pub(crate) queue_full: AtomicU64,
    pub(crate) no_route: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) overflowed: AtomicU64,
    /// Packets that AF_XDP left to the socket. None of them is lost.
    pub(crate) left_by_xdp: AtomicU64,
    pub(crate) unmatched: UnmatchedPackets,
}

impl SharedDrops {
    pub(crate) fn read(&self) -> Drops {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Drops {
            unknown_call: get(&self.unknown_call),
            spoofed: get(&self.spoofed),
            malformed: get(&self.malformed),
            queue_full: get(&self.queue_full),
            no_route: get(&self.no_route),
            refused: get(&self.refused),
            overflowed: get(&self.overflowed),
        }
    }
}

/// Adds to a counter of [`SharedDrops`].
pub(crate) fn count(counter: &AtomicU64, by: u64) {
    if by > 0 {
        counter.fetch_add(by, Ordering::Relaxed);
    }
}

/// The counters of one call, as its worker last published them. A reader may see one counter newer than another.
#[derive(Debug, Default)]
pub(crate) struct SharedCounters {
    counters: [AtomicU64; FIELDS],
    /// What the rules have decided. Locked at the end of a turn and to be read, never for a packet.
    hits: Mutex<Hits>,
}

/// The counters of a closed call.
#[derive(Debug)]
pub struct LastCounters(pub(crate) Arc<SharedCounters>);

impl LastCounters {
    /// Reads the counters. They are final once the worker has executed the close, one turn after the call was
    /// closed.
    pub fn read(&self) -> Counters {
        self.0.read()
    }

    /// What the rules have decided, with the same reservation.
    pub fn hits(&self) -> Hits {
        self.0.hits()
    }
}

const FIELDS: usize = 22;

impl SharedCounters {
    pub(crate) fn publish(&self, counters: &Counters) {
        for (shared, value) in self.counters.iter().zip(to_array(counters)) {
            shared.store(value, Ordering::Relaxed);
        }
    }

    /// Publishes what the rules have decided, if that has changed. While it is being read, the next turn does so; `is_last`
    /// waits instead.
    pub(crate) fn publish_hits(&self, hits: &mut Hits, is_last: bool) {
        let shared = if is_last { Some(self.lock_hits()) } else { self.hits.try_lock().ok() };
        if let Some(mut shared) = shared
            && hits.take_changed()
        {
            shared.copy_from(hits);
        }
    }

    pub(crate) fn hits(&self) -> Hits {
        self.lock_hits().clone()
    }

    fn lock_hits(&self) -> MutexGuard<'_, Hits> {
        self.hits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read(&self) -> Counters {
        let [
            rx_packets,
            rx_bytes,
            tx_packets,
            tx_bytes,
            rx_frames,
            tx_frames,
            lost,
            reordered,
            duplicate,
            out_of_window,
            malformed,
            decrypt_failures,
            throttled,
            clear_refused,
            not_up,
            spoofed,
            acl_denied,
            acl_unicast,
            acl_last,
            too_big,
            window_full,
            fragmented,
        ] = self.counters.each_ref().map(|shared| shared.load(Ordering::Relaxed));
        Counters {
            rx_packets,
            rx_bytes,
            tx_packets,
            tx_bytes,
            rx_frames,
            tx_frames,
            lost,
            reordered,
            duplicate,
            out_of_window,
            malformed,
            decrypt_failures,
            throttled,
            clear_refused,
            not_up,
            spoofed,
            acl_denied,
            acl_unicast,
            acl_last,
            too_big,
            window_full,
            fragmented,
        }
    }
}

fn to_array(counters: &Counters) -> [u64; FIELDS] {
    let Counters {
        rx_packets,
        rx_bytes,
        tx_packets,
        tx_bytes,
        rx_frames,
        tx_frames,
        lost,
        reordered,
        duplicate,
        out_of_window,
        malformed,
        decrypt_failures,
        throttled,
        clear_refused,
        not_up,
        spoofed,
        acl_denied,
        acl_unicast,
        acl_last,
        too_big,
        window_full,
        fragmented,
    } = *counters;
    [
        rx_packets,
        rx_bytes,
        tx_packets,
        tx_bytes,
        rx_frames,
        tx_frames,
        lost,
        reordered,
        duplicate,
        out_of_window,
        malformed,
        decrypt_failures,
        throttled,
        clear_refused,
        not_up,
        spoofed,
        acl_denied,
        acl_unicast,
        acl_last,
        too_big,
        window_full,
        fragmented,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_read() {
        let counters = Counters { rx_packets: 1, tx_bytes: 2, lost: 3, fragmented: 4, ..Counters::default() };
        let shared = SharedCounters::default();
        shared.publish(&counters);
        assert_eq!(shared.read(), counters);
    }
}
