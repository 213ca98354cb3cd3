//! Test fixtures: two connected machines with a virtual clock, and one machine whose peer is the test.

mod calls;
mod framing;
mod incoming;
mod keepalive;
mod limits;
mod setup;

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_crypto::Rng;
use adit_diag::Code;
use adit_diag::note::Packet;
use adit_wire::LocalCallId;
use adit_wire::pptp::*;

use super::*;

pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub(super) const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The contents of a packet as text.
pub(super) fn words(packet: &Packet) -> String {
    adit_wire::note::describe(&packet.message)
}

pub(super) fn emit(message: &Message) -> Vec<u8> {
    message.to_octets()
}

/// One machine and its output.
pub(super) struct One {
    pub(super) machine: ControlConnection,
    pub(super) now: Instant,
    /// The messages sent since they were last collected.
    pub(super) sent: VecDeque<Message>,
    /// The events returned since they were last collected, without steps.
    pub(super) events: VecDeque<ControlEvent>,
    pub(super) steps: Vec<Packet>,
    /// The Call ID with which to accept the next calls; `None` leaves them unanswered.
    pub(super) accept: Option<u16>,
}

impl One {
    pub(super) fn new(config: ControlConfig) -> One {
        let now = Instant::now();
        let peer = if config.role == Side::Server { CLIENT } else { SERVER };
        let machine = ControlConnection::new(config, peer, now, Rng::from_number(1));
        let mut one = One {
            machine,
            now,
            sent: VecDeque::new(),
            events: VecDeque::new(),
            steps: Vec::new(),
            accept: Some(900),
        };
        one.collect();
        one
    }

    /// A server whose control connection is established.
    pub(super) fn server() -> One {
        Self::established(ControlConfig::server())
    }

    /// A client whose control connection is established.
    pub(super) fn client() -> One {
        Self::established(ControlConfig::client())
    }

    pub(super) fn established(config: ControlConfig) -> One {
        let role = config.role;
        let mut one = One::new(config);
        match role {
            Side::Server => one.hears(request()),
            Side::Client => one.hears(reply(StartResult::Success)),
        }
        assert!(one.machine.is_established());
        one.sent.clear();
        one.events.clear();
        one
    }

    /// A server with a call: Call ID 900 here, 100 there.
    pub(super) fn server_with_call() -> One {
        let mut one = One::server();
        one.hears(call_request(100));
        assert!(matches!(one.events.back(), Some(ControlEvent::CallUp { .. })), "{:?}", one.events);
        one.sent.clear();
        one.events.clear();
        one
    }

    /// A client with a call: Call ID 100 here, 900 there.
    pub(super) fn client_with_call() -> One {
        let mut one = One::client();
        one.commands(ControlCommand::PlaceCall { call_id: LocalCallId::new(100) });
        one.hears(call_reply(100, 900));
        assert!(matches!(one.events.back(), Some(ControlEvent::CallUp { .. })), "{:?}", one.events);
        one.sent.clear();
        one.events.clear();
        one
    }

    pub(super) fn collect(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            match event {
                ControlEvent::Packet(packet) => self.steps.push(packet),
                ControlEvent::CallRequested { handle, request } => {
                    self.events.push_back(ControlEvent::CallRequested { handle, request });
                    if let Some(call_id) = self.accept.take() {
                        self.accept = Some(call_id + 1);
                        let command =
                            ControlCommand::AcceptCall { handle, call_id: LocalCallId::new(call_id) };
                        self.machine.handle_command(self.now, command);
                    }
                }
                event => self.events.push_back(event),
            }
        }
        let mut octets = Vec::new();
        while self.machine.poll_transmit(&mut octets) {
            let message = Message::parse(&octets).unwrap();
            assert_eq!(octets.len(), message.message_type().size(), "one whole message in one write");
            self.sent.push_back(message);
            octets.clear();
        }
        assert!(self.machine.poll_timeout().is_some() || self.machine.is_closed(), "a timer must end it");
    }

    pub(super) fn hears(&mut self, message: impl Into<Message>) {
        self.hears_octets(&emit(&message.into()));
    }

    pub(super) fn hears_octets(&mut self, octets: &[u8]) {
        self.machine.handle_input(self.now, octets);
        self.collect();
    }

    pub(super) fn commands(&mut self, command: ControlCommand) {
        self.machine.handle_command(self.now, command);
        self.collect();
    }

    /// Advances the clock, stopping at every deadline.
    pub(super) fn waits(&mut self, duration: Duration) {
        let end = self.now + duration;
        let mut rounds = 0;
        while let Some((at, why)) = self.machine.poll_timeout().filter(|(at, _)| *at <= end) {
            rounds += 1;
            assert!(rounds < 1000, "the deadline \"{why}\" does not go away");
            self.now = self.now.max(at);
            self.machine.handle_timeout(self.now);
            self.collect();
        }
        self.now = end;
        self.machine.handle_timeout(self.now);
        self.collect();
    }

    pub(super) fn next_message(&mut self) -> Option<Message> {
        self.sent.pop_front()
    }

    pub(super) fn next_event(&mut self) -> Option<ControlEvent> {
        self.events.pop_front()
    }

    /// Expects exactly one event, the end of the call.
    #[track_caller]
    pub(super) fn call_ended(&mut self) -> (Who, Option<Code>, String) {
        match self.next_event() {
            Some(ControlEvent::CallEnded { by, code, detail, .. }) => (by, code, detail),
            other => panic!("{other:?} instead of CallEnded"),
        }
    }

    /// Expects exactly one event, the end of the connection.
    #[track_caller]
    pub(super) fn closed(&mut self) -> (Who, Option<Code>, String) {
        assert!(self.machine.is_closed());
        match (self.next_event(), self.next_event()) {
            (Some(ControlEvent::Closed { by, code, detail }), None) => (by, code, detail),
            other => panic!("{other:?} instead of Closed"),
        }
    }
}

