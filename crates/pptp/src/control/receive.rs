//! Handling of each message in each state (RFC 2637 section 3.1).

use std::time::Instant;

use adit_diag::Code;
use adit_diag::note::Who;
use adit_wire::pptp::{
    EchoReply, EchoRequest, ErrorCode, Message, PlainResult, StartControlConnectionReply,
    StartControlConnectionRequest, StartResult, StopControlConnectionReply, StopReason, Text, Version,
};
use adit_wire::text::escape;

use super::events::{End, PeerInfo};
use super::state::State;
use super::{ControlConnection, error};

impl ControlConnection {
    pub(super) fn receive(&mut self, now: Instant, message: &Message) {
        match &self.state {
            State::WaitRequest { .. } => self.receive_first(now, message),
            State::WaitReply { .. } => self.receive_reply(now, message),
            State::Established { .. } => self.receive_established(now, message),
            State::Clearing { end, .. } | State::WaitStopReply { end, .. } => {
                let end = end.clone();
                self.receive_stopping(now, message, &end);
            }
            State::Closed => {}
        }
    }

    /// Server: handles the first message, which must be Start-Control-Connection-Request; any other message
    /// gets no answer.
    fn receive_first(&mut self, now: Instant, message: &Message) {
        let Message::StartControlConnectionRequest(request) = message else {
            let text = format!("{} before Start-Control-Connection-Request", message.message_type());
            return self.close(&End::new(Who::Us, Some(Code::C09), text));
        };
        if !self.config.authorised {
            self.outbox.send(self.start_reply(StartResult::NotAuthorised));
            let text = format!("{} may not open a control connection", self.peer);
            return self.close(&End::new(Who::Us, Some(Code::A13), text));
        }
        if request.version.major() != Version::ONE.major() {
            self.outbox.send(self.start_reply(StartResult::VersionUnsupported));
            let text = format!("the peer speaks version {} of PPTP", request.version);
            return self.close(&End::new(Who::Us, Some(Code::C07), text));
        }
        self.outbox.send(self.start_reply(StartResult::Success));
        self.establish(now, requester(request));
    }

    fn start_reply(&self, result: StartResult) -> StartControlConnectionReply {
        StartControlConnectionReply {
            version: Version::ONE,
            result,
            error: ErrorCode::None,
            framing: self.config.call.framing,
            bearer: self.config.call.bearer,
            maximum_channels: self.config.maximum_channels,
            firmware: self.config.firmware,
            host_name: Text::new(&self.config.host_name),
            vendor: Text::new(&self.config.vendor),
        }
    }

    /// Client: handles the message that must be Start-Control-Connection-Reply.
    fn receive_reply(&mut self, now: Instant, message: &Message) {
        match message {
            Message::StartControlConnectionReply(reply) if reply.result != StartResult::Success => {
                self.close(&error::start_refused(reply));
            }
            Message::StartControlConnectionReply(reply) if reply.version.major() != Version::ONE.major() => {
                let text = format!("the server speaks version {} of PPTP", reply.version);
                self.send_stop(now, StopReason::Protocol, End::new(Who::Us, Some(Code::C07), text));
            }
            Message::StartControlConnectionReply(reply) => self.establish(now, replier(reply)),
            Message::StopControlConnectionRequest(request) => self.stopped_by_peer(request.reason),
            _ => self.counters.ignored += 1,
        }
    }

