//! Packets of calls that are about to begin.
//!
//! The reply that accepts a call and the first GRE packet behind it come by different ways; the packet may be the one
//! that is looked at first. Lost, it would be repeated only after a restart period.

use adit_wire::LocalCallId;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Packets that wait for one call at the most: a peer begins with one or two.
const HELD: usize = 8;

/// Calls that were reserved and are not open yet.
#[derive(Debug, Default)]
pub(super) struct Early(BTreeMap<LocalCallId, Expected>);

#[derive(Debug)]
struct Expected {
    peer: Ipv4Addr,
    packets: Vec<Vec<u8>>,
}

impl Early {
    /// A call with `peer` may be opened soon.
    pub(super) fn expect(&mut self, call_id: LocalCallId, peer: Ipv4Addr) {
        self.0.insert(call_id, Expected { peer, packets: Vec::new() });
    }

    /// Keeps a packet; false when its call is not expected from this source, or has enough of them.
    pub(super) fn hold(&mut self, call_id: LocalCallId, source: Ipv4Addr, packet: &[u8]) -> bool {
        let Some(expected) = self.0.get_mut(&call_id) else { return false };
        let may_wait = expected.peer == source && expected.packets.len() < HELD;
        if may_wait {
            expected.packets.push(packet.to_vec());
        }
        may_wait
    }

    /// The call is not awaited any more; what came for it.
    pub(super) fn take(&mut self, call_id: LocalCallId) -> Vec<Vec<u8>> {
        self.0.remove(&call_id).map(|expected| expected.packets).unwrap_or_default()
    }
}
