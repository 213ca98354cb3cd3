//! The common part of server and client: a control connection, its calls, and the flow of events between
//! them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use adit_crypto::Rng;
use adit_diag::note::LayerUp;
use adit_diag::{Code, Note};
use adit_pptp::control::{CallEnd, ControlCommand, ControlConnection, ControlEvent};
use adit_wire::text::escape;
use adit_wire::{LocalCallId, PeerCallId};

use crate::call::{Call, CallConfig, LinkQuestion};
use crate::events::{CallHandle, CallRequest, Command, End, Event, Input, Question, Who, Why};
use crate::path::Origin;

/// The destination of the bytes from [`crate::ServerTunnel::poll_transmit`] and that of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// The TCP connection, in one write: NAT helpers parse only messages at the beginning of a segment.
    Control,
    /// The data path of a call, as one PPP frame.
    Frame {
        /// The call.
        call: CallHandle,
    },
}

/// Vendor Name of this program.
const OUR_VENDOR: &[u8] = b"adit";

/// A question that was passed on, and where its answer goes.
pub(crate) enum Pending {
    Call(CallHandle),
    Link { call: CallHandle, id: u32 },
}

/// One control connection and its calls.
pub(crate) struct Tunnel {
    pub(crate) control: ControlConnection,
    /// In the order in which they began. Most connections have one call, so no spare capacity is kept.
    calls: Vec<Call>,
    config: CallConfig,
    pub(crate) events: VecDeque<Event>,
    pending: BTreeMap<u32, Pending>,
    next_question: u32,
    rng: Rng,
    /// Why we are stopping, once we are.
    stopping: Option<Why>,
    /// The index of the call whose frames are sent next: calls take turns.
    turn: usize,
    /// Whether the peer is adit, whose client reports by Set-Link-Info that it receives frames but gets no
    /// answer.
    peer_reports_gre: bool,
    closed: bool,
}

impl Tunnel {
    pub(crate) fn new(control: ControlConnection, config: CallConfig, rng: Rng) -> Tunnel {
        Tunnel {
            control,
            calls: Vec::new(),
            config,
            events: VecDeque::new(),
            pending: BTreeMap::new(),
            next_question: 0,
            rng,
            stopping: None,
            turn: 0,
            peer_reports_gre: false,
            closed: false,
        }
    }

