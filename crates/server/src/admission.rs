//! Admission of connections: limits the number of concurrent set-ups to what finishes in time; further
//! connections wait in a queue that is fair between addresses.
//!
//! After an outage all clients reconnect at once. If all were admitted together, all would time out; if those
//! beyond a limit were refused, their users would have to dial again. So connections are accepted and wait
//! here, in order, until a slot is free. A waiting connection costs a descriptor and little else, and it does
//! not time out here.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_config::Limits;
use adit_diag::Code;
use adit_policy::{CallLimiter, FairQueue, SetupSlots};
use adit_tunnel::events::Why;
use tokio::sync::Notify;

use crate::session::Session;

/// The most connections that are admitted together: their sessions are inserted in one transaction.
const MAX_BATCH: usize = 64;
/// How often the set-ups are checked while connections wait.
const CHECK_EVERY: Duration = Duration::from_millis(100);

/// The queue of waiting connections and the slots of those that are being set up.
#[derive(Debug)]
pub(crate) struct Admission<T> {
    inner: Mutex<Inner<T>>,
    changed: Notify,
}

#[derive(Debug)]
struct Inner<T> {
    queue: FairQueue<T>,
    slots: SetupSlots,
    callers: CallLimiter,
    /// The sessions that are being set up, by slot number.
    sessions: BTreeMap<u64, Arc<Session>>,
    next: u64,
}

/// A slot among the connections that are being set up; dropping it frees the slot.
#[derive(Debug)]
pub(crate) struct SetupSlot<T> {
    admission: Arc<Admission<T>>,
    id: u64,
    from: Ipv4Addr,
}

