//! Set-up of a connection, from the first message to a call that carries traffic.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use adit_auth::AddressRequest;
use adit_diag::event::{CameUp, EventFacts, Mppe};
use adit_diag::note::{Cause, Finding, Message, Refused};
use adit_diag::{Code, Layer, LoginRefusal, Note};
use adit_policy::admission::Stage;
use adit_store::SessionUpdate;
use adit_tunnel::events::{self, Answer, Event, Question, Who};
use adit_wire::{LocalCallId, PeerCallId};
use ipnet::Ipv4Net;

use super::handles::Now;
use super::machine::{Effect, Machine};
use super::state::{Call, Ending, NoCall, SettingUp, State, Up};
use crate::addresses::LeaseRequest;
use crate::message::Learned;
use crate::{convert, ending};

impl Machine {
    /// Handles an event of the tunnel machine. What takes time or needs a socket becomes an effect.
    pub(super) fn handle_event(&mut self, now: Now, event: Event) -> Option<Effect> {
        match event {
            Event::Ask { id, call, question } => return self.ask(now, id, call, question),
            Event::OpenPath { local_call_id, peer_call_id, window, .. } => {
                self.open_path(local_call_id, peer_call_id, window);
            }
            Event::Path { command, .. } => {
                if let Some(call) = self.state.call() {
                    self.handles.path.command(call.id, command);
                }
            }
            Event::Note { note, .. } => self.take_note(now, note),
            Event::Established { host, vendor } => self.established(host, vendor),
            Event::CountTraffic { .. } => self.update_counters(now),
            Event::Up { up, .. } => return self.call_up(now, up),
            Event::CallEnded { end, .. } => return self.end_call(now, end),
            Event::Closed { end } => self.closed(end),
        }
        None
    }

    fn take_note(&self, now: Now, note: Note) {
        match note {
            // The record gets it once, at the end, with the findings from the counters.
            Note::Finding(finding) => {
                if let Finding::Unanswered { sent, seconds } = finding {
                    let facts = EventFacts::SessionUnanswered { sent, seconds };
                    self.record_event(now, Some(finding.code()), facts);
                    let mut known = self.session.known();
                    known.silent_after = Some(known.counters.rx_packets);
                }
                let mut known = self.session.known();
                known.noticed.retain(|noticed| noticed.code() != finding.code());
                known.noticed.push(finding);
            }
            Note::ForgedFrames { frames } => self.report_forged(now, frames),
            // Keep-alives would fill the record of an idle session.
            Note::Packet(packet) if self.state.was_up() && packet.message.kind.is_echo() => {}
            note => {
                if let Note::LayerUp(up) = &note {
                    let layer = up.layer();
                    self.session.known().layer = Some(layer);
                    self.report_progress(layer);
                }
                self.note(now, &note);
            }
        }
    }

    /// Reports that the set-up proceeds: one that does not gives way to others.
    fn report_progress(&self, layer: Layer) {
        let stage = match layer {
            Layer::Gre => Stage::Linked,
            Layer::Lcp => Stage::Lcp,
            _ => return,
        };
        if let State::SettingUp(setting_up) = &self.state {
            setting_up.slot.reached(stage);
        }
    }

    /// Records forged control frames of the session: their number so far.
    fn report_forged(&self, now: Now, frames: u64) {
        self.note(now, &Note::ForgedFrames { frames });
        let before = std::mem::replace(&mut self.session.known().forged, frames);
        self.handles.registry.forgeries.note_frames(now.instant, frames.saturating_sub(before));
        self.record_event(now, Some(Code::G10), EventFacts::SessionForged { frames });
    }

