//! The PPTP control connection with its calls (RFC 2637 sections 2 and 3), in both roles.
//!
//! In a VPN the client is the RFC's PNS and the server its PAC. A [`ControlConnection`] exists from the open
//! of the TCP connection until [`ControlEvent::Closed`]. It does not refuse a peer because of fields that are
//! not used, and does not answer a stream that is not PPTP.
//!
//! Limits: one message of input ([`adit_wire::pptp::BUFFER_MAX`]), [`MESSAGES_MAX`] messages and
//! [`EVENTS_MAX`] events of output, [`ControlConfig::max_calls`] calls, [`ECHO_RATE`] answered Echo-Requests
//! per second.

mod calls;
pub mod collision;
mod config;
mod ending;
mod error;
mod events;
mod incoming;
mod outbox;
mod outgoing;
mod receive;
mod state;
#[cfg(test)]
mod tests;
mod timers;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use adit_crypto::Rng;
use adit_diag::Code;
use adit_wire::pptp::{
    EchoRequest, Frame, Framer, SetLinkInfo, StartControlConnectionRequest, StopReason, Text, Version,
};

pub use adit_diag::Side;
pub use adit_diag::note::Who;
use calls::{Call, CallRole, Calls};
pub use config::{CallParameters, ControlConfig};
use events::End;
pub use events::{CallEnd, CallRequest, ControlCommand, ControlEvent, GreReport, Handle, PeerInfo, Refusal};
use outbox::Outbox;
pub use outbox::{EVENTS_MAX, MESSAGES_MAX, STEPS_MAX};
use state::State;
pub use timers::ECHO_RATE;
use timers::{Due, EchoLimit, KeepAlive};

/// What a control connection counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageCounters {
    /// Messages received, of any type.
    pub received: u64,
    /// Messages of unknown type, skipped.
    pub unknown: u64,
    /// Messages that meant nothing in the state they came in.
    pub ignored: u64,
    /// Echo-Requests beyond [`ECHO_RATE`], not answered.
    pub echo_unanswered: u64,
    /// WAN-Error-Notify messages.
    pub wan_error_notifies: u64,
    /// Set-Link-Info messages.
    pub set_link_infos: u64,
}

/// One control connection.
#[derive(Debug)]
pub struct ControlConnection {
    config: Arc<ControlConfig>,
    peer: Ipv4Addr,
    state: State,
    calls: Calls,
    framer: Framer,
    outbox: Outbox,
    echo_limit: EchoLimit,
    counters: MessageCounters,
    /// The Call Serial Number of the last call that we placed.
    serial: u16,
    first_echo: u32,
    /// See [`ControlConnection::link_info`].
    link_info: Option<u16>,
}

impl ControlConnection {
    /// Creates a machine for a TCP connection with `peer` that was opened at `now`; a client sends its first
    /// message at once.
    pub fn new(
        config: impl Into<Arc<ControlConfig>>,
        peer: Ipv4Addr,
        now: Instant,
        mut rng: Rng,
    ) -> ControlConnection {
        let config = config.into();
        let deadline = now + config.setup_timeout;
        let mut connection = ControlConnection {
            state: State::WaitRequest { deadline },
            peer,
            calls: Calls::default(),
            framer: Framer::default(),
            outbox: Outbox::default(),
            echo_limit: EchoLimit::new(now),
            counters: MessageCounters::default(),
            serial: 0,
            first_echo: rng.u32(),
            link_info: None,
            config,
        };
        if connection.config.role == Side::Client {
            let config = &connection.config;
            connection.outbox.send(StartControlConnectionRequest {
                version: Version::ONE,
                framing: config.call.framing,
                bearer: config.call.bearer,
                maximum_channels: config.maximum_channels,
                firmware: config.firmware,
                host_name: Text::new(&config.host_name),
                vendor: Text::new(&config.vendor),
            });
            connection.state = State::WaitReply { deadline };
        }
        connection
    }

    /// The peer's address.
    pub fn peer(&self) -> Ipv4Addr {
        self.peer
    }

    /// Whether the control connection is established, so that calls can be made.
    pub fn is_established(&self) -> bool {
        matches!(self.state, State::Established { .. })
    }

    /// Whether [`ControlEvent::Closed`] was returned or is queued.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// When the peer was last heard on an established control connection.
    pub fn last_heard(&self) -> Option<Instant> {
        match &self.state {
            State::Established { keepalive, .. } => Some(keepalive.last_heard()),
            _ => None,
        }
    }

    /// The number of calls in any state, including those whose end the peer has not confirmed yet.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// The Call ID in the peer's last Set-Link-Info.
    pub fn link_info(&self) -> Option<u16> {
        self.link_info
    }

    /// The counters of the connection.
    pub fn counters(&self) -> MessageCounters {
        self.counters
    }

    /// Handles octets of the TCP stream, in order and split anywhere.
    pub fn handle_input(&mut self, now: Instant, mut octets: &[u8]) {
        while !octets.is_empty() && !self.is_closed() {
            let taken = self.framer.push(octets);
            octets = octets.get(taken..).unwrap_or_default();
            while let Some(frame) = self.framer.next_frame() {
                match frame {
                    Ok(frame) => self.frame(now, &frame),
                    Err(error) => self.garbage(&error),
                }
                self.settle(now);
                if self.is_closed() {
                    return;
                }
            }
        }
    }