impl<T> Admission<T> {
    /// Makes a queue in which `capacity` connections may wait.
    pub(crate) fn new(limits: &Limits, capacity: usize) -> Arc<Admission<T>> {
        Arc::new(Admission {
            inner: Mutex::new(Inner {
                queue: FairQueue::new(capacity),
                slots: SetupSlots::new(limits.starting),
                callers: CallLimiter::new(limits.calls_per_minute_per_address),
                sessions: BTreeMap::new(),
                next: 0,
            }),
            changed: Notify::new(),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Applies other limits; set-ups that have begun stay.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        let mut inner = self.inner();
        inner.slots.resize(limits.starting);
        inner.callers = CallLimiter::new(limits.calls_per_minute_per_address);
        drop(inner);
        self.changed.notify_one();
    }

    /// The number of waiting connections.
    pub(crate) fn waiting(&self) -> usize {
        self.inner().queue.len()
    }

    /// Enqueues a connection; returns the one that was removed to make space.
    pub(crate) fn enqueue(&self, from: Ipv4Addr, connection: T) -> Option<(Ipv4Addr, T)> {
        let removed = self.inner().queue.push(from, connection);
        self.changed.notify_one();
        removed
    }

    /// Waits for and returns the next connections to set up, at least one.
    pub(crate) async fn admit(self: &Arc<Self>) -> Vec<(T, SetupSlot<T>)> {
        loop {
            let admitted = self.try_admit();
            if !admitted.is_empty() {
                return admitted;
            }
            if self.free_a_slot() {
                continue;
            }
            if self.waiting() == 0 {
                self.changed.notified().await;
            } else {
                let _ = tokio::time::timeout(CHECK_EVERY, self.changed.notified()).await;
            }
        }
    }

    fn try_admit(self: &Arc<Self>) -> Vec<(T, SetupSlot<T>)> {
        let now = Instant::now();
        let mut inner = self.inner();
        let Inner { queue, slots, callers, next, .. } = &mut *inner;
        let mut admitted = Vec::new();
        while admitted.len() < MAX_BATCH && !slots.is_full() {
            let Some((from, connection)) = queue.pop(|from| callers.call(now, from).is_ok()) else { break };
            *next += 1;
            slots.begin(now, *next, from);
            admitted.push((connection, SetupSlot { admission: Arc::clone(self), id: *next, from }));
        }
        admitted
    }

    /// Ends set-ups that make no progress while others wait; returns whether a slot is free now.
    fn free_a_slot(&self) -> bool {
        let now = Instant::now();
        let mut inner = self.inner();
        let Inner { queue, slots, sessions, .. } = &mut *inner;
        if !slots.is_full() {
            return false;
        }
        let mut given_up = Vec::new();
        for waiting in queue.addresses().take(MAX_BATCH) {
            let Some(victim) = slots.victim(now, waiting) else { continue };
            slots.end(victim);
            given_up.extend(sessions.remove(&victim));
        }
        drop(inner);
        for session in &given_up {
            let reason = "others wait for admission, and this connection made no progress".to_owned();
            session.end(Why::Failed, Some(Code::C05), reason);
        }
        !given_up.is_empty()
    }
}

impl<T> SetupSlot<T> {
    /// Reports that the connection has become a session.
    pub(crate) fn session_started(&self, session: Arc<Session>) {
        self.admission.inner().sessions.insert(self.id, session);
    }

    /// Reports that the client has requested a call.
    pub(crate) fn call_requested(&self) {
        self.admission.inner().slots.called(self.id);
    }

    /// Reports that the login waits for an account source, or that the source has answered. While it waits,
    /// the set-up uses no processor time and gives up its slot, so that a slow source does not block other
    /// clients. After the answer the set-up counts again, even beyond the limit.
    pub(crate) fn set_waiting(&self, is_waiting: bool) {
        let mut inner = self.admission.inner();
        if is_waiting {
            inner.slots.end(self.id);
        } else {
            inner.slots.begin(Instant::now(), self.id, self.from);
            inner.slots.called(self.id);
        }
        drop(inner);
        self.admission.changed.notify_one();
    }

    /// Reports that the call is up: it no longer counts against its address.
    pub(crate) fn call_up(self) {
        self.admission.inner().callers.give_back(self.from);
    }
}

impl<T> Drop for SetupSlot<T> {
    fn drop(&mut self) {
        let mut inner = self.admission.inner();
        inner.slots.end(self.id);
        inner.sessions.remove(&self.id);
        drop(inner);
        self.admission.changed.notify_one();
    }
}

/// A connection in the admission queue: the accepted stream and the address of the client.
pub(crate) type Accepted = (tokio::net::TcpStream, SocketAddrV4);

#[cfg(test)]
mod tests {
    use adit_config::Checked;

    use super::*;

    fn limits(starting: u32, per_minute: u32) -> Limits {
        let limits = Checked::built_in().into_config().unwrap().limits;
        Limits { starting, calls_per_minute_per_address: per_minute, ..limits }
    }

    fn at(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(203, 0, 113, last)
    }

    #[tokio::test]
    async fn a_storm_larger_than_the_limit_is_admitted_to_the_last() {
        let admission: Arc<Admission<u32>> = Admission::new(&limits(32, 0), 10_000);
        for n in 0..5_000 {
            assert!(admission.enqueue(at(1), n).is_none());
        }
        let (mut seen, mut most) = (Vec::new(), 0);
        while seen.len() < 5_000 {
            let admitted = admission.admit().await;
            most = most.max(admission.inner().slots.len());
            for (who, slot) in admitted {
                seen.push(who);
                slot.call_requested();
                slot.call_up();
            }
        }
        assert_eq!(seen, (0..5_000).collect::<Vec<_>>(), "in order");
        assert!(most <= 32, "{most} at once");
        assert!(admission.inner().slots.is_empty());
    }

    #[tokio::test]
    async fn a_branch_office_is_admitted_as_fast_as_its_calls_come_up_and_a_guesser_is_not() {
        let admission: Arc<Admission<u32>> = Admission::new(&limits(256, 20), 10_000);
        for n in 0..200 {
            admission.enqueue(at(1), n);
            admission.enqueue(at(2), 1_000 + n);
        }
        let mut up = 0;
        while up < 200 {
            for (who, slot) in admission.admit().await {
                if who < 1_000 {
                    up += 1;
                    slot.call_up();
                }
                // The calls from the other address fail.
            }
        }
        assert!(admission.waiting() >= 178, "{} of the other wait still", admission.waiting());
    }

    #[tokio::test]
    async fn a_crowd_that_waits_for_an_account_source_keeps_no_client_out() {
        let admission: Arc<Admission<u32>> = Admission::new(&limits(8, 0), 2_000);
        for n in 0..1_000 {
            admission.enqueue(at(1), n);
        }
        let mut waiting = Vec::new();
        while waiting.len() < 1_000 {
            for (_, slot) in admission.admit().await {
                slot.call_requested();
                slot.set_waiting(true);
                waiting.push(slot);
            }
        }
        admission.enqueue(at(2), 2_000);
        let (who, slot) = admission.admit().await.pop().unwrap();
        assert_eq!(who, 2_000);
        drop(slot);
        for slot in &waiting {
            slot.set_waiting(false);
        }
        assert_eq!(admission.inner().slots.len(), 1_000, "they count again");
        drop(waiting);
        assert!(admission.inner().slots.is_empty());
    }

    #[tokio::test]
    async fn silent_connections_do_not_block_others() {
        let admission: Arc<Admission<u32>> = Admission::new(&limits(8, 0), 100);
        for n in 0..50 {
            admission.enqueue(at(1), n);
        }
        let mut silent = admission.admit().await;
        assert_eq!(silent.len(), 8);
        for (n, (_, slot)) in silent.iter().enumerate() {
            let id = adit_store::SessionId(n as u64);
            let from = SocketAddrV4::new(at(1), 1);
            slot.session_started(Arc::new(Session::new(id, from, at(9), jiff::Timestamp::now())));
        }
        admission.enqueue(at(2), 77);
        // Slots measure the age of a connection in real time.
        std::thread::sleep(SetupSlots::SILENT);
        let mut admitted = Vec::new();
        while admitted.len() < 2 {
            admitted.extend(admission.admit().await);
        }
        assert!(admitted.iter().any(|(who, _)| *who == 77), "the other address has its turn at once");
        assert!(admission.inner().slots.len() <= 8);
        silent.clear();
    }
}
