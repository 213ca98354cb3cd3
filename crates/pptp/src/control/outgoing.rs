//! Outgoing calls (RFC 2637 section 3.2.4), with which a client calls its server.

use core::time::Duration;
use std::time::Instant;

use adit_diag::Side;
use adit_diag::note::Who;
use adit_wire::pptp::{ErrorCode, OutgoingCallReply, OutgoingCallRequest, OutgoingResult, Text};

use adit_wire::{LocalCallId, PeerCallId};

use super::calls::{Call, CallRole};
use super::events::{CallRequest, ControlEvent, End, Handle};
use super::{ControlConnection, error};

/// After a reply to the request of another host, the reply to ours may follow within this time.
const UNMATCHED: Duration = Duration::from_secs(3);

impl ControlConnection {
    /// PNS: places a call under our Call ID.
    pub(super) fn place_outgoing(&mut self, now: Instant, handle: Handle, call_id: LocalCallId) {
        let call = &self.config.call;
        self.outbox.send(OutgoingCallRequest {
            call_id: call_id.get(),
            serial: self.serial,
            minimum_bps: call.minimum_bps,
            maximum_bps: call.maximum_bps,
            bearer: call.bearer,
            framing: call.framing,
            window: call.window,
            processing_delay: 0,
            phone_number: Text::new(&call.phone_number),
            subaddress: Text::new(&call.subaddress),
        });
        let deadline = now + self.config.call_timeout;
        self.calls.insert(handle, Call::OutgoingRequested { local_id: call_id, unmatched: None, deadline });
    }

    /// PAC: handles a request for a call.
    pub(super) fn outgoing_request(&mut self, now: Instant, request: &OutgoingCallRequest) {
        let peer_id = PeerCallId::new(request.call_id);
        if self.config.role == Side::Client {
            return self.refuse_outgoing(peer_id, OutgoingResult::DoNotAccept, ErrorCode::None);
        }
        if let Some(error) = self.cannot_take(peer_id) {
            return self.refuse_outgoing(peer_id, OutgoingResult::GeneralError, error);
        }
        let handle = self.calls.new_handle();
        let deadline = now + self.config.call_timeout;
        let OutgoingCallRequest { maximum_bps, window, .. } = *request;
        self.calls.insert(handle, Call::OutgoingOffered { peer_id, maximum_bps, window, deadline });
        let request = CallRequest::Outgoing(request.clone());
        self.outbox.push_event(ControlEvent::CallRequested { handle, request });
    }

    /// Why another call of the peer cannot be accepted, if so. An existing call is never affected.
    pub(super) fn cannot_take(&self, peer_id: PeerCallId) -> Option<ErrorCode> {
        if self.calls.find(|call| call.peer_id() == Some(peer_id)).is_some() {
            Some(ErrorCode::BadCallId)
        } else if self.calls.len() >= self.config.max_calls {
            Some(ErrorCode::NoResource)
        } else {
            None
        }
    }

    /// PAC: accepts the call.
    pub(super) fn accept_outgoing(
        &mut self,
        handle: Handle,
        local_id: LocalCallId,
        peer_id: PeerCallId,
        bps: u32,
        window: u16,
    ) {
        self.call_up(handle, Call::Up { side: CallRole::Pac, local_id, peer_id }, window);
        let ours = self.config.call.maximum_bps;
        self.outbox.send(OutgoingCallReply {
            connect_speed: if bps == 0 { ours } else { bps.min(ours) },
            window: self.config.call.window,
            ..OutgoingCallReply::connected(local_id.get(), peer_id.get())
        });
    }

    /// PAC: sends a reply that refuses the call.
    pub(super) fn refuse_outgoing(&mut self, peer_id: PeerCallId, result: OutgoingResult, error: ErrorCode) {
        self.outbox.send(OutgoingCallReply::refused(peer_id.get(), result, error));
    }

    /// PNS: handles the reply to our request.
    pub(super) fn outgoing_reply(&mut self, now: Instant, reply: &OutgoingCallReply) {
        let connected = reply.result == OutgoingResult::Connected;
        let asked = self.calls.find(|call| call.local_id() == Some(LocalCallId::new(reply.peer_call_id)));
        match asked.and_then(|handle| self.calls.get(handle).map(|call| (handle, call))) {
            Some((handle, Call::OutgoingRequested { local_id, .. })) => {
                let local_id = *local_id;
                self.calls.remove(handle);
                if connected {
                    let call =
                        Call::Up { side: CallRole::Pns, local_id, peer_id: PeerCallId::new(reply.call_id) };
                    self.call_up(handle, call, reply.window);
                } else {
                    self.call_ended(handle, &error::outgoing_refused(reply));
                }
            }
            // We abandoned the call before the reply arrived.
            Some((handle, Call::Clearing { local_id, peer_id: None, deadline })) => {
                let (local_id, deadline) = (*local_id, *deadline);
                self.calls.remove(handle);
                if connected {
                    let peer_id = Some(PeerCallId::new(reply.call_id));
                    self.calls.insert(handle, Call::Clearing { local_id, peer_id, deadline });
                }
            }
            _ => {
                self.counters.ignored += 1;
                for call in self.calls.iter_mut() {
                    if let Call::OutgoingRequested { unmatched, deadline, .. } = call {
                        unmatched.get_or_insert(reply.peer_call_id);
                        *deadline = (*deadline).min(now + UNMATCHED);
                    }
                }
            }
        }
    }

    /// PAC: drops a request that was not answered in time, or is no longer needed.
    pub(super) fn drop_outgoing_offer(&mut self, handle: Handle, peer_id: PeerCallId, end: &End) {
        self.calls.remove(handle);
        if end.by != Who::Peer {
            self.refuse_outgoing(peer_id, OutgoingResult::GeneralError, ErrorCode::NoResource);
        }
        self.call_ended(handle, end);
    }
}