    fn frame(&mut self, now: Instant, frame: &Frame) {
        self.counters.received += 1;
        self.outbox.note(false, adit_wire::note::pptp_frame(frame));
        match frame {
            Frame::Message(message) => self.receive(now, message),
            Frame::Unknown(_) => {
                self.counters.unknown += 1;
                self.heard(now);
            }
        }
    }

    /// Handles a command of the caller. A command that is not valid in the current state is ignored.
    pub fn handle_command(&mut self, now: Instant, command: ControlCommand) {
        match command {
            ControlCommand::AcceptCall { handle, call_id } => self.accept(now, handle, call_id),
            ControlCommand::RefuseCall { handle, refusal } => self.refuse(handle, &refusal),
            ControlCommand::PlaceCall { call_id } => self.place(now, call_id),
            ControlCommand::EndCall { handle, end } => self.end_by_command(now, handle, end),
            ControlCommand::Stop { shutdown } => {
                let reason = if shutdown { StopReason::LocalShutdown } else { StopReason::General };
                self.stop(now, reason, &End::new(Who::Us, None, "stopped here"));
            }
            ControlCommand::Probe => {
                if let State::Established { keepalive, .. } = &mut self.state
                    && let Some(identifier) = keepalive.ask(now)
                {
                    self.outbox.send(EchoRequest { identifier });
                }
            }
            ControlCommand::ReportGre { handle, report } => {
                if let Some(&Call::Up { side: CallRole::Pns, peer_id, .. }) = self.calls.get(handle) {
                    self.send_set_link_info(match report {
                        GreReport::Heard => peer_id.get(),
                        GreReport::Misnamed(call_id) => call_id,
                    });
                }
            }
            ControlCommand::Yield => {
                self.outbox.drop_messages();
                self.close(&End::new(Who::Us, None, "gave way to the peer's control connection"));
            }
            ControlCommand::TransportClosed => self.transport_closed(),
        }
        self.settle(now);
    }

    /// Handles expired timers.
    pub fn handle_timeout(&mut self, now: Instant) {
        let due = match &mut self.state {
            State::Established { keepalive, .. } => keepalive.due(now),
            _ => Due::Nothing,
        };
        match due {
            Due::Nothing => {}
            Due::Ask(identifier) => self.outbox.send(EchoRequest { identifier }),
            Due::Dead => {
                let waited = self.config.echo_timeout.as_secs();
                let text = format!("an Echo-Request was not answered in {waited} s");
                self.close(&End::new(Who::Neither, Some(Code::C06), text));
            }
        }
        if self.poll_timeout().is_some_and(|(at, _)| now >= at) {
            self.deadline_passed(now);
        }
        self.settle(now);
    }

    /// Appends the next message to `buf`; `false` if there is none. Each message must be one write and one
    /// TCP segment, because NAT helpers parse only messages at the beginning of a segment.
    pub fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> bool {
        match self.outbox.next_message() {
            Some(message) => {
                message.emit(buf);
                true
            }
            None => false,
        }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<ControlEvent> {
        self.outbox.next_event()
    }

    /// When to call [`ControlConnection::handle_timeout`] at the latest, and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match &self.state {
            State::WaitRequest { deadline } => Some((*deadline, "Start-Control-Connection-Request deadline")),
            State::WaitReply { deadline } => Some((*deadline, "Start-Control-Connection-Reply deadline")),
            State::Established { keepalive, callless, .. } => {
                let limit = Some(self.config.callless_timeout).filter(|limit| !limit.is_zero());
                let callless = callless.zip(limit).map(|(since, limit)| (since + limit, "no call"));
                let call = self.calls.deadline().map(|at| (at, "call deadline"));
                [keepalive.deadline(), callless, call].into_iter().flatten().min_by_key(|(at, _)| *at)
            }
            State::Clearing { deadline, .. } => Some((*deadline, "Call-Disconnect-Notify deadline")),
            State::WaitStopReply { deadline, .. } => {
                Some((*deadline, "Stop-Control-Connection-Reply deadline"))
            }
            State::Closed => None,
        }
    }

    /// Records a sign of life of the peer.
    fn heard(&mut self, now: Instant) {
        if let State::Established { keepalive, .. } = &mut self.state {
            keepalive.heard(now);
        }
    }

    fn establish(&mut self, now: Instant, peer: PeerInfo) {
        let keepalive =
            KeepAlive::new(self.config.echo_every, self.config.echo_timeout, now, self.first_echo);
        self.state = State::Established { keepalive, callless: Some(now), used: false };
        self.outbox.push_event(ControlEvent::Established(peer));
    }

    /// PNS: sends a Set-Link-Info with this Call ID and the default character maps, which change nothing.
    fn send_set_link_info(&mut self, peer_call_id: u16) {
        let (send_accm, receive_accm) = (u32::MAX, u32::MAX);
        self.outbox.send(SetLinkInfo { peer_call_id, send_accm, receive_accm });
    }

    fn call_up(&mut self, handle: Handle, call: Call, window: u16) {
        if let Call::Up { local_id, peer_id, .. } = call {
            self.outbox.push_event(ControlEvent::CallUp {
                handle,
                local_call_id: local_id,
                peer_call_id: peer_id,
                window,
            });
        }
        self.calls.insert(handle, call);
    }

    fn call_ended(&mut self, handle: Handle, end: &End) {
        let End { by, code, detail } = end.clone();
        self.outbox.push_event(ControlEvent::CallEnded { handle, by, code, detail });
    }
}
