//! The machine: state, timer, counters, queues, and the actions of the table.

use core::time::Duration;
use std::time::Instant;

use adit_wire::cp;
use adit_wire::ppp::DEFAULT_MRU;

use super::protocol::{ControlProtocol, Failure};
use super::timers::Timers;
use crate::automaton::{self, Action, State};
use crate::output::Output;

/// The most octets of a reason, ours or the peer's, that are kept.
const MAX_REASON: usize = 255;

/// An event of the layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// This-Layer-Up: the options of both sides are agreed.
    Up,
    /// This-Layer-Down: the options are no longer agreed.
    Down,
    /// The peer has requested the end of the layer, with this data (at most 255 octets of it).
    TerminateRequest(Vec<u8>),
    /// This-Layer-Finished: nothing more will be sent.
    Finished(Finish),
}

/// Why a layer finished; the first cause counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// We closed it.
    Closed,
    /// The peer has sent a Terminate-Request with this data.
    Terminated(Vec<u8>),
    /// Max-Configure requests were sent without an answer that ends the negotiation.
    NoAnswer,
    /// The peer has rejected the whole protocol or an essential code.
    Rejected,
    /// The negotiation cannot succeed.
    Failed(Failure),
}

/// The open Configure-Request.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub(super) id: u8,
    pub(super) options: Box<[u8]>,
    /// Whether a valid reply was received, so that the next request needs a new identifier.
    pub(super) answered: bool,
}

/// One control protocol being negotiated with the peer.
#[derive(Debug)]
pub struct Fsm<P> {
    pub(super) protocol: P,
    pub(super) state: State,
    pub(super) timers: Timers,
    /// Configure- or Terminate-Requests that may still be sent.
    restart_count: u32,
    deadline: Option<Instant>,
    last_id: u8,
    pub(super) request: Request,
    /// Identifier and options of the peer's request that was acknowledged last.
    pub(super) peer_request: (u8, Box<[u8]>),
    pub(super) naks_sent: u32,
    /// Naks and Rejects received in this negotiation.
    pub(super) refusals: u32,
    pub(super) naks_received: u32,
    /// When the layer entered Opened; `None` after traffic.
    pub(super) opened_at: Option<Instant>,
    /// Whether the protocol was reset for a negotiation whose first request is not sent yet.
    pub(super) fresh: bool,
    pub(super) peer_mru: u16,
    reason: Box<[u8]>,
    pub(super) cause: Option<Box<Finish>>,
    output: Output<Event>,
}

/// A packet that answers the one being handled; the table determines whether it is sent.
pub(super) enum Reply<'a> {
    None,
    /// For `sca` and `scn`: Ack, Nak or Reject.
    Configure {
        code: u8,
        id: u8,
        data: &'a [u8],
    },
    /// For `sta`.
    Terminate {
        id: u8,
    },
    /// For `scj`: the packet to reject.
    Code {
        packet: &'a [u8],
    },
    /// For `ser`: the answer to an extra code.
    Extra {
        code: u8,
        id: u8,
        data: &'a [u8],
    },
}

impl<P: Clone> Fsm<P> {
    /// A copy of a layer in Opened, to return to with [`restore`](Fsm::restore).
    pub(crate) fn copy(&self) -> Fsm<P> {
        Fsm {
            protocol: self.protocol.clone(),
            request: self.request.clone(),
            peer_request: self.peer_request.clone(),
            reason: self.reason.clone(),
            cause: self.cause.clone(),
            output: Output::new(),
            ..*self
        }
    }

    /// Returns to a copy: what was negotiated since is forgotten. Identifiers go on, so that a late answer to a
    /// request sent since has no effect.
    pub(crate) fn restore(&mut self, copy: Fsm<P>) {
        *self = Fsm { last_id: self.last_id, ..copy };
    }
}

impl<P: ControlProtocol> Fsm<P> {
    /// Creates a layer in Initial.
    pub fn new(protocol: P, timers: Timers) -> Fsm<P> {
        Fsm {
            protocol,
            state: State::Initial,
            timers,
            restart_count: 0,
            deadline: None,
            last_id: 0,
            request: Request { answered: true, ..Request::default() },
            peer_request: (0, Box::default()),
            naks_sent: 0,
            refusals: 0,
            naks_received: 0,
            opened_at: None,
            fresh: false,
            peer_mru: DEFAULT_MRU,
            reason: Box::default(),
            cause: None,
            output: Output::new(),
        }
    }

    /// The state of the automaton.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether the layer is up.
    pub fn is_opened(&self) -> bool {
        self.state == State::Opened
    }

    /// Why the layer is finishing; available before [`Event::Finished`].
    pub fn cause(&self) -> Option<&Finish> {
        self.cause.as_deref()
    }

    /// Why this negotiation cannot succeed; available before [`Event::Finished`].
    pub fn failure(&self) -> Option<&Failure> {
        match self.cause() {
            Some(Finish::Failed(failure)) => Some(failure),
            _ => None,
        }
    }

