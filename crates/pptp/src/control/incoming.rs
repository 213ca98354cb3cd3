//! Incoming calls (RFC 2637 sections 2.9 to 2.11), which a PAC reports to its PNS. VPN clients never receive
//! them; access concentrators send them.

use std::time::Instant;

use adit_diag::note::Who;
use adit_wire::pptp::{
    ErrorCode, IncomingCallConnected, IncomingCallReply, IncomingCallRequest, IncomingResult, Text,
};

use adit_wire::{LocalCallId, PeerCallId};

use super::calls::{Call, CallRole};
use super::events::{CallRequest, ControlEvent, End, Handle};
use super::{ControlConnection, error};

impl ControlConnection {
    /// PAC: places a call under our Call ID.
    pub(super) fn place_incoming(&mut self, now: Instant, handle: Handle, call_id: LocalCallId) {
        let call = &self.config.call;
        self.outbox.send(IncomingCallRequest {
            call_id: call_id.get(),
            serial: self.serial,
            bearer: call.bearer,
            physical_channel: 0,
            dialed_number: Text::new(&call.phone_number),
            dialing_number: Text::default(),
            subaddress: Text::new(&call.subaddress),
        });
        let deadline = now + self.config.call_timeout;
        self.calls.insert(handle, Call::IncomingRequested { local_id: call_id, deadline });
    }

    /// PNS: handles a call that the peer places.
    pub(super) fn incoming_request(&mut self, now: Instant, request: &IncomingCallRequest) {
        let peer_id = PeerCallId::new(request.call_id);
        if !self.config.accept_incoming {
            return self.incoming_answer(None, peer_id, IncomingResult::DoNotAccept, ErrorCode::None);
        }
        if let Some(error) = self.cannot_take(peer_id) {
            return self.incoming_answer(None, peer_id, IncomingResult::GeneralError, error);
        }
        let handle = self.calls.new_handle();
        let deadline = now + self.config.call_timeout;
        self.calls.insert(handle, Call::IncomingOffered { peer_id, deadline });
        let request = CallRequest::Incoming(request.clone());
        self.outbox.push_event(ControlEvent::CallRequested { handle, request });
    }

    /// PNS: accepts the call.
    pub(super) fn accept_incoming(
        &mut self,
        now: Instant,
        handle: Handle,
        local_id: LocalCallId,
        peer_id: PeerCallId,
    ) {
        let deadline = now + self.config.call_timeout;
        self.calls.insert(handle, Call::IncomingAccepted { local_id, peer_id, deadline });
        self.incoming_answer(Some(local_id), peer_id, IncomingResult::Connect, ErrorCode::None);
    }

    /// PNS: sends the reply; a refusal has no local Call ID.
    pub(super) fn incoming_answer(
        &mut self,
        call_id: Option<LocalCallId>,
        peer_id: PeerCallId,
        result: IncomingResult,
        error: ErrorCode,
    ) {
        self.outbox.send(IncomingCallReply {
            call_id: call_id.map_or(0, LocalCallId::get),
            peer_call_id: peer_id.get(),
            result,
            error,
            window: if result == IncomingResult::Connect { self.config.call.window } else { 0 },
            transmit_delay: 0,
        });
    }

    /// PAC: handles the reply to our request.
    pub(super) fn incoming_reply(&mut self, reply: &IncomingCallReply) {
        let local_id = LocalCallId::new(reply.peer_call_id);
        let peer_id = PeerCallId::new(reply.call_id);
        let offered = self.calls.find(
            |call| matches!(call, Call::IncomingRequested { local_id: asked, .. } if *asked == local_id),
        );
        let Some(handle) = offered else {
            self.counters.ignored += 1;
            return;
        };
        self.calls.remove(handle);
        if reply.result != IncomingResult::Connect {
            return self.call_ended(handle, &error::incoming_refused(reply));
        }
        self.call_up(handle, Call::Up { side: CallRole::Pac, local_id, peer_id }, reply.window);
        self.outbox.send(IncomingCallConnected {
            peer_call_id: peer_id.get(),
            connect_speed: self.config.call.maximum_bps,
            window: self.config.call.window,
            transmit_delay: 0,
            framing: self.config.call.framing,
        });
    }

    /// PNS: handles a connected call.
    pub(super) fn incoming_connected(&mut self, connected: &IncomingCallConnected) {
        let accepted = self.calls.iter().find_map(|(handle, call)| match *call {
            Call::IncomingAccepted { local_id, peer_id, .. }
                if local_id == LocalCallId::new(connected.peer_call_id) =>
            {
                Some((handle, local_id, peer_id))
            }
            _ => None,
        });
        match accepted {
            Some((handle, local_id, peer_id)) => {
                self.call_up(handle, Call::Up { side: CallRole::Pns, local_id, peer_id }, connected.window);
            }
            None => self.counters.ignored += 1,
        }
    }

    /// PNS: drops a request that was not answered in time, or is no longer needed.
    pub(super) fn drop_incoming_offer(&mut self, handle: Handle, peer_id: PeerCallId, end: &End) {
        self.calls.remove(handle);
        if end.by != Who::Peer {
            self.incoming_answer(None, peer_id, IncomingResult::GeneralError, ErrorCode::NoResource);
        }
        self.call_ended(handle, end);
    }
}
