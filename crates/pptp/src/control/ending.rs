//! Acceptance, refusal and end of calls and control connections.

use std::time::Instant;

use adit_diag::note::Who;
use adit_diag::{Code, Side};
use adit_wire::pptp::{
    CallClearRequest, CallDisconnectNotify, DisconnectResult, ErrorCode, StopControlConnectionRequest,
    StopReason, Text,
};
use adit_wire::text::escape;
use adit_wire::{LocalCallId, PeerCallId};

use super::calls::{Call, CallRole};
use super::events::{CallEnd, ControlEvent, End, Handle, Refusal};
use super::outbox::Overflow;
use super::state::State;
use super::{ControlConnection, error};

impl ControlConnection {
    pub(super) fn accept(&mut self, now: Instant, handle: Handle, call_id: LocalCallId) {
        match self.calls.get(handle) {
            Some(&Call::OutgoingOffered { peer_id, maximum_bps, window, .. }) => {
                self.accept_outgoing(handle, call_id, peer_id, maximum_bps, window);
            }
            Some(&Call::IncomingOffered { peer_id, .. }) => {
                self.accept_incoming(now, handle, call_id, peer_id)
            }
            _ => {}
        }
    }

    pub(super) fn refuse(&mut self, handle: Handle, refusal: &Refusal) {
        match self.calls.get(handle) {
            Some(&Call::OutgoingOffered { peer_id, .. }) => {
                let (result, error) = error::outgoing_refusal(refusal);
                self.refuse_outgoing(peer_id, result, error);
            }
            Some(&Call::IncomingOffered { peer_id, .. }) => {
                let (result, error) = error::incoming_refusal(refusal);
                self.incoming_answer(None, peer_id, result, error);
            }
            _ => return,
        }
        self.calls.remove(handle);
        self.call_ended(handle, &End::new(Who::Us, Some(refusal.code), refusal.detail.clone()));
    }

    pub(super) fn place(&mut self, now: Instant, call_id: LocalCallId) {
        if self.is_closed() {
            return;
        }
        let handle = self.calls.new_handle();
        if !self.is_established() || self.calls.len() >= self.config.max_calls {
            let text = if self.is_established() { "too many calls" } else { "no control connection" };
            return self.call_ended(handle, &End::new(Who::Us, Some(Code::C10), text));
        }
        self.serial = self.serial.wrapping_add(1);
        match self.config.role {
            Side::Client => self.place_outgoing(now, handle, call_id),
            Side::Server => self.place_incoming(now, handle, call_id),
        }
    }

    pub(super) fn end_by_command(&mut self, now: Instant, handle: Handle, end: CallEnd) {
        if !self.is_established() {
            return;
        }
        self.end_call(now, handle, end, &End::new(Who::Us, None, "ended here"));
        if self.config.role == Side::Server && self.calls.is_empty() {
            self.stop(now, StopReason::General, &End::new(Who::Us, None, "the last call was ended here"));
        }
    }

    /// Ends a call and reports that to both sides.
    pub(super) fn end_call(&mut self, now: Instant, handle: Handle, what: CallEnd, end: &End) {
        let Some(call) = self.calls.get(handle) else { return };
        match *call {
            Call::OutgoingOffered { peer_id, .. } => self.drop_outgoing_offer(handle, peer_id, end),
            Call::IncomingOffered { peer_id, .. } => self.drop_incoming_offer(handle, peer_id, end),
            Call::OutgoingRequested { local_id, .. } => self.clear(now, handle, local_id, None, end),
            Call::IncomingAccepted { local_id, peer_id, .. }
            | Call::Up { side: CallRole::Pns, local_id, peer_id } => {
                self.clear(now, handle, local_id, Some(peer_id), end);
            }
            Call::IncomingRequested { local_id, .. } | Call::Up { side: CallRole::Pac, local_id, .. } => {
                let (result, error) = error::disconnect(what);
                self.disconnect(handle, Some(local_id), result, error, end);
            }
            Call::Clearing { .. } => {}
        }
    }

    /// PNS: sends Call-Clear-Request. The call is kept until the PAC confirms its end.
    fn clear(
        &mut self,
        now: Instant,
        handle: Handle,
        local_id: LocalCallId,
        peer_id: Option<PeerCallId>,
        end: &End,
    ) {
        self.outbox.send(CallClearRequest { call_id: local_id.get() });
        let deadline = now + self.config.disconnect_timeout;
        self.calls.insert(handle, Call::Clearing { local_id, peer_id, deadline });
        self.call_ended(handle, end);
    }

