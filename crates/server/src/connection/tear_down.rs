//! Tear-down of a connection, from the end of the call to the last line of the record.

use adit_diag::note::Refused;
use adit_diag::{LoginRefusal, Note};
use adit_policy::reach::Hits;
use adit_store::{Change, SessionEnd};
use adit_tunnel::events::{self, Command, End, Who, Why};
use ipnet::Ipv4Net;

use super::handles::Now;
use super::machine::{Effect, Machine};
use super::state::{Ending, NoCall, SettingUp, State, Up};
use crate::ending;
use crate::event_writer::Entry;
use crate::message::Message;
use crate::reach::report::denial_code;

impl Machine {
    /// Handles the end of the call: its data path is closed at once, its address is released after its routes
    /// are removed.
    pub(super) fn end_call(&mut self, now: Now, end: End) -> Option<Effect> {
        self.end_call_with(now, end).map(Effect::RemoveRoutes)
    }

    fn end_call_with(&mut self, now: Now, end: End) -> Option<Vec<Ipv4Net>> {
        self.update_counters(now);
        let end = self.with_requested_reason(end);
        let (slot, call, routes) = match std::mem::replace(&mut self.state, State::Ended) {
            State::NoCall(NoCall { slot }) => (Some(slot), None, Vec::new()),
            State::SettingUp(SettingUp { slot, call, .. }) => (Some(slot), Some(call), Vec::new()),
            State::Up(Up { call, routes }) => (None, Some(call), routes),
            over @ (State::Ending(_) | State::Ended) => {
                self.state = over;
                return None;
            }
        };
        let mut ending = Ending { slot, end, refusal: None, lease: None, counters: None };
        if let Some(call) = call {
            self.handles.registry.unbind_call(call.id);
            ending.counters = self.handles.path.close(call.id);
            ending.lease = call.lease;
            // The refused login is the cause; the client's disconnect is its consequence.
            if let Some(Refused { code, cause }) = call.refused {
                let detail = cause.to_string();
                ending.refusal = cause.into_login();
                ending.end = End { why: Why::Failed, code: Some(code), detail, ..ending.end };
            }
        }
        self.state = State::Ending(ending);
        Some(routes)
    }

    /// The end, with the reason that was given when it was ordered, such as that of `adit kick`: the protocol carries
    /// none.
    fn with_requested_reason(&mut self, end: End) -> End {
        let is_ordered = |ordered: &End| end.by == Who::Us && end.code.is_none() && end.why == ordered.why;
        match self.requested_end.take_if(|ordered| is_ordered(ordered)) {
            Some(ordered) if end.detail.is_empty() => End { detail: ordered.detail, ..end },
            _ => end,
        }
    }

    /// Reads the counters of the call, for the list of sessions and for the call itself.
    pub(super) fn update_counters(&mut self, now: Now) {
        let Some(call) = self.state.call() else { return };
        let (id, call) = (call.id, call.handle);
        let Some(counters) = self.handles.path.counters(id) else { return };
        self.session.known().counters = counters;
        let (received, sent) = (counters.rx_packets, counters.tx_packets);
        self.tunnel.handle_input(now.instant, events::Input::Traffic { call, received, sent });
    }

    pub(super) fn routes_removed(&mut self, now: Now) {
        let State::Ending(ending) = &mut self.state else { return };
        if let Some(lease) = ending.lease.take() {
            self.handles.release(self.session.id, lease);
        }
        let end = ending.end.clone();
        ending.end = ending::behind_one_address(&self.session, &self.handles.registry, end);
        // There is one call per connection: without it, the connection is done.
        self.tunnel.handle_command(now.instant, Command::Stop { why: Why::UserRequest });
    }

    /// ^Handles the closed control connection. If there was a call, returns the routes to remove before
    /// [`Input::RoutesRemoved`](super::machine::Input::RoutesRemoved).
    pub(super) fn handle_disconnected(&mut self, now: Now) -> Option<Vec<Ipv4Net>> {
        self.state.call()?;
        let lost = End { why: Why::LostCarrier, by: Who::Neither, code: None, detail: String::new() };
        let end = self.requested_end.take().unwrap_or(lost);
        self.end_call_with(now, end)
    }

    /// Writes the last entries (event, record, row) and frees the slot.
    pub(super) fn finish(&mut self, now: Now) {
        let (end, refusal, counters, _slot) = match std::mem::replace(&mut self.state, State::Ended) {
            State::Ending(Ending { end, refusal, counters, slot, .. }) => (end, refusal, counters, slot),
            State::NoCall(NoCall { slot }) => (self.end_without_call(), None, None, Some(slot)),
            State::SettingUp(SettingUp { slot, .. }) => (self.end_without_call(), None, None, Some(slot)),
            State::Up(_) | State::Ended => (self.end_without_call(), None, None, None),
        };
        self.record_end(now, end, refusal, counters.map(|read| read()));
        self.handles.registry.remove(self.session.id);
        // An address that arrived too late is released.
        for message in self.session.queue.close() {
            if let Message::Answer(answered) = message
                && let Some(lease) = answered.learned.lease
            {
                self.handles.release(self.session.id, lease);
            }
        }
    }

    /// Writes the events about rules that were not written yet.
    fn report_rules(&self, now: Now) {
        let events = {
            let mut known = self.session.known();
            let hits = known.hits.clone();
            known.reported.due(&hits, now.instant, true, usize::MAX)
        };
        for facts in events {
            self.record_event(now, denial_code(&facts), facts);
        }
    }

    fn end_without_call(&mut self) -> End {
        self.requested_end.take().unwrap_or(End {
            why: Why::UserRequest,
            by: Who::Peer,
            code: None,
            detail: "closed before a call was made".to_owned(),
        })
    }

    fn record_end(
        &self,
        now: Now,
        end: End,
        refusal: Option<LoginRefusal>,
        last: Option<(adit_diag::Counters, Hits)>,
    ) {
        let (counters, up_at) = {
            let mut known = self.session.known();
            if let Some((counters, hits)) = last {
                known.counters = counters;
                known.hits = hits;
            }
            known.end = Some(ending::end_text(&end));
            known.code = end.code;
            (known.counters, known.up_at)
        };
        if let Some(code) = end.code
            && up_at.is_none()
        {
            self.handles.registry.count_failed(code);
        }
        self.report_rules(now);
        let found = self.session.known().findings();
        for finding in &found {
            self.note(now, &Note::Finding(finding.clone()));
        }
        let facts = ending::facts(&end, now.instant, &self.session, &found);
        let is_evicted = self.session.known().is_evicted;
        if !is_evicted {
            self.record_event(now, end.code, facts);
        }
        let (mut steps, mut omitted) = self.session.known().stored_record();
        if is_evicted {
            omitted += steps.len() as u64;
            steps.clear();
        }
        let end = SessionEnd {
            at: now.timestamp,
            why: end.why.word().to_owned(),
            by: end.by.word().to_owned(),
            code: end.code.map(|code| code.to_string()),
            detail: end.detail,
            refusal,
        };
        let counters = Some(counters.traffic());
        let ended = Change::End(self.session.id, Box::new(end), counters, steps, omitted);
        self.handles.recorder.enqueue(Entry::Change(ended));
    }
}