    /// The control protocol.
    pub fn protocol(&self) -> &P {
        &self.protocol
    }

    /// The control protocol, mutable.
    pub fn protocol_mut(&mut self) -> &mut P {
        &mut self.protocol
    }

    /// Sets the MRU of the peer, to which rejects and replies are truncated. The default is 1500.
    pub fn set_peer_mru(&mut self, mru: u16) {
        self.peer_mru = mru;
    }

    /// Administrative Open: the layer may come up.
    pub fn open(&mut self, now: Instant) {
        self.cause = None;
        self.fire(now, automaton::Event::Open, Reply::None);
    }

    /// Reports that the lower layer is up.
    pub fn lower_up(&mut self, now: Instant) {
        self.cause = None;
        self.fire(now, automaton::Event::Up, Reply::None);
    }

    /// Reports that the lower layer is down.
    pub fn lower_down(&mut self, now: Instant) {
        self.fire(now, automaton::Event::Down, Reply::None);
    }

    /// Combines [`open`](Fsm::open) and [`lower_up`](Fsm::lower_up), but sends nothing until the peer's first
    /// Configure-Request (the passive option of RFC 1661 section 4.2). Only for a layer that is still in
    /// Initial or Starting.
    pub fn listen(&mut self) {
        if matches!(self.state, State::Initial | State::Starting) {
            self.cause = None;
            self.state = State::Stopped;
        }
    }

    /// Administrative Close; `reason` is sent to the peer in the Terminate-Request (RFC 1661 section 5.5).
    pub fn close(&mut self, now: Instant, reason: &str) {
        self.finish_with(now, Finish::Closed, reason);
    }

    /// Handles a Protocol-Reject of this protocol: RXJ-.
    pub fn protocol_rejected(&mut self, now: Instant) {
        self.cause.get_or_insert(Box::new(Finish::Rejected));
        self.fire(now, automaton::Event::RxjMinus, Reply::None);
    }

    /// Reports traffic on this layer, after which a repeated request no longer counts as a crossing.
    pub fn note_traffic(&mut self) {
        self.opened_at = None;
    }

    /// Whether the layer is up, and no traffic has been reported since it was opened.
    pub fn is_unused(&self) -> bool {
        self.opened_at.is_some()
    }

    /// Sends a packet with one of the protocol's extra codes under a new identifier, and returns the
    /// identifier. `None` if the layer is not Opened.
    pub fn send(&mut self, code: u8, data: &[u8]) -> Option<u8> {
        if self.state != State::Opened {
            return None;
        }
        let id = self.next_id();
        self.push(code, id, self.cut(data));
        Some(id)
    }

    /// Sends a packet with one of the protocol's extra codes under this identifier; `false` if the layer is not
    /// Opened.
    pub fn send_with_id(&mut self, code: u8, id: u8, data: &[u8]) -> bool {
        if self.state != State::Opened {
            return false;
        }
        self.push(code, id, self.cut(data));
        true
    }

    /// Leaves Opened and negotiates again, starting with our request.
    pub fn renegotiate(&mut self, now: Instant) {
        if self.state == State::Opened {
            self.restart_count = self.timers.max_configure;
            // The table's transition for a peer that has left Opened.
            self.fire(now, automaton::Event::Rta, Reply::None);
        }
    }

    /// Whether a Configure-Request contains exactly the options that were acknowledged last, in Opened.
    pub fn has_agreed_to(&self, packet: &cp::Packet<'_>) -> bool {
        let (_, options) = &self.peer_request;
        self.state == State::Opened && packet.code == cp::CONFIGURE_REQUEST && packet.data == &**options
    }

    /// Acknowledges such a request once more, without leaving Opened.
    pub fn acknowledge_again(&mut self, packet: &cp::Packet<'_>) {
        if self.has_agreed_to(packet) {
            self.push(cp::CONFIGURE_ACK, packet.id, packet.data);
        }
    }

