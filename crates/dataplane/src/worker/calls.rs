//! The calls of a worker.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use adit_tunnel::path::Path;
use adit_wire::{LocalCallId, PeerCallId};

use crate::counters::SharedCounters;
use crate::order::Open;

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) path: Path,
    /// The source of what we send; `None` if the routing table selects it.
    pub(super) local: Option<Ipv4Addr>,
    pub(super) peer: Ipv4Addr,
    pub(super) counters: Arc<SharedCounters>,
    /// The next deadline for which a timer is armed.
    pub(super) armed: Option<Instant>,
    pub(super) reported_acknowledged: bool,
    pub(super) reported_unreachable: Option<Instant>,
    touched: bool,
}

impl Call {
    pub(super) fn new(now: Instant, open: Open) -> Call {
        Call {
            path: Path::new(open.config, now),
            local: Some(open.local).filter(|local| !local.is_unspecified()),
            peer: open.peer,
            counters: open.counters,
            armed: None,
            reported_acknowledged: false,
            reported_unreachable: None,
            touched: false,
        }
    }
}

/// All calls, indexed by Call ID.
#[derive(Debug)]
pub(super) struct Calls {
    /// From the Call ID to its place: 0 for none, else one more than the index into `places`.
    index: Vec<u32>,
    places: Vec<Option<Call>>,
    free: Vec<u32>,
    /// Our Call IDs, by the peer's address and Call ID.
    by_peer: BTreeMap<(Ipv4Addr, PeerCallId), LocalCallId>,
    /// Calls that were active in this turn, each once.
    touched: Vec<LocalCallId>,
}

impl Calls {
    pub(super) fn new() -> Calls {
        Calls {
            index: vec![0; 1 << 16],
            places: Vec::new(),
            free: Vec::new(),
            by_peer: BTreeMap::new(),
            touched: Vec::new(),
        }
    }

    /// Adds a call; replaces one with the same Call ID.
    pub(super) fn open(&mut self, call_id: LocalCallId, call: Call) {
        self.close(call_id);
        self.by_peer.insert((call.peer, call.path.peer_call_id()), call_id);
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.places.push(None);
                self.places.len() as u32 - 1
            }
        };
        if let (Some(slot), Some(entry)) =
            (self.places.get_mut(place as usize), self.index.get_mut(call_id.index()))
        {
            *slot = Some(call);
            *entry = place + 1;
        }
    }

    /// Removes a call.
    pub(super) fn close(&mut self, call_id: LocalCallId) {
        let Some(entry) = self.index.get_mut(call_id.index()) else { return };
        let Some(place) = std::mem::take(entry).checked_sub(1) else { return };
        if let Some(mut call) = self.places.get_mut(place as usize).and_then(Option::take) {
            call.counters.publish(&call.path.counters());
            call.counters.publish_hits(call.path.hits(), true);
            self.free.push(place);
            let key = (call.peer, call.path.peer_call_id());
            if self.by_peer.get(&key) == Some(&call_id) {
                self.by_peer.remove(&key);
            }
        }
    }

    /// The call, marked as active in this turn.
    pub(super) fn touch(&mut self, call_id: LocalCallId) -> Option<&mut Call> {
        let place = self.index.get(call_id.index())?.checked_sub(1)?;
        let call = self.places.get_mut(place as usize)?.as_mut()?;
        if !std::mem::replace(&mut call.touched, true) {
            self.touched.push(call_id);
        }
        Some(call)
    }

    /// The call, without marking it.
    pub(super) fn get_mut(&mut self, call_id: LocalCallId) -> Option<&mut Call> {
        let place = self.index.get(call_id.index())?.checked_sub(1)?;
        self.places.get_mut(place as usize)?.as_mut()
    }

    /// Our Call ID of the call for the peer's Call ID.
    pub(super) fn find(&self, peer: Ipv4Addr, peer_call_id: PeerCallId) -> Option<LocalCallId> {
        self.by_peer.get(&(peer, peer_call_id)).copied()
    }

    /// Calls `each` for every call marked since the last time.
    pub(super) fn settle(&mut self, mut each: impl FnMut(LocalCallId, &mut Call)) {
        for call_id in self.touched.drain(..) {
            let place = self.index.get(call_id.index()).and_then(|place| place.checked_sub(1));
            let call = place.and_then(|place| self.places.get_mut(place as usize)?.as_mut());
            if let Some(call) = call.filter(|call| call.touched) {
                call.touched = false;
                each(call_id, call);
            }
        }
    }
}