    fn ask(&mut self, now: Now, id: u32, call: u32, question: Question) -> Option<Effect> {
        match question {
            Question::Call(request) => {
                let answer = self.accept_call(now, call, request.message);
                self.tunnel.handle_answer(now.instant, id, answer);
                None
            }
            Question::Authenticate(request) => {
                if let State::SettingUp(setting_up) = &mut self.state {
                    setting_up.login_asked(now.instant);
                }
                let pending = self.state.call_mut().and_then(|call| call.pending.take());
                Some(Effect::Authenticate { id, request: Box::new(request), pending })
            }
            Question::Address { name, .. } => {
                Some(Effect::LendAddress { id, request: Box::new(self.lease_request(&name)) })
            }
        }
    }

    /// The address that the session needs, according to the grant of the account source.
    fn lease_request(&self, name: &[u8]) -> LeaseRequest {
        let known = self.session.known();
        let user = known.user.clone().unwrap_or_else(|| adit_wire::text::escape(name).to_string());
        let own = self.state.call().and_then(|call| call.address.as_deref());
        let pool = own.and_then(|own| own.pool.clone());
        let pool = pool.unwrap_or_else(|| self.config.access_for(known.group.as_deref()).pool.clone());
        LeaseRequest { user, pool, address: own.and_then(|own| own.address) }
    }

    fn accept_call(&mut self, now: Now, handle: u32, request: Message) -> Answer {
        let refuse = |detail: String| Answer::RefuseCall { code: Code::C05, detail };
        if let Some(reason) = self.handles.registry.refusal(&self.config.limits, &self.session) {
            return refuse(reason);
        }
        let slot = match std::mem::replace(&mut self.state, State::Ended) {
            State::NoCall(NoCall { slot }) => slot,
            other => {
                self.state = other;
                return refuse("this connection has had its call".to_owned());
            }
        };
        let Some(id) = self.handles.path.reserve_call_id(*self.session.from.ip()) else {
            self.state = State::NoCall(NoCall { slot });
            return refuse("no Call ID is free".to_owned());
        };
        slot.reached(Stage::Called);
        let call = Call { handle, id, lease: None, address: None, pending: None, refused: None };
        self.state = State::SettingUp(SettingUp { slot, call, networks: Vec::new(), login: None });
        self.note(now, &Note::CallAccepted { call_id: id.get(), request });
        Answer::AcceptCall { call_id: id }
    }

    fn open_path(&self, local_call_id: LocalCallId, peer_call_id: PeerCallId, window: u16) {
        self.session.known().call_ids = Some((local_call_id, peer_call_id));
        self.handles.registry.bind_call(local_call_id, Arc::clone(&self.session));
        let config = convert::path(&self.config, local_call_id, peer_call_id, window);
        self.handles.path.open(local_call_id, self.session.to, *self.session.from.ip(), config);
    }

    fn established(&self, host: String, vendor: String) {
        let mut known = self.session.known();
        known.host.clone_from(&host);
        known.vendor.clone_from(&vendor);
        drop(known);
        let (host, vendor) = (Some(host), Some(vendor));
        self.update_row(SessionUpdate { host, vendor, ..SessionUpdate::default() });
    }

    /// Applies what an answer revealed about the session.
    pub(super) fn learn(&mut self, now: Now, learned: Learned) {
        let Learned { user, group, networks, address, lease, pending, refused } = learned;
        if let State::SettingUp(setting_up) = &mut self.state {
            setting_up.login_answered();
            if !networks.is_empty() {
                setting_up.networks = networks;
            }
        }
        if let Some(call) = self.state.call_mut() {
            call.pending = pending;
        }
        if let Some(lease) = lease {
            match self.state.call_mut() {
                Some(call) => {
                    call.lease = Some(lease.clone());
                    let (pool, address) = (Some(lease.0), Some(lease.1));
                    self.update_row(SessionUpdate { pool, address, ..SessionUpdate::default() });
                }
                // The call is over. Its end has already released what it held, so the lease must be released
                // here.
                None => self.handles.release(self.session.id, lease),
            }
        }
        if user.is_some() {
            let mut known = self.session.known();
            known.user.clone_from(&user);
            known.group.clone_from(&group);
            drop(known);
            // The path exists since the call was accepted, and carries no IP packet yet.
            if refused.is_none()
                && let Some(call) = self.state.call()
            {
                self.handles.reach.apply(&self.session, call.id, &*self.handles.path);
            }
            // An earlier refusal that no longer applies, such as an expired password that was then changed.
            if let Some(call) = self.state.call_mut().filter(|_| refused.is_none()) {
                call.refused = None;
                call.address = (address != AddressRequest::default()).then(|| Box::new(address));
            }
            self.update_row(SessionUpdate { user, group, ..SessionUpdate::default() });
        }
        if let Some(refused) = refused {
            self.note(now, &Note::Refused(refused.clone()));
            if is_failed_login(&refused)
                && let State::SettingUp(setting_up) = &self.state
            {
                setting_up.slot.login_refused();
            }
            // The log line is written at the end, once for each call.
            if let Some(call) = self.state.call_mut() {
                call.refused = Some(refused);
            }
        }
    }