    /// PAC: sends Call-Disconnect-Notify, which ends the call at once. A call that was not accepted has no
    /// local Call ID.
    fn disconnect(
        &mut self,
        handle: Handle,
        call_id: Option<LocalCallId>,
        result: DisconnectResult,
        error: ErrorCode,
        end: &End,
    ) {
        self.calls.remove(handle);
        self.outbox.send(CallDisconnectNotify {
            call_id: call_id.map_or(0, LocalCallId::get),
            result,
            error,
            cause: 0,
            statistics: Text::default(),
        });
        self.call_ended(handle, end);
    }

    /// PAC: handles a Call-Clear-Request, with which the PNS ends the call. It contains the PNS's own Call
    /// ID.
    pub(super) fn clear_request(&mut self, request: &CallClearRequest) {
        let end = End::new(Who::Peer, None, "Call-Clear-Request");
        let cleared = PeerCallId::new(request.call_id);
        let ours = self.calls.iter().find_map(|(handle, call)| match *call {
            Call::OutgoingOffered { peer_id, .. } if peer_id == cleared => Some((handle, None)),
            Call::Up { side: CallRole::Pac, local_id, peer_id } if peer_id == cleared => {
                Some((handle, Some(local_id)))
            }
            _ => None,
        });
        match ours {
            Some((handle, local_id)) => {
                self.disconnect(handle, local_id, DisconnectResult::Request, ErrorCode::None, &end);
            }
            None => self.counters.ignored += 1,
        }
    }

    /// PNS: handles a Call-Disconnect-Notify: the PAC has ended a call, or confirms our Call-Clear-Request.
    pub(super) fn disconnect_notify(&mut self, notify: &CallDisconnectNotify) {
        let Some(handle) = self.calls.disconnected(notify.call_id) else {
            self.counters.ignored += 1;
            return;
        };
        match self.calls.remove(handle) {
            Some(Call::OutgoingRequested { local_id, unmatched: Some(unmatched), .. }) => {
                let mut end = error::disconnected(self.config.role, notify);
                end.code = Some(Code::G04);
                end.detail = format!("{}; then {}", error::rewritten(local_id, unmatched), end.detail);
                self.call_ended(handle, &end);
            }
            Some(call) if call.is_alive() => {
                self.call_ended(handle, &error::disconnected(self.config.role, notify));
            }
            _ => {}
        }
    }

    /// Ends every call, then the control connection; waits briefly for the peer's confirmations in between.
    pub(super) fn stop(&mut self, now: Instant, reason: StopReason, end: &End) {
        match self.state {
            State::WaitRequest { .. } | State::WaitReply { .. } => self.close(end),
            State::Established { .. } => {
                for handle in self.calls.handles() {
                    self.end_call(now, handle, CallEnd::AdminShutdown, end);
                }
                let deadline = now + self.config.disconnect_timeout;
                self.state = State::Clearing { reason, end: end.clone(), deadline };
                self.settle(now);
            }
            State::Clearing { .. } | State::WaitStopReply { .. } | State::Closed => {}
        }
    }

    pub(super) fn send_stop(&mut self, now: Instant, reason: StopReason, end: End) {
        self.outbox.send(StopControlConnectionRequest { reason });
        self.state = State::WaitStopReply { end, deadline: now + self.config.stop_timeout };
    }

    /// Closes the machine with all its calls. Queued messages may still be sent.
    pub(super) fn close(&mut self, end: &End) {
        if self.is_closed() {
            return;
        }
        for handle in self.calls.handles() {
            if self.calls.remove(handle).is_some_and(|call| call.is_alive()) {
                self.call_ended(handle, end);
            }
        }
        self.state = State::Closed;
        let End { by, code, detail } = end.clone();
        self.outbox.push_event(ControlEvent::Closed { by, code, detail });
    }

    /// Handles the consequences of a change: the last call has ended, a queue is full.
    pub(super) fn settle(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        if let Some(overflow) = self.outbox.overflow() {
            let (code, text) = match overflow {
                Overflow::Messages => (Code::C06, "the peer does not read what it is sent"),
                Overflow::Events => (Code::C09, "the peer sends requests faster than they can be handled"),
            };
            self.outbox.drop_messages();
            return self.close(&End::new(Who::Us, Some(code), text));
        }
        match &mut self.state {
            State::Established { callless, used, .. } => {
                if self.calls.is_empty() {
                    callless.get_or_insert(now);
                } else {
                    *callless = None;
                    *used = true;
                }
            }
            State::Clearing { reason, end, .. } if self.calls.is_empty() => {
                let (reason, end) = (*reason, end.clone());
                self.send_stop(now, reason, end);
            }
            _ => {}
        }
    }

