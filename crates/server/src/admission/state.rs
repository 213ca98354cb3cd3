//! The decisions of the admission, without clock, sockets and locks: connections by stage, from accept until their call
//! is up.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use adit_config::Limits;
use adit_policy::admission::{
    Arrivals, Capacity, FairQueue, History, LoginLimiter, SetupSlots, Stage, Standing,
};

/// The most connections of one address that wait for admission.
const WAITING_PER_ADDRESS: usize = 256;

/// The end of a set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The call is up.
    Up,
    /// The login was refused; the connection goes on to its end.
    LoginRefused,
    /// The connection ended before its call was up.
    Failed,
}

/// The numbers of the admission, for display.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Connections without a complete first message.
    pub(crate) arriving: u64,
    /// Connections that wait for admission.
    pub(crate) waiting: u64,
    /// The age of the oldest of them.
    pub(crate) oldest: Duration,
    /// Connections refused because there was no space in the queue, or no descriptor.
    pub(crate) refused: u64,
    /// Connections that ended, or were ended, before their first message was complete.
    pub(crate) unfinished: u64,
    /// Set-ups ended without progress while others waited.
    pub(crate) evicted: u64,
}

/// A new connection: its id, and the connection that has to be closed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// `None` if the new connection itself is refused.
    pub(crate) id: Option<u64>,
    /// The connection that gives way.
    pub(crate) removed: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct State {
    capacity: Capacity,
    arrivals: Arrivals,
    queue: FairQueue,
    slots: SetupSlots,
    history: History,
    logins: LoginLimiter,
    /// Connections whose call is not up.
    connections: BTreeMap<u64, Ipv4Addr>,
    /// When connections began to wait.
    waiting: BTreeMap<u64, Instant>,
    next: u64,
    refused: u64,
    unfinished: u64,
    evicted: u64,
}

impl State {
    pub(crate) fn new(limits: &Limits, capacity: Capacity) -> State {
        let waiting = size(capacity.waiting);
        State {
            capacity,
            arrivals: Arrivals::new(size(capacity.arrivals)),
            queue: FairQueue::new(waiting, WAITING_PER_ADDRESS.min(waiting)),
            slots: SetupSlots::new(starting(limits, capacity)),
            history: History::new(),
            logins: LoginLimiter::new(limits.calls_per_minute_per_address),
            connections: BTreeMap::new(),
            waiting: BTreeMap::new(),
            next: 0,
            refused: 0,
            unfinished: 0,
            evicted: 0,
        }
    }

    /// Applies other limits; set-ups that have begun stay.
    pub(crate) fn set_limits(&mut self, limits: &Limits) {
        self.slots.resize(starting(limits, self.capacity));
        self.logins = LoginLimiter::new(limits.calls_per_minute_per_address);
    }

    /// A user logged in from this address before the server started.
    pub(crate) fn remember(&mut self, from: Ipv4Addr) {
        self.history.logged_in(from);
    }

    /// A connection was accepted, while `up` others belong to calls that are up.
    pub(crate) fn arrive(&mut self, from: Ipv4Addr, up: u64) -> Arrived {
        let mut removed = None;
        if self.connections.len() as u64 + up >= self.capacity.connections {
            removed = self.make_space();
            if removed.is_none() {
                self.refused += 1;
                return Arrived { id: None, removed };
            }
        }
        self.next += 1;
        let id = self.next;
        self.connections.insert(id, from);
        if let Some(oldest) = self.arrivals.insert(id, from) {
            self.connections.remove(&oldest);
            self.unfinished += 1;
            removed = Some(oldest);
        }
        Arrived { id: Some(id), removed }
    }

    /// Removes the connection that deserves its descriptor least: one without a first message, else one that waits.
    fn make_space(&mut self) -> Option<u64> {
        let removed = match self.arrivals.evict() {
            Some(id) => {
                self.unfinished += 1;
                id
            }
            None => {
                let id = self.queue.evict()?;
                self.refused += 1;
                id
            }
        };
        self.waiting.remove(&removed);
        self.connections.remove(&removed);
        Some(removed)
    }

