//! Who may come in when: as many set-ups at once as finish in time, the rest in line, every address in its turn.
//!
//! After an outage everybody comes back at once. Were all let in together, all would time out together; were those beyond
//! a limit refused, people would have to dial again. So connections wait here, accepted and in order, until there is
//! room. They cost a descriptor and little else, and nothing here times them out.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use adit_config::Limits;
use adit_diag::Code;
use adit_policy::{CallLimiter, Lobby, SetupSlots};
use adit_tunnel::events::Why;
use tokio::sync::Notify;

use crate::session::Session;

/// Connections let in together: their sessions begin in one transaction of the store.
const TOGETHER: usize = 64;
/// How often those inside are looked at while somebody waits.
const LOOK: Duration = Duration::from_millis(100);

/// The door.
#[derive(Debug)]
pub(crate) struct Door<T> {
    inner: Mutex<Inner<T>>,
    moved: Notify,
}

#[derive(Debug)]
struct Inner<T> {
    lobby: Lobby<T>,
    slots: SetupSlots,
    callers: CallLimiter,
    /// Those that are being set up, once they have begun.
    sessions: BTreeMap<u64, Arc<Session>>,
    next: u64,
}

/// A place among those that are being set up, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Place<T> {
    door: Arc<Door<T>>,
    id: u64,
    from: Ipv4Addr,
}

impl<T> Door<T> {
    /// A door with room for `room` connections that wait.
    pub(crate) fn new(limits: &Limits, room: usize) -> Arc<Door<T>> {
        Arc::new(Door {
            inner: Mutex::new(Inner {
                lobby: Lobby::new(room),
                slots: SetupSlots::new(limits.starting),
                callers: CallLimiter::new(limits.calls_per_minute_per_address),
                sessions: BTreeMap::new(),
                next: 0,
            }),
            moved: Notify::new(),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Takes other limits; those that are inside stay.
    pub(crate) fn follow(&self, limits: &Limits) {
        let mut inner = self.inner();
        inner.slots.resize(limits.starting);
        inner.callers = CallLimiter::new(limits.calls_per_minute_per_address);
        drop(inner);
        self.moved.notify_one();
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.inner().lobby.len()
    }

    /// Somebody comes; returns who has to go because there is no room for more.
    pub(crate) fn arrive(&self, from: Ipv4Addr, who: T) -> Option<(Ipv4Addr, T)> {
        let gone = self.inner().lobby.arrive(from, who);
        self.moved.notify_one();
        gone
    }

    /// The next ones to begin, at least one; waits for them.
    pub(crate) async fn next(self: &Arc<Self>) -> Vec<(T, Place<T>)> {
        loop {
            let admitted = self.admit();
            if !admitted.is_empty() {
                return admitted;
            }
            if self.make_room() {
                continue;
            }
            if self.waiting() == 0 {
                self.moved.notified().await;
            } else {
                let _ = tokio::time::timeout(LOOK, self.moved.notified()).await;
            }
        }
    }

    fn admit(self: &Arc<Self>) -> Vec<(T, Place<T>)> {
        let now = Instant::now();
        let mut inner = self.inner();
        let Inner { lobby, slots, callers, next, .. } = &mut *inner;
        let mut admitted = Vec::new();
        while admitted.len() < TOGETHER && !slots.is_full() {
            let Some((from, who)) = lobby.next(|from| callers.call(now, from).is_ok()) else { break };
            *next += 1;
            slots.begin(now, *next, from);
            admitted.push((who, Place { door: Arc::clone(self), id: *next, from }));
        }
        admitted
    }

    /// Ends set-ups that lead nowhere while others wait; says whether there is room now.
    fn make_room(&self) -> bool {
        let now = Instant::now();
        let mut inner = self.inner();
        let Inner { lobby, slots, sessions, .. } = &mut *inner;
        if !slots.is_full() {
            return false;
        }
        let mut given_up = Vec::new();
        for waiting in lobby.addresses().take(TOGETHER) {
            let Some(victim) = slots.victim(now, waiting) else { continue };
            slots.end(victim);
            given_up.extend(sessions.remove(&victim));
        }
        drop(inner);
        for session in &given_up {
            let reason = "others wait to be let in, and this connection came no further".to_owned();
            session.end(Why::Failed, Some(Code::C05), reason);
        }
        !given_up.is_empty()
    }
}

impl<T> Place<T> {
    /// It has become a session.
    pub(crate) fn begun(&self, session: Arc<Session>) {
        self.door.inner().sessions.insert(self.id, session);
    }

    /// It has asked for a call.
    pub(crate) fn called(&self) {
        self.door.inner().slots.called(self.id);
    }

    /// Its call is up: it does not count against its address.
    pub(crate) fn came_up(self) {
        self.door.inner().callers.give_back(self.from);
    }
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        let mut inner = self.door.inner();
        inner.slots.end(self.id);
        inner.sessions.remove(&self.id);
        drop(inner);
        self.door.moved.notify_one();
    }
}

/// What waits at the door of the server.
pub(crate) type Arrival = (tokio::net::TcpStream, SocketAddrV4);

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
    async fn a_storm_larger_than_the_limit_gets_in_to_the_last() {
        let door: Arc<Door<u32>> = Door::new(&limits(32, 0), 10_000);
        for n in 0..5_000 {
            assert!(door.arrive(at(1), n).is_none());
        }
        let (mut seen, mut most) = (Vec::new(), 0);
        while seen.len() < 5_000 {
            let admitted = door.next().await;
            most = most.max(door.inner().slots.len());
            for (who, place) in admitted {
                seen.push(who);
                place.called();
                place.came_up();
            }
        }
        assert_eq!(seen, (0..5_000).collect::<Vec<_>>(), "in order");
        assert!(most <= 32, "{most} at once");
        assert!(door.inner().slots.is_empty());
    }

    #[tokio::test]
    async fn a_branch_office_comes_in_as_fast_as_its_calls_come_up_and_a_guesser_does_not() {
        let door: Arc<Door<u32>> = Door::new(&limits(256, 20), 10_000);
        for n in 0..200 {
            door.arrive(at(1), n);
            door.arrive(at(2), 1_000 + n);
        }
        let mut up = 0;
        while up < 200 {
            for (who, place) in door.next().await {
                if who < 1_000 {
                    up += 1;
                    place.came_up();
                }
                // The other one's calls fail.
            }
        }
        assert!(door.waiting() >= 178, "{} of the other wait still", door.waiting());
    }

    #[tokio::test]
    async fn silence_does_not_keep_others_out() {
        let door: Arc<Door<u32>> = Door::new(&limits(8, 0), 100);
        for n in 0..50 {
            door.arrive(at(1), n);
        }
        let mut silent = door.next().await;
        assert_eq!(silent.len(), 8);
        for (n, (_, place)) in silent.iter().enumerate() {
            let id = adit_store::SessionId(n as u64);
            let from = SocketAddrV4::new(at(1), 1);
            place.begun(Arc::new(Session::new(id, from, at(9), jiff::Timestamp::now())));
        }
        door.arrive(at(2), 77);
        // Real time passes for the slots, which are told when a connection began.
        std::thread::sleep(SetupSlots::SILENT);
        let mut let_in = Vec::new();
        while let_in.len() < 2 {
            let_in.extend(door.next().await);
        }
        assert!(let_in.iter().any(|(who, _)| *who == 77), "the other address has its turn at once");
        assert!(door.inner().slots.len() <= 8);
        silent.clear();
    }
}
