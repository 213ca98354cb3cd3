//! The state of one session, shared between its task and the service.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_api::Utc;
use adit_api::session::{FindingRow, SessionDetail, SessionRow, State, StepRow};
use adit_diag::note::Finding;
use adit_diag::{Code, Layer, Note};
use adit_policy::reach::{Decider, Hits, Reach};
use adit_store::SessionId;
use adit_tunnel::events::{Up, Why};
use adit_tunnel::record::Record;
use adit_wire::note::Shown;
use adit_wire::{LocalCallId, PeerCallId};
use jiff::Timestamp;

use crate::finding;
use crate::message::{Message, MessageQueue};
use crate::reach::report::{self, Reported};

/// One session: one control connection and its call.
#[derive(Debug)]
pub(crate) struct Session {
    /// The name of the session.
    pub(crate) id: SessionId,
    /// The client's public address and port.
    pub(crate) from: SocketAddrV4,
    /// The server address that it dialled.
    pub(crate) to: Ipv4Addr,
    /// When its control connection was accepted.
    pub(crate) started: Timestamp,
    pub(crate) started_at: Instant,
    /// The messages for its task.
    pub(crate) queue: MessageQueue,
    known: Mutex<Known>,
}

/// What becomes known during the session.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) user: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) host: String,
    pub(crate) vendor: String,
    pub(crate) layer: Option<Layer>,
    pub(crate) up: Option<Up>,
    pub(crate) up_at: Option<Instant>,
    pub(crate) call_ids: Option<(LocalCallId, PeerCallId)>,
    /// The rules of its group, if they were given to its packet path.
    pub(crate) reach: Option<Arc<Reach>>,
    pub(crate) has_reach: bool,
    /// What the rules have decided, as last read.
    pub(crate) hits: Hits,
    /// The events about that.
    pub(crate) reported: Reported,
    /// Faults that did not end the session, as reported by its machine: the last of each code.
    pub(crate) noticed: Vec<Finding>,
    /// The data packets that had been received when it was last reported that none is.
    pub(crate) silent_after: Option<u64>,
    /// The control frames that were ignored as forged.
    pub(crate) forged: u64,
    pub(crate) end: Option<String>,
    /// Its set-up was ended for connections that wait. There may be hundreds a second, so it leaves a row, but no
    /// event and no record.
    pub(crate) is_evicted: bool,
    pub(crate) code: Option<Code>,
    /// The evidence for the code, while it is only a suspicion.
    pub(crate) suspicion: String,
    pub(crate) counters: adit_diag::Counters,
    pub(crate) record: Record,
}

impl Known {
    /// Faults that did not end the session: those from its counters, then those reported by its machine.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let denier = self.hits.reach().or(self.reach.as_ref());
        let key = denier.map(|reach| reach.key(self.hits.last_denial().unwrap_or(Decider::End)));
        let mut findings = finding::counted(&self.counters, self.up_at.is_some(), &key.unwrap_or_default());
        findings.extend(self.noticed.iter().cloned());
        findings
    }

    /// The record in the form of the store, and how many notes it omits.
    pub(crate) fn stored_record(&self) -> (Vec<adit_store::Step>, u64) {
        let stored = |(at, note): (Duration, Note)| adit_store::Step {
            at,
            who: note.who().word().to_owned(),
            layer: note.protocol().name().to_owned(),
            text: Shown(&note).to_string(),
            note: Some(note),
        };
        (self.record.notes().map(stored).collect(), self.record.omitted())
    }
}

impl Session {
    pub(crate) fn new(id: SessionId, from: SocketAddrV4, to: Ipv4Addr, started: Timestamp) -> Session {
        let (queue, known) = (MessageQueue::default(), Mutex::default());
        Session { id, from, to, started, started_at: Instant::now(), queue, known }
    }

    /// Locks what is known now. If a task panicked while it held the lock, its last state remains usable.
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Makes its task end the session in order. Does not wait.
    pub(crate) fn end(&self, why: Why, code: Option<Code>, reason: String) {
        self.queue.push(Message::End { why, code, reason });
    }

    /// Makes its task end the session without waiting for the client.
    pub(crate) fn cut(&self) {
        self.queue.push(Message::Cut);
    }

    /// Adds a note to the record, with the time `now`.
    pub(crate) fn record(&self, now: Instant, note: &Note) {
        self.known().record.push(now.saturating_duration_since(self.started_at), note);
    }

    /// The row of the session in a list.
    pub(crate) fn row(&self) -> SessionRow {
        let known = self.known();
        let up = known.up.as_ref();
        SessionRow {
            id: self.id,
            user: known.user.clone().unwrap_or_default(),
            group: known.group.clone().unwrap_or_default(),
            address: up.map(|up| up.peer),
            from: (*self.from.ip()).into(),
            state: match (up, known.layer) {
                (Some(_), _) => State::Up,
                (None, layer) => State::At(layer.unwrap_or(Layer::Control)),
            },
            code: known.code,
            started: Utc(self.started),
            age_s: self.started_at.elapsed().as_secs(),
            up_s: known.up_at.map_or(0, |at| at.elapsed().as_secs()),
            mppe: up.and_then(|up| up.encryption).map_or(0, |(strength, _)| u32::from(strength.bits())),
            method: up.and_then(|up| up.method).map(|method| method.to_string()).unwrap_or_default(),
            vendor: known.vendor.clone(),
            counters: known.counters,
        }
    }

    /// All details of the session.
    pub(crate) fn detail(&self) -> SessionDetail {
        let session = self.row();
        let known = self.known();
        let up = known.up.as_ref();
        let findings = known.findings();
        let networks = known.reach.as_ref().map(|reach| reach.networks());
        SessionDetail {
            session,
            host: known.host.clone(),
            call_ids: known.call_ids.map(|(local, peer)| (local.get(), peer.get())),
            mtu: up.map_or(0, |up| up.mtu),
            dns: up.map(|up| up.dns.clone()).unwrap_or_default(),
            reach: networks.clone().flatten().unwrap_or_default(),
            reach_any: matches!(networks, Some(None)),
            rules: report::rows(&known.hits),
            rules_omitted: known.hits.others(),
            end: known.end.clone().unwrap_or_default(),
            suspicion: known.suspicion.clone(),
            to: Some(self.to),
            findings: findings.into_iter().map(FindingRow::from).collect(),
            steps: known.record.notes().map(|(at, note)| step_row(at, note)).collect(),
            steps_omitted: known.record.omitted(),
        }
    }
}

fn step_row(at: Duration, note: Note) -> StepRow {
    StepRow {
        at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
        who: note.who().word().to_owned(),
        layer: note.protocol().name().to_owned(),
        text: Shown(&note).to_string(),
        note: Some(note),
    }
}

#[cfg(test)]
mod tests;
