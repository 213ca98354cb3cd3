//! The calls of a control connection, by handle.

use std::time::Instant;

use adit_wire::{LocalCallId, PeerCallId};

use super::events::Handle;

/// Which end of a call we are, in the RFC's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallRole {
    /// PPTP Network Server: ends a call with Call-Clear-Request.
    Pns,
    /// PPTP Access Concentrator: ends a call with Call-Disconnect-Notify.
    Pac,
}

/// The state of a call (RFC 2637 section 3.2). Idle is not in the table.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Outgoing-Call-Request received; the caller of the machine is asked. We are the PAC.
    OutgoingOffered { peer_id: PeerCallId, maximum_bps: u32, window: u16, deadline: Instant },
    /// Outgoing-Call-Request sent; waiting for its reply. We are the PNS.
    OutgoingRequested {
        local_id: LocalCallId,
        /// A reply was received that contains this other Call ID: a device on the path rewrites Call IDs.
        unmatched: Option<u16>,
        deadline: Instant,
    },
    /// Incoming-Call-Request received; the caller of the machine is asked. We are the PNS.
    IncomingOffered { peer_id: PeerCallId, deadline: Instant },
    /// Incoming-Call-Reply sent; waiting for Incoming-Call-Connected. We are the PNS.
    IncomingAccepted { local_id: LocalCallId, peer_id: PeerCallId, deadline: Instant },
    /// Incoming-Call-Request sent; waiting for its reply. We are the PAC.
    IncomingRequested { local_id: LocalCallId, deadline: Instant },
    /// Connected.
    Up { side: CallRole, local_id: LocalCallId, peer_id: PeerCallId },
    /// Call-Clear-Request sent; waiting for Call-Disconnect-Notify. The call is already reported as ended.
    Clearing { local_id: LocalCallId, peer_id: Option<PeerCallId>, deadline: Instant },
}

impl Call {
    /// The Call ID that we allocated.
    pub(super) fn local_id(&self) -> Option<LocalCallId> {
        match *self {
            Call::OutgoingOffered { .. } | Call::IncomingOffered { .. } => None,
            Call::OutgoingRequested { local_id, .. }
            | Call::IncomingAccepted { local_id, .. }
            | Call::IncomingRequested { local_id, .. }
            | Call::Up { local_id, .. }
            | Call::Clearing { local_id, .. } => Some(local_id),
        }
    }

    /// The Call ID that the peer allocated.
    pub(super) fn peer_id(&self) -> Option<PeerCallId> {
        match *self {
            Call::OutgoingRequested { .. } | Call::IncomingRequested { .. } => None,
            Call::OutgoingOffered { peer_id, .. }
            | Call::IncomingOffered { peer_id, .. }
            | Call::IncomingAccepted { peer_id, .. }
            | Call::Up { peer_id, .. } => Some(peer_id),
            Call::Clearing { peer_id, .. } => peer_id,
        }
    }

    /// When this state must be left at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match *self {
            Call::Up { .. } => None,
            Call::OutgoingOffered { deadline, .. }
            | Call::OutgoingRequested { deadline, .. }
            | Call::IncomingOffered { deadline, .. }
            | Call::IncomingAccepted { deadline, .. }
            | Call::IncomingRequested { deadline, .. }
            | Call::Clearing { deadline, .. } => Some(deadline),
        }
    }

    /// Whether the end of the call is still to be reported.
    pub(super) fn is_alive(&self) -> bool {
        !matches!(self, Call::Clearing { .. })
    }
}

/// The calls, at most `max_calls` of the configuration.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Sorted by handle. Most connections have one call, so no spare capacity is kept.
    calls: Vec<(Handle, Call)>,
    next: Handle,
}

impl Calls {
    pub(super) fn new_handle(&mut self) -> Handle {
        let handle = self.next;
        self.next = self.next.wrapping_add(1);
        handle
    }

    pub(super) fn insert(&mut self, handle: Handle, call: Call) {
        match self.place(handle) {
            Ok(at) => {
                if let Some((_, there)) = self.calls.get_mut(at) {
                    *there = call;
                }
            }
            Err(at) => {
                self.calls.reserve_exact(1);
                self.calls.insert(at, (handle, call));
            }
        }
    }

    /// The index of the call, or where to insert it.
    fn place(&self, handle: Handle) -> Result<usize, usize> {
        self.calls.binary_search_by_key(&handle, |(handle, _)| *handle)
    }

    pub(super) fn get(&self, handle: Handle) -> Option<&Call> {
        self.calls.get(self.place(handle).ok()?).map(|(_, call)| call)
    }

    pub(super) fn remove(&mut self, handle: Handle) -> Option<Call> {
        self.place(handle).ok().map(|at| self.calls.remove(at).1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Handle, &Call)> {
        self.calls.iter().map(|(handle, call)| (*handle, call))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Call> {
        self.calls.iter_mut().map(|(_, call)| call)
    }

    pub(super) fn find(&self, mut wanted: impl FnMut(&Call) -> bool) -> Option<Handle> {
        self.iter().find(|(_, call)| wanted(call)).map(|(handle, _)| handle)
    }

    pub(super) fn handles(&self) -> Vec<Handle> {
        self.calls.iter().map(|(handle, _)| *handle).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The call that a Call-Disconnect-Notify refers to. According to the RFC it contains the PAC's Call ID;
    /// NAT helpers and some servers insert that of the PNS. With a single call the reference is clear
    /// whatever the message contains.
    pub(super) fn disconnected(&self, call_id: u16) -> Option<Handle> {
        self.find(|call| call.peer_id() == Some(PeerCallId::new(call_id)))
            .or_else(|| self.find(|call| call.local_id() == Some(LocalCallId::new(call_id))))
            .or(match self.calls.as_slice() {
                [(handle, _)] => Some(*handle),
                _ => None,
            })
    }

    /// The earliest deadline of any call.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.calls.iter().filter_map(|(_, call)| call.deadline()).min()
    }
}