    /// Handles expired timers.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        self.deadline = None;
        if self.restart_count > 0 {
            self.fire(now, automaton::Event::ToPlus, Reply::None);
        } else {
            if self.state.is_negotiating() {
                self.cause.get_or_insert(Box::new(Finish::NoAnswer));
            }
            self.fire(now, automaton::Event::ToMinus, Reply::None);
        }
    }

    /// Shortens the wait for the answer to the open Configure-Request to at most `wait`, once.
    pub fn hurry(&mut self, now: Instant, wait: Duration) {
        if self.state.is_negotiating()
            && !self.request.answered
            && let (Some(deadline), Some(sooner)) = (&mut self.deadline, now.checked_add(wait))
        {
            *deadline = sooner.min(*deadline);
        }
    }

    /// Appends the next packet, starting with its code, to `out`; `false` when there is none.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        self.output.poll_transmit(out)
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.output.poll_event()
    }

    /// When to call [`handle_timeout`](Fsm::handle_timeout), and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.deadline.map(|deadline| (deadline, "restart timer"))
    }

    /// Closes because of `finish`, which is recorded unless there is an earlier cause.
    pub(super) fn finish_with(&mut self, now: Instant, finish: Finish, reason: &str) {
        if !matches!(self.state, State::Closing | State::Stopping) {
            self.reason = reason.bytes().take(MAX_REASON).collect();
        }
        self.cause.get_or_insert(Box::new(finish));
        let was_listening = self.state == State::Stopped;
        self.fire(now, automaton::Event::Close, Reply::None);
        // The table has no action here, because a layer finishes before it reaches Stopped. After `listen` it
        // has not finished.
        if was_listening && let Some(finish) = self.cause.take() {
            self.push_event(Event::Finished(*finish));
        }
    }

    /// Executes the transition for `event`. An event without a transition in this state has no effect.
    pub(super) fn fire(&mut self, now: Instant, event: automaton::Event, reply: Reply<'_>) {
        let Some(transition) = automaton::transition(self.state, event) else { return };
        let from = self.state;
        self.state = transition.next;
        for action in transition.actions {
            self.act(now, *action, from, &reply);
        }
        if !self.state.is_timed() {
            self.deadline = None;
        }
    }

    fn act(&mut self, now: Instant, action: Action, from: State, reply: &Reply<'_>) {
        match (action, reply) {
            (Action::Tlu, _) => {
                self.opened_at = Some(now);
                self.push_event(Event::Up);
            }
            (Action::Tld, _) => self.push_event(Event::Down),
            (Action::Tls, _) => {}
            (Action::Tlf, _) => {
                let finish = self.cause.take().map_or(Finish::Closed, |cause| *cause);
                self.push_event(Event::Finished(finish));
            }
            (Action::Irc, _) => {
                self.restart_count = if matches!(self.state, State::Closing | State::Stopping) {
                    self.timers.max_terminate
                } else {
                    self.timers.max_configure
                };
            }
            (Action::Zrc, _) => {
                self.restart_count = 0;
                self.start_timer(now);
            }
            (Action::Scr, _) => self.send_request(now, from),
            (Action::Str, _) => {
                self.restart_count = self.restart_count.saturating_sub(1);
                self.start_timer(now);
                let id = self.next_id();
                let reason = self.reason.clone();
                self.push(cp::TERMINATE_REQUEST, id, self.cut(&reason));
            }
            (Action::Sta, Reply::Terminate { id } | Reply::Configure { id, .. }) => {
                self.push(cp::TERMINATE_ACK, *id, &[]);
            }
            (Action::Sca | Action::Scn, Reply::Configure { code, id, data })
            | (Action::Ser, Reply::Extra { code, id, data }) => self.push(*code, *id, data),
            (Action::Scj, Reply::Code { packet }) => {
                let id = self.next_id();
                self.push(cp::CODE_REJECT, id, self.cut(packet));
            }
            (Action::Sta | Action::Sca | Action::Scn | Action::Ser | Action::Scj, _) => {}
        }
    }

    fn send_request(&mut self, now: Instant, from: State) {
        if !from.is_negotiating() && !self.fresh {
            self.begin();
        }
        self.fresh = false;
        self.restart_count = self.restart_count.saturating_sub(1);
        self.start_timer(now);
        let mut options = Vec::new();
        self.protocol.request(&mut options);
        // A retransmission keeps its identifier, so that a late reply to an earlier copy is still valid.
        if self.request.answered || *options != *self.request.options {
            self.request = Request { id: self.next_id(), options: options.into(), answered: false };
        }
        let Request { id, options, .. } = &self.request;
        let (id, options) = (*id, options.clone());
        self.push(cp::CONFIGURE_REQUEST, id, &options);
    }

    /// Starts a negotiation: the state of an earlier one is discarded.
    pub(super) fn begin(&mut self) {
        self.protocol.reset();
        self.request.answered = true;
        self.peer_request = (0, Box::default());
        self.naks_sent = 0;
        self.naks_received = 0;
        self.refusals = 0;
        self.fresh = true;
    }

    fn next_id(&mut self) -> u8 {
        self.last_id = self.last_id.wrapping_add(1);
        self.last_id
    }

    fn start_timer(&mut self, now: Instant) {
        // With a timer of zero, time would never advance.
        self.deadline = now.checked_add(self.timers.restart.max(Duration::from_millis(1)));
    }

    /// Truncates `data` to what fits into one packet to the peer.
    pub(super) fn cut<'a>(&self, data: &'a [u8]) -> &'a [u8] {
        data.get(..usize::from(self.peer_mru).saturating_sub(cp::HEADER_LEN)).unwrap_or(data)
    }

    pub(super) fn push(&mut self, code: u8, id: u8, data: &[u8]) {
        let mut packet = Vec::with_capacity(cp::HEADER_LEN + data.len());
        cp::emit(&mut packet, code, id, data);
        self.output.send(packet);
    }

    pub(super) fn push_event(&mut self, event: Event) {
        self.output.push_event(event);
    }

    /// The data of a Terminate-Request, truncated for storage.
    pub(super) fn kept(data: &[u8]) -> Vec<u8> {
        data.iter().copied().take(MAX_REASON).collect()
    }
}
