//! Admission of connections: limits the number of concurrent set-ups to what finishes in time; further
//! connections wait in a queue that is fair between addresses.
//!
//! After an outage all clients reconnect at once. If all were admitted together, all would time out; if those
//! beyond a limit were refused, their users would have to dial again. So connections are accepted and wait
//! here until a slot is free. A connection enters the queue when its first message is complete, and leaves it
//! when it is closed. While it waits it costs a descriptor and little else, and it does not time out here.
//!
//! [`state::State`] contains the decisions; this file adds the lock and the messages to the tasks.

mod state;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_config::Limits;
use adit_diag::Code;
use adit_policy::admission::{Capacity, Stage};
use adit_store::SessionId;
use adit_tunnel::events::Why;
use jiff::Timestamp;
use tokio::sync::{Notify, oneshot};

pub(crate) use state::Numbers;
use state::{Outcome, State};

use crate::session::Session;

/// The most connections that are admitted together: their sessions are inserted in one transaction.
const MAX_BATCH: usize = 64;
/// How often the set-ups are checked while connections wait.
const CHECK_EVERY: Duration = Duration::from_millis(50);
/// The shortest time between two attempts while no connection can be admitted.
const PAUSE: Duration = Duration::from_millis(5);

/// The connections that are on their way to a call.
#[derive(Debug)]
pub(crate) struct Admission {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// The tasks of the connections that are not admitted yet.
    tasks: BTreeMap<u64, (SocketAddrV4, oneshot::Sender<Verdict>)>,
    /// The sessions that are being set up.
    sessions: BTreeMap<u64, Arc<Session>>,
    /// Sessions ended without progress since [`Admission::take_evicted`], and the address of the last.
    ended_early: Option<(u64, Ipv4Addr)>,
}

/// What becomes of a connection.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Its session begins.
    Admitted {
        /// Its slot.
        slot: SetupSlot,
        /// The name of its session.
        id: SessionId,
        /// When the session began.
        started: Timestamp,
    },
    /// The store is not available: it is refused with "no resource".
    Unavailable(SetupSlot),
    /// There is no space for it.
    NoSpace,
    /// Its address was banned while it waited: it is closed.
    Banned,
}

/// A connection that is not admitted yet; dropping it means that it is closed.
#[derive(Debug)]
pub(crate) struct Arrival {
    admission: Arc<Admission>,
    id: u64,
    verdict: oneshot::Receiver<Verdict>,
}

/// A connection that is admitted, and waits for its session.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The client.
    pub(crate) from: SocketAddrV4,
    slot: SetupSlot,
    task: oneshot::Sender<Verdict>,
}

/// A slot among the connections that are being set up; dropping it frees the slot.
#[derive(Debug)]
pub(crate) struct SetupSlot {
    admission: Arc<Admission>,
    id: u64,
}

impl Admission {
    /// Creates the admission of a server whose descriptors allow `capacity`.
    pub(crate) fn new(limits: &Limits, capacity: Capacity) -> Arc<Admission> {
        let state = State::new(limits, capacity);
        let inner = Inner { state, tasks: BTreeMap::new(), sessions: BTreeMap::new(), ended_early: None };
        Arc::new(Admission { inner: Mutex::new(inner), changed: Notify::new() })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Applies other limits; set-ups that have begun stay.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        self.inner().state.set_limits(limits);
        self.changed.notify_one();
    }

    /// Remembers addresses from which users logged in before the server started, the latest last.
    pub(crate) fn remember(&self, addresses: impl IntoIterator<Item = Ipv4Addr>) {
        let mut inner = self.inner();
        addresses.into_iter().for_each(|from| inner.state.remember(from));
    }

    /// The numbers of the admission.
    pub(crate) fn numbers(&self) -> Numbers {
        self.inner().state.numbers(Instant::now())
    }

    /// The number of sessions that were ended without progress since the last call, and the address of one.
    pub(crate) fn take_evicted(&self) -> Option<(u64, Ipv4Addr)> {
        self.inner().ended_early.take()
    }

    /// Registers a connection that was accepted, while `up` others belong to calls that are up; `None` if there
    /// is no descriptor for it.
    pub(crate) fn arrive(self: &Arc<Self>, from: SocketAddrV4, up: u64) -> Option<Arrival> {
        let mut inner = self.inner();
        let arrived = inner.state.arrive(*from.ip(), up);
        inner.close(arrived.removed);
        let id = arrived.id?;
        let (task, verdict) = oneshot::channel();
        inner.tasks.insert(id, (from, task));
        drop(inner);
        Some(Arrival { admission: Arc::clone(self), id, verdict })
    }

    /// Waits for and returns the next connections to set up, at least one.
    pub(crate) async fn admit(self: &Arc<Self>) -> Vec<Admitted> {
        loop {
            let admitted = self.try_admit();
            if !admitted.is_empty() {
                return admitted;
            }
            if self.evict_stalled() {
                continue;
            }
            if self.inner().state.has_waiting() {
                let _ = tokio::time::timeout(CHECK_EVERY, self.changed.notified()).await;
                // A flood of arrivals must not make this loop busy.
                tokio::time::sleep(PAUSE).await;
            } else {
                self.changed.notified().await;
            }
        }
    }

