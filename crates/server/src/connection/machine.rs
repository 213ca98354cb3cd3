//! The state machine of one connection: takes inputs, returns effects. It reads no clock and no socket.

use std::sync::Arc;

use adit_auth::Pending;
use adit_config::{Config, LogLevel};
use adit_crypto::Rng;
use adit_diag::note::Refused;
use adit_diag::{Code, EventFacts, Note};
use adit_ppp::auth::AuthRequest;
use adit_store::{Change, NewEvent, SessionUpdate};
use adit_tunnel::events::{self, Command, End, Who, Why};
use adit_tunnel::{ServerConfig, ServerTunnel, Transmit};
use ipnet::Ipv4Net;

use super::handles::{Handles, Now, Slot};
use super::state::{NoCall, State};
use crate::addresses::LeaseRequest;
use crate::event_writer::{Entry, Step};
use crate::message::{Answered, Message};
use crate::session::Session;

/// One connection with its call and its session.
pub(crate) struct Machine {
    pub(super) handles: Arc<Handles>,
    /// The configuration as it was when the client called.
    pub(super) config: Arc<Config>,
    pub(super) session: Arc<Session>,
    pub(super) tunnel: ServerTunnel,
    pub(super) state: State,
    /// Why the server ends the session; applies unless the call ended for another reason.
    pub(super) requested_end: Option<End>,
    /// Whether the connection is over: pending output is sent, then [`Effect::Close`] is returned.
    pub(super) is_closed: bool,
}

/// An input of the machine.
pub(crate) enum Input<'a> {
    /// Octets of the control connection.
    Control(&'a [u8]),
    /// The client closed the control connection, or it broke.
    ControlClosed,
    /// A message from the rest of the server.
    Message(Message),
    /// The result of [`Effect::AddRoutes`].
    RoutesAdded {
        /// The routes that exist now.
        added: Vec<Ipv4Net>,
        /// The routes that could not be added, and why.
        failed: Vec<(Ipv4Net, String)>,
    },
    /// [`Effect::RemoveRoutes`] is done.
    RoutesRemoved,
}

/// An action that the caller of the machine must carry out.
pub(crate) enum Effect {
    /// Send what the output buffer holds to the client.
    Send,
    /// Authenticate a user; a [`Message::Answer`] with this id brings the verdict.
    Authenticate {
        /// The id of the question.
        id: u32,
        /// What the client claims and proves.
        request: Box<AuthRequest>,
        /// The state left by the round before.
        pending: Option<Box<Pending>>,
    },
    /// Assign the session an address; a [`Message::Answer`] with this id brings it.
    LendAddress {
        /// The id of the question.
        id: u32,
        /// The address that is needed.
        request: Box<LeaseRequest>,
    },
    /// Add these routes before anything else, then pass [`Input::RoutesAdded`].
    AddRoutes(Vec<Ipv4Net>),
    /// Remove these routes before anything else, then pass [`Input::RoutesRemoved`].
    RemoveRoutes(Vec<Ipv4Net>),
    /// Close the connection, then call [`Machine::handle_disconnected`] and [`Machine::finish`].
    Close,
}

/// The parts with which a session begins.
pub(crate) struct Start {
    /// The configuration for new calls.
    pub(crate) config: Arc<Config>,
    /// The same configuration, converted for the tunnel machine.
    pub(crate) tunnel: ServerConfig,
    /// A random number generator that no other session uses.
    pub(crate) rng: Rng,
    /// The session, which is registered already.
    pub(crate) session: Arc<Session>,
    /// Its slot among those that are being set up.
    pub(crate) slot: Box<dyn Slot>,
}

impl Machine {
    /// Creates the machine of a new session.
    pub(crate) fn new(handles: Arc<Handles>, start: Start, now: Now) -> Machine {
        let Start { config, tunnel, rng, session, slot } = start;
        let tunnel = ServerTunnel::new(tunnel, *session.from.ip(), now.instant, rng);
        Machine {
            handles,
            config,
            session,
            tunnel,
            state: State::NoCall(NoCall { slot }),
            requested_end: None,
            is_closed: false,
        }
    }

    /// The session that this machine drives.
    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The configuration of this session.
    pub(crate) fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Handles an input.
    pub(crate) fn handle_input(&mut self, now: Now, input: Input<'_>) {
        match input {
            Input::Control(octets) => {
                self.report_unmatched(now);
                self.tunnel.handle_input(now.instant, events::Input::Control(octets));
            }
            // When this side has ended the connection, its end is no news.
            Input::ControlClosed if self.is_closed => {}
            Input::ControlClosed => {
                self.report_unmatched(now);
                self.tunnel.handle_input(now.instant, events::Input::ControlClosed);
            }
            Input::Message(message) => self.handle_message(now, message),
            Input::RoutesAdded { added, failed } => self.routes_added(now, added, failed),
            Input::RoutesRemoved => self.routes_removed(now),
        }
    }