    /// Handles the close of the TCP connection by either side.
    pub(super) fn transport_closed(&mut self) {
        self.outbox.drop_messages();
        let end = match &self.state {
            State::WaitRequest { .. } => End::new(Who::Peer, None, "TCP closed before the first message"),
            State::WaitReply { .. } => {
                let text = "TCP closed before Start-Control-Connection-Reply";
                End::new(Who::Peer, Some(Code::C03), text)
            }
            State::Established { used, .. } => {
                let alive = self.calls.iter().any(|(_, call)| call.is_alive());
                let lost = alive || !used && self.config.role == Side::Client;
                let text = "TCP closed without Stop-Control-Connection-Request";
                End::new(Who::Peer, lost.then_some(Code::C06), text)
            }
            State::Clearing { end, .. } | State::WaitStopReply { end, .. } => end.clone(),
            State::Closed => return,
        };
        self.close(&end);
    }

    /// Handles an expired deadline of the current state or of a call.
    pub(super) fn deadline_passed(&mut self, now: Instant) {
        let setup = self.config.setup_timeout.as_secs();
        match &self.state {
            State::WaitRequest { .. } => {
                let text = format!("no Start-Control-Connection-Request in {setup} s");
                self.close(&End::new(Who::Neither, Some(Code::C10), text));
            }
            State::WaitReply { .. } => {
                let heard = self.framer.pending();
                let end = if heard.is_empty() {
                    let text = format!("TCP opens, but no Start-Control-Connection-Reply came in {setup} s");
                    End::new(Who::Neither, Some(Code::C01), text)
                } else {
                    let text = format!("in {setup} s only \"{}\" came", escape(heard).limit(64));
                    End::new(Who::Neither, Some(Code::C04), text)
                };
                self.close(&end);
            }
            State::Established { .. } => self.established_deadline(now),
            State::Clearing { .. } => {
                for handle in self.calls.handles() {
                    self.calls.remove(handle);
                }
            }
            State::WaitStopReply { end, .. } => {
                let end = end.clone();
                self.close(&end);
            }
            State::Closed => {}
        }
    }

    fn established_deadline(&mut self, now: Instant) {
        for handle in self.calls.handles() {
            let Some(call) = self.calls.get(handle) else { continue };
            if call.deadline().is_some_and(|at| now >= at) {
                self.call_deadline(now, handle);
            }
        }
        if let State::Established { callless: Some(since), used, .. } = self.state
            && !self.config.callless_timeout.is_zero()
            && now >= since + self.config.callless_timeout
        {
            let code = (!used).then_some(Code::C10);
            let text = format!("no call for {} s", self.config.callless_timeout.as_secs());
            self.stop(now, StopReason::General, &End::new(Who::Neither, code, text));
        }
    }

    fn call_deadline(&mut self, now: Instant, handle: Handle) {
        let seconds = self.config.call_timeout.as_secs();
        let late = |code, text: String| End::new(Who::Neither, Some(code), text);
        match self.calls.get(handle) {
            Some(Call::OutgoingOffered { .. } | Call::IncomingOffered { .. }) => {
                let text = format!("the request was not answered here in {seconds} s");
                let end = End::new(Who::Us, Some(Code::C10), text);
                self.end_call(now, handle, CallEnd::GeneralError, &end);
            }
            Some(Call::OutgoingRequested { local_id, unmatched: Some(unmatched), .. }) => {
                let (text, named) = (error::rewritten(*local_id, *unmatched), *unmatched);
                self.send_set_link_info(named);
                self.stop(now, StopReason::General, &late(Code::G04, text));
            }
            Some(Call::OutgoingRequested { .. }) => {
                let text = format!("no Outgoing-Call-Reply in {seconds} s");
                self.stop(now, StopReason::General, &late(Code::C10, text));
            }
            Some(Call::IncomingRequested { .. }) => {
                let text = format!("no Incoming-Call-Reply in {seconds} s");
                self.stop(now, StopReason::General, &late(Code::C10, text));
            }
            Some(Call::IncomingAccepted { .. }) => {
                let text = format!("no Incoming-Call-Connected in {seconds} s");
                self.stop(now, StopReason::General, &late(Code::C10, text));
            }
            Some(Call::Clearing { .. }) => {
                self.calls.remove(handle);
            }
            Some(Call::Up { .. }) | None => {}
        }
    }
}