    fn try_admit(self: &Arc<Self>) -> Vec<Admitted> {
        let mut inner = self.inner();
        let ids = inner.state.admit(Instant::now(), MAX_BATCH);
        let tasks: Vec<_> = ids.into_iter().map(|id| (id, inner.tasks.remove(&id))).collect();
        // A slot locks the admission when it is dropped.
        drop(inner);
        tasks
            .into_iter()
            .filter_map(|(id, task)| {
                let slot = SetupSlot { admission: Arc::clone(self), id };
                task.map(|(from, task)| Admitted { from, slot, task })
            })
            .collect()
    }

    /// Ends set-ups that make no progress while others wait; returns whether a slot is free now.
    fn evict_stalled(&self) -> bool {
        let mut inner = self.inner();
        let evicted = inner.state.evict(Instant::now(), MAX_BATCH);
        let sessions: Vec<_> = evicted.iter().filter_map(|id| inner.sessions.remove(id)).collect();
        if let Some(session) = sessions.last() {
            let before = inner.ended_early.map_or(0, |(evicted, _)| evicted);
            inner.ended_early = Some((before + sessions.len() as u64, *session.from.ip()));
        }
        drop(inner);
        for session in &sessions {
            session.known().is_evicted = true;
            let reason = "others wait for admission, and this connection made no progress".to_owned();
            session.end(Why::Failed, Some(Code::C05), reason);
            // Waiting for the answer of such a client would keep its descriptor.
            session.cut();
        }
        !evicted.is_empty()
    }

    fn change(&self, change: impl FnOnce(&mut State, Instant)) {
        change(&mut self.inner().state, Instant::now());
        self.changed.notify_one();
    }
}

impl Inner {
    /// Makes the task of a connection close it.
    fn close(&mut self, id: Option<u64>) {
        if let Some((_, task)) = id.and_then(|id| self.tasks.remove(&id)) {
            // The task may have ended.
            let _ = task.send(Verdict::NoSpace);
        }
    }
}

impl Arrival {
    /// The first message is complete: the connection waits for admission.
    pub(crate) fn message_complete(&self) {
        let mut inner = self.admission.inner();
        let removed = inner.state.message_complete(Instant::now(), self.id);
        inner.close(removed);
        drop(inner);
        self.admission.changed.notify_one();
    }

    /// Waits for the verdict.
    pub(crate) async fn verdict(&mut self) -> Verdict {
        (&mut self.verdict).await.unwrap_or(Verdict::NoSpace)
    }

    /// The client has closed the connection: it leaves the queue. False if it is admitted already; its verdict
    /// follows.
    pub(crate) fn leave(&self) -> bool {
        let mut inner = self.admission.inner();
        let has_left = inner.state.leave(self.id);
        if has_left {
            inner.tasks.remove(&self.id);
        }
        has_left
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Admitted {
    /// The session can begin.
    pub(crate) fn start(self, id: SessionId, started: Timestamp) {
        // If the task has ended, the slot returns with the verdict and is freed.
        let _ = self.task.send(Verdict::Admitted { slot: self.slot, id, started });
    }

    /// Its address is banned.
    pub(crate) fn turn_away(self) {
        let _ = self.task.send(Verdict::Banned);
    }

    /// The session cannot begin.
    pub(crate) fn refuse(self) {
        let _ = self.task.send(Verdict::Unavailable(self.slot));
    }
}

impl SetupSlot {
    /// Reports that the connection has become a session.
    pub(crate) fn session_started(&self, session: Arc<Session>) {
        self.admission.inner().sessions.insert(self.id, session);
    }

    /// Reports that the set-up has reached a stage.
    pub(crate) fn reached(&self, stage: Stage) {
        self.admission.inner().state.reached(Instant::now(), self.id, stage);
    }

    /// Reports that the login waits for an account source, or that the source has answered. While it waits,
    /// the set-up uses no processor time and gives up its slot, so that a slow source does not block other
    /// clients. After the answer the set-up counts again, even beyond the limit.
    pub(crate) fn set_waiting(&self, is_waiting: bool) {
        self.admission.change(|state, now| {
            if is_waiting {
                state.give_up_slot(self.id);
            } else {
                state.take_slot(now, self.id);
            }
        });
    }

    /// Reports that the login was refused.
    pub(crate) fn login_refused(&self) {
        self.admission.change(|state, now| state.end(now, self.id, Outcome::LoginRefused));
    }

    /// Reports that the call is up.
    pub(crate) fn call_up(self) {
        self.admission.change(|state, now| state.end(now, self.id, Outcome::Up));
    }
}

impl Drop for SetupSlot {
    fn drop(&mut self) {
        self.admission.inner().sessions.remove(&self.id);
        // Without effect after the call is up.
        self.admission.change(|state, now| state.end(now, self.id, Outcome::Failed));
    }
}

#[cfg(test)]
mod tests;