    /// Handles expired timers.
    pub(crate) fn handle_timeout(&mut self, now: Now) {
        self.report_unmatched(now);
        self.tunnel.handle_timeout(now.instant);
        if let State::SettingUp(setting_up) = &mut self.state {
            setting_up.check_login(now.instant);
        }
        self.update_suspicion(now);
    }

    /// When to call [`Machine::handle_timeout`] at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<std::time::Instant> {
        let slow_login = match &self.state {
            State::SettingUp(setting_up) => setting_up.login_is_slow_at(),
            _ => None,
        };
        self.tunnel.poll_timeout().map(|(at, _)| at).into_iter().chain(slow_login).min()
    }

    /// Returns the next effect; `None` until there is an input. `output` receives what [`Effect::Send`]
    /// sends.
    pub(crate) fn poll_effect(&mut self, now: Now, output: &mut Vec<u8>) -> Option<Effect> {
        loop {
            while let Some(event) = self.tunnel.poll_event() {
                if let Some(effect) = self.handle_event(now, event) {
                    return Some(effect);
                }
            }
            match self.tunnel.poll_transmit(output) {
                Some(Transmit::Control) => return Some(Effect::Send),
                Some(Transmit::Frame { .. }) => {
                    if let Some(call) = self.state.call() {
                        self.handles.path.send_frame(call.id, output.clone());
                    }
                }
                None => return self.is_closed.then_some(Effect::Close),
            }
        }
    }

    fn handle_message(&mut self, now: Now, message: Message) {
        match message {
            Message::Frame(frame, origin) => {
                self.call_input(now, |call| events::Input::Frame { call, frame: &frame, origin });
            }
            Message::DataRejected => self.call_input(now, |call| events::Input::DataRejected { call }),
            Message::Acknowledged => self.call_input(now, |call| events::Input::Acknowledged { call }),
            Message::Unreachable { from, code } => {
                self.call_input(now, |call| events::Input::Unreachable { call, from, code });
            }
            Message::Traffic { received, sent } => {
                self.call_input(now, |call| events::Input::Traffic { call, received, sent });
            }
            Message::EncryptionBroken => {
                let cause = "the client keeps sending data that is not encrypted as agreed".into();
                if let Some(call) = self.state.call_mut() {
                    call.refused = Some(Refused { code: Code::E05, cause });
                }
                self.tunnel.handle_command(now.instant, Command::Stop { why: Why::Failed });
            }
            Message::Dhcp(packet) => self.answer_dhcp(now, &packet),
            Message::Answer(answered) => {
                let Answered { id, answer, learned } = *answered;
                self.learn(now, learned);
                self.tunnel.handle_answer(now.instant, id, answer);
            }
            Message::End { why, code, reason } => {
                self.note(now, &Note::EndOrdered { why, reason: reason.as_str().into() });
                self.requested_end.get_or_insert(End { why, by: Who::Us, code, detail: reason });
                self.tunnel.handle_command(now.instant, Command::Stop { why });
            }
            Message::Cut => self.is_closed = true,
        }
    }

    fn call_input<'a>(&mut self, now: Now, input: impl FnOnce(u32) -> events::Input<'a>) {
        if let Some(call) = self.state.call() {
            self.tunnel.handle_input(now.instant, input(call.handle));
        }
    }

    /// Notes unmatched GRE packets while the call is being set up: they show where its packets go.
    fn report_unmatched(&mut self, now: Now) {
        let State::SettingUp(setting_up) = &self.state else { return };
        let (call, id) = (setting_up.call.handle, setting_up.call.id);
        let (peer, since) = (*self.session.from.ip(), self.session.started_at);
        if let Some(unmatched) = self.handles.path.unmatched(id, peer, since) {
            self.tunnel.handle_input(now.instant, events::Input::Unmatched { call, unmatched });
        }
    }

    /// Notes what looks broken, for display before the session ends.
    fn update_suspicion(&mut self, now: Now) {
        if self.state.was_up() {
            return;
        }
        let suspects = self.tunnel.suspects(now.instant);
        let mut known = self.session.known();
        (known.code, known.suspicion) = match suspects {
            Some((code, detail)) => (Some(code), detail),
            None => (None, String::new()),
        };
    }

    /// Records an event about this session.
    pub(super) fn record_event(&self, now: Now, code: Option<Code>, facts: EventFacts) {
        let user = self.session.known().user.clone();
        let (from, session) = (Some((*self.session.from.ip()).into()), Some(self.session.id));
        let event = NewEvent { user, from, session, code, ..NewEvent::new(now.timestamp, facts) };
        self.handles.recorder.enqueue(Entry::Event(Box::new(event)));
    }

    pub(super) fn update_row(&self, update: SessionUpdate) {
        let update = Change::Update(self.session.id, Box::new(update));
        self.handles.recorder.enqueue(Entry::Change(update));
    }

    pub(super) fn note(&self, now: Now, note: &Note) {
        self.session.record(now.instant, note);
        if self.config.log.level == LogLevel::Debug {
            let step = Step { at: now.timestamp, session: self.session.id, note: note.clone() };
            self.handles.recorder.enqueue(Entry::Step(Box::new(step)));
        }
    }
}