    fn receive_established(&mut self, now: Instant, message: &Message) {
        if !matches!(message, Message::EchoReply(_)) {
            self.heard(now);
        }
        match message {
            Message::StartControlConnectionRequest(_) => {
                self.outbox.send(self.start_reply(StartResult::ChannelExists));
                let text = "a second Start-Control-Connection-Request on one connection";
                self.close(&End::new(Who::Us, Some(Code::C09), text));
            }
            Message::StopControlConnectionRequest(request) => self.stopped_by_peer(request.reason),
            Message::EchoRequest(request) => self.echo(now, request),
            Message::EchoReply(reply) => self.echo_reply(now, reply),
            Message::OutgoingCallRequest(request) => self.outgoing_request(now, request),
            Message::OutgoingCallReply(reply) => self.outgoing_reply(now, reply),
            Message::IncomingCallRequest(request) => self.incoming_request(now, request),
            Message::IncomingCallReply(reply) => self.incoming_reply(reply),
            Message::IncomingCallConnected(connected) => self.incoming_connected(connected),
            Message::CallClearRequest(request) => self.clear_request(request),
            Message::CallDisconnectNotify(notify) => self.disconnect_notify(notify),
            Message::WanErrorNotify(_) => self.counters.wan_error_notifies += 1,
            // The character maps have no meaning in GRE, and the Call ID is often wrong.
            Message::SetLinkInfo(info) => {
                self.counters.set_link_infos += 1;
                self.link_info = Some(info.peer_call_id);
            }
            Message::StartControlConnectionReply(_) | Message::StopControlConnectionReply(_) => {
                self.counters.ignored += 1;
            }
        }
    }

    /// Handles a message while we are stopping: only those that shorten the wait matter.
    fn receive_stopping(&mut self, now: Instant, message: &Message, end: &End) {
        match message {
            Message::StopControlConnectionReply(_) if matches!(self.state, State::WaitStopReply { .. }) => {
                self.close(end);
            }
            Message::StopControlConnectionRequest(_) => {
                self.send_stop_reply();
                self.close(end);
            }
            Message::CallDisconnectNotify(notify) => self.disconnect_notify(notify),
            Message::OutgoingCallReply(reply) => self.outgoing_reply(now, reply),
            _ => self.counters.ignored += 1,
        }
    }

    fn stopped_by_peer(&mut self, reason: StopReason) {
        self.send_stop_reply();
        self.close(&error::stopped(self.config.role, reason));
    }

    fn send_stop_reply(&mut self) {
        self.outbox.send(StopControlConnectionReply { result: PlainResult::Ok, error: ErrorCode::None });
    }

    fn echo(&mut self, now: Instant, request: &EchoRequest) {
        if self.outbox.has_capacity() && self.echo_limit.allow(now) {
            let identifier = request.identifier;
            self.outbox.send(EchoReply { identifier, result: PlainResult::Ok, error: ErrorCode::None });
        } else {
            self.counters.echo_unanswered += 1;
        }
    }

    fn echo_reply(&mut self, now: Instant, reply: &EchoReply) {
        if let State::Established { keepalive, .. } = &mut self.state
            && !keepalive.answered(now, reply.identifier)
        {
            self.counters.ignored += 1;
        }
    }

    /// Handles input that is not PPTP: closes without an answer.
    pub(super) fn garbage(&mut self, error: &adit_wire::Error) {
        let begins = escape(self.framer.pending()).limit(64).to_string();
        let (code, text) = match self.state {
            State::WaitReply { .. } => (Code::C04, format!("{error}; the answer begins \"{begins}\"")),
            _ => (Code::C09, format!("{error}; it begins \"{begins}\"")),
        };
        self.close(&End::new(Who::Us, Some(code), text));
    }
}

fn requester(request: &StartControlConnectionRequest) -> PeerInfo {
    PeerInfo {
        host_name: request.host_name.name().to_vec(),
        vendor: request.vendor.name().to_vec(),
        version: request.version,
        firmware: request.firmware,
        framing: request.framing,
        bearer: request.bearer,
        maximum_channels: request.maximum_channels,
    }
}

fn replier(reply: &StartControlConnectionReply) -> PeerInfo {
    PeerInfo {
        host_name: reply.host_name.name().to_vec(),
        vendor: reply.vendor.name().to_vec(),
        version: reply.version,
        firmware: reply.firmware,
        framing: reply.framing,
        bearer: reply.bearer,
        maximum_channels: reply.maximum_channels,
    }
}
