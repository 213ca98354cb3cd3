//! GRE packets that belong to no call, as evidence about a call that receives nothing.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The most pairs of source and Call ID that are kept; the one seen the longest ago is removed first.
const REMEMBERED: usize = 64;

/// The most recent unmatched packets.
#[derive(Debug, Default)]
pub(crate) struct UnmatchedPackets(Mutex<VecDeque<Seen>>);

/// The source and Call ID of a GRE packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) source: Ipv4Addr,
    pub(crate) call_id: u16,
    at: Instant,
}

impl UnmatchedPackets {
    /// Adds a packet. A worker never waits here: if another one holds the lock, the packet is not recorded.
    pub(crate) fn note(&self, now: Instant, source: Ipv4Addr, call_id: u16) {
        let Ok(mut seen) = self.0.try_lock() else { return };
        let known = seen.iter_mut().find(|seen| (seen.source, seen.call_id) == (source, call_id));
        if let Some(known) = known {
            known.at = now;
            return;
        }
        if seen.len() >= REMEMBERED {
            let oldest = seen.iter().enumerate().min_by_key(|(_, seen)| seen.at).map(|(index, _)| index);
            oldest.map(|index| seen.swap_remove_back(index));
        }
        seen.push_back(Seen { source, call_id, at: now });
    }

    /// The packets seen since `since`.
    pub(crate) fn since(&self, since: Instant) -> Vec<Seen> {
        self.seen().iter().filter(|seen| seen.at >= since).copied().collect()
    }

    fn seen(&self) -> MutexGuard<'_, VecDeque<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_the_most_recent_are_kept() {
        let (unmatched, start) = (UnmatchedPackets::default(), Instant::now());
        for n in 0..1000u16 {
            let at = start + Duration::from_millis(u64::from(n));
            unmatched.note(at, Ipv4Addr::new(192, 0, 2, 1), n);
            unmatched.note(at, Ipv4Addr::new(192, 0, 2, 2), 7);
        }
        let seen = unmatched.since(start);
        assert_eq!(seen.len(), REMEMBERED);
        assert!(seen.iter().any(|seen| seen.call_id == 999), "the newest");
        assert!(seen.iter().any(|seen| seen.call_id == 7), "one that repeats");
        assert!(unmatched.since(start + Duration::from_secs(1)).is_empty());
    }
}
