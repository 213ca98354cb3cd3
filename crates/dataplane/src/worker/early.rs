//! Packets of calls that are about to begin.
//!
//! The reply that accepts a call and the first GRE packet after it are processed by different threads; the
//! packet may be processed first. If it were dropped, it would be repeated only after a restart period.

use adit_wire::LocalCallId;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The most packets that are held for one call: a peer begins with one or two.
const HELD: usize = 8;

/// Reserved calls that are not open yet.
#[derive(Debug, Default)]
pub(super) struct Early(BTreeMap<LocalCallId, Expected>);

#[derive(Debug)]
struct Expected {
    peer: Ipv4Addr,
    packets: Vec<Vec<u8>>,
}

impl Early {
    /// Registers a call with `peer` that may be opened soon.
    pub(super) fn expect(&mut self, call_id: LocalCallId, peer: Ipv4Addr) {
        self.0.insert(call_id, Expected { peer, packets: Vec::new() });
    }

    /// Holds a packet; false if its call is not expected from this source, or the limit is reached.
    pub(super) fn hold(&mut self, call_id: LocalCallId, source: Ipv4Addr, packet: &[u8]) -> bool {
        let Some(expected) = self.0.get_mut(&call_id) else { return false };
        let may_wait = expected.peer == source && expected.packets.len() < HELD;
        if may_wait {
            expected.packets.push(packet.to_vec());
        }
        may_wait
    }

    /// Removes a call; returns its packets.
    pub(super) fn take(&mut self, call_id: LocalCallId) -> Vec<Vec<u8>> {
        self.0.remove(&call_id).map(|expected| expected.packets).unwrap_or_default()
    }
}