/// A server and a client that exchange messages without delay.
pub(super) struct Pair {
    pub(super) server: One,
    pub(super) client: One,
}

impl Pair {
    pub(super) fn new(server: ControlConfig, client: ControlConfig) -> Pair {
        let mut pair = Pair { server: One::new(server), client: One::new(client) };
        pair.client.now = pair.server.now;
        pair.talk();
        pair
    }

    /// Delivers messages until there are none; a side that is closed closes TCP.
    pub(super) fn talk(&mut self) {
        for _ in 0..1000 {
            let closed = (self.server.machine.is_closed(), self.client.machine.is_closed());
            if let Some(message) = self.client.next_message() {
                self.server.hears(message);
            } else if let Some(message) = self.server.next_message() {
                self.client.hears(message);
            } else if closed == (true, false) {
                self.client.commands(ControlCommand::TransportClosed);
            } else if closed == (false, true) {
                self.server.commands(ControlCommand::TransportClosed);
            } else {
                return;
            }
        }
        panic!("they never stop talking");
    }

    pub(super) fn waits(&mut self, duration: Duration) {
        let end = self.client.now + duration;
        for _ in 0..10_000 {
            let next = [&self.server, &self.client].iter().filter_map(|one| one.machine.poll_timeout()).min();
            let at = next.map_or(end, |(at, _)| at.min(end));
            let step = at.saturating_duration_since(self.client.now);
            self.server.waits(step);
            self.client.waits(step);
            self.talk();
            if at >= end {
                return;
            }
        }
        panic!("time does not pass");
    }
}

pub(super) fn request() -> StartControlConnectionRequest {
    StartControlConnectionRequest {
        framing: Framing::ASYNC,
        bearer: Bearer::ANALOG,
        ..StartControlConnectionRequest::new(b"", b"Microsoft")
    }
}

pub(super) fn reply(result: StartResult) -> StartControlConnectionReply {
    StartControlConnectionReply {
        result,
        framing: Framing(0),
        bearer: Bearer(0),
        ..StartControlConnectionReply::new(b"local", b"linux")
    }
}

pub(super) fn call_request(call_id: u16) -> OutgoingCallRequest {
    OutgoingCallRequest { subaddress: Text::new(&[7; 16]), ..OutgoingCallRequest::new(call_id) }
}

pub(super) fn call_reply(peer_call_id: u16, call_id: u16) -> OutgoingCallReply {
    OutgoingCallReply { window: 16384, ..OutgoingCallReply::connected(call_id, peer_call_id) }
}

pub(super) fn notify(call_id: u16, result: DisconnectResult) -> CallDisconnectNotify {
    CallDisconnectNotify { call_id, result, error: ErrorCode::None, cause: 0, statistics: Text::default() }
}

pub(super) fn stop_request(reason: StopReason) -> StopControlConnectionRequest {
    StopControlConnectionRequest { reason }
}

pub(super) fn stop_reply() -> StopControlConnectionReply {
    StopControlConnectionReply { result: PlainResult::Ok, error: ErrorCode::None }
}