    /// The first message of a connection is complete: it waits for admission. Returns the connection that has to be
    /// closed for want of space, which may be the same.
    pub(crate) fn message_complete(&mut self, now: Instant, id: u64) -> Option<u64> {
        if !self.arrivals.remove(id) {
            return None;
        }
        let from = self.connections.get(&id).copied()?;
        self.waiting.insert(id, now);
        let removed = self.queue.push(id, from, self.history.standing(now, from))?;
        self.refused += 1;
        self.waiting.remove(&removed);
        self.connections.remove(&removed);
        Some(removed)
    }

    /// A connection that is not in set-up was closed. False if it is in set-up, or unknown.
    pub(crate) fn leave(&mut self, id: u64) -> bool {
        let is_arriving = self.arrivals.remove(id);
        self.unfinished += u64::from(is_arriving);
        if !is_arriving && !self.queue.remove(id) {
            return false;
        }
        self.waiting.remove(&id);
        self.connections.remove(&id);
        true
    }

    /// The next connections to set up, at most `most`.
    pub(crate) fn admit(&mut self, now: Instant, most: usize) -> Vec<u64> {
        let mut admitted = Vec::new();
        let State { queue, slots, logins, waiting, .. } = self;
        while admitted.len() < most {
            let next =
                queue.pop(|standing| !slots.is_full_for(standing), |from| logins.is_allowed(now, from));
            let Some((id, from)) = next else { break };
            waiting.remove(&id);
            slots.begin(now, id, from, Stage::Admitted);
            admitted.push(id);
        }
        admitted
    }

    /// Frees the slots of at most `most` set-ups without progress, if others wait for a slot; returns their ids.
    pub(crate) fn evict(&mut self, now: Instant, most: usize) -> Vec<u64> {
        if !self.slots.is_full_for(Standing::New) {
            return Vec::new();
        }
        let stalled = self.slots.stalled(now, most.min(self.queue.len()));
        for id in &stalled {
            self.slots.end(*id);
            self.evicted += 1;
        }
        stalled
    }

    /// A set-up has reached a stage.
    pub(crate) fn reached(&mut self, now: Instant, id: u64, stage: Stage) {
        self.slots.reached(now, id, stage);
    }

    /// A login waits for an account source for so long that its slot is given to others.
    pub(crate) fn give_up_slot(&mut self, id: u64) {
        self.slots.end(id);
    }

    /// The account source has answered at last: the set-up counts again, even beyond the limit.
    pub(crate) fn take_slot(&mut self, now: Instant, id: u64) {
        if let Some(from) = self.connections.get(&id) {
            self.slots.begin(now, id, *from, Stage::Answered);
        }
    }

    /// What became of a set-up.
    pub(crate) fn end(&mut self, now: Instant, id: u64, outcome: Outcome) {
        let Some(from) = self.connections.get(&id).copied() else { return };
        match outcome {
            Outcome::LoginRefused => return self.logins.failed(now, from),
            Outcome::Up => self.history.logged_in(from),
            Outcome::Failed => self.history.failed(now, from),
        }
        self.slots.end(id);
        self.connections.remove(&id);
    }

    /// Whether a connection waits for admission.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    pub(crate) fn numbers(&self, now: Instant) -> Numbers {
        let oldest = self.waiting.values().min();
        Numbers {
            arriving: self.arrivals.len() as u64,
            waiting: self.queue.len() as u64,
            oldest: oldest.map_or(Duration::ZERO, |since| now.saturating_duration_since(*since)),
            refused: self.refused,
            unfinished: self.unfinished,
            evicted: self.evicted,
        }
    }

    #[cfg(test)]
    pub(crate) fn in_set_up(&self) -> usize {
        self.slots.len()
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.connections.is_empty()
            && self.waiting.is_empty()
            && self.arrivals.is_empty()
            && self.queue.is_empty()
            && self.slots.is_empty()
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The slots for set-ups: as configured, if there are descriptors for them.
fn starting(limits: &Limits, capacity: Capacity) -> usize {
    size(u64::from(limits.starting).min(capacity.starting))
}