    /// Handles a call that carries traffic, for the first time or again after PPP was renegotiated.
    fn call_up(&mut self, now: Now, up: events::Up) -> Option<Effect> {
        self.update_row(SessionUpdate {
            up: Some(now.timestamp),
            address: Some(up.peer),
            server_address: Some(up.local),
            method: up.method.map(|method| method.to_string()),
            mppe: Some(mppe(&up).to_string()),
            ..SessionUpdate::default()
        });
        let mut known = self.session.known();
        known.up_at.get_or_insert(now.instant);
        known.up = Some(up);
        drop(known);
        let SettingUp { slot, call, networks, .. } = match std::mem::replace(&mut self.state, State::Ended) {
            State::SettingUp(setting_up) => setting_up,
            other => {
                self.state = other;
                return None;
            }
        };
        self.state = State::Up(Up { call, routes: Vec::new() });
        slot.call_up();
        self.handles.registry.call_up(Arc::clone(&self.session));
        self.handles.registry.calls_ok.fetch_add(1, Ordering::Relaxed);
        Some(Effect::AddRoutes(networks))
    }

    pub(super) fn routes_added(&mut self, now: Now, added: Vec<Ipv4Net>, failed: Vec<(Ipv4Net, String)>) {
        if let State::Up(up) = &mut self.state {
            up.routes = added;
        }
        for (network, error) in failed {
            self.note(now, &Note::RouteFailed { network, error: error.into() });
        }
        let took = now.instant.saturating_duration_since(self.session.started_at);
        let mut known = self.session.known();
        let facts = known.up.as_ref().map(|up| {
            let (address, method, mppe) = (up.peer, up.method, mppe(up));
            EventFacts::SessionUp(CameUp { address, method, mppe, took_ms: ending::milliseconds(took) })
        });
        known.record.shrink();
        drop(known);
        if let Some(facts) = facts {
            self.record_event(now, None, facts);
        }
    }

    /// Handles the end of the control connection.
    fn closed(&mut self, end: events::End) {
        self.is_closed = true;
        self.state = match std::mem::replace(&mut self.state, State::Ended) {
            State::NoCall(NoCall { slot }) => {
                let requested = self.requested_end.take().filter(|_| end.by == Who::Us);
                let end = requested.unwrap_or(end);
                State::Ending(Ending { slot: Some(slot), end, refusal: None, lease: None, counters: None })
            }
            other => other,
        };
    }
}

/// Whether a refusal counts as a failed login of its address. A right password for an account with too many sessions is
/// not a guess, and its client may dial again and again.
fn is_failed_login(refused: &Refused) -> bool {
    match &refused.cause {
        Cause::Login(LoginRefusal::SessionLimit { .. }) => false,
        Cause::Login(_) => true,
        Cause::Text(_) | Cause::AccountSource(_) => false,
    }
}

fn mppe(up: &events::Up) -> Mppe {
    match up.encryption {
        None => Mppe::None,
        Some((strength, true)) => Mppe::Stateless(strength.bits()),
        Some((strength, false)) => Mppe::Stateful(strength.bits()),
    }
}