    pub(crate) fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Control(bytes) => self.control.handle_input(now, bytes),
            Input::ControlClosed => self.control.handle_command(now, ControlCommand::TransportClosed),
            Input::Frame { call, frame, origin } => {
                if let Some((call, events)) = self.call(call) {
                    match origin {
                        Origin::Clear => call.handle_frame(now, frame, events),
                        Origin::Mppe => call.handle_proven_frame(now, frame),
                    }
                }
            }
            Input::DataRejected { call } => {
                if let Some((call, _)) = self.call(call) {
                    call.handle_data_rejected(now);
                }
            }
            Input::Traffic { call, received, sent } => {
                if let Some((call, _)) = self.call(call) {
                    call.handle_traffic(now, received, sent);
                }
            }
            Input::Acknowledged { call } => {
                if let Some((call, _)) = self.call(call) {
                    call.handle_acknowledged();
                }
            }
            Input::Unreachable { call, from, code } => {
                if let Some((call, _)) = self.call(call) {
                    call.handle_unreachable(from, code);
                }
            }
            Input::Unmatched { call, unmatched } => {
                if let Some((call, _)) = self.call(call) {
                    call.handle_unmatched(unmatched);
                }
            }
        }
        self.pump(now);
    }

    /// A call, and where its events go.
    pub(crate) fn call(&mut self, handle: CallHandle) -> Option<(&mut Call, &mut VecDeque<Event>)> {
        let call = self.calls.iter_mut().find(|call| call.handle == handle)?;
        Some((call, &mut self.events))
    }

    pub(crate) fn handle_command(&mut self, now: Instant, command: Command) {
        match command {
            Command::EndCall { call, why } => {
                if let Some((call, _)) = self.call(call) {
                    call.close(now, why, None, String::new());
                }
            }
            Command::Stop { why } => {
                self.stopping = Some(why);
                for call in &mut self.calls {
                    call.close(now, why, None, String::new());
                }
            }
        }
        self.pump(now);
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.control.handle_timeout(now);
        let heard = self.control.last_heard();
        let mut in_doubt = false;
        for call in &mut self.calls {
            call.handle_control_heard(heard);
            call.handle_timeout(now);
            in_doubt |=
                call.silence().is_some_and(|silence| heard.is_some_and(|heard| heard <= silence.last));
        }
        if in_doubt {
            // GRE is silent: an Echo-Request on the control connection distinguishes a dead path from a dead
            // peer.
            self.control.handle_command(now, ControlCommand::Probe);
        }
        self.pump(now);
    }

    /// The suspected fault of a call that is being set up.
    pub(crate) fn suspects(&self, now: Instant) -> Option<(Code, String)> {
        self.calls.iter().find_map(|call| call.suspects(now))
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let calls = self.calls.iter().filter_map(Call::poll_timeout);
        calls.chain(self.control.poll_timeout()).min_by_key(|(at, _)| *at)
    }

    /// The next bytes to send; `buf` is cleared first.
    pub(crate) fn poll_transmit(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        buf.clear();
        if self.control.poll_transmit(buf) {
            return Some(Transmit::Control);
        }
        let count = self.calls.len();
        let first = self.turn.min(count);
        let (before, from) = self.calls.split_at_mut(first);
        for (n, call) in from.iter_mut().chain(before).enumerate() {
            if call.poll_transmit(buf) {
                self.turn = (first + n + 1) % count;
                return Some(Transmit::Frame { call: call.handle });
            }
        }
        self.calls.retain(|call| !call.is_ended());
        None
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if event.is_none() {
            // A connection is idle most of the time: do not keep memory for further events.
            self.events = VecDeque::new();
        }
        event
    }

    /// Removes and returns the pending question with this id.
    pub(crate) fn take_pending(&mut self, id: u32) -> Option<Pending> {
        let pending = self.pending.remove(&id);
        if self.pending.is_empty() {
            // An empty tree still holds an allocated node.
            self.pending = BTreeMap::new();
        }
        pending
    }

    /// Moves events from the lower machines to the caller until there are none. Each was caused by one input,
    /// so this terminates.
    pub(crate) fn pump(&mut self, now: Instant) {
        self.hear_of_gre(now);
        loop {
            let mut moved = false;
            while let Some(event) = self.control.poll_event() {
                moved = true;
                self.control_event(now, event);
            }
            let before = self.events.len();
            let mut asks = Vec::new();
            for call in &mut self.calls {
                let mut questions: Vec<LinkQuestion> = Vec::new();
                call.drain(now, &mut questions, &mut self.events);
                asks.extend(questions.into_iter().map(|question| (call.handle, question)));
            }
            for (call, LinkQuestion { id, question }) in asks {
                self.ask(call, Pending::Link { call, id }, question);
            }
            let ended: Vec<(CallHandle, End)> = self
                .events
                .iter()
                .skip(before)
                .filter_map(|event| match event {
                    Event::CallEnded { call, end } => Some((*call, end.clone())),
                    _ => None,
                })
                .collect();
            for (call, end) in ended {
                moved = true;
                self.call_ended(now, call, &end);
            }
            if !moved {
                break;
            }
        }
        self.stop_when_idle(now);
    }

    /// Sends and handles reports about GRE on the control connection: adit's client reports what the server
    /// cannot see, only when GRE fails. Other clients send Set-Link-Info at any time, which proves nothing.
    fn hear_of_gre(&mut self, now: Instant) {
        for call in &mut self.calls {
            if let Some(report) = call.take_gre_report(now) {
                self.control.handle_command(now, ControlCommand::ReportGre { handle: call.handle, report });
            }
        }
        let Some(named) = self.control.link_info().filter(|_| self.peer_reports_gre) else { return };
        for call in &mut self.calls {
            match call.call_ids() {
                (ours, _) if ours == LocalCallId::new(named) => call.handle_peer_heard(),
                (_, theirs) if theirs == PeerCallId::new(named) => call.handle_misnamed(named),
                _ => {}
            }
        }
    }

    fn ask(&mut self, call: CallHandle, pending: Pending, question: Question) {
        let id = self.next_question;
        self.next_question = self.next_question.wrapping_add(1);
        self.pending.insert(id, pending);
        self.events.push_back(Event::Ask { id, call, question });
    }

    fn call_ended(&mut self, now: Instant, call: CallHandle, end: &End) {
        self.pending.retain(|_, pending| !matches!(pending, Pending::Link { call: of, .. } if *of == call));
        self.control.handle_command(now, ControlCommand::EndCall { handle: call, end: call_end(end) });
    }

    fn stop_when_idle(&mut self, now: Instant) {
        if let Some(why) = self.stopping
            && self.calls.iter().all(Call::is_ended)
            && !self.closed
        {
            let shutdown = why == Why::Shutdown;
            self.control.handle_command(now, ControlCommand::Stop { shutdown });
            self.stopping = None;
            self.pump(now);
        }
    }

    fn control_event(&mut self, now: Instant, event: ControlEvent) {
        match event {
            ControlEvent::Packet(packet) => {
                self.events.push_back(Event::Note { call: None, note: Note::Packet(packet) });
            }
            ControlEvent::Established(peer) => {
                self.peer_reports_gre = peer.vendor == OUR_VENDOR;
                self.events.push_back(Event::Established {
                    host: escape(&peer.host_name).to_string(),
                    vendor: escape(&peer.vendor).to_string(),
                });
            }
            ControlEvent::CallRequested { handle, request } => {
                let question = Question::Call(CallRequest {
                    peer_call_id: request.call_id(),
                    message: request.to_note(),
                });
                self.ask(handle, Pending::Call(handle), question);
            }
            ControlEvent::CallUp { handle, local_call_id, peer_call_id, window } => {
                self.events.push_back(Event::OpenPath { call: handle, local_call_id, peer_call_id, window });
                let (ours, theirs) = (local_call_id.get(), peer_call_id.get());
                let up = LayerUp::Control { local_call_id: ours, peer_call_id: theirs };
                self.events.push_back(Event::Note { call: Some(handle), note: Note::LayerUp(up) });
                let ids = (local_call_id, peer_call_id);
                let call = Call::new(handle, ids, self.config.clone(), now, self.rng.fork());
                self.calls.reserve_exact(1);
                self.calls.push(call);
            }
            ControlEvent::CallEnded { handle, by, code, detail } => {
                let end = end_of(by, code, detail);
                self.pending.retain(|_, pending| !matches!(pending, Pending::Call(of) if *of == handle));
                match self.call(handle) {
                    Some((call, events)) if !call.is_ended() => call.lower_down(now, end, events),
                    Some(_) => {}
                    None => self.events.push_back(Event::CallEnded { call: handle, end }),
                }
            }
            ControlEvent::Closed { by, code, detail } => {
                self.closed = true;
                let end = end_of(by, code, detail);
                for call in self.calls.iter_mut().filter(|call| !call.is_ended()) {
                    call.lower_down(now, end.clone(), &mut self.events);
                }
                self.pending.clear();
                self.events.push_back(Event::Closed { end });
            }
        }
    }
}

/// Converts the end of a call or connection as reported by the control machine.
fn end_of(by: Who, code: Option<Code>, detail: String) -> End {
    let why = match code {
        Some(Code::C06) => Why::LostCarrier,
        Some(_) => Why::Failed,
        None => Why::UserRequest,
    };
    End { why, by, code, detail }
}

/// The reason for a Call-Disconnect-Notify (RFC 2637 section 2.13).
fn call_end(end: &End) -> CallEnd {
    match end.why {
        Why::Shutdown | Why::AdminReset | Why::Replaced | Why::IdleTimeout | Why::SessionTimeout => {
            CallEnd::AdminShutdown
        }
        Why::LostCarrier => CallEnd::LostCarrier,
        Why::UserRequest => CallEnd::Request,
        Why::Failed | Why::Crash => CallEnd::GeneralError,
    }
}
